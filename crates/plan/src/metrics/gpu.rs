//! GPUs: dcgm-exporter's names, units and labels where it has them, `trainyard_gpu_*` for the rest.
//!
//! `DCGM_FI_DEV_XID_ERRORS` is not here on purpose: it shows the last error for ever, and says neither when nor how often.
//! Xids are counted instead. Series of a partition (MIG) have two labels more.

metrics! { "gpu" from "NVML" each ["gpu", "UUID", "pci_bus_id", "device", "modelName", "Hostname", "DCGM_FI_DRIVER_VERSION"] {
    gauge trainyard_agent_replay ["profile"]: "1 where accelerators and fabric are replayed; none of these values is a machine's.";
    gauge trainyard_gpus []: "GPUs that the driver counts, answering or not.";
    gauge trainyard_gpu_up ["gpu", "UUID", "pci_bus_id"]: "1 while the GPU answers the driver, 0 once it is lost.";
    info trainyard_gpu_info ["gpu", "UUID", "pci_bus_id", "model_name", "serial", "compute_capability", "vbios_version", "driver_version", "cuda_version", "nvml_version"]: "What the GPU is, and the versions of what drives it.";

    gauge DCGM_FI_DEV_SM_CLOCK in "megahertz" from "nvmlDeviceGetClockInfo": "Clock of the multiprocessors, in MHz.";
    gauge DCGM_FI_DEV_MEM_CLOCK in "megahertz" from "nvmlDeviceGetClockInfo": "Clock of the memory, in MHz.";
    gauge DCGM_FI_DEV_VIDEO_CLOCK in "megahertz" from "nvmlDeviceGetClockInfo": "Clock of the video engines, in MHz.";
    gauge DCGM_FI_DEV_MAX_SM_CLOCK in "megahertz" from "nvmlDeviceGetMaxClockInfo": "The highest clock of the multiprocessors, in MHz.";
    gauge DCGM_FI_DEV_MAX_MEM_CLOCK in "megahertz" from "nvmlDeviceGetMaxClockInfo": "The highest clock of the memory, in MHz.";
    gauge DCGM_FI_DEV_MAX_VIDEO_CLOCK in "megahertz" from "nvmlDeviceGetMaxClockInfo": "The highest clock of the video engines, in MHz.";
    gauge DCGM_FI_DEV_CLOCKS_EVENT_REASONS from "nvmlDeviceGetCurrentClocksEventReasons": "Bits that say what holds the clocks down.";
    gauge trainyard_gpu_clocks_held ["gpu", "UUID", "reason"] from "nvmlDeviceGetCurrentClocksEventReasons": "1 while this reason holds the clocks below what was asked for.";
    counter DCGM_FI_DEV_POWER_VIOLATION in "nanoseconds" from "NVML_PERF_POLICY_POWER": "For how long the power limit held the clocks down, in ns.";
    counter DCGM_FI_DEV_THERMAL_VIOLATION in "nanoseconds" from "NVML_PERF_POLICY_THERMAL": "For how long heat held the clocks down, in ns.";
    counter DCGM_FI_DEV_SYNC_BOOST_VIOLATION in "nanoseconds" from "NVML_PERF_POLICY_SYNC_BOOST": "For how long other GPUs of its group held the clocks down, in ns.";
    counter DCGM_FI_DEV_BOARD_LIMIT_VIOLATION in "nanoseconds" from "NVML_PERF_POLICY_BOARD_LIMIT": "For how long the board's voltage limit held the clocks down, in ns.";
    counter DCGM_FI_DEV_LOW_UTIL_VIOLATION in "nanoseconds" from "NVML_PERF_POLICY_LOW_UTILIZATION": "For how long the clocks were low for want of work, in ns.";
    counter DCGM_FI_DEV_RELIABILITY_VIOLATION in "nanoseconds" from "NVML_PERF_POLICY_RELIABILITY": "For how long the board's reliability limit held the clocks down, in ns.";

    gauge DCGM_FI_DEV_GPU_TEMP in "celsius" from "nvmlDeviceGetTemperature": "Temperature of the GPU, in degrees Celsius.";
    gauge DCGM_FI_DEV_MEMORY_TEMP in "celsius" from "NVML_FI_DEV_MEMORY_TEMP": "Temperature of the memory, in degrees Celsius.";
    gauge DCGM_FI_DEV_GPU_MAX_OP_TEMP in "celsius" from "nvmlDeviceGetTemperatureThreshold": "The highest temperature at which the GPU works as it should, in degrees Celsius.";
    gauge DCGM_FI_DEV_MEM_MAX_OP_TEMP in "celsius" from "nvmlDeviceGetTemperatureThreshold": "The highest temperature at which the memory works as it should, in degrees Celsius.";
    gauge DCGM_FI_DEV_SLOWDOWN_TEMP in "celsius" from "nvmlDeviceGetTemperatureThreshold": "The temperature at which the GPU slows down, in degrees Celsius.";
    gauge DCGM_FI_DEV_SHUTDOWN_TEMP in "celsius" from "nvmlDeviceGetTemperatureThreshold": "The temperature at which the GPU switches itself off, in degrees Celsius.";
    gauge DCGM_FI_DEV_POWER_USAGE in "watts" from "nvmlDeviceGetPowerUsage": "Power that the board draws, in W.";
    gauge DCGM_FI_DEV_POWER_MGMT_LIMIT in "watts" from "nvmlDeviceGetPowerManagementLimit": "Power that the board may draw, in W.";
    counter DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION in "millijoules" from "nvmlDeviceGetTotalEnergyConsumption": "Energy since the driver was loaded, in mJ.";

    gauge DCGM_FI_DEV_GPU_UTIL in "percent" from "nvmlDeviceGetUtilizationRates": "Time in which at least one kernel ran, in percent.";
    gauge DCGM_FI_DEV_MEM_COPY_UTIL in "percent" from "nvmlDeviceGetUtilizationRates": "Time in which the memory was read or written, in percent. It does not say how full the memory is.";
    gauge DCGM_FI_DEV_ENC_UTIL in "percent" from "nvmlDeviceGetEncoderUtilization": "Use of the video encoder, in percent.";
    gauge DCGM_FI_DEV_DEC_UTIL in "percent" from "nvmlDeviceGetDecoderUtilization": "Use of the video decoder, in percent.";
    gauge DCGM_FI_DEV_FB_TOTAL parts ["GPU_I_PROFILE", "GPU_I_ID"] in "mebibytes" from "nvmlDeviceGetMemoryInfo": "Size of the GPU's memory, in MiB.";
    gauge DCGM_FI_DEV_FB_USED parts ["GPU_I_PROFILE", "GPU_I_ID"] in "mebibytes" from "nvmlDeviceGetMemoryInfo": "Memory that is used, in MiB.";
    gauge DCGM_FI_DEV_FB_FREE parts ["GPU_I_PROFILE", "GPU_I_ID"] in "mebibytes" from "nvmlDeviceGetMemoryInfo": "Memory that is free, in MiB.";
    gauge DCGM_FI_DEV_FB_RESERVED parts ["GPU_I_PROFILE", "GPU_I_ID"] in "mebibytes" from "nvmlDeviceGetMemoryInfo": "Memory that the driver keeps for itself, in MiB.";
    gauge trainyard_gpu_memory_used_ratio ["gpu", "UUID"] from "nvmlDeviceGetMemoryInfo": "How full the memory is: used, of used and free.";
    gauge trainyard_gpu_processes ["gpu", "UUID"] from "nvmlDeviceGetComputeRunningProcesses": "Processes that compute on the GPU.";
    gauge trainyard_gpu_process_memory_bytes ["gpu", "UUID", "pid"] from "nvmlDeviceGetComputeRunningProcesses": "Memory of the GPU that the process uses.";

    counter DCGM_FI_DEV_ECC_SBE_VOL_TOTAL from "nvmlDeviceGetTotalEccErrors": "Single-bit errors since the driver was loaded.";
    counter DCGM_FI_DEV_ECC_DBE_VOL_TOTAL from "nvmlDeviceGetTotalEccErrors": "Double-bit errors since the driver was loaded.";
    counter DCGM_FI_DEV_ECC_SBE_AGG_TOTAL from "nvmlDeviceGetTotalEccErrors": "Single-bit errors over the board's life.";
    counter DCGM_FI_DEV_ECC_DBE_AGG_TOTAL from "nvmlDeviceGetTotalEccErrors": "Double-bit errors over the board's life.";
    counter DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS from "nvmlDeviceGetRemappedRows": "Rows of memory that were replaced after uncorrectable errors.";
    counter DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS from "nvmlDeviceGetRemappedRows": "Rows of memory that were replaced after correctable errors.";
    gauge DCGM_FI_DEV_ROW_REMAP_FAILURE from "nvmlDeviceGetRemappedRows": "1 if a row could not be replaced: the GPU must be.";
    gauge DCGM_FI_DEV_ROW_REMAP_PENDING from "nvmlDeviceGetRemappedRows": "1 if a row will be replaced at the next reset.";
    counter DCGM_FI_DEV_RETIRED_SBE from "nvmlDeviceGetRetiredPages": "Pages that are used no more after single-bit errors.";
    counter DCGM_FI_DEV_RETIRED_DBE from "nvmlDeviceGetRetiredPages": "Pages that are used no more after double-bit errors.";
    counter DCGM_FI_DEV_RETIRED_PENDING from "nvmlDeviceGetRetiredPagesPendingStatus": "Pages that will be taken out of use at the next reset.";
    gauge DCGM_FI_DEV_VGPU_LICENSE_STATUS from "nvmlDeviceGetGridLicensableFeatures": "1 if the GPU has a licence for virtual GPUs.";

    counter DCGM_FI_DEV_PCIE_REPLAY_COUNTER from "nvmlDeviceGetPcieReplayCounter": "Packets that PCIe had to send again.";
    gauge DCGM_FI_DEV_PCIE_LINK_GEN from "nvmlDeviceGetCurrPcieLinkGeneration": "Generation at which the PCIe link runs.";
    gauge DCGM_FI_DEV_PCIE_MAX_LINK_GEN from "nvmlDeviceGetMaxPcieLinkGeneration": "The newest generation that GPU and slot can.";
    gauge DCGM_FI_DEV_PCIE_LINK_WIDTH from "nvmlDeviceGetCurrPcieLinkWidth": "Lanes that the PCIe link uses.";
    gauge DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH from "nvmlDeviceGetMaxPcieLinkWidth": "Lanes that GPU and slot have.";
    counter trainyard_gpu_pcie_transmit_bytes_total ["gpu", "UUID"] from "NVML_FI_DEV_PCIE_COUNT_TX_BYTES": "Bytes that the GPU sent over PCIe.";
    counter trainyard_gpu_pcie_receive_bytes_total ["gpu", "UUID"] from "NVML_FI_DEV_PCIE_COUNT_RX_BYTES": "Bytes that the GPU got over PCIe.";

    gauge DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL from "NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX and _RX": "Traffic of all NVLinks, both directions, in units of 1000 KiB a second. A rate, whatever type others declare.";
    gauge DCGM_FI_DEV_NVLINK_BANDWIDTH_L0 from "NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX and _RX": "Traffic of NVLink 0, both directions, in units of 1000 KiB a second.";
    counter DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL from "NVML_NVLINK_ERROR_DL_CRC_FLIT": "Flow-control units with a wrong checksum, on all NVLinks.";
    counter DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL from "NVML_NVLINK_ERROR_DL_CRC_DATA": "Data with a wrong checksum, on all NVLinks.";
    counter DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL from "NVML_NVLINK_ERROR_DL_REPLAY": "Transmissions that had to be repeated, on all NVLinks.";
    counter DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL from "NVML_NVLINK_ERROR_DL_RECOVERY": "Recoveries of a link from errors, on all NVLinks.";
    gauge trainyard_gpu_nvlink_up ["gpu", "UUID", "link"] from "nvmlDeviceGetNvLinkState": "1 while the NVLink is active.";
    counter trainyard_gpu_nvlink_transmit_bytes_total ["gpu", "UUID", "link"] from "NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX": "Bytes of data that the GPU sent over the NVLink.";
    counter trainyard_gpu_nvlink_receive_bytes_total ["gpu", "UUID", "link"] from "NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX": "Bytes of data that the GPU got over the NVLink.";
    counter trainyard_gpu_nvlink_errors_total ["gpu", "UUID", "link", "kind"] from "nvmlDeviceGetNvLinkErrorCounter": "Errors of the NVLink by kind: crc_flit, crc_data, replay, recovery.";
    gauge trainyard_gpu_p2p_ok ["gpu", "UUID", "peer", "status"] from "nvmlDeviceGetP2PStatus": "1 if the GPU can use the peer's memory over NVLink; the status says why not.";

    gauge DCGM_FI_DEV_MIG_MODE from "nvmlDeviceGetMigMode": "1 if the GPU is divided into partitions.";
    gauge trainyard_gpu_mig_instances ["gpu", "UUID"] from "nvmlDeviceGetMigDeviceHandleByIndex": "Partitions of the GPU.";

    gauge DCGM_FI_PROF_GR_ENGINE_ACTIVE parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_GRAPHICS_UTIL": "Part of the time in which the graphics or compute engine was busy.";
    gauge DCGM_FI_PROF_SM_ACTIVE parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_SM_UTIL": "Part of the time in which a multiprocessor had work, mean of all.";
    gauge DCGM_FI_PROF_SM_OCCUPANCY parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_SM_OCCUPANCY": "Resident warps, of as many as the multiprocessors can hold.";
    gauge DCGM_FI_PROF_PIPE_TENSOR_ACTIVE parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_ANY_TENSOR_UTIL": "Part of the time in which the tensor cores were busy.";
    gauge DCGM_FI_PROF_DRAM_ACTIVE parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_DRAM_BW_UTIL": "Traffic to and from memory, of as much as it can carry.";
    gauge DCGM_FI_PROF_PIPE_FP64_ACTIVE parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_FP64_UTIL": "Part of the time in which the FP64 cores were busy.";
    gauge DCGM_FI_PROF_PIPE_FP32_ACTIVE parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_FP32_UTIL": "Part of the time in which the FP32 cores were busy.";
    gauge DCGM_FI_PROF_PIPE_FP16_ACTIVE parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_FP16_UTIL": "Part of the time in which the FP16 cores were busy.";
    gauge DCGM_FI_PROF_PCIE_TX_BYTES parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_PCIE_TX_PER_SEC": "Bytes that the GPU sends over PCIe in a second.";
    gauge DCGM_FI_PROF_PCIE_RX_BYTES parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_PCIE_RX_PER_SEC": "Bytes that the GPU gets over PCIe in a second.";
    gauge DCGM_FI_PROF_NVLINK_TX_BYTES parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_NVLINK_TOTAL_TX_PER_SEC": "Bytes that the GPU sends over NVLink in a second.";
    gauge DCGM_FI_PROF_NVLINK_RX_BYTES parts ["GPU_I_PROFILE", "GPU_I_ID"] from "NVML_GPM_METRIC_NVLINK_TOTAL_RX_PER_SEC": "Bytes that the GPU gets over NVLink in a second.";
} }
