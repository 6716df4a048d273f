//! One node in memory, before it is written: healthy and at work, until faults happen to it.

use jiff::{SignedDuration, Timestamp};

use super::fabric::{self, Device};
use super::storage::{self, Storage};
use super::{Profile, Wanted, chips};
use crate::gpus::{Reading, Xid};

/// When every replayed node was started.
pub(super) const STARTED: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// The second after the start at which a fault happens.
const FAULT_SECOND: u64 = 300;

/// What there is to show.
pub(super) struct Node {
    pub(super) profile: &'static Profile,
    pub(super) seconds: u64,
    pub(super) gpus: Vec<Reading>,
    pub(super) fabric: Vec<Device>,
    pub(super) storage: Storage,
    pub(super) log: Vec<Record>,
    pub(super) xids: Vec<Xid>,
}

/// A record of the kernel log.
pub(super) struct Record {
    priority: u8,
    microseconds: u64,
    text: String,
}

impl Node {
    /// A healthy one, in the midst of a job.
    pub(super) fn at_work(profile: &'static Profile, wanted: &Wanted) -> Self {
        let seconds = wanted.seconds;
        let gpus = chips::at_work(profile, seconds, &wanted.node);
        let fabric = fabric::at_work(profile, seconds, &wanted.node);
        let storage = storage::at_work(profile, seconds, &wanted.node);
        let mut node = Self { profile, seconds, gpus, fabric, storage, log: Vec::new(), xids: Vec::new() };
        node.say(5, 0, "Linux version 6.8.0-1031-aws (buildd@lcy02-amd64-001)".into());
        if !node.gpus.is_empty() {
            let text = format!("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  {}", chips::DRIVER);
            node.say(4, 12, text);
        }
        for at in 0..node.fabric.len() {
            let text =
                node.fabric.get(at).map(|device| format!("efa {}: {} is registered", device.address, device.name));
            node.say(6, 14, text.unwrap_or_default());
        }
        node
    }

    /// The driver tells of an error, in the kernel log and as an event.
    pub(super) fn xid(&mut self, gpu: usize, xid: u32, pid: Option<u32>, text: &str) {
        let Some(bus) = self.gpus.get(gpu).and_then(|gpu| gpu.pci_bus_id.clone()) else { return };
        let process =
            pid.map_or("pid='<unknown>', name=<unknown>".to_owned(), |pid| format!("pid={pid}, name=python3"));
        // The log leaves out half of the domain, and the function.
        let short = bus.get(4..).and_then(|bus| bus.rsplit_once('.')).map(|(short, _)| short.to_lowercase());
        let line = format!("NVRM: Xid (PCI:{}): {xid}, {process}, {text}", short.unwrap_or_default());
        self.say(3, FAULT_SECOND, line);
        let at = STARTED + SignedDuration::from_secs(FAULT_SECOND.try_into().unwrap_or_default());
        self.xids.push(Xid { pci_bus_id: bus, xid, pid, at, boot_microseconds: None });
    }

    /// A line of the kernel log.
    pub(super) fn say(&mut self, priority: u8, second: u64, text: String) {
        // Records are told apart by their time, a little later each.
        let microseconds = second * 1_000_000 + 31 * (self.log.len() as u64 + 1);
        self.log.push(Record { priority, microseconds, text });
    }

    /// As /dev/kmsg gives them, one a line.
    pub(super) fn kernel_log(&self) -> String {
        let line = |(number, record): (usize, &Record)| {
            format!("{},{number},{},-;{}\n", record.priority, record.microseconds, record.text)
        };
        self.log.iter().enumerate().map(line).collect()
    }
}
