//! Counts Xids, each once: the same one is heard of through NVML and through the kernel log, and the log repeats itself.
//!
//! One Xid is one boot, GPU, number and process within a second. Counts only grow, over restarts and reboots too. Times
//! are since boot: a step of the wall clock neither makes nor hides one.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::{Sighting, Source};

/// What is heard of again within this time is the same one.
const SAME_MICROSECONDS: u64 = 1_000_000;

/// Those that a late sighting is compared with. A burst of other records can hold the log up for minutes.
const RECENT_MAX: usize = 512;

/// Pairs of GPU and number that are counted: 16 GPUs with every Xid there is, and room.
pub(super) const KINDS_MAX: usize = 4096;

/// How often, and when last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// When last, in milliseconds since the epoch.
    pub last_milliseconds: i64,
}

/// What became of a sighting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It is a new one: so many were counted of its GPU and number.
    New(u64),
    /// It was counted before.
    Known,
    /// There are too many kinds to count one more.
    Left,
}

/// One that was counted, for comparison with what is heard of later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recent {
    pub(super) pci_bus_id: String,
    pub(super) xid: u32,
    pub(super) pid: Option<u32>,
    /// When each source told of it first.
    pub(super) nvml: Option<u64>,
    pub(super) kernel_log: Option<u64>,
}

/// An SXid's switch, its address, number, and whether it was fatal.
pub(super) type SxidKey = (String, String, u32, bool);

/// All counts of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    pub(super) boot: String,
    pub(super) cursor: Option<u64>,
    pub(super) xids: BTreeMap<(String, u32), Tally>,
    pub(super) sxids: BTreeMap<SxidKey, Tally>,
    pub(super) recent: VecDeque<Recent>,
    pub(super) left: u64,
}

impl Ledger {
    /// The machine is in this boot. The record up to which its log was read before; nothing of another boot's log counts.
    pub fn begin(&mut self, boot: &str) -> Option<u64> {
        // A boot without a name may be any.
        if self.boot != boot || boot.is_empty() {
            boot.clone_into(&mut self.boot);
            self.cursor = None;
            self.recent.clear();
        }
        self.cursor
    }

    /// The log was read up to this record.
    pub fn read_to(&mut self, cursor: Option<u64>) {
        self.cursor = cursor;
    }

    /// Takes in one sighting. `slack` is by how much the sources' clocks may differ.
    pub fn see(&mut self, sighting: &Sighting, slack: u64, at_milliseconds: i64) -> Counted {
        if let Some(same) = self.same(sighting, slack) {
            same.pid = same.pid.or(sighting.pid);
            same.first(sighting.source).get_or_insert(sighting.boot_microseconds);
            return Counted::Known;
        }
        let key = (sighting.pci_bus_id.clone(), sighting.xid);
        if self.xids.len() >= KINDS_MAX && !self.xids.contains_key(&key) {
            self.left += 1;
            return Counted::Left;
        }
        let tally = self.xids.entry(key).or_default();
        tally.add(at_milliseconds);
        let count = tally.count;
        let mut recent = Recent {
            pci_bus_id: sighting.pci_bus_id.clone(),
            xid: sighting.xid,
            pid: sighting.pid,
            nvml: None,
            kernel_log: None,
        };
        *recent.first(sighting.source) = Some(sighting.boot_microseconds);
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(recent);
        Counted::New(count)
    }

    /// Takes in a switch's error. Only the kernel log tells of them, each once.
    pub fn see_switch(&mut self, key: SxidKey, at_milliseconds: i64) -> Counted {
        if self.sxids.len() >= KINDS_MAX && !self.sxids.contains_key(&key) {
            self.left += 1;
            return Counted::Left;
        }
        let tally = self.sxids.entry(key).or_default();
        tally.add(at_milliseconds);
        Counted::New(tally.count)
    }

    /// How many were not counted since the agent started.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Xids by GPU and number.
    pub fn xids(&self) -> impl Iterator<Item = (&str, u32, Tally)> {
        self.xids.iter().map(|((gpu, xid), tally)| (gpu.as_str(), *xid, *tally))
    }

    /// Errors of switches.
    pub fn sxids(&self) -> impl Iterator<Item = (&SxidKey, Tally)> {
        self.sxids.iter().map(|(key, tally)| (key, *tally))
    }

    /// The one among those counted that this is: of the same process rather than of one that is not known, and the
    /// nearest in time.
    fn same(&mut self, sighting: &Sighting, slack: u64) -> Option<&mut Recent> {
        let fits = |recent: &&mut Recent| {
            recent.xid == sighting.xid
                && recent.pci_bus_id == sighting.pci_bus_id
                && (recent.pid == sighting.pid || recent.pid.is_none() || sighting.pid.is_none())
        };
        let candidates = self.recent.iter_mut().filter(fits).filter_map(|recent| {
            let away = recent.away(sighting, slack)?;
            Some(((recent.pid != sighting.pid, away), recent))
        });
        candidates.min_by_key(|(rank, _)| *rank).map(|(_, recent)| recent)
    }
}

impl Recent {
    fn first(&mut self, source: Source) -> &mut Option<u64> {
        match source {
            Source::Nvml => &mut self.nvml,
            Source::KernelLog => &mut self.kernel_log,
        }
    }

    /// How far a sighting is from it in time, if it is near enough to be the same. What the same source told says more
    /// than what the other did: their clocks differ.
    fn away(&self, sighting: &Sighting, slack: u64) -> Option<u64> {
        let (own, other) = match sighting.source {
            Source::Nvml => (self.nvml, self.kernel_log),
            Source::KernelLog => (self.kernel_log, self.nvml),
        };
        let (before, within) = match own {
            Some(own) => (own, SAME_MICROSECONDS),
            None => (other?, SAME_MICROSECONDS.saturating_add(slack)),
        };
        let away = before.abs_diff(sighting.boot_microseconds);
        (away <= within).then_some(away)
    }
}

impl Tally {
    fn add(&mut self, at_milliseconds: i64) {
        self.count = self.count.saturating_add(1);
        // Not the later of both: a wall clock that once was years ahead would hide every later one.
        self.last_milliseconds = at_milliseconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NVML: Source = Source::Nvml;
    const LOG: Source = Source::KernelLog;

    /// Source, GPU, Xid, pid (0 is unknown), milliseconds since boot.
    type Told = (Source, &'static str, u32, u32, u64);

    fn sighting((source, gpu, xid, pid, milliseconds): Told) -> Sighting {
        let pid = (pid > 0).then_some(pid);
        Sighting { source, pci_bus_id: gpu.into(), xid, pid, boot_microseconds: milliseconds * 1000 }
    }

    fn count(told: &[Told], slack: u64) -> u64 {
        let mut ledger = Ledger::default();
        ledger.begin("a");
        let new = told.iter().filter(|told| matches!(ledger.see(&sighting(**told), slack, 0), Counted::New(_))).count();
        let counted: u64 = ledger.xids().map(|(_, _, tally)| tally.count).sum();
        assert_eq!(u64::try_from(new).unwrap(), counted);
        counted
    }

    #[test]
    fn an_xid_is_counted_once_whoever_tells_of_it() {
        let cases: &[(&str, &[Told], u64)] = &[
            ("one source", &[(LOG, "a", 79, 0, 5000)], 1),
            ("both, the log first", &[(LOG, "a", 79, 7, 5000), (NVML, "a", 79, 0, 5900)], 1),
            ("both, NVML first", &[(NVML, "a", 79, 0, 5900), (LOG, "a", 79, 7, 5000)], 1),
            ("both, a second apart", &[(LOG, "a", 79, 7, 5000), (NVML, "a", 79, 0, 6000)], 1),
            ("both, more than a second apart", &[(LOG, "a", 79, 7, 5000), (NVML, "a", 79, 0, 6001)], 2),
            ("three lines of one fault", &[(LOG, "a", 13, 7, 10), (LOG, "a", 13, 7, 11), (LOG, "a", 13, 7, 12)], 1),
            ("another GPU", &[(LOG, "a", 79, 7, 10), (LOG, "b", 79, 7, 10)], 2),
            ("another number", &[(LOG, "a", 48, 7, 10), (LOG, "a", 63, 7, 10)], 2),
            ("again, later", &[(LOG, "a", 31, 7, 10), (LOG, "a", 31, 7, 1011)], 2),
            ("an unknown process, then a known one", &[(LOG, "a", 31, 0, 10), (LOG, "a", 31, 7, 20)], 1),
            ("a known process, then an unknown one", &[(LOG, "a", 31, 7, 10), (LOG, "a", 31, 0, 20)], 1),
            (
                "an unknown one stands for one process only",
                &[(LOG, "a", 31, 0, 10), (LOG, "a", 31, 7, 20), (LOG, "a", 31, 8, 30)],
                2,
            ),
            (
                "out of order",
                &[(LOG, "a", 31, 7, 2000), (LOG, "a", 31, 7, 10), (NVML, "a", 31, 0, 100), (NVML, "a", 31, 0, 2100)],
                2,
            ),
            (
                "NVML joins the nearest",
                &[(LOG, "a", 31, 7, 0), (LOG, "a", 31, 7, 1500), (NVML, "a", 31, 0, 900), (NVML, "a", 31, 0, 100)],
                2,
            ),
        ];
        for (about, told, expected) in cases {
            assert_eq!(count(told, 0), *expected, "{about}");
        }
    }

    #[test]
    fn two_processes_with_the_same_xid_count_two_field_pain_32() {
        let log = [(LOG, "a", 31, 7, 1000), (LOG, "a", 31, 8, 1010)];
        let nvml = [(NVML, "a", 31, 0, 1001), (NVML, "a", 31, 0, 1011)];
        assert_eq!(count(&log, 0), 2);
        assert_eq!(count(&[log, nvml].concat(), 0), 2);
        assert_eq!(count(&[nvml, log].concat(), 0), 2);
        assert_eq!(count(&[log[0], nvml[0], log[1], nvml[1]], 0), 2);
    }

    // A gauge of the last Xid shows it for ever, and a repeat not at all.
    #[test]
    fn repeats_are_neither_missed_nor_stuck_field_pain_32() {
        // A fault every two seconds for a minute, and then none: 30, and no more however long one looks.
        let every: Vec<Told> =
            (0..30).flat_map(|nth| [(LOG, "a", 31, 7, nth * 2000), (NVML, "a", 31, 0, nth * 2000 + 3)]).collect();
        assert_eq!(count(&every, 0), 30);
        // Without a pause, a second has one.
        let storm: Vec<Told> = (0..100).map(|nth| (LOG, "a", 31, 7, nth * 100)).collect();
        assert_eq!(count(&storm, 0), 10);
    }

    #[test]
    fn clocks_that_ran_apart_still_tell_of_one() {
        let told = [(LOG, "a", 79, 7, 5000), (NVML, "a", 79, 0, 9000)];
        assert_eq!((count(&told, 0), count(&told, 3_000_000)), (2, 1));
        // Of one source, no clock can have run apart.
        let told = [(LOG, "a", 79, 7, 5000), (LOG, "a", 79, 7, 9000)];
        assert_eq!(count(&told, 3_000_000), 2);
    }

    #[test]
    fn counts_go_on_over_a_reboot_and_its_log_is_read_from_its_beginning() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.begin("a"), None);
        ledger.read_to(Some(900));
        ledger.see(&sighting((LOG, "a", 79, 0, 5000)), 0, 7);
        assert_eq!(ledger.begin("a"), Some(900));
        assert_eq!(ledger.begin("b"), None);
        // The same moment after another boot is another moment.
        assert_eq!(ledger.see(&sighting((LOG, "a", 79, 0, 5000)), 0, 5), Counted::New(2));
        assert_eq!(ledger.xids().collect::<Vec<_>>(), [("a", 79, Tally { count: 2, last_milliseconds: 5 })]);
        ledger.read_to(Some(1));
        assert_eq!((ledger.begin(""), ledger.begin("")), (None, None));
    }

    #[test]
    fn a_log_that_makes_up_gpus_does_not_fill_the_memory() {
        let mut ledger = Ledger::default();
        for nth in 0..5000_u32 {
            let made_up = Sighting { xid: nth, ..sighting((LOG, "a", 0, 1, 0)) };
            let expected = if nth < 4096 { Counted::New(1) } else { Counted::Left };
            assert_eq!(ledger.see(&made_up, 0, 0), expected);
            let switch = ("s".into(), String::new(), nth, false);
            assert_eq!(ledger.see_switch(switch, 0), expected);
        }
        assert_eq!((ledger.recent.len(), ledger.left()), (RECENT_MAX, 2 * (5000 - 4096)));
    }
}
