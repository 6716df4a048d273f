//! The Lustre client: what programs read and write, and how the node stands with each target.
//!
//! The important figure is how full each target is: files lie on one or a few, and one that is full stops a training while
//! the file system as a whole has space. Asking a target costs a request to its server, which may never answer: one that is
//! known to be gone is not asked.

mod device;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use trainyard_plan::metrics::lustre as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::names;
use crate::meters::Meters;
use crate::sheet::{Labels, Sheet};
use device::{Component, Device, Name, Space};
use text::{Counts, Import};

pub(super) static COLLECTOR: Kind = Kind {
    name: "lustre",
    about: "the Lustre client, and how full each target is",
    lane: Lane::Own,
    scope: Scope::MachineUnlessReplayed,
    // Also where there is no client yet: it comes with the first mount, which may be minutes after the agent.
    make: |setting| Some(Box::new(Lustre::new(setting))),
};

/// The largest file systems have some hundred targets. With this many, all series are within a collector's limit.
const DEVICES_MAX: usize = 1024;

/// How old a target's space may be. A thousand nodes that ask every target at every scrape would be a load of their own.
const SPACE_AGE_MAX: Duration = Duration::from_secs(30);

struct Lustre {
    /// Where Lustre has its files: which one is where depends on its version.
    folders: [PathBuf; 3],
    labels: Labels,
    /// Where jobs look for what was read and written.
    meters: Meters,
    /// Devices by what they are called. A file system that is mounted twice has two of each.
    groups: BTreeMap<Name, Vec<Device>>,
}

impl Lustre {
    fn new(setting: &Setting) -> Self {
        let (proc, sys) = match &setting.replay {
            Some(folder) => (folder.join("proc"), folder.join("sys")),
            None => (setting.roots.proc.clone(), setting.roots.sys.clone()),
        };
        Self {
            folders: [sys.join("fs/lustre"), proc.join("fs/lustre"), sys.join("kernel/debug/lustre")],
            labels: setting.replay_labels(),
            meters: setting.meters.clone(),
            groups: BTreeMap::new(),
        }
    }

    /// Takes in what was mounted, and lets go of what was unmounted.
    fn look(&mut self) {
        let mut found: BTreeMap<Name, Vec<String>> = BTreeMap::new();
        for component in Component::ALL {
            let mut there: Vec<String> =
                self.folders.iter().flat_map(|folder| names(&folder.join(component.folder()), DEVICES_MAX)).collect();
            there.sort();
            there.dedup();
            for device in there.into_iter().take(DEVICES_MAX) {
                if let Some(name) = Name::of(component, &device) {
                    found.entry(name).or_default().push(device);
                }
            }
        }
        self.groups.retain(|name, _| found.contains_key(name));
        for (name, there) in found {
            let known = self.groups.entry(name.clone()).or_default();
            known.retain(|device| there.contains(&device.folder));
            for folder in there {
                if !known.iter().any(|device| device.folder == folder) {
                    known.push(Device::new(name.component, folder));
                }
            }
            for device in known {
                device.find(&self.folders);
            }
        }
    }
}

impl Collector for Lustre {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        self.look();
        let mut faults = Faults::default();
        let mut gone: BTreeSet<&str> = BTreeSet::new();
        let mut moved = Vec::new();
        // Targets come before clients: a client asks all of its targets for their space, and one of them may be gone.
        for (name, devices) in &mut self.groups {
            let labels = name.labels();
            let is_asked = match name.component {
                Component::Client => !gone.contains(name.filesystem.as_str()),
                Component::Osc | Component::Mdc => put_connection(sheet, name, devices, &labels, &mut faults),
            };
            if !is_asked {
                gone.insert(&name.filesystem);
            } else if let Some(device) = devices.first_mut() {
                put_space(sheet, device.space(SPACE_AGE_MAX, &mut faults), &labels);
            }
            for metric in [&m::trainyard_lustre_dirty_bytes, &m::trainyard_lustre_grant_bytes] {
                let values = devices.iter_mut().filter_map(|device| device.number(metric.key, &mut faults));
                sheet.put_known(metric, &labels, values.reduce(u64::saturating_add));
            }
            let counted = put_statistics(sheet, name, devices, &labels, &mut faults);
            // What clients count is what programs moved; targets count the same bytes once more.
            if name.component == Component::Client {
                moved.extend(counted);
            }
        }
        self.meters.lustre(moved);
        faults.0.map_or(Ok(()), Err)
    }

    fn constant_labels(&self) -> Labels {
        self.labels.clone()
    }
}

/// What could not be read: the first.
#[derive(Default)]
struct Faults(Option<Problem>);

impl Faults {
    fn take<T>(&mut self, read: Result<Option<T>, Problem>) -> Option<T> {
        read.unwrap_or_else(|problem| {
            self.0.get_or_insert(problem);
            None
        })
    }
}

/// How the node stands with a target. Whether it can be asked.
fn put_connection(
    sheet: &mut Sheet,
    name: &Name,
    devices: &mut [Device],
    labels: &Labels,
    faults: &mut Faults,
) -> bool {
    let imports: Vec<Import> = devices.iter_mut().filter_map(|device| device.import(faults)).collect();
    // Where it is mounted twice, the mount that fares worse is the one to know of.
    let states = || imports.iter().filter_map(|import| import.state.as_deref());
    if let Some(state) = states().find(|state| !is_connected(state)).or_else(|| states().next()) {
        sheet.put_with(&m::trainyard_lustre_connected, labels, is_connected(state));
        let values = [&name.filesystem, name.component.label(), &name.target, state];
        sheet.put(&m::trainyard_lustre_import_state, &values, 1_u32);
    }
    let sum = |of: fn(&Import) -> Option<u64>| imports.iter().filter_map(of).reduce(u64::saturating_add);
    sheet.put_known(&m::trainyard_lustre_rpcs_in_flight, labels, sum(|import| import.in_flight));
    sheet.put_known(&m::trainyard_lustre_rpc_timeouts_total, labels, sum(|import| import.timeouts));
    let wait = imports.iter().filter_map(|import| import.wait_microseconds).max();
    sheet.put_known(&m::trainyard_lustre_rpc_wait_seconds, labels, wait.map(seconds));
    states().all(is_connected)
}

/// A client leaves a target for which it has nothing to do, and comes back by itself.
fn is_connected(state: &str) -> bool {
    matches!(state, "FULL" | "IDLE")
}

#[allow(clippy::cast_precision_loss, reason = "microseconds of hundreds of years")]
fn seconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1e6
}

fn put_space(sheet: &mut Sheet, space: &Space, labels: &Labels) {
    for (metric, kibibytes) in [
        (&m::lustre_capacity_bytes, space.total_kib),
        (&m::lustre_free_bytes, space.free_kib),
        (&m::lustre_available_bytes, space.available_kib),
    ] {
        sheet.put_known(metric, labels, kibibytes.map(|kibibytes| kibibytes.saturating_mul(1024)));
    }
    sheet.put_known(&m::lustre_inodes_maximum, labels, space.files);
    sheet.put_known(&m::lustre_inodes_free, labels, space.files_free);
    sheet.put_known(&m::trainyard_lustre_used_ratio, labels, space.used_ratio());
}

/// What was counted since the mount, of all mounts together. Returns how many bytes were read and written of each; none
/// where one does not say. The sum of the others would be less than before, and is left out then.
fn put_statistics(
    sheet: &mut Sheet,
    name: &Name,
    devices: &mut [Device],
    labels: &Labels,
    faults: &mut Faults,
) -> Vec<(String, Option<u64>)> {
    let mut counts = Counts::default();
    let mut moved = Vec::new();
    for device in devices.iter_mut() {
        let before = counts.bytes();
        let is_whole = device.count(&mut counts, faults);
        moved.push((device.folder.clone(), is_whole.then(|| counts.bytes().saturating_sub(before))));
    }
    if moved.iter().any(|(_, bytes)| bytes.is_none()) {
        return moved;
    }
    for (known, samples, bytes) in [
        ("read_bytes", &m::lustre_read_samples_total, &m::lustre_read_bytes_total),
        ("write_bytes", &m::lustre_write_samples_total, &m::lustre_write_bytes_total),
    ] {
        if let Some(count) = counts.operations.remove(known) {
            sheet.put_with(bytes, labels, count.sum);
            sheet.put_with(samples, labels, count.samples);
        }
    }
    let values = |word| [name.filesystem.as_str(), name.component.label(), name.target.as_str(), word];
    for (operation, count) in &counts.operations {
        sheet.put(&m::lustre_stats_total, &values(operation), count.samples);
        if count.is_time {
            sheet.put(&m::trainyard_lustre_operation_seconds_total, &values(operation), seconds(count.sum));
        }
    }
    for (event, pages) in &counts.read_ahead {
        sheet.put(&m::trainyard_lustre_read_ahead_pages_total, &values(event), *pages);
    }
    moved
}

#[cfg(test)]
mod tests;
