//! One record of the kernel log, as /dev/kmsg gives it: `6,1234,5678901,-;text`, and lines after it that begin with a
//! space. Never panics on any bytes.

/// The longest head that is looked for: four numbers, flags, and what a later kernel may add.
const HEAD_BYTES_MAX: usize = 128;

/// A record's head and first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Whether the kernel wrote it. A program may write too, and what it writes proves nothing.
    pub is_kernels: bool,
    /// One more with every record since boot.
    pub sequence: u64,
    /// Since boot, by the clock of the kernel log.
    pub microseconds: u64,
    /// What it says. The kernel has written bytes that are no plain text as `\x1b`.
    pub text: &'a [u8],
}

/// Reads one; nothing where it is none, as a line that goes on with another record.
pub fn parse(bytes: &[u8]) -> Option<Record<'_>> {
    let end = bytes.iter().take(HEAD_BYTES_MAX).position(|byte| *byte == b';')?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let mut fields = std::str::from_utf8(head).ok()?.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let sequence = fields.next()?.parse().ok()?;
    let microseconds = fields.next()?.parse().ok()?;
    let text = rest.get(1..)?.split(|byte| *byte == b'\n').next()?;
    // The facility stands above the three bits of the level; the kernel's is 0, and only the kernel can have it.
    Some(Record { is_kernels: priority >> 3 == 0, sequence, microseconds, text })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn heads_of_every_kind_are_read() {
        let record = |is_kernels, sequence, microseconds, text: &'static str| {
            Some(Record { is_kernels, sequence, microseconds, text: text.as_bytes() })
        };
        for (line, expected) in [
            (
                "6,24780,36996022490,-;v71: entered mode\n SUBSYSTEM=net\n",
                record(true, 24780, 36_996_022_490, "v71: entered mode"),
            ),
            ("4,1,2,c;a;b,c", record(true, 1, 2, "a;b,c")),
            ("6,1,2,-,caller=T12;text", record(true, 1, 2, "text")),
            ("12,7,8,-;from a program", record(false, 7, 8, "from a program")),
            ("6,1,2,-;", record(true, 1, 2, "")),
            ("6,1,2;short", record(true, 1, 2, "short")),
            (" DEVICE=+pci:0000:10:1c.0", None),
            ("6,1;x", None),
            ("6,-1,2,-;x", None),
            ("6,1,99999999999999999999999,-;x", None),
            ("no head at all", None),
            ("", None),
        ] {
            assert_eq!(parse(line.as_bytes()), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not_and_nothing_breaks(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(record) = parse(&bytes) {
                prop_assert!(record.text.len() < bytes.len() && !record.text.contains(&b'\n'));
            }
        }

        #[test]
        fn any_record_reads_back(level in 0_u32..200, sequence: u64, microseconds: u64, text in "[^\n]{0,80}") {
            let line = format!("{level},{sequence},{microseconds},-;{text}\n KEY=value\n");
            let expected = Record { is_kernels: level < 8, sequence, microseconds, text: text.as_bytes() };
            prop_assert_eq!(parse(line.as_bytes()), Some(expected));
        }
    }
}
