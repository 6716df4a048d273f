//! The typed spec: one shape for both providers. Doc comments here are the users' reference:
//! they become the JSON Schema's descriptions and with it what editors show.

mod compute;
mod names;
mod network;
mod operations;
mod replays;
mod software;
mod storage;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use compute::*;
pub use names::*;
pub use network::*;
pub use operations::*;
pub use replays::*;
pub use software::*;
pub use storage::*;

/// One cluster, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1), extend("examples" = [1]))]
    pub version: u32,
    /// The cluster's name. It prefixes everything that is made.
    pub name: ClusterName,
    /// Where it runs: `aws`, or `local` for a rehearsal on this machine.
    pub provider: ProviderKind,
    /// The AWS region. Needed with `provider: aws`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// ParallelCluster's version, operating system and engine.
    #[serde(default)]
    pub parallelcluster: ParallelCluster,
    /// A new network, or an existing one.
    #[serde(default)]
    pub network: Network,
    /// The shared file system, /home, scratch and the data bucket.
    #[serde(default)]
    pub storage: Storage,
    /// The head node.
    #[serde(default)]
    pub head: Head,
    /// Pools of login nodes. None by default: people log in to the head.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), extend("examples" = ["[{ count: 2 }]"]))]
    pub login: Vec<LoginPool>,
    /// The queues (Slurm partitions), the default one first.
    #[schemars(length(min = 1, max = 50), extend("examples" = ["- { name: cpu, compute: [{ name: node, max: 4 }] }"]))]
    pub queues: Vec<Queue>,
    /// Slurm's own settings.
    #[serde(default)]
    pub slurm: Slurm,
    /// What is set up on each kind of node.
    #[serde(default)]
    pub setup: Setup,
    /// Containers: Enroot and Pyxis.
    #[serde(default)]
    pub containers: Containers,
    /// Which NCCL jobs get.
    #[serde(default)]
    pub nccl: Nccl,
    /// Where metrics go.
    #[serde(default)]
    pub monitoring: Monitoring,
    /// Who may reach the cluster, and how.
    #[serde(default)]
    pub access: Access,
    /// How long nodes may take to come up.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Tags on everything that is made.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 40))]
    pub tags: BTreeMap<String, String>,
    /// Job accounting in a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounting: Option<Accounting>,
    /// Users from a directory service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<Directory>,
    /// A budget with an alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Settings of the rehearsal alone.
    #[serde(default)]
    pub rehearsal: Rehearsal,
}

/// Where the cluster runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// AWS ParallelCluster.
    Aws,
    /// A rehearsal: a real Slurm cluster on this machine.
    Local,
}

/// The word `auto`: the plan decides, and says what it decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auto {
    /// The plan decides.
    #[default]
    Auto,
}

/// `auto`, or a value of your own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Choice<T> {
    /// The plan decides.
    Auto(Auto),
    /// Your value.
    Given(T),
}

impl<T> Default for Choice<T> {
    fn default() -> Self {
        Self::Auto(Auto::Auto)
    }
}

impl<T: Copy> Choice<T> {
    /// Your value, or `derived`.
    pub fn or(&self, derived: T) -> T {
        match self {
            Self::Auto(_) => derived,
            Self::Given(value) => *value,
        }
    }
}

pub(crate) fn yes() -> bool {
    true
}
