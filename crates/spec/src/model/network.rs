//! The network, and who may come in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BucketName, Cidr, KeyName, SecurityGroupId, SubnetId, VpcId, Zone, yes};

/// A new network (the default), or an existing one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The zone that holds the nodes and the shared file system: that of the reservation, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// A second zone, for what must stand in two (load balancer, multi-AZ file systems).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_zone: Option<Zone>,
    /// Addresses of the public side of a new VPC.
    pub cidr: Cidr,
    /// Addresses of the private side, where the nodes live.
    pub private_cidr: Cidr,
    /// A way out for private nodes. Without it, interface endpoints are made instead.
    pub nat: bool,
    /// S3 without the internet.
    pub s3_endpoint: bool,
    /// Buckets of others that nodes may read through it. Your account's own are always reachable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("examples" = ["[public-datasets]"]))]
    pub s3_buckets: Vec<BucketName>,
    /// Use these instead of making a network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingNetwork>,
    /// A proxy for the nodes' web traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://[^\s/]+(:[0-9]+)?/?$"), extend("examples" = ["http://proxy.example.com:3128"]))]
    pub http_proxy: Option<String>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            zone: None,
            second_zone: None,
            cidr: cidr("10.0.0.0/16"),
            private_cidr: cidr("10.1.0.0/16"),
            nat: true,
            s3_endpoint: true,
            s3_buckets: Vec::new(),
            existing: None,
            http_proxy: None,
        }
    }
}

/// A network that is already there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingNetwork {
    /// The VPC.
    pub vpc: VpcId,
    /// The head node's subnet.
    pub head_subnet: SubnetId,
    /// The compute nodes' subnets.
    #[schemars(length(min = 1, max = 16), extend("examples" = ["[subnet-0123456789abcdef0]"]))]
    pub compute_subnets: Vec<SubnetId>,
    /// The login nodes' subnet; the head's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_subnet: Option<SubnetId>,
    /// Two subnets in two zones for what must stand in two: a database, a load balancer, a multi-zone file system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), extend("examples" = ["[subnet-0123456789abcdef0, subnet-0123456789abcdef1]"]))]
    pub service_subnets: Vec<SubnetId>,
    /// Security groups to add to every node. They can widen, never narrow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    pub additional_security_groups: Vec<SecurityGroupId>,
}

/// Who may reach the cluster, and how. Closed by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// Addresses that may reach SSH and the dashboards. None by default.
    pub cidrs: Vec<Cidr>,
    /// Set to true to allow 0.0.0.0/0 in `cidrs`, and mean it.
    pub open_to_the_world: bool,
    /// The EC2 key pair; made (ed25519) when it does not exist. The cluster's name by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyName>,
    /// Sessions through AWS Systems Manager.
    pub ssm: bool,
    /// SSH through an EC2 Instance Connect Endpoint, without a public address.
    #[serde(default = "yes")]
    pub instance_connect: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self { cidrs: Vec::new(), open_to_the_world: false, key: None, ssm: true, instance_connect: true }
    }
}

fn cidr(text: &str) -> Cidr {
    Cidr::new(text).unwrap_or_else(|| unreachable!("{text} is a CIDR"))
}
