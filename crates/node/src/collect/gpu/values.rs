//! One GPU's numbers.

use trainyard_plan::metrics::gpu as m;

use super::Names;
use crate::gpus::{Memory, Profiling, Reading};
use crate::sheet::{Labels, Sheet};

/// NVML's bits, and what we call them.
const REASONS: &[(u64, &str)] = &[
    (0x001, "gpu_idle"),
    (0x002, "applications_clocks_setting"),
    (0x004, "sw_power_cap"),
    (0x008, "hw_slowdown"),
    (0x010, "sync_boost"),
    (0x020, "sw_thermal_slowdown"),
    (0x040, "hw_thermal_slowdown"),
    (0x080, "hw_power_brake_slowdown"),
    (0x100, "display_clock_setting"),
];

pub(super) fn show(sheet: &mut Sheet, gpu: &Reading, names: &Names) {
    clocks(sheet, gpu, names);
    heat_and_power(sheet, gpu, &names.theirs);
    let labels = &names.theirs;
    sheet.put_known(&m::DCGM_FI_DEV_GPU_UTIL, labels, gpu.utilization.gpu);
    sheet.put_known(&m::DCGM_FI_DEV_MEM_COPY_UTIL, labels, gpu.utilization.memory);
    sheet.put_known(&m::DCGM_FI_DEV_ENC_UTIL, labels, gpu.utilization.encoder);
    sheet.put_known(&m::DCGM_FI_DEV_DEC_UTIL, labels, gpu.utilization.decoder);
    memory(sheet, &gpu.memory, labels);
    sheet.put_known(&m::trainyard_gpu_memory_used_ratio, &names.ours, gpu.memory.used_ratio());
    processes(sheet, gpu, &names.ours);
    errors(sheet, gpu, labels);
    pcie(sheet, gpu, names);
    sheet.put_known(&m::DCGM_FI_DEV_MIG_MODE, labels, gpu.mig_enabled);
    if gpu.mig_enabled == Some(true) {
        sheet.put_with(&m::trainyard_gpu_mig_instances, &names.ours, gpu.mig_instances.len());
    }
    profiling(sheet, &gpu.profiling, labels);
}

fn clocks(sheet: &mut Sheet, gpu: &Reading, names: &Names) {
    let (labels, clocks) = (&names.theirs, &gpu.clocks);
    sheet.put_known(&m::DCGM_FI_DEV_SM_CLOCK, labels, clocks.sm_mhz);
    sheet.put_known(&m::DCGM_FI_DEV_MEM_CLOCK, labels, clocks.memory_mhz);
    sheet.put_known(&m::DCGM_FI_DEV_VIDEO_CLOCK, labels, clocks.video_mhz);
    sheet.put_known(&m::DCGM_FI_DEV_MAX_SM_CLOCK, labels, clocks.sm_max_mhz);
    sheet.put_known(&m::DCGM_FI_DEV_MAX_MEM_CLOCK, labels, clocks.memory_max_mhz);
    sheet.put_known(&m::DCGM_FI_DEV_MAX_VIDEO_CLOCK, labels, clocks.video_max_mhz);
    sheet.put_known(&m::DCGM_FI_DEV_CLOCKS_EVENT_REASONS, labels, clocks.event_reasons);
    if let Some(bits) = clocks.event_reasons {
        for (bit, reason) in REASONS {
            sheet.put_and(&m::trainyard_gpu_clocks_held, &names.ours, &[("reason", reason)], bits & bit != 0);
        }
    }
    let violations = &gpu.violations;
    sheet.put_known(&m::DCGM_FI_DEV_POWER_VIOLATION, labels, violations.power_ns);
    sheet.put_known(&m::DCGM_FI_DEV_THERMAL_VIOLATION, labels, violations.thermal_ns);
    sheet.put_known(&m::DCGM_FI_DEV_SYNC_BOOST_VIOLATION, labels, violations.sync_boost_ns);
    sheet.put_known(&m::DCGM_FI_DEV_BOARD_LIMIT_VIOLATION, labels, violations.board_limit_ns);
    sheet.put_known(&m::DCGM_FI_DEV_LOW_UTIL_VIOLATION, labels, violations.low_utilization_ns);
    sheet.put_known(&m::DCGM_FI_DEV_RELIABILITY_VIOLATION, labels, violations.reliability_ns);
}

fn heat_and_power(sheet: &mut Sheet, gpu: &Reading, labels: &Labels) {
    let heat = &gpu.temperatures;
    sheet.put_known(&m::DCGM_FI_DEV_GPU_TEMP, labels, heat.gpu);
    sheet.put_known(&m::DCGM_FI_DEV_MEMORY_TEMP, labels, heat.memory);
    sheet.put_known(&m::DCGM_FI_DEV_GPU_MAX_OP_TEMP, labels, heat.gpu_max);
    sheet.put_known(&m::DCGM_FI_DEV_MEM_MAX_OP_TEMP, labels, heat.memory_max);
    sheet.put_known(&m::DCGM_FI_DEV_SLOWDOWN_TEMP, labels, heat.slowdown);
    sheet.put_known(&m::DCGM_FI_DEV_SHUTDOWN_TEMP, labels, heat.shutdown);
    sheet.put_known(&m::DCGM_FI_DEV_POWER_USAGE, labels, gpu.power.watts);
    sheet.put_known(&m::DCGM_FI_DEV_POWER_MGMT_LIMIT, labels, gpu.power.limit_watts);
    sheet.put_known(&m::DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION, labels, gpu.power.energy_mj);
}

pub(super) fn memory(sheet: &mut Sheet, memory: &Memory, labels: &Labels) {
    sheet.put_known(&m::DCGM_FI_DEV_FB_TOTAL, labels, memory.total_mib);
    sheet.put_known(&m::DCGM_FI_DEV_FB_USED, labels, memory.used_mib);
    sheet.put_known(&m::DCGM_FI_DEV_FB_FREE, labels, memory.free_mib);
    sheet.put_known(&m::DCGM_FI_DEV_FB_RESERVED, labels, memory.reserved_mib);
}

fn processes(sheet: &mut Sheet, gpu: &Reading, labels: &Labels) {
    let Some(processes) = &gpu.processes else { return };
    sheet.put_with(&m::trainyard_gpu_processes, labels, processes.len());
    for process in processes {
        let Some(used) = process.used_bytes else { continue };
        let pid = process.pid.to_string();
        sheet.put_and(&m::trainyard_gpu_process_memory_bytes, labels, &[("pid", &pid)], used);
    }
}

fn errors(sheet: &mut Sheet, gpu: &Reading, labels: &Labels) {
    sheet.put_known(&m::DCGM_FI_DEV_ECC_SBE_VOL_TOTAL, labels, gpu.ecc.single_volatile);
    sheet.put_known(&m::DCGM_FI_DEV_ECC_DBE_VOL_TOTAL, labels, gpu.ecc.double_volatile);
    sheet.put_known(&m::DCGM_FI_DEV_ECC_SBE_AGG_TOTAL, labels, gpu.ecc.single_aggregate);
    sheet.put_known(&m::DCGM_FI_DEV_ECC_DBE_AGG_TOTAL, labels, gpu.ecc.double_aggregate);
    sheet.put_known(&m::DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS, labels, gpu.remapped_rows.uncorrectable);
    sheet.put_known(&m::DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS, labels, gpu.remapped_rows.correctable);
    sheet.put_known(&m::DCGM_FI_DEV_ROW_REMAP_FAILURE, labels, gpu.remapped_rows.failed);
    sheet.put_known(&m::DCGM_FI_DEV_ROW_REMAP_PENDING, labels, gpu.remapped_rows.pending);
    sheet.put_known(&m::DCGM_FI_DEV_RETIRED_SBE, labels, gpu.retired_pages.single_bit);
    sheet.put_known(&m::DCGM_FI_DEV_RETIRED_DBE, labels, gpu.retired_pages.double_bit);
    sheet.put_known(&m::DCGM_FI_DEV_RETIRED_PENDING, labels, gpu.retired_pages.pending);
    sheet.put_known(&m::DCGM_FI_DEV_VGPU_LICENSE_STATUS, labels, gpu.vgpu_licensed);
}

fn pcie(sheet: &mut Sheet, gpu: &Reading, names: &Names) {
    let (labels, pcie) = (&names.theirs, &gpu.pcie);
    sheet.put_known(&m::DCGM_FI_DEV_PCIE_REPLAY_COUNTER, labels, pcie.replays);
    sheet.put_known(&m::DCGM_FI_DEV_PCIE_LINK_GEN, labels, pcie.generation);
    sheet.put_known(&m::DCGM_FI_DEV_PCIE_MAX_LINK_GEN, labels, pcie.generation_max);
    sheet.put_known(&m::DCGM_FI_DEV_PCIE_LINK_WIDTH, labels, pcie.width);
    sheet.put_known(&m::DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH, labels, pcie.width_max);
    sheet.put_known(&m::trainyard_gpu_pcie_transmit_bytes_total, &names.ours, pcie.tx_bytes);
    sheet.put_known(&m::trainyard_gpu_pcie_receive_bytes_total, &names.ours, pcie.rx_bytes);
}

pub(super) fn profiling(sheet: &mut Sheet, profiling: &Profiling, labels: &Labels) {
    sheet.put_known(&m::DCGM_FI_PROF_GR_ENGINE_ACTIVE, labels, profiling.gr_engine_active);
    sheet.put_known(&m::DCGM_FI_PROF_SM_ACTIVE, labels, profiling.sm_active);
    sheet.put_known(&m::DCGM_FI_PROF_SM_OCCUPANCY, labels, profiling.sm_occupancy);
    sheet.put_known(&m::DCGM_FI_PROF_PIPE_TENSOR_ACTIVE, labels, profiling.tensor_active);
    sheet.put_known(&m::DCGM_FI_PROF_DRAM_ACTIVE, labels, profiling.dram_active);
    sheet.put_known(&m::DCGM_FI_PROF_PIPE_FP64_ACTIVE, labels, profiling.fp64_active);
    sheet.put_known(&m::DCGM_FI_PROF_PIPE_FP32_ACTIVE, labels, profiling.fp32_active);
    sheet.put_known(&m::DCGM_FI_PROF_PIPE_FP16_ACTIVE, labels, profiling.fp16_active);
    sheet.put_known(&m::DCGM_FI_PROF_PCIE_TX_BYTES, labels, profiling.pcie_tx_bytes);
    sheet.put_known(&m::DCGM_FI_PROF_PCIE_RX_BYTES, labels, profiling.pcie_rx_bytes);
    sheet.put_known(&m::DCGM_FI_PROF_NVLINK_TX_BYTES, labels, profiling.nvlink_tx_bytes);
    sheet.put_known(&m::DCGM_FI_PROF_NVLINK_RX_BYTES, labels, profiling.nvlink_rx_bytes);
}
