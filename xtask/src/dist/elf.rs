//! What the header of a 64-bit little-endian ELF file says about how it starts.
//!
//! Never panics on any bytes.

/// What a program is made for, and what it asks the system for before its first instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {
    /// The machine's number, as ELF counts them.
    pub machine: u16,
    /// It names a program that has to load it: it is not static.
    pub interpreter: bool,
    /// It has a dynamic section.
    pub dynamic: bool,
}

/// ELF's number for `x86_64`.
pub const X86_64: u16 = 62;
/// ELF's number for aarch64.
pub const AARCH64: u16 = 183;

/// Program headers that matter here.
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;

impl Elf {
    /// Reads the header; the error says what is missing.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if !bytes.starts_with(b"\x7fELF\x02\x01") {
            return Err("this is no 64-bit little-endian ELF file".to_owned());
        }
        let short = || "the ELF header is cut off".to_owned();
        let machine = number(bytes, 18, 2).ok_or_else(short)?;
        let table = number(bytes, 32, 8).ok_or_else(short)?;
        let (size, count) = number(bytes, 54, 2).zip(number(bytes, 56, 2)).ok_or_else(short)?;
        let mut elf = Self { machine: u16::try_from(machine).unwrap_or_default(), interpreter: false, dynamic: false };
        for index in 0..count {
            let offset = index.checked_mul(size).and_then(|skip| table.checked_add(skip)).ok_or_else(short)?;
            let offset = usize::try_from(offset).map_err(|_| short())?;
            let kind = number(bytes, offset, 4).ok_or_else(short)?;
            elf.interpreter |= kind == u64::from(PT_INTERP);
            elf.dynamic |= kind == u64::from(PT_DYNAMIC);
        }
        Ok(elf)
    }

    /// Whether it starts without anything else of the system.
    pub fn is_static(&self) -> bool {
        !self.interpreter && !self.dynamic
    }
}

pub(super) fn number(bytes: &[u8], offset: usize, length: usize) -> Option<u64> {
    let field = bytes.get(offset..offset.checked_add(length)?)?;
    Some(field.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}
