//! What a dynamic program asks the system's loader for: who loads it, which libraries, and which versions of their
//! symbols. Read as the loader does, by the dynamic section: a stripped program has no other.
//!
//! Never panics on any bytes.

use super::elf::{Elf, number};

/// A program header that names what lies where in memory.
const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;

/// Entries of the dynamic section.
const NEEDED: u64 = 1;
const STRINGS: u64 = 5;
const RPATH: u64 = 15;
const RUNPATH: u64 = 29;
const VERSIONS: u64 = 0x6fff_fffe;

/// A program has some dozens of each; what has more is broken.
const ENTRIES_MAX: usize = 4096;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linked {
    /// Who loads it.
    pub loader: String,
    /// The libraries.
    pub libraries: Vec<String>,
    /// Versions of symbols, as `GLIBC_2.17`, each once and sorted.
    pub versions: Vec<String>,
    /// Whether it names folders to look for libraries in.
    pub has_path: bool,
}

/// Where a file's parts lie.
struct Parts<'a> {
    bytes: &'a [u8],
    /// Address, offset and size.
    loaded: Vec<(u64, u64, u64)>,
    dynamic: Option<(u64, u64)>,
    loader: Option<(u64, u64)>,
}

impl Linked {
    /// Reads it; the error says what is missing.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        Elf::read(bytes)?;
        let parts = Parts::read(bytes).ok_or("the program headers are cut off")?;
        let dynamic = parts.dynamic().ok_or("there is no whole dynamic section")?;
        let address = |tag: u64| dynamic.iter().find(|(found, _)| *found == tag).map(|(_, value)| *value);
        let strings = address(STRINGS).and_then(|strings| parts.offset(strings)).ok_or("there are no names")?;
        let name = |at: u64| parts.text(strings.checked_add(at)?);
        let mut linked = Self {
            loader: parts.loader.and_then(|(offset, _)| parts.text(offset)).ok_or("nobody is named to load it")?,
            has_path: address(RPATH).or(address(RUNPATH)).is_some(),
            ..Self::default()
        };
        for (_, at) in dynamic.iter().filter(|(tag, _)| *tag == NEEDED) {
            linked.libraries.push(name(*at).ok_or("a library has no name")?);
        }
        if let Some(versions) = address(VERSIONS) {
            let offset = parts.offset(versions).ok_or("the versions are not in the file")?;
            linked.versions = parts.versions(offset, &name).ok_or("the versions are cut off")?;
        }
        Ok(linked)
    }

    /// The versions of glibc's symbols that are newer than `most`, or that no version can be read from.
    pub fn newer_than(&self, most: (u64, u64)) -> Vec<&str> {
        let of_glibc = self.versions.iter().filter_map(|version| Some((version, version.strip_prefix("GLIBC_")?)));
        of_glibc
            .filter(|(_, number)| minor(number).is_none_or(|number| number > most))
            .map(|(name, _)| &**name)
            .collect()
    }
}

/// `2.26`, and `2.2.5`, whose last part changes nothing here. glibc's private symbols have no number.
fn minor(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

impl<'a> Parts<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (table, size, count) = (number(bytes, 32, 8)?, number(bytes, 54, 2)?, number(bytes, 56, 2)?);
        let mut parts = Self { bytes, loaded: Vec::new(), dynamic: None, loader: None };
        for index in 0..count {
            let at = usize::try_from(table.checked_add(index.checked_mul(size)?)?).ok()?;
            let field = |skip: usize| number(bytes, at.checked_add(skip)?, 8);
            let (offset, address, length) = (field(8)?, field(16)?, field(32)?);
            match number(bytes, at, 4)? {
                PT_LOAD => parts.loaded.push((address, offset, length)),
                PT_DYNAMIC => parts.dynamic = Some((offset, length)),
                PT_INTERP => parts.loader = Some((offset, length)),
                _ => {}
            }
        }
        Some(parts)
    }

    /// Where in the file lies what lies there in memory.
    fn offset(&self, address: u64) -> Option<u64> {
        let is_in = |(begin, _, length): &&(u64, u64, u64)| address >= *begin && address - begin < *length;
        let (begin, offset, _) = self.loaded.iter().find(is_in)?;
        offset.checked_add(address - begin)
    }

    fn number(&self, offset: u64, length: usize) -> Option<u64> {
        number(self.bytes, usize::try_from(offset).ok()?, length)
    }

    /// Up to the next zero byte.
    fn text(&self, offset: u64) -> Option<String> {
        let rest = self.bytes.get(usize::try_from(offset).ok()?..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        String::from_utf8(rest.get(..end)?.to_vec()).ok()
    }

    /// Tags and values.
    fn dynamic(&self) -> Option<Vec<(u64, u64)>> {
        let (begin, length) = self.dynamic?;
        let count = usize::try_from(length / 16).ok()?.min(ENTRIES_MAX);
        let entry = |nth: usize| {
            let at = begin.checked_add(u64::try_from(nth).ok()? * 16)?;
            Some((self.number(at, 8)?, self.number(at.checked_add(8)?, 8)?))
        };
        (0..count).map(entry).collect()
    }

    /// A list of libraries, each with a list of versions; each entry says how far the next one is.
    fn versions(&self, offset: u64, name: &impl Fn(u64) -> Option<String>) -> Option<Vec<String>> {
        let mut found = std::collections::BTreeSet::new();
        let (mut library, mut looked) = (offset, 0);
        loop {
            let mut version = library.checked_add(self.number(library.checked_add(8)?, 4)?)?;
            loop {
                found.insert(name(self.number(version.checked_add(8)?, 4)?)?);
                looked += 1;
                match self.number(version.checked_add(12)?, 4)? {
                    0 => break,
                    _ if looked > ENTRIES_MAX => return None,
                    next => version = version.checked_add(next)?,
                }
            }
            match self.number(library.checked_add(12)?, 4)? {
                0 => return Some(found.into_iter().collect()),
                next => library = library.checked_add(next)?,
            }
        }
    }
}
