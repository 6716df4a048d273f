//! Where a rehearsal's files lie, as its nodes see them.

use serde::{Deserialize, Serialize};
use trainyard_spec::facts::LocalFacts;

use super::own_network;

/// Folders as the nodes see them. On this machine `root` is the cluster's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The cluster's folder: configuration, logs, state.
    pub root: String,
    /// The shared file system.
    pub fsx: String,
    /// People's homes.
    pub home: String,
}

impl Layout {
    /// Nodes with a file system view of their own see AWS's paths; others see the cluster's folder.
    pub fn new(facts: &LocalFacts) -> Self {
        if own_network(facts) {
            Self { root: "/trainyard".into(), fsx: "/fsx".into(), home: "/home".into() }
        } else {
            let root = facts.folder.clone();
            Self { fsx: format!("{root}/shared/fsx"), home: format!("{root}/shared/home"), root }
        }
    }

    /// A path below the cluster's folder, as nodes see it.
    pub fn at(&self, below: &str) -> String {
        format!("{}/{below}", self.root)
    }
}

/// Folders that are made, below the cluster's folder, with their modes.
pub(super) static FOLDERS: &[(&str, u32)] = &[
    ("bin", 0o755),
    ("etc", 0o755),
    ("log", 0o755),
    ("nodes", 0o755),
    // Sockets, keys and pids: for the owner alone.
    ("run", 0o700),
    ("state", 0o700),
    ("shared/fsx/checkpoints", 0o755),
    ("shared/fsx/containers", 0o755),
    ("shared/fsx/datasets", 0o755),
    ("shared/fsx/jobs", 0o755),
    ("shared/fsx/logs", 0o755),
    ("shared/fsx/results", 0o755),
    ("shared/home/root", 0o700),
    ("shared/home/slurm", 0o755),
];

/// Folders that `down` removes: nothing in them is anybody's work.
pub(super) static PASSING: &[&str] = &["bin", "etc", "nodes", "run", "state"];
