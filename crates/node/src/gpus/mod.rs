//! The GPUs of a node as plain data, wherever they are read from: NVML, or a replay folder.
//!
//! Every value is optional: parts and drivers differ in what they tell, and what is not told is unknown, never 0.

pub mod dcgm;
mod nvml;
mod nvml_ffi;
mod reading;
mod replay;

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

pub use reading::{
    Clocks, Ecc, Memory, MigInstance, NvLink, NvLinks, Pcie, Peer, Power, Process, Profiling, Reading, RemappedRows,
    RetiredPages, Temperatures, Utilization, Violations,
};
pub(crate) use replay::tree;

/// A node has 8 or 16; a server with partitions has some more. What is beyond is not read.
pub const GPUS_MAX: usize = 64;

/// An NVLink 5 part has 18.
pub const LINKS_MAX: usize = 36;

/// The GPUs of this node.
pub trait Gpus: Send {
    /// Shows each GPU as it is now, in the order of their indexes. One that does not answer is shown as lost, and does not
    /// hide the others. An error says that none can be read.
    fn read(&mut self, show: &mut dyn FnMut(Result<&Reading, &Lost>)) -> Result<(), Problem>;

    /// Takes the Xids that came since the last call, oldest first. The first call begins to listen.
    fn xids(&mut self) -> Vec<Xid>;
}

/// A GPU that does not answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lost {
    /// Its index among all.
    pub index: u32,
    /// Where it is known from before.
    pub uuid: Option<String>,
    /// Where it is known from before.
    pub pci_bus_id: Option<String>,
    /// What the driver says.
    pub why: String,
}

/// What the driver tells when a GPU has an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Xid {
    /// The GPU, as in [`Reading::pci_bus_id`].
    pub pci_bus_id: String,
    /// The error's number.
    pub xid: u32,
    /// The process that met it, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// When it was told.
    pub at: Timestamp,
    /// The same by the clock that starts with the machine, where it was told here: the wall clock may be set in between.
    #[serde(skip)]
    pub boot_microseconds: Option<u64>,
}

/// The GPUs of the replay folder or of the machine, or nothing where there are none.
pub fn open(replay: Option<&Path>, nvml: Option<&Path>) -> Option<Box<dyn Gpus>> {
    match replay {
        Some(folder) => Some(Box::new(replay::Replayed::open(folder)?)),
        None => Some(Box::new(nvml::Nvml::open(nvml)?)),
    }
}
