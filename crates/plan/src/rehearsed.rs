//! A rehearsed cluster as data: its nodes, where things lie, and what its provider can do.

use serde::{Deserialize, Serialize};
use trainyard_spec::facts::{Isolation, LocalFacts};
use trainyard_spec::model::{Hardware, PartName};

/// What is needed to run the rehearsed cluster again from the saved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// Where things lie, as the nodes see them.
    pub layout: Layout,
    /// The facts that the plan was made from.
    pub facts: LocalFacts,
    /// Every node, the head first.
    pub nodes: Vec<Node>,
    /// Folders of this machine that nodes see.
    pub expose: Vec<String>,
    /// Where scratch is mounted; empty without scratch.
    pub scratch: String,
    /// Seconds that a node's start is made to take.
    pub boot_seconds: u32,
}

/// The head node's name.
pub const HEAD: &str = "head";

/// One node of the rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name, and its host name.
    pub name: String,
    /// Its address: on the cluster's own network, or loopback.
    pub address: String,
    /// slurmd's port (slurmctld's for the head).
    pub port: u16,
    /// Always on, or started when a job asks.
    pub is_static: bool,
    /// Its agent; none where this machine has no trainyard-agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<NodeAgent>,
}

/// The agent of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAgent {
    /// Where its metrics are: `address:port`, in the node's network.
    pub listen: String,
    /// What it is started with.
    pub arguments: Vec<String>,
    /// What it shows in place of accelerators, fabric, Lustre and kernel log; none where it shows the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<NodeReplay>,
}

/// The replay of a node. A player writes it, and makes its time pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeReplay {
    /// Its folder, as the node sees it.
    pub folder: String,
    /// A file of it that stands once all others do.
    pub complete: String,
    /// What the agent's program is started with as the player.
    pub arguments: Vec<String>,
    /// What a player is started with that goes on where another one ended, under the agent's eyes.
    #[serde(default)]
    pub arguments_to_go_on: Vec<String>,
}

/// The name of the agent's program, among those that were found and in the cluster's `bin/`.
pub const AGENT: &str = "trainyard-agent";

/// The nodes of one compute resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionNodes {
    /// The queue.
    pub queue: PartName,
    /// The compute resource.
    pub resource: PartName,
    /// What each node is declared to have.
    pub hardware: Hardware,
    /// What its GPUs are, in Slurm's spelling; empty when not known.
    pub gpu_model: String,
    /// Static nodes first.
    pub nodes: Vec<Node>,
}

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

/// What the rehearsal's provider can do. Paths are below the cluster's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalAction {
    /// Make folders with their modes.
    MakeFolders(Vec<(String, u32)>),
    /// Remove folders that hold nothing of anybody's.
    RemoveFolders(Vec<String>),
    /// Copy this program into the cluster, where the nodes find it.
    InstallProgram,
    /// Make the key with which Slurm's daemons know each other.
    MakeKey(String),
    /// Write the plan's artifacts. The digest makes a change of any of them a new step.
    WriteArtifacts {
        /// Of all artifacts.
        digest: String,
    },
    /// Start the supervisor: the parent of all nodes.
    StartSupervisor {
        /// Of what it is started with.
        digest: String,
    },
    /// Stop the supervisor and with it every node.
    StopSupervisor,
    /// Start nodes and wait until their daemons run.
    StartNodes(Vec<String>),
    /// Stop nodes.
    StopNodes(Vec<String>),
    /// Wait until slurmctld answers.
    AwaitController,
    /// Wait until these nodes take jobs.
    AwaitIdle(Vec<String>),
}

/// Whether nodes have a network of their own.
pub(crate) fn own_network(facts: &LocalFacts) -> bool {
    facts.isolation == Isolation::Namespaces
}
