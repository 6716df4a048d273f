//! What one GPU tells at one moment.

use serde::{Deserialize, Serialize};

/// One GPU.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// Its place in the driver's order.
    pub index: u32,
    /// `GPU-…`.
    pub uuid: Option<String>,
    /// `00000000:53:00.0`.
    pub pci_bus_id: Option<String>,
    /// The number of `/dev/nvidiaN`.
    pub minor: Option<u32>,
    /// `NVIDIA H100 80GB HBM3`.
    pub name: Option<String>,
    /// The board's serial number.
    pub serial: Option<String>,
    /// `9.0`.
    pub compute_capability: Option<String>,
    /// Of the board.
    pub vbios_version: Option<String>,
    /// Of the driver.
    pub driver_version: Option<String>,
    /// The newest CUDA that the driver can.
    pub cuda_version: Option<String>,
    /// Of the library.
    pub nvml_version: Option<String>,
    /// Of its engines.
    pub utilization: Utilization,
    /// The frame buffer.
    pub memory: Memory,
    /// As they are, and at most.
    pub clocks: Clocks,
    /// For how long something held the clocks down.
    pub violations: Violations,
    /// As they are, and where they become dangerous.
    pub temperatures: Temperatures,
    /// What it takes.
    pub power: Power,
    /// Errors of memories.
    pub ecc: Ecc,
    /// Rows of memory that were replaced (Ampere and newer).
    pub remapped_rows: RemappedRows,
    /// Pages that are used no more (before Ampere).
    pub retired_pages: RetiredPages,
    /// Its connection to the machine.
    pub pcie: Pcie,
    /// Its connections to other GPUs.
    pub nvlinks: NvLinks,
    /// Whether other GPUs' memory is within reach.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Peer>,
    /// Whether it is partitioned.
    pub mig_enabled: Option<bool>,
    /// Its partitions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mig_instances: Vec<MigInstance>,
    /// Whether it has a licence for virtual GPUs.
    pub vgpu_licensed: Option<bool>,
    /// Who uses it.
    pub processes: Option<Vec<Process>>,
    /// Where its time goes.
    pub profiling: Profiling,
    /// Why it cannot be read. Nothing but its identity is known then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
}

/// Percent of the last moments in which an engine was busy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "named after the engines")]
pub struct Utilization {
    pub gpu: Option<u32>,
    pub memory: Option<u32>,
    pub encoder: Option<u32>,
    pub decoder: Option<u32>,
}

/// Sizes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the usual words")]
pub struct Memory {
    pub total_mib: Option<u64>,
    pub used_mib: Option<u64>,
    pub free_mib: Option<u64>,
    /// What the driver keeps for itself.
    pub reserved_mib: Option<u64>,
}

impl Memory {
    /// How full it is, of what work can have.
    #[allow(clippy::cast_precision_loss, reason = "MiB of a GPU are far below 2^52")]
    pub fn used_ratio(&self) -> Option<f64> {
        let (used, free) = (self.used_mib?, self.free_mib?);
        let all = used.checked_add(free).filter(|all| *all > 0)?;
        Some(used as f64 / all as f64)
    }
}

/// Frequencies, and what holds them down.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the usual words")]
pub struct Clocks {
    pub sm_mhz: Option<u32>,
    pub memory_mhz: Option<u32>,
    pub video_mhz: Option<u32>,
    pub sm_max_mhz: Option<u32>,
    pub memory_max_mhz: Option<u32>,
    pub video_max_mhz: Option<u32>,
    /// NVML's bits (`nvmlClocksEventReason…`).
    pub event_reasons: Option<u64>,
}

/// Nanoseconds, counted by the driver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "NVML's words")]
pub struct Violations {
    pub power_ns: Option<u64>,
    pub thermal_ns: Option<u64>,
    pub sync_boost_ns: Option<u64>,
    pub board_limit_ns: Option<u64>,
    pub low_utilization_ns: Option<u64>,
    pub reliability_ns: Option<u64>,
}

/// Degrees Celsius.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the usual words")]
pub struct Temperatures {
    pub gpu: Option<u32>,
    pub memory: Option<u32>,
    pub gpu_max: Option<u32>,
    pub memory_max: Option<u32>,
    pub slowdown: Option<u32>,
    pub shutdown: Option<u32>,
}

/// Power and energy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the usual words")]
pub struct Power {
    pub watts: Option<f64>,
    pub limit_watts: Option<f64>,
    /// Since the driver was loaded.
    pub energy_mj: Option<u64>,
}

/// Errors since the driver was loaded (volatile) and over the board's life (aggregate).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "NVML's words")]
pub struct Ecc {
    pub single_volatile: Option<u64>,
    pub double_volatile: Option<u64>,
    pub single_aggregate: Option<u64>,
    pub double_aggregate: Option<u64>,
}

/// Rows of memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "NVML's words")]
pub struct RemappedRows {
    pub correctable: Option<u64>,
    pub uncorrectable: Option<u64>,
    pub pending: Option<bool>,
    pub failed: Option<bool>,
}

/// Pages of memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "NVML's words")]
pub struct RetiredPages {
    pub single_bit: Option<u64>,
    pub double_bit: Option<u64>,
    pub pending: Option<u64>,
}

/// The slot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the usual words")]
pub struct Pcie {
    pub replays: Option<u64>,
    pub generation: Option<u32>,
    pub generation_max: Option<u32>,
    pub width: Option<u32>,
    pub width_max: Option<u32>,
    pub tx_bytes: Option<u64>,
    pub rx_bytes: Option<u64>,
}

/// All links of a GPU.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NvLinks {
    /// What DCGM calls bandwidth: KiB in both directions in a second, divided by 1000.
    pub rate: Option<u64>,
    /// The same of the first link.
    pub first_rate: Option<u64>,
    /// Each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<NvLink>,
}

/// One link. Counts are since the driver was loaded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "NVML's words")]
pub struct NvLink {
    pub link: u32,
    pub active: Option<bool>,
    pub tx_bytes: Option<u64>,
    pub rx_bytes: Option<u64>,
    pub crc_flit: Option<u64>,
    pub crc_data: Option<u64>,
    pub replay: Option<u64>,
    pub recovery: Option<u64>,
}

/// What stands between two GPUs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Peer {
    /// The other one.
    pub index: u32,
    /// `ok`, or why not, in NVML's words.
    pub status: String,
}

/// A partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MigInstance {
    /// The GPU instance.
    pub id: u32,
    /// `1g.10gb`.
    pub profile: String,
    /// `MIG-…`.
    pub uuid: Option<String>,
    /// Its part of the frame buffer.
    pub memory: Memory,
    /// Where its time goes.
    pub profiling: Profiling,
}

/// A process that uses a GPU.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Process {
    /// Its number in the machine's own namespace.
    pub pid: u32,
    /// Of the frame buffer.
    pub used_bytes: Option<u64>,
}

/// Ratios of time or of capacity since the last reading, and bytes in a second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "DCGM's words")]
pub struct Profiling {
    pub gr_engine_active: Option<f64>,
    pub sm_active: Option<f64>,
    pub sm_occupancy: Option<f64>,
    pub tensor_active: Option<f64>,
    pub dram_active: Option<f64>,
    pub fp64_active: Option<f64>,
    pub fp32_active: Option<f64>,
    pub fp16_active: Option<f64>,
    pub pcie_tx_bytes: Option<f64>,
    pub pcie_rx_bytes: Option<f64>,
    pub nvlink_tx_bytes: Option<f64>,
    pub nvlink_rx_bytes: Option<f64>,
}
