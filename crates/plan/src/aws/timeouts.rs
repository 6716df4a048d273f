//! How long nodes may take to come up. The head waits for static nodes, so its limit contains theirs; and all of
//! it stays below what CloudFormation gives a custom resource.

use trainyard_spec::facts::AwsFacts;
use trainyard_spec::model::{Capacity, Engine, Moment, NodeKind, Queue, SetupMode, Timeouts as Asked};
use trainyard_spec::{Spec, catalog};

/// CloudFormation ends a custom resource after 3600 s. ParallelCluster makes its own stack within that, too.
pub const PROVIDER_SECONDS: u32 = 3600;
/// What is left of it for the head: its stack takes some minutes before the head boots.
pub const HEAD_SECONDS_MAX: u32 = 3000;
/// A head node boots and configures itself in some 5 minutes; twice that.
const HEAD_STEPS: u32 = 600;
/// Unless asked otherwise, a head has at least what ParallelCluster would give it.
const HEAD_USUAL: u32 = 2100;

/// The limits of a cluster, in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// The head, with the static nodes that it waits for.
    pub head_seconds: u32,
    /// A compute node.
    pub compute_seconds: u32,
    /// Whether queues with static nodes start at 0 and are raised after the head stands.
    pub starts_at_zero: bool,
    /// What the head would need if it waited for all of them.
    pub whole_seconds: u32,
    /// Whether the head's limit holds what it waits for.
    pub is_enough: bool,
}

impl Timeouts {
    /// Whether a queue starts without its static nodes.
    pub fn starts_empty(&self, queue: &Queue) -> bool {
        self.starts_at_zero && has_static_nodes(queue) && !is_block(queue)
    }
}

/// A head waits for static nodes. A Capacity Block's join when it starts; of one that has started, they are there.
fn head_waits_for(queue: &Queue, facts: &AwsFacts) -> bool {
    has_static_nodes(queue) && (!is_block(queue) || has_started(queue, facts))
}

fn has_static_nodes(queue: &Queue) -> bool {
    queue.compute.iter().any(|resource| resource.min > 0)
}

fn is_block(queue: &Queue) -> bool {
    matches!(queue.capacity, Capacity::CapacityBlock { .. })
}

fn has_started(queue: &Queue, facts: &AwsFacts) -> bool {
    let Capacity::CapacityBlock { reservation } = &queue.capacity else { return false };
    let start = facts.reservations.get(reservation.as_str()).and_then(|known| known.starts_at);
    matches!((start, facts.surveyed_at), (Some(start), Some(now)) if start <= now)
}

pub fn derive(spec: &Spec, facts: &AwsFacts) -> Timeouts {
    let given = match &spec.timeouts {
        Asked::Given(given) => Some(given),
        Asked::Auto(_) => None,
    };
    let compute_seconds = given.map_or_else(|| compute(spec), |given| given.compute_seconds);
    let steps = HEAD_STEPS + scripts(spec, NodeKind::Head, None);
    let waits = spec.queues.iter().any(|queue| head_waits_for(queue, facts));
    let can_start_empty = spec.queues.iter().any(|queue| has_static_nodes(queue) && !is_block(queue));
    let whole_seconds = steps + if waits { compute_seconds } else { 0 };
    let most = most(spec);
    let asked = given.map_or(whole_seconds.max(HEAD_USUAL.min(most)), |given| given.head_seconds).min(most);
    let starts_at_zero = can_start_empty && asked < whole_seconds;
    // A block that has started cannot start at 0: the head waits for it in any case.
    let waits_in_any_case = spec.queues.iter().any(|queue| is_block(queue) && head_waits_for(queue, facts));
    let least = steps + if waits_in_any_case { compute_seconds } else { 0 };
    let head_seconds = if starts_at_zero { asked.max(least.min(most)) } else { asked };
    let is_enough = head_seconds >= if starts_at_zero { least } else { whole_seconds };
    Timeouts { head_seconds, compute_seconds, starts_at_zero, whole_seconds, is_enough }
}

/// What the provider leaves for the head.
fn most(spec: &Spec) -> u32 {
    match spec.parallelcluster.engine {
        Engine::Cloudformation => HEAD_SECONDS_MAX,
        Engine::Cli => PROVIDER_SECONDS,
    }
}

/// The slowest kind of node decides.
fn compute(spec: &Spec) -> u32 {
    let all = spec.queues.iter().flat_map(|queue| {
        let scripts = scripts(spec, NodeKind::Compute, Some(queue.name.as_str()));
        queue.compute.iter().map(move |resource| boot(spec, resource) + scripts)
    });
    all.max().unwrap_or(600)
}

/// Sheet 2.3, with half as much again: GPU nodes 15-20 minutes, others 5-10, with nothing to set up 1-3.
fn boot(spec: &Spec, resource: &trainyard_spec::model::ComputeResource) -> u32 {
    let has_gpus = resource.types().any(|name| catalog::find(name.as_str()).is_none_or(|known| known.gpus > 0));
    match spec.setup.compute {
        SetupMode::Minimal => 300,
        SetupMode::Gpu => 1800,
        SetupMode::Auto if has_gpus => 1800,
        SetupMode::Auto | SetupMode::Cpu => 900,
    }
}

fn scripts(spec: &Spec, nodes: NodeKind, queue: Option<&str>) -> u32 {
    let runs = |script: &&trainyard_spec::model::Script| {
        script.nodes == nodes
            && matches!(script.when, Moment::Started | Moment::Configured)
            && script.queue.as_ref().is_none_or(|only| queue == Some(only.as_str()))
    };
    let usual: u32 = spec.setup.scripts.iter().filter(runs).map(|script| script.seconds).sum();
    usual.saturating_add(usual / 2)
}
