//! ParallelCluster's configuration of a spec. One part of it is one file here.

mod config;
pub mod explain;
mod nodes;
mod queues;
mod shared;
mod slurm;

use trainyard_spec::Spec;
use trainyard_spec::model::{Capacity, ComputeResource, Queue, Toggle};
pub use trainyard_spec::parallelcluster::os;
use trainyard_spec::{catalog, parallelcluster};

pub use config::Configuration;

use super::{Context, names, region};

/// Which of two configurations is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// What the cluster is made with: queues whose static nodes would keep the head waiting too long start at 0.
    Start,
    /// What it is to be.
    Whole,
}

/// ParallelCluster's configuration.
pub fn configuration(context: &Context<'_>, stage: Stage) -> Configuration {
    let spec = context.spec;
    Configuration {
        region: region(spec).to_owned(),
        image: config::Image { os: Some(os(spec.parallelcluster.os)), custom_ami: common_image(spec) },
        imds: config::Imds { imds_support: "v2.0" },
        head_node: nodes::head(context),
        login_nodes: nodes::login(context),
        scheduling: config::Scheduling {
            scheduler: "slurm",
            scaling_strategy: Some(slurm::scaling(spec.slurm.scaling)),
            slurm_settings: slurm::settings(context),
            slurm_queues: queues::queues(context, stage),
        },
        shared_storage: shared::storage(context),
        directory_service: slurm::directory(context),
        monitoring: slurm::monitoring(spec),
        tags: tags(names::tags(spec)),
        dev_settings: config::DevSettings {
            timeouts: config::Timeouts {
                head_node_bootstrap_timeout: context.timeouts.head_seconds,
                compute_node_bootstrap_timeout: context.timeouts.compute_seconds,
            },
        },
    }
}

/// The image of every node that has none of its own: where ParallelCluster has no image for the system, the head's.
fn common_image(spec: &Spec) -> Option<String> {
    let release = parallelcluster::release(spec.parallelcluster.version.as_str())?;
    let without = &release.constants.operating_systems.needing_custom_ami;
    let needs_one = without.iter().any(|known| known == os(spec.parallelcluster.os));
    spec.head.image.as_ref().filter(|_| needs_one).map(ToString::to_string)
}

fn tags(tags: impl IntoIterator<Item = (String, String)>) -> Vec<config::Tag> {
    tags.into_iter().map(|(key, value)| config::Tag { key, value }).collect()
}

/// Whether a resource's nodes get EFA: `auto` switches it on where every type has it.
pub fn has_efa(resource: &ComputeResource) -> bool {
    match resource.efa {
        Toggle::Enabled => true,
        Toggle::Disabled => false,
        Toggle::Auto => {
            let mut types = resource.types().peekable();
            types.peek().is_some()
                && types.all(|instance| catalog::find(instance.as_str()).is_some_and(|i| i.efa_interfaces > 0))
        }
    }
}

/// Whether a queue's nodes are kept close together (sheet 2.10, D-A09).
pub fn wants_placement_group(queue: &Queue) -> bool {
    let asked = match &queue.capacity {
        Capacity::OnDemand { placement_group } => *placement_group,
        Capacity::OwnReservation { .. } => true,
        // The reservation's instances stand where AWS put them; a group would find no capacity.
        Capacity::TargetedReservation { .. }
        | Capacity::ReservationGroup { .. }
        | Capacity::CapacityBlock { .. }
        | Capacity::Spot { .. } => false,
    };
    let several_zones = queue.zones.len() > 1 || queue.subnets.len() > 1;
    let types = || queue.compute.iter().flat_map(ComputeResource::types);
    let can = types().all(|name| catalog::find(name.as_str()).is_none_or(|known| known.cluster_placement));
    asked && can && !several_zones
}
