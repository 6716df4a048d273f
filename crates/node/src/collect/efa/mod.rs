//! Elastic Fabric Adapters: the counters of their driver, and whether jobs use them.
//!
//! Every counter is optional: older drivers have fewer. One that cannot be read is said and left out, the others stay.

mod device;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use trainyard_plan::metrics::efa as m;
use trainyard_plan::metrics::{Metric, MetricKind};

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::events::Events;
use crate::files::{Buffer, names, open_most};
use crate::jobs::Jobs;
use crate::meters::Meters;
use crate::ordinary::Ordinary;
use crate::sheet::{Labels, Sheet};
use crate::tripwire::{Reading, Tripwire, alarm};
use device::Device;

pub(super) static COLLECTOR: Kind = Kind {
    name: "efa",
    about: "Elastic Fabric Adapters, and jobs that leave them aside",
    // Each read may become a question to the device, which can take its time or never answer.
    lane: Lane::Own,
    scope: Scope::MachineUnlessReplayed,
    // Also where there is none yet: on some machines they come minutes after the agent.
    make: |setting| Some(Box::new(Efa::new(setting))),
};

/// Eight times what the largest machine has.
const DEVICES_MAX: usize = 256;

/// The counters below `hw_counters`, in the order of the exposition.
fn counters() -> Vec<&'static Metric> {
    let is_file = |metric: &&Metric| metric.kind == MetricKind::counter && !metric.key.is_empty();
    m::TABLE.metrics.iter().copied().filter(is_file).collect()
}

struct Efa {
    folder: PathBuf,
    labels: Labels,
    counters: Vec<&'static Metric>,
    devices: BTreeMap<String, Device>,
    /// What is in the folder and is no EFA.
    others: BTreeSet<String>,
    /// Every device that was ever there: its place, and its name.
    known: BTreeMap<String, String>,
    ordinary: Ordinary,
    tripwire: Tripwire,
    jobs: Jobs,
    meters: Meters,
    events: Events,
    started: Instant,
    /// Bytes that all devices moved since the agent started.
    moved: u64,
    /// How many files may stay open.
    room: usize,
    buffer: Buffer,
}

impl Efa {
    fn new(setting: &Setting) -> Self {
        let sys = setting.roots.fabric_sys.as_ref().unwrap_or(&setting.roots.sys);
        Self {
            folder: sys.join("class/infiniband"),
            labels: setting.replay_labels(),
            counters: counters(),
            devices: BTreeMap::new(),
            others: BTreeSet::new(),
            known: BTreeMap::new(),
            ordinary: Ordinary::new(&setting.roots.proc),
            tripwire: Tripwire::default(),
            jobs: setting.jobs.clone(),
            meters: setting.meters.clone(),
            events: setting.events.clone(),
            started: Instant::now(),
            moved: 0,
            // The rest is for connections, and for other collectors.
            room: open_most() / 2,
            buffer: Buffer::default(),
        }
    }

    /// Takes in devices that came, and lets go of those that went.
    fn look(&mut self) {
        let there = names(&self.folder, DEVICES_MAX);
        let is_there = |name: &String| there.binary_search(name).is_ok();
        self.devices.retain(|name, _| is_there(name));
        self.others.retain(is_there);
        for name in there {
            if self.devices.contains_key(&name) || self.others.contains(&name) {
                continue;
            }
            match Device::open(&self.folder, &name) {
                Some(device) => {
                    if self.known.len() < DEVICES_MAX || self.known.contains_key(&device.place) {
                        self.known.insert(device.place.clone(), name.clone());
                    }
                    self.devices.insert(name, device);
                }
                None => {
                    self.others.insert(name);
                }
            }
        }
        let mut room = self.room;
        for device in self.devices.values_mut() {
            device.refresh(&self.counters, &mut room);
        }
    }

    /// A metric's samples of all devices together, so that nothing has to be sorted afterwards.
    fn put(&mut self, sheet: &mut Sheet) -> Faults {
        let mut faults = Faults::default();
        for device in self.devices.values() {
            sheet.put_with(&m::node_amazonefa_info, &device.info, 1_u32);
        }
        for port in self.devices.values_mut().flat_map(|device| &mut device.ports) {
            let state = faults.take(port.state(&mut self.buffer));
            sheet.put_known(&m::node_amazonefa_state_id, &port.labels, state);
        }
        for port in self.devices.values_mut().flat_map(|device| &mut device.ports) {
            let rate = faults.take(port.bytes_per_second(&mut self.buffer));
            sheet.put_known(&m::node_amazonefa_rate_bytes_per_second, &port.labels, rate);
        }
        for (rank, metric) in self.counters.iter().copied().enumerate() {
            for port in self.devices.values_mut().flat_map(|device| &mut device.ports) {
                let value = faults.take(port.count(rank, &mut self.buffer));
                sheet.put_known(metric, &port.labels, value);
                if std::ptr::eq(metric, &raw const m::node_amazonefa_tx_bytes) {
                    port.sent.see(value);
                } else if std::ptr::eq(metric, &raw const m::node_amazonefa_rx_bytes) {
                    port.received.see(value);
                }
            }
        }
        faults
    }

    /// The bytes that all devices moved since the agent started. `None` where there is no EFA, or where one does not say:
    /// nobody can tell then whether it stands still.
    fn fabric(&mut self) -> Option<u64> {
        let mut is_known = !self.devices.is_empty();
        for device in self.devices.values_mut() {
            is_known &= !device.ports.is_empty();
            for port in &mut device.ports {
                let grown = [port.sent.grown(), port.received.grown()];
                is_known &= grown.iter().all(Option::is_some);
                let grown = grown.into_iter().flatten().fold(0, u64::saturating_add);
                device.moved = device.moved.saturating_add(grown);
                self.moved = self.moved.saturating_add(grown);
            }
        }
        self.meters.fabric(self.devices.iter().map(|(name, device)| (name.clone(), device.moved)).collect());
        is_known.then_some(self.moved)
    }

    fn watch(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        // Where there is no EFA there is nothing to leave aside, and /proc/net/dev is read by others.
        let Some(fabric) = self.fabric() else {
            self.tripwire.rest();
            return Ok(());
        };
        let ordinary = self.ordinary.read(&mut self.buffer)?;
        let jobs = self.jobs.running();
        let reading = Reading { at: self.started.elapsed(), fabric, ordinary };
        if let Some(alarmed) = self.tripwire.see(reading, &jobs) {
            self.events.tell(alarm(&alarmed));
        }
        for (job, is_silent) in self.tripwire.watched() {
            sheet.put(&m::trainyard_silent_tcp, &[job], is_silent);
        }
        sheet.put(&m::trainyard_silent_tcp_intervals_total, &[], self.tripwire.intervals());
        Ok(())
    }

    fn missing(&self) -> Option<Problem> {
        let is_there = |place: &String| self.devices.values().any(|device| device.place == *place);
        let missing: Vec<&str> =
            self.known.iter().filter(|(place, _)| !is_there(place)).map(|(_, name)| name.as_str()).collect();
        match missing.as_slice() {
            [] => None,
            [one] => Some(Problem::new(format!("the EFA device {one} was there and is gone"))),
            [..] => Some(Problem::new(format!("the EFA devices {} were there and are gone", missing.join(", ")))),
        }
    }
}

impl Collector for Efa {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        self.look();
        let faults = self.put(sheet);
        let watched = self.watch(sheet);
        // A device that is gone says more than what could not be read of it on its way out.
        match self.missing().or_else(|| faults.problem()) {
            Some(problem) => Err(problem),
            None => watched,
        }
    }

    fn constant_labels(&self) -> Labels {
        self.labels.clone()
    }
}

/// What could not be read: the first one, and how many.
#[derive(Default)]
struct Faults {
    first: Option<Problem>,
    count: usize,
}

impl Faults {
    fn take<T>(&mut self, read: Result<Option<T>, Problem>) -> Option<T> {
        read.unwrap_or_else(|problem| {
            self.count += 1;
            self.first.get_or_insert(problem);
            None
        })
    }

    fn problem(self) -> Option<Problem> {
        let first = self.first?;
        Some(match self.count {
            1 => first,
            count => Problem::new(format!("{count} files of EFA devices cannot be read; the first: {}", first.told())),
        })
    }
}

#[cfg(test)]
mod tests;
