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
    /// What must exist before the first step, because the spec names it.
    pub expects: Vec<Expected>,
    /// What nobody asked the cloud about.
    pub assumed: BTreeMap<String, String>,
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
    /// Make the key pair (ed25519) unless it exists.
    EnsureKeyPair {
        /// Its name.
        name: String,
    },
    /// Make the cluster with ParallelCluster.
    CreateCluster {
        /// The artifact with its configuration.
        configuration: String,
        /// Of that artifact.
        digest: String,
    },
    /// Bring the cluster to another configuration.
    UpdateCluster {
        /// The artifact with its configuration.
        configuration: String,
        /// Of that artifact.
        digest: String,
    },
    /// Delete the cluster with ParallelCluster.
    DeleteCluster,
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
