//! Numbers that look like hardware's, the same at every writing.

/// Sixteen hexadecimal digits that follow from a text.
pub(super) fn digits(of: &str) -> String {
    // FNV-1a: short, and the same everywhere.
    let hash = of
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // Its last bytes change only some of its digits, so they are stirred once more.
    let stirred = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    format!("{:016x}", stirred ^ (stirred >> 32))
}
