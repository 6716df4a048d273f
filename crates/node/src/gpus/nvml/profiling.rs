//! Where a GPU's time goes (GPM, on Hopper and newer): what happened between two samples.

use nvml_wrapper::enums::gpm::GpmMetricId as Id;
use nvml_wrapper::gpm::gpm_metrics_get;
use nvml_wrapper::{Device, GpmSample, Nvml as Library};

use super::super::Profiling;
use super::super::nvml_ffi::can_give_back;

/// The last sample of a GPU, or of each of its partitions.
#[derive(Default)]
pub(super) struct Profiler {
    can: Option<bool>,
    samples: Vec<(Option<u32>, GpmSample<'static>)>,
}

const WANTED: [Id; 12] = [
    Id::GraphicsUtil,
    Id::SmUtil,
    Id::SmOccupancy,
    Id::AnyTensorUtil,
    Id::DramBwUtil,
    Id::Fp64Util,
    Id::Fp32Util,
    Id::Fp16Util,
    Id::PcieTxPerSec,
    Id::PcieRxPerSec,
    Id::NvlinkTotalTxPerSec,
    Id::NvlinkTotalRxPerSec,
];

impl Profiler {
    /// Nothing is known at the first call.
    pub(super) fn read(&mut self, library: &'static Library, device: &Device<'static>, part: Option<u32>) -> Profiling {
        let can = || can_give_back(library).0 && device.gpm_support().unwrap_or(false);
        if !*self.can.get_or_insert_with(can) {
            return Profiling::default();
        }
        let sample = match part {
            None => device.gpm_sample(),
            Some(part) => device.gpm_mig_sample(part),
        };
        let Ok(now) = sample else { return Profiling::default() };
        let before = self.samples.iter().position(|(known, _)| *known == part).map(|at| self.samples.swap_remove(at).1);
        let profiling = before.map(|before| between(library, &before, &now)).unwrap_or_default();
        self.samples.push((part, now));
        profiling
    }
}

fn between(library: &'static Library, before: &GpmSample<'static>, now: &GpmSample<'static>) -> Profiling {
    let results = gpm_metrics_get(library, before, now, &WANTED).unwrap_or_default();
    let value = |id: Id| {
        let known = results.iter().flatten().find(|result| result.metric_id == id);
        known.map(|result| result.value).filter(|value| value.is_finite())
    };
    let ratio = |id| value(id).map(|percent| percent / 100.0);
    let bytes = |id| value(id).map(|mib| mib * f64::from(1 << 20));
    Profiling {
        gr_engine_active: ratio(Id::GraphicsUtil),
        sm_active: ratio(Id::SmUtil),
        sm_occupancy: ratio(Id::SmOccupancy),
        tensor_active: ratio(Id::AnyTensorUtil),
        dram_active: ratio(Id::DramBwUtil),
        fp64_active: ratio(Id::Fp64Util),
        fp32_active: ratio(Id::Fp32Util),
        fp16_active: ratio(Id::Fp16Util),
        pcie_tx_bytes: bytes(Id::PcieTxPerSec),
        pcie_rx_bytes: bytes(Id::PcieRxPerSec),
        nvlink_tx_bytes: bytes(Id::NvlinkTotalTxPerSec),
        nvlink_rx_bytes: bytes(Id::NvlinkTotalRxPerSec),
    }
}
