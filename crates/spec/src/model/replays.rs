//! Nodes of a rehearsal that show machines which are not here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NodeNames;

/// What the agents of some nodes show in place of this machine's GPUs, EFA, Lustre and kernel log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replayed {
    /// The nodes, in Slurm's notation. Without it: every compute node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodeNames>,
    /// The machine that they show.
    pub profile: ReplayProfile,
    /// What is wrong with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("examples" = ["[gpu-lost]"]))]
    pub faults: Vec<ReplayFault>,
}

/// A machine that nodes can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayProfile {
    /// 8 A100 40 GB, 4 EFA of 100 Gbit/s.
    P4d,
    /// 8 H100 80 GB, 32 EFA of 100 Gbit/s.
    P5,
    /// 8 H200 141 GB, 16 EFA of 200 Gbit/s.
    P5en,
    /// 8 B200 180 GB, 8 EFA of 400 Gbit/s.
    #[serde(rename = "p6-b200")]
    P6B200,
    /// 8 B300 269 GB, 16 EFA of 400 Gbit/s.
    #[serde(rename = "p6-b300")]
    P6B300,
    /// 16 Trainium, 8 EFA of 100 Gbit/s.
    Trn1,
}

/// What can be wrong with such a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayFault {
    /// GPU 3 has fallen off the bus (Xid 79).
    GpuLost,
    /// GPU 1 had an uncorrectable error of its memory (Xid 48).
    EccUncorrectable,
    /// GPU 2 has no row left to replace a broken one (Xid 64).
    RowRemapFailure,
    /// Link 5 of GPU 5 is down after errors (Xid 74).
    NvlinkErrors,
    /// GPU 6 is too hot and slows down.
    ThermalThrottle,
    /// The power supply slows all GPUs down.
    PowerBrake,
    /// GPU 4 runs at half of its clock and says no reason.
    SlowGpu,
    /// GPU 7 is divided into 7 partitions.
    Mig,
    /// The second EFA device sends one packet of a hundred again.
    EfaRetransmits,
    /// The last EFA device is not there.
    EfaDeviceMissing,
    /// The EFA driver has neither RDMA nor retransmission counters.
    EfaOldDriver,
    /// Nothing goes over EFA, whatever the GPUs do.
    EfaIdle,
    /// The second target of Lustre is full, though the file system has space.
    FullOst,
}

impl ReplayProfile {
    /// The machine's name, as the agent knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::P4d => "p4d",
            Self::P5 => "p5",
            Self::P5en => "p5en",
            Self::P6B200 => "p6-b200",
            Self::P6B300 => "p6-b300",
            Self::Trn1 => "trn1",
        }
    }

    /// Whether the machine has GPUs of NVIDIA's.
    pub fn has_gpus(self) -> bool {
        self != Self::Trn1
    }
}

impl ReplayFault {
    /// The fault's name, as the agent knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GpuLost => "gpu-lost",
            Self::EccUncorrectable => "ecc-uncorrectable",
            Self::RowRemapFailure => "row-remap-failure",
            Self::NvlinkErrors => "nvlink-errors",
            Self::ThermalThrottle => "thermal-throttle",
            Self::PowerBrake => "power-brake",
            Self::SlowGpu => "slow-gpu",
            Self::Mig => "mig",
            Self::EfaRetransmits => "efa-retransmits",
            Self::EfaDeviceMissing => "efa-device-missing",
            Self::EfaOldDriver => "efa-old-driver",
            Self::EfaIdle => "efa-idle",
            Self::FullOst => "full-ost",
        }
    }

    /// Whether a machine without GPUs cannot have it.
    pub fn is_of_gpus(self) -> bool {
        !matches!(
            self,
            Self::EfaRetransmits | Self::EfaDeviceMissing | Self::EfaOldDriver | Self::EfaIdle | Self::FullOst
        )
    }
}
