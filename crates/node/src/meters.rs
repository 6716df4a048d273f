//! What collectors count, for whoever sums it up by job: each puts its own here, and none knows who asks.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::gpus::Reading;

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
    /// The GPUs that answer.
    pub gpus: Arc<[GpuMeter]>,
    /// When they were read.
    pub gpus_at: Option<Instant>,
    /// What each EFA device moved, by its name.
    pub fabric: Arc<[(String, u64)]>,
    /// What was read from Lustre and written to it.
    pub lustre: Option<u64>,
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
    pub nvlink_bytes: Option<u64>,
    pub energy_mj: Option<u64>,
    /// Those that use it.
    pub pids: Vec<u32>,
}

impl GpuMeter {
    /// From a reading, and from whether its processes have the numbers that they have here.
    pub fn new(reading: &Reading, are_pids_known: bool) -> Self {
        let processes = reading.processes.iter().flatten().filter(|_| are_pids_known);
        let links = reading.nvlinks.links.iter().flat_map(|link| [link.tx_bytes, link.rx_bytes]).flatten();
        Self {
            index: reading.index,
            minor: reading.minor,
            uuid: reading.uuid.clone().unwrap_or_default(),
            percent: reading.utilization.gpu,
            sm_active: reading.profiling.sm_active,
            memory_used_mib: reading.memory.used_mib,
            nvlink_bytes: links.reduce(u64::saturating_add),
            energy_mj: reading.power.energy_mj,
            pids: processes.map(|process| process.pid).take(ENTRIES_MAX).collect(),
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
    /// These are the GPUs now.
    pub fn gpus(&self, gpus: Vec<GpuMeter>) {
        let mut counted = self.lock();
        counted.gpus = gpus.into();
        counted.gpus_at = Some(Instant::now());
    }

    /// This is what each EFA device has moved.
    pub fn fabric(&self, mut devices: Vec<(String, u64)>) {
        devices.truncate(ENTRIES_MAX);
        self.lock().fabric = devices.into();
    }

    /// This many bytes were read from Lustre and written to it.
    pub fn lustre(&self, bytes: u64) {
        self.lock().lustre = Some(bytes);
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
    use crate::gpus::{NvLink, Process};

    #[test]
    fn a_process_is_only_known_by_a_number_that_it_has_here() {
        let mut reading = Reading { processes: Some(vec![Process { pid: 7, used_bytes: None }]), ..Reading::default() };
        assert_eq!(GpuMeter::new(&reading, true).pids, [7]);
        assert!(GpuMeter::new(&reading, false).pids.is_empty());
        assert_eq!(GpuMeter::new(&reading, true).nvlink_bytes, None);
        let link = NvLink { tx_bytes: Some(3), rx_bytes: Some(4), ..NvLink::default() };
        reading.nvlinks.links = vec![link.clone(), NvLink { rx_bytes: None, ..link }];
        assert_eq!(GpuMeter::new(&reading, true).nvlink_bytes, Some(10));
        let (proc, meters) = (tempfile::tempdir().unwrap(), Meters::default());
        fs_err::create_dir_all(proc.path().join("1/ns")).unwrap();
        for (namespace, is_machines) in [("pid:[4026532201]", false), (FIRST_NAMESPACE, true)] {
            let link = proc.path().join("1/ns/pid");
            let _ = fs_err::remove_file(&link);
            std::os::unix::fs::symlink(namespace, link).unwrap();
            assert_eq!(has_machines_pids(proc.path()), is_machines);
        }
        meters.clone().lustre(5);
        assert_eq!((meters.counted().lustre, meters.counted().gpus_at.is_some()), (Some(5), false));
    }
}
