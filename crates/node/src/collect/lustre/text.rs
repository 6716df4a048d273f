//! The texts of a Lustre client. Lines that make no sense are left out.

use std::collections::BTreeMap;

/// More lines than any such file has.
const LINES_MAX: usize = 128;

/// What the client says of its connection to a target.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) state: Option<String>,
    pub(super) in_flight: Option<u64>,
    pub(super) timeouts: Option<u64>,
    pub(super) wait_microseconds: Option<u64>,
}

impl Import {
    pub(super) fn read(text: &str) -> Self {
        let mut import = Self::default();
        for line in text.lines().take(LINES_MAX) {
            let Some((key, rest)) = line.trim().split_once(':') else { continue };
            let Some(word) = rest.split_ascii_whitespace().next() else { continue };
            match key {
                "state" => import.state = Some(word.to_owned()),
                "inflight" => import.in_flight = word.parse().ok(),
                "timeouts" => import.timeouts = word.parse().ok(),
                "avg_waittime" => import.wait_microseconds = word.parse().ok(),
                _ => {}
            }
        }
        import
    }
}

/// What was counted, added up over mounts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) operations: BTreeMap<String, Count>,
    pub(super) read_ahead: BTreeMap<String, u64>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) samples: u64,
    /// Bytes, or microseconds.
    pub(super) sum: u64,
    pub(super) is_time: bool,
}

impl Counts {
    /// Read and written by now.
    pub(super) fn bytes(&self) -> u64 {
        let sums = ["read_bytes", "write_bytes"].into_iter().filter_map(|name| Some(self.operations.get(name)?.sum));
        sums.fold(0, u64::saturating_add)
    }

    /// `read_bytes 1 samples [bytes] 4194304 4194304 4194304`: name, count, unit, least, most, sum.
    pub(super) fn add_operations(&mut self, text: &str) {
        for (name, samples, rest) in text.lines().take(LINES_MAX).filter_map(sample) {
            let mut words = rest.split_ascii_whitespace();
            let unit = words.next().unwrap_or_default();
            let sum = words.nth(2).and_then(|word| word.parse::<u64>().ok());
            let count = self.operations.entry(name).or_default();
            count.samples = count.samples.saturating_add(samples);
            count.sum = count.sum.saturating_add(sum.unwrap_or_default());
            count.is_time = sum.is_some() && matches!(unit, "[usec]" | "[usecs]");
        }
    }

    /// `readpage not consecutive 12 samples [pages]`.
    pub(super) fn add_read_ahead(&mut self, text: &str) {
        for (name, samples, _) in text.lines().take(LINES_MAX).filter_map(sample) {
            let pages = self.read_ahead.entry(name).or_default();
            *pages = pages.saturating_add(samples);
        }
    }
}

/// A line's name, its count, and the rest.
fn sample(line: &str) -> Option<(String, u64, &str)> {
    let (before, rest) = line.split_once(" samples ")?;
    let (name, count) = before.rsplit_once(char::is_whitespace)?;
    Some((name.trim().to_owned(), count.parse().ok()?, rest))
}
