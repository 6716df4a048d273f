//! Instance types: what Slurm must declare for them, and what a plan must know of them. Reviewed data, part of the
//! program; facts from the cloud override it.
//!
//! `instances.tsv` is made by `cargo run -p xtask -- catalog` from recorded answers of EC2 and from `reviewed.tsv`,
//! which says what EC2 does not. Sources and dates stand in both.

mod instance;

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::Value;

use crate::model::Hardware;

pub use instance::{AcceleratorKind, Architecture, Capacity, Column, EfaLayout, Field, Instance, Misfit, read, write};

/// The table as it stands in the program.
pub const TABLE: &str = include_str!("instances.tsv");

impl Instance {
    /// As Slurm sees it.
    pub fn hardware(&self) -> Hardware {
        Hardware {
            sockets: self.sockets,
            cores_per_socket: self.cores_per_socket,
            threads_per_core: self.threads_per_core,
            memory_gib: self.memory_gib(),
            gpus: self.gpus,
        }
    }
}

/// All known types, sorted by name.
pub fn instances() -> &'static [Instance] {
    static INSTANCES: OnceLock<Vec<Instance>> = OnceLock::new();
    // A table that cannot be read is a defect of ours, which a test finds; here nothing is known then.
    INSTANCES.get_or_init(|| read(TABLE).unwrap_or_default())
}

/// The type of that name, if it is known.
pub fn find(name: &str) -> Option<&'static Instance> {
    let instances = instances();
    let at = instances.binary_search_by(|instance| (*instance.name).cmp(name)).ok()?;
    instances.get(at)
}

/// A type as EC2 describes it today. From the catalogue comes what EC2 does not tell (sockets, NVLink), and the memory
/// of one accelerator, which EC2 gets wrong for Trainium2.
///
/// `answer` is one element of `InstanceTypes`. A type that the catalogue does not know has one socket and no NVLink,
/// and says so in `unverified`.
pub fn surveyed(answer: &Value) -> Result<Instance, Misfit> {
    let mut instance = Instance::from_api(answer)?;
    let Some(known) = find(&instance.name) else { return Ok(instance) };
    // What a review has set right stays right: EC2 gives the same answer again.
    let mut unverified: Vec<Cow<'static, str>> = Vec::new();
    if known.cores() == instance.cores() {
        instance.spread_over(known.sockets)?;
        unverified.extend(known.unverified.iter().filter(|name| *name == Column::Sockets.name()).cloned());
    } else {
        unverified.push(Cow::Borrowed(Column::Sockets.name()));
    }
    if known.gpu_model == instance.gpu_model {
        instance.nvlink_gb_s = known.nvlink_gb_s;
        instance.gpu_memory_mib = known.gpu_memory_mib;
        unverified.extend(known.unverified.iter().filter(|name| *name == Column::NvlinkGbS.name()).cloned());
    } else if !instance.is_verified(Column::NvlinkGbS) {
        unverified.push(Cow::Borrowed(Column::NvlinkGbS.name()));
    }
    instance.unverified = unverified;
    Ok(instance)
}
