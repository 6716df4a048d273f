//! One instance type, and its row of text. Never reads anything but its arguments, and never panics on any text.
//!
//! The chores build this folder into themselves, so it names nothing outside: only serde and the standard library.

mod api;
mod row;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use row::{Column, Field, read, write};

/// One instance type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What its CPUs understand.
    pub architecture: Architecture,
    /// Logical CPUs: sockets × cores × threads.
    pub vcpus: u32,
    /// Sockets.
    pub sockets: u32,
    /// Cores per socket.
    pub cores_per_socket: u32,
    /// Threads per core.
    pub threads_per_core: u32,
    /// Memory in MiB, as EC2 states it; Linux has a little less.
    pub memory_mib: u32,
    /// GPUs or Neuron devices.
    pub gpus: u32,
    /// Whose software drives them.
    pub gpu_kind: AcceleratorKind,
    /// What they are, in Slurm's spelling; empty without any.
    pub gpu_model: Cow<'static, str>,
    /// Memory of one of them in MiB.
    pub gpu_memory_mib: u32,
    /// NVLink of one GPU in GB/s, in one direction; 0 without NVLink.
    pub nvlink_gb_s: u32,
    /// Network cards.
    pub network_cards: u32,
    /// EFA interfaces, at most.
    pub efa_interfaces: u32,
    /// Which network card may carry what.
    pub efa_layout: EfaLayout,
    /// What the network always gives, in Mbit/s, where it is known.
    pub network_baseline_mbit_s: Option<u32>,
    /// What the network gives at most, in Mbit/s, where it is known.
    pub network_peak_mbit_s: Option<u32>,
    /// NVMe disks of its own.
    pub nvme_disks: u32,
    /// What they hold together, in GB (10⁹ bytes, as EC2 counts).
    pub nvme_gb: u32,
    /// How it can be bought.
    pub capacity: Capacity,
    /// Whether it may be in a cluster placement group.
    pub cluster_placement: bool,
    /// The columns whose value nobody has seen on such a machine or in its maker's documents.
    pub unverified: Vec<Cow<'static, str>>,
}

/// What a CPU understands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Intel's and AMD's.
    #[default]
    #[serde(rename = "x86_64")]
    X86_64,
    /// Graviton and Grace.
    Arm64,
}

/// Whose software drives the accelerators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcceleratorKind {
    /// There are none.
    #[default]
    None,
    /// GPUs of NVIDIA.
    Gpu,
    /// Trainium and Inferentia.
    Neuron,
    /// GPUs of somebody else, for which nothing here is made.
    Other,
}

/// Which network card may carry what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EfaLayout {
    /// There is no EFA.
    #[default]
    None,
    /// The one card carries the IP address and EFA.
    Single,
    /// Every card carries EFA; those after the first may do so without an IP address (EFA-only).
    EfaOnlySecondary,
    /// Every card carries EFA, with an IP address each.
    EfaSecondary,
    /// The first card carries IP only. EFA is on the others, and may be EFA-only.
    Card0Ena,
}

/// How an instance type can be bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// On demand, and so with reservations.
    pub on_demand: bool,
    /// Spot.
    pub spot: bool,
    /// Capacity Blocks for ML.
    pub capacity_block: bool,
}

impl Capacity {
    /// What is possible in one of two places.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            on_demand: self.on_demand || other.on_demand,
            spot: self.spot || other.spot,
            capacity_block: self.capacity_block || other.capacity_block,
        }
    }
}

/// What does not fit, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The place: a column, or a path in an answer of EC2.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

impl Misfit {
    /// A misfit at that place.
    pub fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for Misfit {}

/// The longest name or model. EC2's longest name has 21 characters.
const NAME_BYTES_MAX: usize = 48;

impl Instance {
    /// The name before the point, such as `p5en`.
    pub fn family(&self) -> &str {
        self.name.split_once('.').map_or(&*self.name, |(family, _)| family)
    }

    /// Cores of all sockets.
    pub fn cores(&self) -> u32 {
        self.sockets.saturating_mul(self.cores_per_socket)
    }

    /// Memory in whole GiB, rounded down, at least 1.
    pub fn memory_gib(&self) -> u32 {
        (self.memory_mib / 1024).max(1)
    }

    /// Whether somebody has seen the value of this column.
    pub fn is_verified(&self, column: Column) -> bool {
        !self.unverified.iter().any(|name| name == column.name())
    }

    /// Spreads the cores evenly over this many sockets.
    pub fn spread_over(&mut self, sockets: u32) -> Result<(), Misfit> {
        let cores = self.cores();
        if sockets == 0 || !cores.is_multiple_of(sockets) {
            let reason = format!("{cores} cores cannot be spread evenly over {sockets} sockets");
            return Err(Misfit::new(Column::Sockets.name(), reason));
        }
        (self.sockets, self.cores_per_socket) = (sockets, cores / sockets);
        Ok(())
    }

    /// Whether the values agree with each other.
    pub fn check(&self) -> Result<(), Misfit> {
        let misfit = |column: Column, reason: String| Err(Misfit::new(column.name(), reason));
        let is_plain = |text: &str| {
            text.len() <= NAME_BYTES_MAX
                && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
        };
        if !self.name.contains('.') || !is_plain(&self.name) {
            return misfit(Column::Name, format!("`{}` is no name of an instance type", self.name));
        }
        let cpus = u64::from(self.sockets) * u64::from(self.cores_per_socket);
        if cpus.checked_mul(u64::from(self.threads_per_core)) != Some(u64::from(self.vcpus)) || self.vcpus == 0 {
            let shape = format!("{} × {} × {}", self.sockets, self.cores_per_socket, self.threads_per_core);
            return misfit(Column::Vcpus, format!("sockets × cores × threads is {shape}, which is not {}", self.vcpus));
        }
        if self.memory_mib == 0 {
            return misfit(Column::MemoryMib, "there is none".to_owned());
        }
        let has = self.gpus > 0;
        if has == self.gpu_model.is_empty()
            || has == (self.gpu_kind == AcceleratorKind::None)
            || !is_plain(&self.gpu_model)
        {
            let what = format!("`{}` does not fit {} accelerators", self.gpu_model, self.gpus);
            return misfit(Column::GpuModel, what);
        }
        if (self.efa_interfaces > 0) == (self.efa_layout == EfaLayout::None) {
            return misfit(Column::EfaLayout, format!("it does not fit {} interfaces", self.efa_interfaces));
        }
        if let Some(name) = self.unverified.iter().find(|name| Column::of(name).is_none()) {
            return misfit(Column::Unverified, format!("`{name}` is no column"));
        }
        Ok(())
    }
}
