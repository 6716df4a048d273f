//! The parts of a divided GPU (MIG).

use nvml_wrapper::enum_wrappers::device::GpuVirtualizationMode;
use nvml_wrapper::{Device, Nvml as Library};

use super::super::MigInstance;
use super::super::nvml_ffi::instance_id;
use super::profiling::Profiler;
use super::{Answers, numbers};

/// A GPU has 7; newer ones may have more.
const PARTITIONS_MAX: u32 = 32;

pub(super) fn read(library: &'static Library, device: &Device<'static>, profiler: &mut Profiler) -> Vec<MigInstance> {
    let count = device.mig_device_count().unwrap_or(0).min(PARTITIONS_MAX);
    let one = |index| {
        let partition = device.mig_device_by_index(index).ok()?;
        let id = instance_id(library, &partition)?;
        // `NVIDIA H100 80GB HBM3 MIG 1g.10gb`
        let name = partition.name().unwrap_or_default();
        let profile = name.rsplit_once(" MIG ").map(|(_, profile)| profile.to_owned()).unwrap_or_default();
        Some(MigInstance {
            id,
            profile,
            uuid: partition.uuid().ok(),
            memory: numbers::memory(&partition, &mut Answers::default()),
            profiling: profiler.read(library, device, Some(id)),
        })
    };
    (0..count).filter_map(one).collect()
}

/// A GPU that is not virtual has no licence for it; of a virtual one NVML's wrapper does not tell.
pub(super) fn licence(mode: &GpuVirtualizationMode) -> Option<bool> {
    matches!(mode, GpuVirtualizationMode::Bare | GpuVirtualizationMode::PassThrough).then_some(false)
}
