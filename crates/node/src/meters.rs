//! What collectors count, for whoever sums it up by job: each puts its own here, and none knows who asks.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::gpus::{NvLink, Reading};

/// More than a node has of anything that is counted here.
const ENTRIES_MAX: usize = 1024;

/// What was counted last. Clones are the same place.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    counted: Arc<Mutex<Counted>>,
}

/// What was counted last. Bytes only grow, but for a restart of what counts them.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// Whether the node has GPUs, also before they were read.
    pub has_gpus: bool,
    /// The GPUs that answer.
    pub gpus: Arc<[GpuMeter]>,
    /// When they were read.
    pub gpus_at: Option<Instant>,
    /// What each EFA device moved, by its name.
    pub fabric: Arc<[(String, u64)]>,
    /// What was read from each Lustre mount and written to it, where it says so now.
    pub lustre: Arc<[(String, Option<u64>)]>,
}

/// A GPU at one moment, as far as jobs are concerned.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "as in a GPU's reading")]
pub struct GpuMeter {
    pub index: u32,
    pub minor: Option<u32>,
    pub uuid: String,
    pub percent: Option<u32>,
    pub sm_active: Option<f64>,
    pub memory_used_mib: Option<u64>,
    /// By link and direction: one that does not answer for a moment must not make the sum of all begin anew.
    pub nvlink_bytes: BTreeMap<(u32, Direction), Option<u64>>,
    pub energy_mj: Option<u64>,
    /// Those that use it.
    pub pids: Vec<u32>,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Direction {
    Sent,
    Received,
}

impl GpuMeter {
    /// From a reading, and from whether its processes have the numbers that they have here.
    pub fn new(reading: &Reading, are_pids_known: bool) -> Self {
        let processes = reading.processes.iter().flatten().filter(|_| are_pids_known);
        let meter = Self {
            index: reading.index,
            minor: reading.minor,
            uuid: reading.uuid.clone().unwrap_or_default(),
            pids: processes.map(|process| process.pid).take(ENTRIES_MAX).collect(),
            ..Self::default()
        };
        if !reading.mig_instances.is_empty() {
            // The rest is of the whole GPU, and jobs have parts of it.
            return meter;
        }
        let link = |link: &NvLink| {
            [((link.link, Direction::Sent), link.tx_bytes), ((link.link, Direction::Received), link.rx_bytes)]
        };
        Self {
            percent: reading.utilization.gpu,
            sm_active: reading.profiling.sm_active,
            memory_used_mib: reading.memory.used_mib,
            nvlink_bytes: reading.nvlinks.links.iter().take(ENTRIES_MAX).flat_map(link).collect(),
            energy_mj: reading.power.energy_mj,
            ..meter
        }
    }
}

/// The kernel's number for the first namespace of processes, on every machine since 3.8.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// Whether this `/proc` has the numbers that drivers know processes by: those of the first namespace. In a container
/// another process may have such a number.
pub fn has_machines_pids(proc: &Path) -> bool {
    std::fs::read_link(proc.join("1/ns/pid")).is_ok_and(|namespace| namespace == Path::new(FIRST_NAMESPACE))
}

impl Meters {
    /// The node has GPUs; what they do comes.
    pub fn expect_gpus(&self) {
        self.lock().has_gpus = true;
    }

    /// These are the GPUs now.
    pub fn gpus(&self, gpus: Vec<GpuMeter>) {
        let mut counted = self.lock();
        counted.has_gpus = true;
        counted.gpus = gpus.into();
        counted.gpus_at = Some(Instant::now());
    }

    /// This is what each EFA device has moved.
    pub fn fabric(&self, mut devices: Vec<(String, u64)>) {
        devices.truncate(ENTRIES_MAX);
        self.lock().fabric = devices.into();
    }

    /// This is what was read from each Lustre mount and written to it; none for one that does not say.
    pub fn lustre(&self, mut mounts: Vec<(String, Option<u64>)>) {
        mounts.truncate(ENTRIES_MAX);
        self.lock().lustre = mounts.into();
    }

    /// What was counted last.
    pub fn counted(&self) -> Counted {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpus::{MigInstance, Process};

    #[test]
    fn a_process_is_only_known_by_a_number_that_it_has_here() {
        let mut reading = Reading { processes: Some(vec![Process { pid: 7, used_bytes: None }]), ..Reading::default() };
        assert_eq!(GpuMeter::new(&reading, true).pids, [7]);
        assert!(GpuMeter::new(&reading, false).pids.is_empty());
        reading.memory.used_mib = Some(9);
        reading.nvlinks.links = vec![NvLink { link: 3, tx_bytes: Some(3), ..NvLink::default() }];
        let meter = GpuMeter::new(&reading, true);
        let links = BTreeMap::from([((3, Direction::Sent), Some(3)), ((3, Direction::Received), None)]);
        assert_eq!((meter.nvlink_bytes, meter.memory_used_mib), (links, Some(9)));
        reading.mig_instances = vec![MigInstance::default()];
        let meter = GpuMeter::new(&reading, true);
        assert_eq!((meter.nvlink_bytes, meter.memory_used_mib, meter.pids), (BTreeMap::new(), None, vec![7]));
        let (proc, meters) = (tempfile::tempdir().unwrap(), Meters::default());
        fs_err::create_dir_all(proc.path().join("1/ns")).unwrap();
        for (namespace, is_machines) in [("pid:[4026532201]", false), (FIRST_NAMESPACE, true)] {
            let link = proc.path().join("1/ns/pid");
            let _ = fs_err::remove_file(&link);
            std::os::unix::fs::symlink(namespace, link).unwrap();
            assert_eq!(has_machines_pids(proc.path()), is_machines);
        }
        meters.clone().lustre(vec![("a".into(), Some(5))]);
        assert_eq!((meters.counted().lustre.len(), meters.counted().gpus_at.is_some()), (1, false));
    }
}
