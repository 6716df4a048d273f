//! What runs on the nodes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arn, Choice, LocalPath, ParallelClusterVersion, PartName, SlurmKey, SlurmValue};

/// ParallelCluster's version, operating system and engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParallelCluster {
    /// Version.
    pub version: ParallelClusterVersion,
    /// Operating system of all nodes.
    pub os: Os,
    /// Who drives it: its own CloudFormation provider, or an installed `pcluster`.
    pub engine: Engine,
}

impl Default for ParallelCluster {
    fn default() -> Self {
        let version = ParallelClusterVersion::new("3.16.1").unwrap_or_else(|| unreachable!("a version"));
        Self { version, os: Os::Ubuntu2404, engine: Engine::Cloudformation }
    }
}

/// Operating systems that ParallelCluster knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it
pub enum Os {
    Alinux2,
    Alinux2023,
    Ubuntu2204,
    Ubuntu2404,
    Rhel8,
    Rhel9,
    Rocky8,
    Rocky9,
}

/// Who drives ParallelCluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Its own CloudFormation provider: nothing to install.
    Cloudformation,
    /// An installed `pcluster`.
    Cli,
}

/// Slurm's own settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Slurm {
    /// Minutes that an idle dynamic node stays on. -1: for ever.
    #[schemars(range(min = -1, max = 525_600))]
    pub idle_minutes: i32,
    /// What a change of queues does to running jobs.
    pub queue_update: QueueUpdate,
    /// Schedule by memory too, so that jobs cannot take each other's.
    pub memory_scheduling: bool,
    /// Seconds between SIGTERM and SIGKILL at a job's end.
    #[schemars(range(min = 5, max = 65533))]
    pub kill_wait_seconds: u32,
    /// Seconds without a word after which a node counts as down.
    #[schemars(range(min = 10, max = 65533))]
    pub slurmd_timeout_seconds: u32,
    /// Whether a job starts with some of its nodes when EC2 cannot give them all.
    pub scaling: Scaling,
    /// The secret with the munge key; ParallelCluster makes one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub munge_key_secret: Option<Arn>,
    /// More slurm.conf settings, as `Name: value`.
    pub settings: BTreeMap<SlurmKey, SlurmValue>,
}

impl Default for Slurm {
    fn default() -> Self {
        Self {
            idle_minutes: 60,
            queue_update: QueueUpdate::Drain,
            memory_scheduling: false,
            kill_wait_seconds: 60,
            slurmd_timeout_seconds: 180,
            scaling: Scaling::AllOrNothing,
            munge_key_secret: None,
            settings: BTreeMap::new(),
        }
    }
}

/// What happens when EC2 cannot give all nodes of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// None are started: no node is paid for that cannot work.
    #[default]
    AllOrNothing,
    /// As many as there are, then all or none for each job.
    GreedyAllOrNothing,
    /// As many as there are.
    BestEffort,
}

/// What a change of queues does to running jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueUpdate {
    /// Let them finish.
    Drain,
    /// End them.
    Terminate,
    /// Refuse the change while nodes run.
    ComputeFleetStop,
}

/// What is set up on each kind of node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// Compute nodes: `auto` follows their hardware.
    pub compute: SetupMode,
    /// The head node.
    pub head: bool,
    /// Login nodes.
    pub login: bool,
    /// A folder beside the spec: uploaded to the cluster's bucket, and on every node as `/opt/trainyard/files` before
    /// your scripts run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<LocalPath>,
    /// Scripts of your own, run as root after trainyard's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30), extend("examples" = ["[{ nodes: compute, script: s3://my-team-training-data/setup.sh }]"]))]
    pub scripts: Vec<Script>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { compute: SetupMode::Auto, head: true, login: true, files: None, scripts: Vec::new() }
    }
}

/// A script of your own, run as root on every node of a kind. A node on which it fails does not join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Where it runs.
    pub nodes: NodeKind,
    /// Only on this queue's nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<PartName>,
    /// `started`: before Slurm is set up; `configured`: after.
    #[serde(default)]
    pub when: Moment,
    /// The script: `./setup.sh` beside the spec (uploaded), `s3://bucket/key`, or `https://…`.
    #[schemars(regex(pattern = r"^(\./[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s?#*${}]+|https://[^\s]+)$"), extend("examples" = ["./setup.sh", "s3://my-team-training-data/setup.sh"]))]
    pub script: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub args: Vec<String>,
    /// Seconds that it usually takes: time limits follow from it.
    #[serde(default = "script_seconds")]
    #[schemars(range(min = 1, max = 3600))]
    pub seconds: u32,
}

fn script_seconds() -> u32 {
    120
}

/// A kind of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// The head node.
    Head,
    /// Compute nodes.
    Compute,
    /// Login nodes.
    Login,
}

/// When a script runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before Slurm is set up.
    Started,
    /// After Slurm is set up, before jobs come.
    #[default]
    Configured,
}

/// How much is set up on compute nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetupMode {
    /// Follows the hardware of each queue.
    Auto,
    /// Drivers, fabric, containers and metrics are verified.
    Gpu,
    /// Containers and metrics.
    Cpu,
    /// Nothing: the fastest start.
    Minimal,
}

/// Containers: Enroot and Pyxis as they come with the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Containers {
    /// Switch them on (`srun --container-image`).
    pub enabled: bool,
    /// Where images are kept, shared by all nodes.
    #[schemars(regex(pattern = r"^/fsx(/[A-Za-z0-9_.-]+)*$"), extend("examples" = ["/fsx/containers"]))]
    pub images: String,
}

impl Default for Containers {
    fn default() -> Self {
        Self { enabled: true, images: "/fsx/containers".to_owned() }
    }
}

/// Which NCCL jobs get.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nccl {
    /// The image's or the container's own (default), or one installed on /fsx.
    pub source: NcclSource,
    /// The version to install with `source: shared`.
    pub version: Choice<NcclVersion>,
}

/// Where NCCL comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NcclSource {
    /// The machine image's or the container's own.
    #[default]
    Image,
    /// Built once, installed on /fsx, verified on a compute node.
    Shared,
}

/// An NCCL release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct NcclVersion(
    #[schemars(regex(pattern = r"^2\.[0-9]+\.[0-9]+(-[0-9]+)?$"), extend("examples" = ["2.28.7-1"]))] pub String,
);
