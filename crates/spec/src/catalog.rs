//! Instance types: what Slurm must declare for them. Reviewed data; facts from the cloud override it.
//!
//! Source: EC2 DescribeInstanceTypes output and AWS's instance pages, read 2026-11.

use crate::model::Hardware;

/// One instance type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance {
    /// Its name.
    pub name: &'static str,
    /// GPUs or Neuron devices.
    pub gpus: u32,
    /// What they are, in Slurm's spelling; empty without any.
    pub gpu_model: &'static str,
    /// Sockets.
    pub sockets: u32,
    /// Cores per socket.
    pub cores_per_socket: u32,
    /// Threads per core.
    pub threads_per_core: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// EFA interfaces, at most.
    pub efa_interfaces: u32,
}

impl Instance {
    /// As Slurm sees it.
    pub fn hardware(&self) -> Hardware {
        Hardware {
            sockets: self.sockets,
            cores_per_socket: self.cores_per_socket,
            threads_per_core: self.threads_per_core,
            memory_gib: self.memory_gib,
            gpus: self.gpus,
        }
    }
}

/// The type of that name, if it is known.
pub fn find(name: &str) -> Option<&'static Instance> {
    INSTANCES.iter().find(|instance| instance.name == name)
}

const fn row(
    name: &'static str,
    gpus: (u32, &'static str),
    shape: (u32, u32, u32),
    memory_gib: u32,
    efa_interfaces: u32,
) -> Instance {
    let (sockets, cores_per_socket, threads_per_core) = shape;
    Instance {
        name,
        gpus: gpus.0,
        gpu_model: gpus.1,
        sockets,
        cores_per_socket,
        threads_per_core,
        memory_gib,
        efa_interfaces,
    }
}

const NO_GPU: (u32, &str) = (0, "");

/// All known types, accelerated ones first.
pub static INSTANCES: &[Instance] = &[
    row("p4d.24xlarge", (8, "a100"), (2, 24, 2), 1152, 4),
    row("p4de.24xlarge", (8, "a100"), (2, 24, 2), 1152, 4),
    row("p5.4xlarge", (1, "h100"), (1, 8, 2), 256, 1),
    row("p5.48xlarge", (8, "h100"), (2, 48, 2), 2048, 32),
    row("p5e.48xlarge", (8, "h200"), (2, 48, 2), 2048, 32),
    row("p5en.48xlarge", (8, "h200"), (2, 48, 2), 2048, 16),
    row("p6-b200.48xlarge", (8, "b200"), (2, 48, 2), 2048, 8),
    row("p6-b300.48xlarge", (8, "b300"), (2, 48, 2), 4096, 16),
    row("trn1.32xlarge", (16, "trainium"), (2, 32, 2), 512, 8),
    row("g5.12xlarge", (4, "a10g"), (1, 24, 2), 192, 1),
    row("c5.large", NO_GPU, (1, 1, 2), 4, 0),
    row("c5.xlarge", NO_GPU, (1, 2, 2), 8, 0),
    row("c6i.xlarge", NO_GPU, (1, 2, 2), 8, 0),
    row("c6i.32xlarge", NO_GPU, (2, 32, 2), 256, 1),
    row("m5.large", NO_GPU, (1, 1, 2), 8, 0),
    row("m5.2xlarge", NO_GPU, (1, 4, 2), 32, 0),
    row("m5.4xlarge", NO_GPU, (1, 8, 2), 64, 0),
    row("m5.8xlarge", NO_GPU, (1, 16, 2), 128, 0),
    row("hpc7a.96xlarge", NO_GPU, (2, 96, 1), 768, 2),
];
