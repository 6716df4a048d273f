//! GPUs, as NVML or a replay folder tells of them.

mod links;
mod values;

use std::collections::BTreeSet;

use trainyard_plan::metrics::gpu as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::events::{Event, Events, Severity};
use crate::gpus::dcgm::beside;
use crate::gpus::{self, Gpus, Lost, MigInstance, Reading};
use crate::meters::{GpuMeter, Meters, has_machines_pids};
use crate::sheet::{Labels, Sheet};
use crate::xid::{Inbox, KnownGpu, Sighting, Source, boot_microseconds, bus_id};

pub(super) static COLLECTOR: Kind = Kind {
    name: "gpu",
    about: "NVIDIA GPUs",
    lane: Lane::Own,
    scope: Scope::Node,
    make: |setting| Gpu::new(setting).map(|gpu| Box::new(gpu) as _),
};

struct Gpu {
    /// A replay of another maker's accelerators has none.
    gpus: Option<Box<dyn Gpus>>,
    replay: Option<String>,
    host: String,
    events: Events,
    /// The GPUs whose loss was told.
    lost: BTreeSet<u32>,
    /// Where NVML's Xids go, and what GPUs there are.
    xids: Inbox,
    known: Vec<KnownGpu>,
    meters: Meters,
    /// Whether processes have the numbers here that NVML knows them by. Those of a replay are of another machine.
    are_pids_known: bool,
}

impl Gpu {
    fn new(setting: &Setting) -> Option<Self> {
        let replay = setting.replay.as_ref().and_then(|folder| gpus::tree(folder)).map(|tree| tree.profile);
        let gpus = gpus::open(setting.replay.as_deref(), setting.nvml.as_deref());
        let gpus = gpus.map(|gpus| beside(gpus, &setting.profiles));
        if gpus.is_some() {
            setting.xids.expect();
            setting.meters.expect_gpus();
        }
        (gpus.is_some() || replay.is_some()).then(|| Self {
            gpus,
            replay,
            host: setting.host.clone(),
            events: setting.events.clone(),
            lost: BTreeSet::new(),
            xids: setting.xids.clone(),
            known: Vec::new(),
            meters: setting.meters.clone(),
            are_pids_known: setting.replay.is_none() && has_machines_pids(&setting.roots.proc),
        })
    }

    /// Hands on what NVML tells of errors. A replay's stand in its kernel log too, which has a clock of its own.
    fn hand_on(&mut self) {
        let Some(gpus) = self.gpus.as_mut().filter(|_| self.replay.is_none()) else { return };
        for xid in gpus.xids() {
            let boot_microseconds = xid.boot_microseconds.unwrap_or_else(boot_microseconds);
            let pci_bus_id = bus_id(&xid.pci_bus_id).unwrap_or(xid.pci_bus_id);
            self.xids.put(Sighting { source: Source::Nvml, pci_bus_id, xid: xid.xid, pid: xid.pid, boot_microseconds });
        }
    }

    /// Tells which GPUs there are, where that is new. One that is lost is still known.
    fn make_known(&mut self, seen: Vec<KnownGpu>) {
        let is_new = |gpu: &KnownGpu| !self.known.contains(gpu);
        if seen.iter().any(is_new) {
            self.known.retain(|known| !seen.iter().any(|gpu| gpu.index == known.index));
            self.known.extend(seen);
            self.xids.know(self.known.clone());
        }
    }
}

impl Collector for Gpu {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        if let Some(profile) = &self.replay {
            sheet.put(&m::trainyard_agent_replay, &[profile], 1_u32);
        }
        let Some(gpus) = &mut self.gpus else { return Ok(()) };
        let host = &self.host;
        let mut count = 0_u32;
        let mut lost = BTreeSet::new();
        let mut seen = Vec::new();
        let mut meters = Vec::new();
        let are_pids_known = self.are_pids_known;
        gpus.read(&mut |gpu| {
            count += 1;
            match gpu {
                Ok(reading) => {
                    seen.extend(known_gpu(reading.index, reading.pci_bus_id.as_deref(), reading.uuid.as_deref()));
                    show(sheet, reading, host);
                    meters.push(GpuMeter::new(reading, are_pids_known));
                }
                Err(gpu) => {
                    seen.extend(known_gpu(gpu.index, gpu.pci_bus_id.as_deref(), gpu.uuid.as_deref()));
                    show_lost(sheet, gpu);
                    lost.insert(gpu.index);
                    if !self.lost.contains(&gpu.index) {
                        self.events.tell(loss(gpu));
                    }
                }
            }
        })?;
        self.meters.gpus(meters);
        self.lost = lost;
        self.make_known(seen);
        self.hand_on();
        sheet.put(&m::trainyard_gpus, &[], count);
        Ok(())
    }

    fn constant_labels(&self) -> Labels {
        let mut labels = Labels::default();
        if let Some(profile) = &self.replay {
            labels.add("replay", profile);
        }
        labels
    }
}

fn known_gpu(index: u32, bus: Option<&str>, uuid: Option<&str>) -> Option<KnownGpu> {
    Some(KnownGpu { pci_bus_id: bus_id(bus?)?, index, uuid: uuid?.to_owned() })
}

/// A GPU's labels, made once for all of its samples.
struct Names {
    /// As dcgm-exporter labels.
    theirs: Labels,
    /// What ours are joined on.
    ours: Labels,
}

impl Names {
    fn new(reading: &Reading, host: &str) -> Self {
        let uuid = reading.uuid.as_deref().unwrap_or_default();
        let ours = Labels::new(&[("gpu", &reading.index.to_string()), ("UUID", uuid)]);
        Self { theirs: theirs(reading, None, host), ours }
    }
}

/// In dcgm-exporter's order, where a partition's stand in the middle.
fn theirs(reading: &Reading, partition: Option<&MigInstance>, host: &str) -> Labels {
    let index = reading.index.to_string();
    let mut labels = Labels::new(&[
        ("gpu", &index),
        ("UUID", reading.uuid.as_deref().unwrap_or_default()),
        ("pci_bus_id", reading.pci_bus_id.as_deref().unwrap_or_default()),
        ("device", &format!("nvidia{index}")),
        ("modelName", reading.name.as_deref().unwrap_or_default()),
    ]);
    if let Some(partition) = partition {
        labels.add("GPU_I_PROFILE", &partition.profile);
        labels.add("GPU_I_ID", &partition.id.to_string());
    }
    labels.add("Hostname", host);
    labels.add("DCGM_FI_DRIVER_VERSION", reading.driver_version.as_deref().unwrap_or_default());
    labels
}

fn show(sheet: &mut Sheet, reading: &Reading, host: &str) {
    let names = Names::new(reading, host);
    about(sheet, reading);
    values::show(sheet, reading, &names);
    links::show(sheet, reading, &names);
    for instance in &reading.mig_instances {
        let labels = theirs(reading, Some(instance), host);
        values::memory(sheet, &instance.memory, &labels);
        values::profiling(sheet, &instance.profiling, &labels);
    }
}

fn about(sheet: &mut Sheet, reading: &Reading) {
    let index = reading.index.to_string();
    let known = |text: &Option<String>| text.clone().unwrap_or_default();
    let (uuid, bus) = (known(&reading.uuid), known(&reading.pci_bus_id));
    sheet.put(&m::trainyard_gpu_up, &[&index, &uuid, &bus], true);
    let values = [
        index,
        uuid,
        bus,
        known(&reading.name),
        known(&reading.serial),
        known(&reading.compute_capability),
        known(&reading.vbios_version),
        known(&reading.driver_version),
        known(&reading.cuda_version),
        known(&reading.nvml_version),
    ];
    sheet.put(&m::trainyard_gpu_info, &values.each_ref().map(String::as_str), 1_u32);
}

fn show_lost(sheet: &mut Sheet, lost: &Lost) {
    let uuid = lost.uuid.as_deref().unwrap_or_default();
    let bus = lost.pci_bus_id.as_deref().unwrap_or_default();
    sheet.put(&m::trainyard_gpu_up, &[&lost.index.to_string(), uuid, bus], false);
}

/// The collector did its work, so it does not fail: somebody has to look at the GPU.
fn loss(lost: &Lost) -> Event {
    let bus = lost.pci_bus_id.as_deref().unwrap_or("unknown");
    let mut fields = serde_json::Map::new();
    fields.insert("gpu".into(), lost.index.into());
    fields.insert("uuid".into(), lost.uuid.clone().into());
    fields.insert("pci_bus_id".into(), lost.pci_bus_id.clone().into());
    Event {
        at: jiff::Timestamp::now(),
        kind: "gpu_lost",
        severity: Severity::Error,
        text: format!("GPU {} (PCI {bus}) does not answer: {}; drain the node and reboot it", lost.index, lost.why),
        fields,
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::gpus::Xid;
    use crate::xid::{Counted, Ledger};

    struct Told(Vec<Xid>);

    impl Gpus for Told {
        fn read(&mut self, _: &mut dyn FnMut(Result<&Reading, &Lost>)) -> Result<(), Problem> {
            Ok(())
        }

        fn xids(&mut self) -> Vec<Xid> {
            std::mem::take(&mut self.0)
        }
    }

    /// The kernel log tells of the same Xid by a clock of its own: what the wall clock did since must not matter.
    #[test]
    fn a_step_of_the_wall_clock_neither_hides_an_xid_nor_counts_it_twice() {
        for step_hours in [-24 * 365, -1, 0, 1, 24 * 365] {
            let told_at = Some(boot_microseconds().saturating_sub(5_000_000));
            let at = Timestamp::now().saturating_add(SignedDuration::from_hours(step_hours)).unwrap();
            let xid = |xid| Xid { pci_bus_id: "0000:10:1c.0".into(), xid, pid: None, at, boot_microseconds: told_at };
            let xids = Inbox::default();
            let mut gpu = Gpu {
                gpus: Some(Box::new(Told(vec![xid(79), xid(48)]))),
                replay: None,
                host: String::new(),
                events: Events::default(),
                lost: BTreeSet::new(),
                xids: xids.clone(),
                known: Vec::new(),
                meters: Meters::default(),
                are_pids_known: false,
            };
            gpu.collect(&mut Sheet::default()).unwrap_or_else(|problem| panic!("{}", problem.told()));
            let (mut ledger, handed_on) = (Ledger::default(), xids.take());
            assert_eq!(handed_on.len(), 2);
            for sighting in handed_on {
                assert_eq!(Some(sighting.boot_microseconds), told_at, "a step of {step_hours} h");
                let in_log = Sighting { source: Source::KernelLog, ..sighting.clone() };
                assert_eq!(ledger.see(&in_log, 0, 0), Counted::New(1));
                assert_eq!(ledger.see(&sighting, 0, 0), Counted::Known, "a step of {step_hours} h");
            }
        }
    }
}
