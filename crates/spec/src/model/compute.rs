//! Head, login pool, queues and compute resources.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arn, ImageId, InstanceType, PartName, ReservationId, SlurmKey, SlurmValue, SubnetId, Zone, yes};

/// The head node: scheduler, NFS server of /home, the door for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Head {
    /// Instance type. Memory follows the number of nodes: m5.8xlarge carries 512.
    pub instance: InstanceType,
    /// Private (reached through a tunnel, the default) or public.
    pub subnet: Exposure,
    /// Root volume in GiB.
    #[schemars(range(min = 40, max = 16384))]
    pub root_volume_gib: u32,
    /// Speed of the root volume: gp3's own by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_volume_speed: Option<VolumeSpeed>,
    /// Hyper-threads: `auto` leaves them as the type has them.
    pub hyperthreads: Toggle,
    /// A machine image of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
    /// A fixed public address (public subnet only).
    pub elastic_ip: bool,
    /// Remote desktop by NICE DCV.
    pub dcv: bool,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            instance: instance("m5.8xlarge"),
            subnet: Exposure::Private,
            root_volume_gib: 500,
            root_volume_speed: None,
            hyperthreads: Toggle::Auto,
            image: None,
            elastic_ip: false,
            dcv: false,
        }
    }
}

/// Speed of a gp3 volume beyond the 3000 IOPS and 125 MB/s that come with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeSpeed {
    /// Operations per second.
    #[schemars(range(min = 3000, max = 16000), extend("examples" = [6000]))]
    pub iops: u32,
    /// MB/s; at most a quarter of the IOPS.
    #[schemars(range(min = 125, max = 1000), extend("examples" = [500]))]
    pub mb_s: u32,
}

/// Which side of the gateway a node stands on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// No address on the internet.
    #[default]
    Private,
    /// An address on the internet.
    Public,
}

/// A pool of login nodes behind one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoginPool {
    /// The pool's name.
    pub name: PartName,
    /// How many nodes.
    #[schemars(range(min = 1, max = 10))]
    pub count: u32,
    /// Instance type.
    pub instance: InstanceType,
    /// Private or public.
    pub subnet: Exposure,
    /// Minutes that people have to leave before a node goes.
    #[schemars(range(min = 3, max = 120))]
    pub grace_minutes: u32,
    /// A machine image of your own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
    /// Remote desktop by NICE DCV.
    pub dcv: bool,
}

impl Default for LoginPool {
    fn default() -> Self {
        Self {
            name: part("login"),
            count: 2,
            instance: instance("m5.large"),
            subnet: Exposure::Private,
            grace_minutes: 10,
            image: None,
            dcv: false,
        }
    }
}

/// A queue: a Slurm partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// The queue's name; jobs ask for it with `--partition`.
    pub name: PartName,
    /// Its compute resources: groups of equal nodes.
    #[schemars(length(min = 1, max = 50), extend("examples" = ["[{ name: node, instance: p5en.48xlarge, max: 4 }]"]))]
    pub compute: Vec<ComputeResource>,
    /// How its capacity is bought.
    #[serde(default)]
    pub capacity: Capacity,
    /// Give each job whole nodes.
    #[serde(default)]
    pub exclusive: bool,
    /// Subnets of your own, instead of the network's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub subnets: Vec<SubnetId>,
    /// The network's zones that its nodes may come up in; its first zone when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2), extend("examples" = ["[use2-az1, use2-az2]"]))]
    pub zones: Vec<Zone>,
    /// How EC2 chooses among several instance types. By price alone when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation: Option<Allocation>,
    /// Root volume of its nodes in GiB.
    #[serde(default = "compute_root_gib")]
    #[schemars(range(min = 40, max = 16384))]
    pub root_volume_gib: u32,
    /// Speed of the root volumes: gp3's own by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_volume_speed: Option<VolumeSpeed>,
    /// A machine image of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
    /// More of the partition's Slurm settings, as `Name: value`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<SlurmKey, SlurmValue>,
    /// Tags on its nodes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 20))]
    pub tags: BTreeMap<String, String>,
}

fn compute_root_gib() -> u32 {
    200
}

/// How EC2 chooses among several instance types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Allocation {
    /// The cheapest first.
    LowestPrice,
    /// In the order in which they are written.
    Prioritized,
    /// Spot: where interruption is least likely.
    CapacityOptimized,
    /// Spot: by price, where interruption is unlikely.
    PriceCapacityOptimized,
    /// Spot: in the order in which they are written, where interruption is unlikely.
    CapacityOptimizedPrioritized,
}

/// How a queue's capacity is bought. Placement groups follow from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum Capacity {
    /// On-Demand, in a placement group.
    OnDemand {
        /// Keep the nodes close together.
        #[serde(default = "yes")]
        placement_group: bool,
    },
    /// Your own On-Demand reservation, made inside a cluster placement group.
    OwnReservation {
        /// The reservation.
        reservation: ReservationId,
        /// The placement group that it was made with.
        #[schemars(extend("examples" = ["train-pg"]))]
        placement_group: String,
    },
    /// A targeted On-Demand reservation, as AWS provides for P and Trn types: no placement group.
    TargetedReservation {
        /// The reservation.
        reservation: ReservationId,
    },
    /// A resource group of On-Demand reservations: nodes come from whichever of them has room.
    ReservationGroup {
        /// The group.
        #[schemars(extend("examples" = ["arn:aws:resource-groups:us-east-1:111122223333:group/training"]))]
        group: Arn,
    },
    /// A Capacity Block for ML: no placement group, all nodes static.
    CapacityBlock {
        /// The block's reservation.
        reservation: ReservationId,
    },
    /// Spot instances.
    Spot {
        /// The most to pay, in US cents per node-hour; the On-Demand price when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0))]
        max_price_cents: Option<u32>,
    },
}

impl Default for Capacity {
    fn default() -> Self {
        Self::OnDemand { placement_group: true }
    }
}

/// A group of equal nodes in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeResource {
    /// Its name. Nodes are called `<queue>-st-<name>-1` (static) and `<queue>-dy-<name>-1` (dynamic).
    pub name: PartName,
    /// Instance type. Needed on AWS; in a rehearsal it sets the declared hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceType>,
    /// Several instance types of one shape instead of one: nodes are whichever is to be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("examples" = ["[c6i.32xlarge, c7i.24xlarge]"]))]
    pub instances: Vec<InstanceType>,
    /// Static nodes: always on.
    #[serde(default)]
    #[schemars(range(min = 0, max = 4096))]
    pub min: u32,
    /// All nodes; those above `min` come when a job asks.
    #[schemars(range(min = 1, max = 4096), extend("examples" = [4]))]
    pub max: u32,
    /// Elastic Fabric Adapter: `auto` switches it on wherever the type has it.
    #[serde(default)]
    pub efa: Toggle,
    /// Hyper-threads: `auto` leaves them as the type has them.
    #[serde(default)]
    pub hyperthreads: Toggle,
    /// Check GPUs before each job.
    #[serde(default)]
    pub gpu_health_check: Toggle,
    /// Memory that jobs may ask for, in MiB; 95 % of the type's when absent. With `memory_scheduling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 67_108_864))]
    pub schedulable_memory_mib: Option<u32>,
    /// Slurm's weight of static nodes: the lowest are used first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub static_weight: Option<u32>,
    /// Slurm's weight of dynamic nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub dynamic_weight: Option<u32>,
    /// More of the nodes' Slurm settings, as `Name: value`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<SlurmKey, SlurmValue>,
    /// Hardware to declare in a rehearsal, instead of the instance type's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<Hardware>,
}

/// On, off, or as the plan sees fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Toggle {
    /// As the plan sees fit.
    #[default]
    Auto,
    /// On.
    Enabled,
    /// Off.
    Disabled,
}

/// What a node is made of, as Slurm sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hardware {
    /// Sockets.
    #[schemars(range(min = 1, max = 16))]
    pub sockets: u32,
    /// Cores per socket.
    #[schemars(range(min = 1, max = 256))]
    pub cores_per_socket: u32,
    /// Hardware threads per core.
    #[schemars(range(min = 1, max = 8))]
    pub threads_per_core: u32,
    /// Memory in GiB.
    #[schemars(range(min = 1, max = 65536))]
    pub memory_gib: u32,
    /// GPUs (or Neuron devices).
    #[schemars(range(min = 0, max = 64))]
    pub gpus: u32,
}

impl Default for Hardware {
    fn default() -> Self {
        Self { sockets: 1, cores_per_socket: 2, threads_per_core: 1, memory_gib: 2, gpus: 0 }
    }
}

impl ComputeResource {
    /// The instance types: the one, or the several.
    pub fn types(&self) -> impl Iterator<Item = &InstanceType> {
        self.instance.iter().chain(&self.instances)
    }
}

impl Hardware {
    /// Logical CPUs.
    pub fn cpus(&self) -> u32 {
        self.sockets * self.cores_per_socket * self.threads_per_core
    }
}

/// Names in this file's defaults are constants that a test holds against their patterns.
fn instance(name: &str) -> InstanceType {
    InstanceType::new(name).unwrap_or_else(|| unreachable!("{name} is an instance type"))
}

fn part(name: &str) -> PartName {
    PartName::new(name).unwrap_or_else(|| unreachable!("{name} is a part name"))
}
