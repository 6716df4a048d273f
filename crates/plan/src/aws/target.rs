//! A cluster on AWS as data: what must exist beforehand, and what its provider can do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::wire::Wire;

/// What is needed to go on with an AWS cluster from the saved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsTarget {
    /// The region.
    pub region: String,
    /// The zones, by name or id: the nodes' first.
    pub zones: Vec<String>,
    /// ParallelCluster's version.
    pub parallelcluster: String,
    /// ParallelCluster's name of the cluster, and of its own stack.
    pub cluster: String,
    /// Whether Slurm can be asked on the head, through Systems Manager.
    pub asks_slurm: bool,
    /// What must exist before the first step, because the spec names it.
    pub expects: Vec<Expected>,
    /// What stays after `down`, in the order in which it is made.
    pub keeps: Vec<Keepsake>,
    /// What of people's goes with the head.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loses: Vec<String>,
    /// What nobody asked the cloud about.
    pub assumed: BTreeMap<String, String>,
}

/// Something that stays after `down`, until it is deleted by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keepsake {
    /// What `--delete-data` calls it.
    pub name: String,
    /// The stack that holds it.
    pub stack_name: String,
    /// What it is.
    pub what: String,
    /// What it costs a month whether it is used or not, in US cents at list price in us-east-1. `None`: by use alone,
    /// or not known.
    pub monthly_cents: Option<u64>,
    /// What it costs by use: `$0.023 a GiB`, a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_use: Option<String>,
    /// Why it stays.
    pub because: String,
    /// Whether somebody's data goes with it.
    pub has_data: bool,
}

/// Something that must exist before the plan is carried out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it
pub enum Expected {
    Vpc {
        id: String,
    },
    Subnet {
        id: String,
        vpc: String,
        zone: String,
        public: bool,
    },
    SecurityGroup {
        id: String,
        vpc: String,
    },
    Reservation {
        id: String,
        instance: String,
        zone: String,
        count: u32,
        is_block: bool,
        placement_group: Option<String>,
        platform: String,
    },
    ReservationGroup {
        arn: String,
        instances: Vec<String>,
        zone: String,
        count: u32,
    },
    PlacementGroup {
        name: String,
    },
    Image {
        id: String,
        os: String,
        architecture: String,
    },
    Lustre {
        id: String,
    },
    ZfsVolume {
        id: String,
    },
    OntapVolume {
        id: String,
    },
    FileCache {
        id: String,
    },
    Efs {
        id: String,
    },
    Volume {
        id: String,
        zone: String,
    },
    Secret {
        arn: String,
    },
    Bucket {
        name: String,
    },
    Object {
        bucket: String,
        key: String,
    },
    Certificate {
        arn: String,
    },
    PrometheusWorkspace {
        id: String,
    },
    GrafanaWorkspace {
        id: String,
    },
}

/// What the provider of AWS is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AwsAction {
    /// Make a stack, or bring it to this template and these parameters.
    DeployStack(StackCall),
    /// Delete a stack and what it does not retain.
    DeleteStack {
        /// Its name in the account.
        stack_name: String,
    },
    /// Upload what the bucket does not have yet.
    UploadFiles {
        /// The bucket.
        bucket: Wire,
        /// What is to be in it.
        objects: Vec<Upload>,
    },
    /// Make the key pair (ed25519) unless it exists.
    EnsureKeyPair {
        /// Its name.
        name: String,
    },
    /// Make the stack with ParallelCluster's own CloudFormation provider, of this cluster's version.
    DeployProvider {
        /// Its name in the account.
        stack_name: String,
        /// ParallelCluster's version.
        version: String,
        /// Tags on the stack and on what it makes.
        tags: BTreeMap<String, String>,
    },
    /// Make the cluster; one that stands is brought to the whole configuration.
    DeployCluster(Box<ClusterCall>),
    /// Bring the cluster to the whole configuration.
    UpdateCluster(Box<ClusterCall>),
    /// Delete the cluster and what it does not retain.
    DeleteCluster(Driver),
    /// Wait until static nodes take jobs.
    AwaitNodes(Vec<AwaitedNodes>),
}

/// A file that goes into the bucket. What is there is not sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its key.
    pub key: String,
    /// Whether its key stays when its content changes. Other keys hold the content's digest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_replaced: bool,
    /// The SHA-256 of its content, in hex.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Where its content is.
    pub from: UploadFrom,
}

/// Where an upload's content is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadFrom {
    /// In the plan's artifact of that path.
    Artifact(String),
    /// In the file of that path, below the spec's folder.
    Local(String),
}

/// A cluster with what it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterCall {
    /// Who drives ParallelCluster.
    pub driver: Driver,
    /// What it is made with.
    pub start: Configured,
    /// What it is to be.
    pub whole: Configured,
    /// Tags on its stack.
    pub tags: BTreeMap<String, String>,
}

/// A configuration, with the digest of its artifact: another text is other work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// The artifact with ParallelCluster's configuration.
    pub configuration: String,
    /// The artifact with the stack that hands it to the provider, where that drives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Of the configuration.
    pub digest: String,
}

/// Who drives ParallelCluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// Its own CloudFormation provider.
    Provider {
        /// The stack that holds the cluster as a custom resource. ParallelCluster makes its own stack beside it.
        stack_name: String,
        /// The provider's stack.
        provider: String,
    },
    /// An installed `pcluster`.
    Cli,
}

/// Static nodes that are waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedNodes {
    /// Their queue.
    pub queue: String,
    /// Their compute resource.
    pub resource: String,
    /// How many.
    pub count: u32,
    /// The Capacity Block that they come with: before it starts nobody waits for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
}

/// A stack with what it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackCall {
    /// Its short name: `network`.
    pub stack: String,
    /// Its name in the account.
    pub stack_name: String,
    /// The artifact with its template.
    pub template: String,
    /// Of that artifact.
    pub digest: String,
    /// What its parameters take.
    pub parameters: BTreeMap<String, Wire>,
    /// What CloudFormation wants to be told that the template makes.
    pub capabilities: Vec<String>,
    /// Tags on the stack and on what it makes.
    pub tags: BTreeMap<String, String>,
}
