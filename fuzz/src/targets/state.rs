//! What the agent kept over a restart: Xids, jobs that run, jobs that ended.

use std::cell::RefCell;
use std::collections::BTreeMap;

use trainyard_node::jobs::record::{Record, Running};
use trainyard_node::jobs::summary::Summary;
use trainyard_node::jobs::tally::{GpuTally, Tally};
use trainyard_node::xid::{Ledger, Sighting, Source, Store};

use super::{folder, put};
use crate::{Target, seeds};

pub(super) static TARGET: Target = Target {
    name: "state",
    about: "what the agent kept over a restart: Xids, jobs, jobs that ended",
    seeds: written,
    run,
};

thread_local! {
    static FOLDER: RefCell<tempfile::TempDir> = RefCell::new(folder());
}

/// Xids, jobs that run, jobs that ended.
const FILES: [&str; 3] = ["xid.json", "jobs.json", "jobs.jsonl"];

/// As the agent writes them.
fn written() -> Vec<Vec<u8>> {
    let folder = folder();
    let mut ledger = Ledger::default();
    ledger.begin("boot");
    for (pid, source) in [(Some(7), Source::KernelLog), (None, Source::Nvml)] {
        let pci_bus_id = "0000:53:00.0".to_owned();
        ledger.see(&Sighting { source, pci_bus_id, xid: 31, pid, boot_microseconds: 5_000_000 }, 0, 1_700_000_000_000);
    }
    let gpus: BTreeMap<u32, GpuTally> =
        [(0, GpuTally { seconds: 1.5, percent_seconds: 2.5, ..GpuTally::default() })].into();
    let tally = Tally { jobid: "7".into(), user: "ann".into(), gpus, ..Tally::default() };
    let at = tally.seen_since;
    let record = Record::new(folder.path());
    let kept = Store::new(Some(folder.path())).save(&ledger);
    let kept = kept.and_then(|()| record.keep(&Running::new("boot", at, vec![tally.clone()])));
    let kept = kept.and_then(|()| record.add(&Summary::new(tally, at, Some("p5".into()))));
    kept.unwrap_or_else(|problem| panic!("{}", problem.told()));
    FILES.iter().filter_map(|file| seeds::file(&folder.path().join(file))).collect()
}

fn run(data: &[u8]) {
    FOLDER.with_borrow(|folder| {
        let folder = folder.path();
        for file in FILES {
            put(&folder.join(file), data);
        }
        ledger_stays(folder);
        jobs_stay(&Record::new(folder));
    });
}

/// What was understood is the same once it is written and read again.
fn ledger_stays(folder: &std::path::Path) -> bool {
    let mut store = Store::new(Some(folder));
    let (ledger, problem) = store.load();
    if problem.is_some() {
        return false;
    }
    store.save(&ledger).unwrap_or_else(|problem| panic!("{}", problem.told()));
    let (again, problem) = Store::new(Some(folder)).load();
    assert_eq!((again, problem.map(|problem| problem.told())), (ledger, None));
    true
}

/// The same of jobs. How many there were.
fn jobs_stay(record: &Record) -> usize {
    let running = record.running().ok().flatten();
    if let Some(running) = &running {
        record.keep(running).unwrap_or_else(|problem| panic!("{}", problem.told()));
        assert_eq!(record.running().ok().flatten().as_ref(), Some(running));
    }
    let ended = record.ended(10);
    if let Some(last) = ended.last() {
        record.add(last).unwrap_or_else(|problem| panic!("{}", problem.told()));
        assert_eq!(record.ended(1).as_slice(), std::slice::from_ref(last), "{}", last.sentence());
    }
    running.map_or(0, |running| running.jobs.len()) + ended.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_is_understood() {
        let folder = folder();
        let seeds = written();
        for (file, seed) in FILES.iter().zip(&seeds) {
            put(&folder.path().join(file), seed);
        }
        assert!(seeds.len() == FILES.len() && ledger_stays(folder.path()));
        assert_eq!(jobs_stay(&Record::new(folder.path())), 2);
    }
}
