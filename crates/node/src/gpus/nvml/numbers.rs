//! What NVML counts and measures of one GPU.

use nvml_wrapper::enum_wrappers::device::{
    Clock, EccCounter, MemoryError, PerformancePolicy, RetirementCause, TemperatureSensor,
};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::sys_exports::field_id;
use nvml_wrapper::{Device, Nvml as Library};

use super::super::nvml_ffi::{Field, fill};
use super::super::{Memory, Process, Reading};
use super::Answers;

/// More processes than this do not share a GPU.
const PROCESSES_MAX: usize = 256;

pub(super) fn read(library: &Library, device: &Device<'_>, gpu: &mut Reading, answers: &mut Answers) {
    if let Some(utilization) = answers.known(device.utilization_rates()) {
        gpu.utilization.gpu = Some(utilization.gpu);
        gpu.utilization.memory = Some(utilization.memory);
    }
    if answers.lost.is_some() {
        return;
    }
    gpu.utilization.encoder = answers.known(device.encoder_utilization()).map(|info| info.utilization);
    gpu.utilization.decoder = answers.known(device.decoder_utilization()).map(|info| info.utilization);
    gpu.memory = memory(device, answers);
    gpu.clocks.sm_mhz = answers.known(device.clock_info(Clock::SM));
    gpu.clocks.memory_mhz = answers.known(device.clock_info(Clock::Memory));
    gpu.clocks.video_mhz = answers.known(device.clock_info(Clock::Video));
    gpu.clocks.event_reasons = answers.known(device.current_throttle_reasons()).map(|reasons| reasons.bits());
    violations(device, gpu, answers);
    gpu.temperatures.gpu = answers.known(device.temperature(TemperatureSensor::Gpu));
    let watts = |milliwatts: u32| f64::from(milliwatts) / 1000.0;
    gpu.power.watts = answers.known(device.power_usage()).map(watts);
    gpu.power.limit_watts = answers.known(device.power_management_limit()).map(watts);
    gpu.power.energy_mj = answers.known(device.total_energy_consumption());
    errors(device, gpu, answers);
    gpu.pcie.replays = answers.known(device.pcie_replay_counter()).map(u64::from);
    gpu.pcie.generation = answers.known(device.current_pcie_link_gen());
    gpu.pcie.width = answers.known(device.current_pcie_link_width());
    fields(library, device, gpu);
    gpu.mig_enabled = answers.known(device.mig_mode()).map(|mode| mode.current == 1);
    gpu.processes = answers.known(device.running_compute_processes()).map(processes);
}

pub(super) fn memory(device: &Device<'_>, answers: &mut Answers) -> Memory {
    let Some(memory) = answers.known(device.memory_info()) else { return Memory::default() };
    let mib = |bytes: u64| Some(bytes >> 20);
    Memory {
        total_mib: mib(memory.total),
        used_mib: mib(memory.used),
        free_mib: mib(memory.free),
        reserved_mib: mib(memory.reserved),
    }
}

fn violations(device: &Device<'_>, gpu: &mut Reading, answers: &mut Answers) {
    let mut of = |policy| answers.known(device.violation_status(policy)).map(|time| time.violation_time);
    gpu.violations.power_ns = of(PerformancePolicy::Power);
    gpu.violations.thermal_ns = of(PerformancePolicy::Thermal);
    gpu.violations.sync_boost_ns = of(PerformancePolicy::SyncBoost);
    gpu.violations.board_limit_ns = of(PerformancePolicy::BoardLimit);
    gpu.violations.low_utilization_ns = of(PerformancePolicy::LowUtilization);
    gpu.violations.reliability_ns = of(PerformancePolicy::Reliability);
}

fn errors(device: &Device<'_>, gpu: &mut Reading, answers: &mut Answers) {
    let mut of = |error, counter| answers.known(device.total_ecc_errors(error, counter));
    gpu.ecc.single_volatile = of(MemoryError::Corrected, EccCounter::Volatile);
    gpu.ecc.double_volatile = of(MemoryError::Uncorrected, EccCounter::Volatile);
    gpu.ecc.single_aggregate = of(MemoryError::Corrected, EccCounter::Aggregate);
    gpu.ecc.double_aggregate = of(MemoryError::Uncorrected, EccCounter::Aggregate);
    let mut pages = |cause| answers.known(device.retired_pages(cause)).map(|pages| pages.len() as u64);
    gpu.retired_pages.single_bit = pages(RetirementCause::MultipleSingleBitEccErrors);
    gpu.retired_pages.double_bit = pages(RetirementCause::DoubleBitEccError);
    gpu.retired_pages.pending = answers.known(device.are_pages_pending_retired()).map(u64::from);
}

/// What only field values tell.
fn fields(library: &Library, device: &Device<'_>, gpu: &mut Reading) {
    let mut fields = [
        field_id::NVML_FI_DEV_MEMORY_TEMP,
        field_id::NVML_FI_DEV_REMAPPED_COR,
        field_id::NVML_FI_DEV_REMAPPED_UNC,
        field_id::NVML_FI_DEV_REMAPPED_PENDING,
        field_id::NVML_FI_DEV_REMAPPED_FAILURE,
        field_id::NVML_FI_DEV_PCIE_COUNT_TX_BYTES,
        field_id::NVML_FI_DEV_PCIE_COUNT_RX_BYTES,
    ]
    .map(|id| Field::new(id, 0));
    fill(library, device, &mut fields);
    let [heat, correctable, uncorrectable, pending, failed, tx, rx] = fields.map(|field| field.value);
    gpu.temperatures.memory = heat.and_then(|degrees| degrees.try_into().ok());
    gpu.remapped_rows.correctable = correctable;
    gpu.remapped_rows.uncorrectable = uncorrectable;
    gpu.remapped_rows.pending = pending.map(|pending| pending > 0);
    gpu.remapped_rows.failed = failed.map(|failed| failed > 0);
    gpu.pcie.tx_bytes = tx;
    gpu.pcie.rx_bytes = rx;
}

fn processes(all: Vec<ProcessInfo>) -> Vec<Process> {
    let one = |process: ProcessInfo| Process {
        pid: process.pid,
        used_bytes: match process.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(bytes),
            UsedGpuMemory::Unavailable => None,
        },
    };
    all.into_iter().take(PROCESSES_MAX).map(one).collect()
}
