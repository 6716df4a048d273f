//! Queues and compute resources: the five ways to buy capacity, EFA, placement, counts.

use trainyard_spec::catalog::{self, AcceleratorKind};
use trainyard_spec::model::{self, Allocation, Capacity, NodeKind, Toggle};

use super::config::{
    ComputeResource, ComputeSettings, Enabled, HealthChecks, Iam, Instance, LocalStorage, PlacementGroup, Queue,
    QueueNetworking, ReservationTarget,
};
use super::nodes::{self, Door};
use super::{Stage, has_efa, slurm, tags, wants_placement_group};
use crate::aws::Context;

pub(super) fn queues(context: &Context<'_>, stage: Stage) -> Vec<Queue> {
    context.spec.queues.iter().map(|queue| one(context, queue, stage)).collect()
}

fn one(context: &Context<'_>, queue: &model::Queue, stage: Stage) -> Queue {
    let starts_empty = stage == Stage::Start && context.timeouts.starts_empty(queue);
    Queue {
        name: queue.name.to_string(),
        capacity_type: capacity_type(&queue.capacity),
        allocation_strategy: queue.allocation.map(allocation),
        capacity_reservation_target: reservation(&queue.capacity),
        networking: QueueNetworking {
            subnet_ids: context.place.queue_subnets(queue).iter().map(|subnet| context.resolve(subnet)).collect(),
            additional_security_groups: nodes::groups(context, Door::Shut),
            placement_group: placement_group(queue),
            proxy: nodes::proxy(context),
        },
        job_exclusive_allocation: queue.exclusive,
        compute_settings: ComputeSettings {
            local_storage: LocalStorage {
                root_volume: nodes::root_volume(queue.root_volume_gib, queue.root_volume_speed),
                ephemeral_volume: nodes::scratch(context),
            },
        },
        health_checks: None,
        custom_actions: nodes::actions(context, NodeKind::Compute, Some(queue.name.as_str())),
        iam: Iam { additional_iam_policies: nodes::policies(context) },
        image: nodes::image(queue.image.as_ref()),
        custom_slurm_settings: slurm::map(&queue.settings),
        tags: tags(queue.tags.iter().map(|(key, value)| (key.clone(), value.clone()))),
        compute_resources: queue.compute.iter().map(|resource| compute(queue, resource, starts_empty)).collect(),
    }
}

fn capacity_type(capacity: &Capacity) -> &'static str {
    match capacity {
        Capacity::CapacityBlock { .. } => "CAPACITY_BLOCK",
        Capacity::Spot { .. } => "SPOT",
        // A reservation alone never makes a block of it (D-A09).
        Capacity::OnDemand { .. }
        | Capacity::OwnReservation { .. }
        | Capacity::TargetedReservation { .. }
        | Capacity::ReservationGroup { .. } => "ONDEMAND",
    }
}

fn reservation(capacity: &Capacity) -> Option<ReservationTarget> {
    match capacity {
        Capacity::OwnReservation { reservation, .. }
        | Capacity::TargetedReservation { reservation }
        | Capacity::CapacityBlock { reservation } => Some(ReservationTarget {
            capacity_reservation_id: Some(reservation.to_string()),
            capacity_reservation_resource_group_arn: None,
        }),
        Capacity::ReservationGroup { group } => Some(ReservationTarget {
            capacity_reservation_id: None,
            capacity_reservation_resource_group_arn: Some(group.to_string()),
        }),
        Capacity::OnDemand { .. } | Capacity::Spot { .. } => None,
    }
}

fn placement_group(queue: &model::Queue) -> Option<PlacementGroup> {
    match &queue.capacity {
        // ParallelCluster warns at any placement group beside a block.
        Capacity::CapacityBlock { .. } => None,
        Capacity::OwnReservation { placement_group, .. } => {
            Some(PlacementGroup { enabled: true, name: Some(placement_group.clone()) })
        }
        // Said even where it is off: with EFA, ParallelCluster demands a word.
        _ => Some(PlacementGroup { enabled: wants_placement_group(queue), name: None }),
    }
}

fn allocation(allocation: Allocation) -> &'static str {
    match allocation {
        Allocation::LowestPrice => "lowest-price",
        Allocation::Prioritized => "prioritized",
        Allocation::CapacityOptimized => "capacity-optimized",
        Allocation::PriceCapacityOptimized => "price-capacity-optimized",
        Allocation::CapacityOptimizedPrioritized => "capacity-optimized-prioritized",
    }
}

fn compute(queue: &model::Queue, resource: &model::ComputeResource, starts_empty: bool) -> ComputeResource {
    let is_block = matches!(queue.capacity, Capacity::CapacityBlock { .. });
    let spot_price = match queue.capacity {
        Capacity::Spot { max_price_cents: Some(cents) } => serde_json::Number::from_f64(f64::from(cents) / 100.0),
        _ => None,
    };
    let mut settings = sockets(resource);
    settings.retain(|key, _| !resource.settings.keys().any(|own| own.as_str().eq_ignore_ascii_case(key)));
    settings.extend(slurm::map(&resource.settings));
    ComputeResource {
        name: resource.name.to_string(),
        instance_type: resource.instance.as_ref().map(ToString::to_string),
        instances: resource.instances.iter().map(|one| Instance { instance_type: one.to_string() }).collect(),
        min_count: if starts_empty && !is_block { 0 } else { resource.min },
        max_count: resource.max,
        spot_price,
        disable_simultaneous_multithreading: nodes::no_threads(resource.hyperthreads),
        schedulable_memory: resource.schedulable_memory_mib,
        static_node_priority: resource.static_weight,
        dynamic_node_priority: resource.dynamic_weight,
        efa: has_efa(resource).then_some(Enabled { enabled: true }),
        health_checks: health_check(resource).map(|enabled| HealthChecks { gpu: Enabled { enabled } }),
        custom_slurm_settings: settings,
    }
}

/// The sockets of accelerated nodes, so that Slurm binds ranks beside their GPUs (B19).
fn sockets(resource: &model::ComputeResource) -> serde_json::Map<String, serde_json::Value> {
    let mut settings = serde_json::Map::new();
    let known = resource.instance.as_ref().and_then(|instance| catalog::find(instance.as_str()));
    if let Some(instance) = known.filter(|instance| instance.gpus > 0 && instance.sockets > 1) {
        settings.insert("Sockets".into(), instance.sockets.into());
        settings.insert("CoresPerSocket".into(), instance.cores_per_socket.into());
        // Without it, Slurm takes one thread to a core, and the node for half of what it is.
        let threads = if resource.hyperthreads == Toggle::Disabled { 1 } else { instance.threads_per_core };
        settings.insert("ThreadsPerCore".into(), threads.into());
    }
    settings
}

/// `auto`: on where there are NVIDIA GPUs; a bad GPU drains its node before the job starts.
fn health_check(resource: &model::ComputeResource) -> Option<bool> {
    match resource.gpu_health_check {
        Toggle::Enabled => Some(true),
        Toggle::Disabled => Some(false),
        Toggle::Auto => {
            let is_nvidia = |name: &model::InstanceType| {
                catalog::find(name.as_str()).is_some_and(|i| i.gpu_kind == AcceleratorKind::Gpu)
            };
            resource.types().any(is_nvidia).then_some(true)
        }
    }
}
