//! What is true outside: what a provider's survey found. Facts are data, can be saved and replayed.

use serde::{Deserialize, Serialize};

/// What a survey found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
pub enum Facts {
    /// Facts of the machine that rehearses.
    Local(LocalFacts),
}

/// The machine that rehearses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFacts {
    /// Who rehearses.
    pub user: String,
    /// Their user id.
    pub uid: u32,
    /// Their group id.
    pub gid: u32,
    /// How nodes are kept apart.
    pub isolation: Isolation,
    /// The cluster's folder, absolute.
    pub folder: String,
    /// This program, absolute: Slurm's hooks call it.
    pub program: String,
    /// Slurm's version as (year, month, patch).
    pub slurm: (u32, u32, u32),
    /// Programs that were found, by name, with their absolute paths.
    pub programs: std::collections::BTreeMap<String, String>,
    /// Where daemons that share this machine's network can be bound: 127.0.0.1 when the host name stands
    /// for it. `None`: it stands for another address, and they listen on all.
    pub loopback: Option<String>,
    /// A free range of TCP ports: the first of `ports_needed`.
    pub first_port: u16,
}

/// How nodes of a rehearsal are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Each node has its own network, host name, processes and file system view.
    Namespaces,
    /// Nodes share this machine's network and processes; each has its own ports and folders.
    Shared,
}

impl LocalFacts {
    /// Facts of an imagined machine: for golden tests, and for `plan` where nothing is installed.
    pub fn assumed() -> Self {
        let found = ["munged", "slurmctld", "slurmd", "scontrol", "sinfo", "squeue", "sbatch", "srun", "scancel"];
        let sbin = |name: &str| if name.ends_with('d') && name != "srun" { "/usr/sbin/" } else { "/usr/bin/" };
        Self {
            user: "root".to_owned(),
            uid: 0,
            gid: 0,
            isolation: Isolation::Namespaces,
            folder: "/var/lib/trainyard/demo".to_owned(),
            program: "/usr/bin/trainyard".to_owned(),
            slurm: (22, 5, 8),
            programs: found.iter().map(|name| ((*name).to_owned(), format!("{}{name}", sbin(name)))).collect(),
            loopback: Some("127.0.0.1".to_owned()),
            first_port: 17_800,
        }
    }
}
