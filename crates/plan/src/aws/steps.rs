//! The steps of an AWS plan, in order, each with deadline and undo.

use std::collections::BTreeMap;

use trainyard_spec::model::{Capacity, ComputeResource, Engine, Queue};

use super::stacks::Stack;
use super::target::{AwaitedNodes, ClusterCall, Configured, Driver};
use super::{AwsAction, Context, StackCall, names, node_files, timeouts};
use crate::plan::{Action, Artifact, Step, Undo, fingerprint};

/// The cluster's configuration, whole.
pub const WHOLE: &str = "pcluster.yaml";
/// What the cluster is made with where its static nodes come later.
pub const START: &str = "pcluster-start.yaml";

/// The artifact with a stack's template.
pub fn template_path(stack: &str) -> String {
    format!("stacks/{stack}.yaml")
}

/// The artifact with the stack that hands a configuration to ParallelCluster's provider.
pub fn cluster_template_path(configuration: &str) -> String {
    format!("stacks/{}.json", configuration.trim_end_matches(".yaml"))
}

pub(super) fn steps(context: &Context<'_>, artifacts: &[Artifact]) -> Vec<Step> {
    let mut steps: Vec<Step> = context.stacks.iter().map(|stack| deploy(context, stack, artifacts)).collect();
    steps.extend(files(context, artifacts));
    let name = names::key(context.spec);
    let key =
        step("key", format!("Make the key pair {name} unless it exists"), AwsAction::EnsureKeyPair { name }, (60, 2));
    steps.push(Step { undo: kept("it may open other machines too"), ..key });
    steps.extend(cluster(context, artifacts));
    steps
}

fn deploy(context: &Context<'_>, stack: &Stack, artifacts: &[Artifact]) -> Step {
    let template = template_path(stack.name);
    let stack_name = names::stack(context.spec, stack.name);
    let capability = if stack.makes_iam { vec!["CAPABILITY_IAM".to_owned()] } else { Vec::new() };
    let call = StackCall {
        stack: stack.name.to_owned(),
        stack_name: stack_name.clone(),
        digest: digest(artifacts, &template),
        template,
        parameters: stack.wires.iter().map(|(name, wire)| (name.clone(), context.resolve(wire))).collect(),
        capabilities: capability,
        tags: names::tags(context.spec).into_iter().collect::<BTreeMap<_, _>>(),
    };
    // "Network: VPC, …" is the network stack; an abbreviation stays one.
    let word = stack.kind.about.split(':').next().unwrap_or(stack.name);
    let is_word = word.chars().any(char::is_lowercase);
    let about = if is_word { word.to_lowercase() } else { word.to_owned() };
    let title = format!("Make the {about} stack");
    let made =
        step(stack.name, title, AwsAction::DeployStack(call), (stack.kind.seconds * 4 + 600, stack.kind.seconds));
    let undo = match stack.kind.stays {
        Some(why) => kept(why),
        None => Undo::Act {
            title: format!("Delete the {about} stack"),
            action: Action::Aws(AwsAction::DeleteStack { stack_name }),
        },
    };
    Step { undo, ..made }
}

/// The files of nodes, before the cluster that reads them.
fn files(context: &Context<'_>, artifacts: &[Artifact]) -> Option<Step> {
    let objects = node_files::uploads(context, artifacts);
    if objects.is_empty() {
        return None;
    }
    let title = format!("Upload {} files of nodes that the bucket does not have", objects.len());
    let bucket = context.resolve(&node_files::bucket());
    let seconds = 60 + objects.iter().map(|object| object.bytes).sum::<u64>() / 20_000_000;
    let made = step("files", title, AwsAction::UploadFiles { bucket, objects }, (seconds * 20 + 600, seconds));
    Some(Step { undo: kept("they lie in the bucket that stays, and cost cents"), ..made })
}

fn cluster(context: &Context<'_>, artifacts: &[Artifact]) -> Vec<Step> {
    let limits = &context.timeouts;
    let mut steps: Vec<Step> = provider(context).into_iter().collect();
    let driver = driver(context);
    let configured = |path: &str| Configured {
        configuration: path.to_owned(),
        template: matches!(driver, Driver::Provider { .. }).then(|| cluster_template_path(path)),
        digest: digest(artifacts, path),
    };
    let call = ClusterCall {
        start: configured(if limits.starts_at_zero { START } else { WHOLE }),
        whole: configured(WHOLE),
        driver: driver.clone(),
        tags: names::tags(context.spec).into_iter().collect(),
    };
    let seconds = (u64::from(timeouts::PROVIDER_SECONDS) + 300, 1200);
    let title = "Make the cluster with ParallelCluster".to_owned();
    let made = step("cluster", title, AwsAction::DeployCluster(Box::new(call.clone())), seconds);
    let undo = Undo::Act {
        title: "Delete the cluster with ParallelCluster".to_owned(),
        action: Action::Aws(AwsAction::DeleteCluster(call.driver.clone())),
    };
    steps.push(Step { undo, ..made });
    let compute_seconds = u64::from(limits.compute_seconds);
    if limits.starts_at_zero {
        let title = "Start the static nodes that the head does not wait for".to_owned();
        steps.push(step(
            "static-nodes",
            title,
            AwsAction::UpdateCluster(Box::new(call)),
            (compute_seconds + 1200, 900),
        ));
    }
    let awaited = awaited(context);
    if !awaited.is_empty() {
        let title = "Wait until the static nodes take jobs".to_owned();
        steps.push(step("nodes", title, AwsAction::AwaitNodes(awaited), (compute_seconds + 600, 300)));
    }
    steps
}

fn driver(context: &Context<'_>) -> Driver {
    match context.spec.parallelcluster.engine {
        Engine::Cloudformation => Driver::Provider {
            stack_name: names::stack(context.spec, "cluster"),
            provider: names::provider(context.spec),
        },
        Engine::Cli => Driver::Cli,
    }
}

fn provider(context: &Context<'_>) -> Option<Step> {
    let Driver::Provider { provider: stack_name, .. } = driver(context) else { return None };
    let version = context.spec.parallelcluster.version.to_string();
    let title = format!("Make the stack of ParallelCluster {version}'s CloudFormation provider");
    let tags = names::tags(context.spec).into_iter().collect();
    let made = step(
        "provider",
        title,
        AwsAction::DeployProvider { stack_name: stack_name.clone(), version, tags },
        (1800, 180),
    );
    let undo = Undo::Act {
        title: "Delete the provider's stack".to_owned(),
        action: Action::Aws(AwsAction::DeleteStack { stack_name }),
    };
    Some(Step { undo, ..made })
}

fn awaited(context: &Context<'_>) -> Vec<AwaitedNodes> {
    let of_queue = |queue: &Queue| {
        let block = match &queue.capacity {
            Capacity::CapacityBlock { reservation } => Some(reservation.to_string()),
            _ => None,
        };
        let nodes = |resource: &ComputeResource| AwaitedNodes {
            queue: queue.name.to_string(),
            resource: resource.name.to_string(),
            count: resource.min,
            block: block.clone(),
        };
        queue.compute.iter().filter(|resource| resource.min > 0).map(nodes).collect::<Vec<_>>()
    };
    context.spec.queues.iter().flat_map(of_queue).collect()
}

fn digest(artifacts: &[Artifact], path: &str) -> String {
    artifacts
        .iter()
        .find(|artifact| artifact.path == path)
        .map(|artifact| fingerprint(&artifact.text))
        .unwrap_or_default()
}

fn kept(because: &str) -> Undo {
    Undo::Kept { because: because.to_owned() }
}

/// `seconds`: the deadline, and what it usually takes.
fn step(name: &str, title: String, action: AwsAction, seconds: (u64, u64)) -> Step {
    let (deadline_seconds, expected_seconds) = seconds;
    let name = name.to_owned();
    let action = Action::Aws(action);
    Step { name, title, action, deadline_seconds, expected_seconds, undo: Undo::Nothing, required: true }
}
