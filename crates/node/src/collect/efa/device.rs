//! One EFA device below `/sys/class/infiniband`: what it is, and its files, which stay open.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use trainyard_plan::metrics::Metric;

use super::super::{Problem, misread, unread};
use crate::files::{Buffer, KeptFile, names, word};
use crate::growth::Growth;
use crate::sheet::Labels;

/// EFA devices have one.
const PORTS_MAX: usize = 8;

/// Several times what the driver has.
const FILES_MAX: usize = 256;

/// Amazon's number among the makers of PCI devices.
const AMAZON: &str = "0x1d0f";

pub(super) struct Device {
    pub(super) info: Labels,
    pub(super) ports: Vec<Port>,
    /// Bytes that it moved since it was opened, as far as its counters say.
    pub(super) moved: u64,
    /// What it is known by: its address, because udev gives devices other names while a machine starts.
    pub(super) place: String,
}

impl Device {
    /// The device of that name, if it is an EFA.
    pub(super) fn open(infiniband: &Path, name: &str) -> Option<Self> {
        let folder = infiniband.join(name);
        let device = folder.join("device");
        // A replay may have only one of the two.
        let is_efa = link_name(&device.join("driver")).is_some_and(|driver| driver == "efa")
            || word(&device.join("vendor")).is_some_and(|vendor| vendor == AMAZON);
        if !is_efa {
            return None;
        }
        let address = pci_address(&device).unwrap_or_default();
        let firmware = word(&folder.join("fw_ver")).unwrap_or_default();
        let info = Labels::new(&[("device", name), ("pci_bus_id", &address), ("firmware_version", &firmware)]);
        let numbers = names(&folder.join("ports"), PORTS_MAX);
        let is_number = |number: &&String| number.parse::<u32>().is_ok();
        // The device's own counters are shown with its first port, as those drivers did that had all of them there; an EFA
        // has no other port.
        let port = |(nth, number): (usize, &String)| Port::new(&folder, name, number, nth == 0);
        let ports = numbers.iter().filter(is_number).enumerate().map(port).collect();
        let place = if address.is_empty() { name.to_owned() } else { address };
        Some(Self { info, ports, moved: 0, place })
    }

    /// Opens what came and lets go of what went, where anything did. Files stay open while there is room.
    pub(super) fn refresh(&mut self, counters: &[&Metric], room: &mut usize) {
        for port in &mut self.ports {
            port.refresh(counters);
            let files = port.files();
            port.is_kept = files <= *room;
            if port.is_kept {
                *room -= files;
            }
        }
    }
}

/// The name at the end of a link.
fn link_name(link: &Path) -> Option<String> {
    std::fs::read_link(link).ok()?.file_name()?.to_str().map(str::to_owned)
}

fn pci_address(device: &Path) -> Option<String> {
    link_name(device).or_else(|| {
        let events = word(&device.join("uevent"))?;
        events.lines().find_map(|line| line.strip_prefix("PCI_SLOT_NAME=")).map(str::to_owned)
    })
}

pub(super) struct Port {
    pub(super) labels: Labels,
    pub(super) sent: Growth,
    pub(super) received: Growth,
    folders: Vec<Folder>,
    state: KeptFile,
    rate: KeptFile,
    /// By rank among the table's counters.
    counters: Vec<Option<KeptFile>>,
    /// Whether its files stay open between collections.
    is_kept: bool,
}

impl Port {
    fn new(device: &Path, name: &str, number: &str, has_devices: bool) -> Self {
        let folder = device.join("ports").join(number);
        let of_device = has_devices.then(|| device.join("hw_counters"));
        let folders = [Some(folder.join("hw_counters")), of_device].into_iter().flatten().map(Folder::new).collect();
        Self {
            labels: Labels::new(&[("device", name), ("port", number)]),
            sent: Growth::default(),
            received: Growth::default(),
            state: KeptFile::attribute(folder.join("state")),
            rate: KeptFile::attribute(folder.join("rate")),
            counters: Vec::new(),
            is_kept: false,
            folders,
        }
    }

    fn refresh(&mut self, counters: &[&Metric]) {
        let mut is_same = !self.counters.is_empty();
        for folder in &mut self.folders {
            is_same &= !folder.has_changed();
        }
        if is_same {
            return;
        }
        self.counters = counters.iter().map(|_| None).collect();
        for Folder { path, .. } in &self.folders {
            let files = names(path, FILES_MAX);
            for (counter, place) in counters.iter().zip(&mut self.counters) {
                if files.iter().any(|file| file == counter.key) {
                    *place = Some(KeptFile::attribute_in(path, counter.key));
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept && self.counters.iter().flatten().all(KeptFile::is_open)
    }

    fn files(&self) -> usize {
        self.counters.iter().flatten().count() + [&self.state, &self.rate].len() + self.folders.len()
    }

    /// The counter of that rank, where the driver has it.
    pub(super) fn count(&mut self, rank: usize, buffer: &mut Buffer) -> Result<Option<u64>, Problem> {
        let Some(Some(file)) = self.counters.get_mut(rank) else { return Ok(None) };
        let number = file.number(buffer);
        if !self.is_kept {
            file.close();
        }
        number.map(Some).map_err(|error| unread(&file.path())(error))
    }

    /// `4: ACTIVE`.
    pub(super) fn state(&mut self, buffer: &mut Buffer) -> Result<Option<u64>, Problem> {
        let number = |text: &str| text.split(':').next()?.trim().parse().ok();
        optional(&mut self.state, self.is_kept, buffer, (number, "number of a state"))
    }

    /// `100 Gb/sec (4X EDR)`.
    pub(super) fn bytes_per_second(&mut self, buffer: &mut Buffer) -> Result<Option<f64>, Problem> {
        let bytes = |text: &str| {
            let gigabits: f64 = text.strip_suffix(')').unwrap_or(text).split_once(" Gb/sec")?.0.trim().parse().ok()?;
            (gigabits.is_finite() && gigabits >= 0.0).then_some(gigabits * 1e9 / 8.0)
        };
        optional(&mut self.rate, self.is_kept, buffer, (bytes, "rate in Gb/sec"))
    }
}

/// What a file says, where it is there.
fn optional<T>(
    file: &mut KeptFile,
    is_kept: bool,
    buffer: &mut Buffer,
    (meaning, what): (impl Fn(&str) -> Option<T>, &str),
) -> Result<Option<T>, Problem> {
    let read = match file.read(buffer) {
        Ok(text) => meaning(text.trim()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unread(&file.path())(error)),
    };
    if !is_kept {
        file.close();
    }
    read.map(Some).ok_or_else(|| misread(&file.path(), what))
}

/// A folder with counters. Its time changes when a file in it comes, goes or is replaced: one that is kept open would go
/// on with what it was then.
struct Folder {
    path: Arc<Path>,
    /// To ask an open folder costs a tenth of looking for its path.
    open: Option<File>,
    changed: Option<SystemTime>,
}

impl Folder {
    fn new(path: PathBuf) -> Self {
        Self { path: path.into(), open: None, changed: None }
    }

    fn time(&self) -> Option<SystemTime> {
        self.open.as_ref()?.metadata().ok()?.modified().ok()
    }

    fn has_changed(&mut self) -> bool {
        let was_there = self.open.is_some();
        if was_there && self.time() == self.changed {
            return false;
        }
        self.open = File::open(&self.path).ok();
        self.changed = self.time();
        was_there || self.open.is_some()
    }
}
