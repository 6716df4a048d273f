//! How far the clock of the kernel log is from the monotonic one. Both count from boot, but the log's is not corrected by
//! time servers: after weeks they are seconds apart. Neither follows a step of the wall clock.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// By how much one clock may run away from the other: oscillators are good to 20 millionths, time servers add some.
const DRIFT_MICROSECONDS_PER_SECOND: i64 = 50;

/// The log's clock starts a moment before the monotonic one.
const START: Duration = Duration::from_millis(500);

/// What is not known better than this is as good as not known.
const SLACK_MAX: Duration = Duration::from_secs(30);

/// Microseconds of the monotonic clock, which starts with the machine.
pub fn boot_microseconds() -> u64 {
    // This clock is always there.
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}

/// Within which bounds the monotonic clock is ahead of the log's, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    least: i64,
    most: i64,
    at: u64,
}

impl Offset {
    /// As it is at `now`, before anything was read.
    pub fn unknown(now: u64) -> Self {
        let range = micros(START) + drift(now);
        Self { least: -range, most: range, at: now }
    }

    /// Of a log whose times are taken as they are, because somebody wrote them for a replay.
    pub fn none() -> Self {
        Self { least: 0, most: 0, at: u64::MAX }
    }

    /// Whether the log's times are no machine's.
    pub fn is_none(&self) -> bool {
        self.at == u64::MAX
    }

    /// A record with the time `record` was there at `now`, and was not yet there at `before`.
    pub fn see(&mut self, record: u64, before: Option<u64>, now: u64) {
        if self.is_none() {
            return;
        }
        let range = drift(now.saturating_sub(self.at));
        let most = signed(now).saturating_sub(signed(record));
        let least = before.map_or(i64::MIN, |before| signed(before).saturating_sub(signed(record)));
        let bounds = (self.least.saturating_sub(range).max(least), self.most.saturating_add(range).min(most));
        // Bounds that exclude each other: the machine slept, and one of the clocks did not. What is seen now holds.
        let (least, most) =
            if bounds.0 <= bounds.1 { bounds } else { (least.max(most.saturating_sub(2 * micros(SLACK_MAX))), most) };
        *self = Self { least, most, at: now };
    }

    /// What the monotonic clock showed at a record's time.
    pub fn monotonic(&self, record: u64) -> u64 {
        let middle = self.least.midpoint(self.most);
        u64::try_from(signed(record).saturating_add(middle)).unwrap_or(0)
    }

    /// By how much that may be wrong.
    pub fn slack(&self) -> u64 {
        let half = (self.most.saturating_sub(self.least) / 2).clamp(0, micros(SLACK_MAX));
        half.unsigned_abs()
    }
}

fn drift(microseconds: u64) -> i64 {
    signed(microseconds / 1_000_000).saturating_mul(DRIFT_MICROSECONDS_PER_SECOND)
}

fn signed(microseconds: u64) -> i64 {
    i64::try_from(microseconds).unwrap_or(i64::MAX)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;
    const DAY: u64 = 86_400 * SECOND;

    #[test]
    fn clocks_that_ran_apart_over_weeks_are_brought_together() {
        // After 30 days the log is 20 s behind; a record comes every minute, and the log is read every ten seconds.
        let behind = 20 * SECOND;
        let mut offset = Offset::unknown(30 * DAY);
        assert_eq!(offset.slack(), 30 * SECOND);
        for minute in 0..60 {
            let written = 30 * DAY + minute * 61 * SECOND + minute * 170_000;
            let read = written.next_multiple_of(10 * SECOND);
            offset.see(written - behind, Some(read - 10 * SECOND), read);
        }
        assert!(offset.slack() < SECOND, "{}", offset.slack());
        assert!(offset.monotonic(31 * DAY).abs_diff(31 * DAY + behind) < SECOND);
    }

    #[test]
    fn a_fresh_machine_and_a_replay_need_no_correction() {
        assert!(Offset::unknown(60 * SECOND).slack() <= SECOND);
        let mut replayed = Offset::none();
        replayed.see(5, Some(7_000_000), 9_000_000);
        assert_eq!((replayed.monotonic(5), replayed.slack()), (5, 0));
    }

    #[test]
    fn no_time_breaks_it() {
        let mut offset = Offset::unknown(u64::MAX);
        for time in [0, u64::MAX, 1, u64::MAX / 2] {
            offset.see(time, Some(u64::MAX), 0);
            offset.see(u64::MAX - time, None, time);
            assert!(offset.slack() <= 30 * SECOND);
            offset.monotonic(time);
        }
    }
}
