//! The cluster as it is: instances, the fleet's state, and Slurm's own view of it, asked on the head.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use trainyard_plan::aws::{AwaitedNodes, AwsAction};
use trainyard_plan::{Action, Plan};

use super::api::{self, Instance};
use super::refused::{Answer, Refused};
use super::{Account, stacks};
use crate::{Failure, JobState, NodeState, QueueNodes, slurm};

/// Where ParallelCluster puts Slurm.
const SLURM: &str = "/opt/slurm/bin";
/// How long the head may take to answer.
const SECONDS: u64 = 20;
/// Between the answers of two programs.
const MARK: &str = "---trainyard---";

/// The state of the compute fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fleet {
    /// `RUNNING`, `STOPPED`, `PROTECTED`, …; `UNKNOWN` where it cannot be told.
    pub status: String,
    /// When it became so, as ParallelCluster wrote it.
    pub updated_at: Option<String>,
}

impl Fleet {
    /// Why no static node will come; `None` where they may.
    pub fn refuses(&self, cluster: &str) -> Option<Failure> {
        let refused = |why: &str| Failure::refused(format!("the compute fleet of {cluster} {why}"));
        match self.status.as_str() {
            status if FleetWish::Stop.is_met(status) => {
                Some(refused("is stopped, so its static nodes do not come").hint(format!(
                    "let it run, then run the same command again: trainyard fleet start --cluster {cluster}"
                )))
            }
            "PROTECTED" => Some(
                refused("is in protected mode: static nodes failed to start again and again")
                    .hint("why: trainyard logs tail clustermgtd, and trainyard logs tail cloud-init-output --node NODE")
                    .hint(format!(
                        "once that is mended: trainyard fleet start --cluster {cluster}, then the same command"
                    )),
            ),
            _ => None,
        }
    }
}

/// What Slurm says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scheduler {
    /// Its nodes.
    pub nodes: Vec<NodeState>,
    /// Its jobs.
    pub jobs: Vec<JobState>,
}

/// A queue's static nodes: asked for, there, and ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Awaited {
    /// The queue.
    pub queue: String,
    /// How many static nodes it is to have.
    pub asked: u32,
    /// How many instances run.
    pub running: u32,
    /// How many take jobs, as Slurm sees it; `None` where Slurm cannot be asked.
    pub ready: Option<u32>,
    /// How many of these have no job; `None` where Slurm cannot be asked.
    pub idle: Option<u32>,
    /// The Capacity Block that has not started, with the time when it does.
    pub waits_for: Option<String>,
}

impl Awaited {
    /// Whether nothing is missing that could be there.
    pub fn is_complete(&self) -> bool {
        self.waits_for.is_some() || self.ready.unwrap_or(self.running) >= self.asked
    }
}

/// The state of the fleet, as ParallelCluster keeps it; any trouble with it is `UNKNOWN`, as `pcluster` says.
pub async fn fleet(account: &Account, name: &str) -> Fleet {
    let unknown = Fleet { status: "UNKNOWN".to_owned(), updated_at: None };
    let asked = account
        .dynamodb
        .get_item()
        .table_name(format!("parallelcluster-{name}"))
        .key("Id", AttributeValue::S("COMPUTE_FLEET".to_owned()))
        .consistent_read(true)
        .send()
        .await;
    let Ok(Some(item)) = asked.map(|answer| answer.item) else { return unknown };
    let Some(AttributeValue::M(data)) = item.get("Data") else { return unknown };
    let text = |key: &str| data.get(key).and_then(|value| value.as_s().ok()).cloned();
    match text("status") {
        Some(status) => Fleet { status, updated_at: text("lastStatusUpdatedTime") },
        None => unknown,
    }
}

/// Asks the fleet to start or stop. `false`: it does already.
pub async fn ask_fleet(account: &Account, name: &str, wanted: FleetWish) -> Result<bool, Failure> {
    let now = fleet(account, name).await;
    if wanted.is_met(&now.status) {
        return Ok(false);
    }
    if now.status == "UNKNOWN" {
        return Err(Failure::refused(format!("the state of the compute fleet of {name} is not known"))
            .hint("see what stands with: trainyard status"));
    }
    let at = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S.%6f+00:00").to_string();
    let asked = account
        .dynamodb
        .update_item()
        .table_name(format!("parallelcluster-{name}"))
        .key("Id", AttributeValue::S("COMPUTE_FLEET".to_owned()))
        .update_expression("SET #data.#status = :wanted, #data.#time = :time")
        // Somebody else may have asked for something in the meantime.
        .condition_expression("#data.#status = :now")
        .expression_attribute_names("#data", "Data")
        .expression_attribute_names("#status", "status")
        .expression_attribute_names("#time", "lastStatusUpdatedTime")
        .expression_attribute_values(":wanted", AttributeValue::S(wanted.request().to_owned()))
        .expression_attribute_values(":now", AttributeValue::S(now.status.clone()))
        .expression_attribute_values(":time", AttributeValue::S(at))
        .send()
        .await;
    match asked.map_err(|error| Refused::new("dynamodb:UpdateItem", &error)) {
        Ok(_) => Ok(true),
        Err(refused) if refused.is(&["ConditionalCheckFailedException"]) => {
            Err(Failure::refused(format!("the fleet's state changed while it was asked to {}", wanted.word()))
                .hint("look at it, and ask again: trainyard fleet status"))
        }
        Err(refused) => Err(refused.into()),
    }
}

/// What the fleet is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FleetWish {
    /// Nodes may run.
    Start,
    /// No node may run.
    Stop,
}

impl FleetWish {
    /// As people say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }

    /// The state that it leads to.
    pub fn goal(self) -> &'static str {
        match self {
            Self::Start => "RUNNING",
            Self::Stop => "STOPPED",
        }
    }

    fn request(self) -> &'static str {
        match self {
            Self::Start => "START_REQUESTED",
            Self::Stop => "STOP_REQUESTED",
        }
    }

    fn is_met(self, status: &str) -> bool {
        match self {
            Self::Start => matches!(status, "RUNNING" | "STARTING" | "START_REQUESTED"),
            Self::Stop => matches!(status, "STOPPED" | "STOPPING" | "STOP_REQUESTED"),
        }
    }
}

/// The head of the cluster, once it is launched.
pub fn head(instances: &[Instance]) -> Option<&Instance> {
    instances.iter().find(|one| one.tag("node-type") == Some("HeadNode"))
}

impl Awaited {
    /// In a few words, for who waits.
    pub fn says(&self) -> String {
        let ready = self.ready.map_or_else(|| "Slurm does not answer yet".to_owned(), |ready| format!("{ready} ready"));
        format!("{}: {ready}, {} of {} run", self.queue, self.running, self.asked)
    }

    /// In numbers, for who draws them.
    pub fn nodes(&self) -> QueueNodes {
        let (asked, running) = (self.asked, self.running);
        QueueNodes { name: self.queue.clone(), asked, running, ready: self.ready, idle: self.idle }
    }
}

/// What Slurm says, asked on the head through Systems Manager; `None` where it cannot be asked (now).
pub async fn scheduler(account: &Account, instances: &[Instance]) -> Answer<Option<Scheduler>> {
    let Some(head) = head(instances).filter(|head| head.state == "running") else { return Ok(None) };
    let script = format!(
        "{SLURM}/scontrol ping\necho {MARK}\n{SLURM}/sinfo -a -h -o '{}'\necho {MARK}\n{SLURM}/squeue -a -h -o '{}'",
        slurm::NODE_COLUMNS,
        slurm::JOB_COLUMNS
    );
    let said = match api::run_on(account, &head.id, &script, SECONDS).await {
        Ok(said) => said,
        // Its agent is not connected (yet): EC2 still tells what runs.
        Err(refused) if refused.is(&["InvalidInstanceId", "TargetNotConnected"]) => return Ok(None),
        Err(refused) => return Err(refused),
    };
    let mut parts = said.split(MARK);
    let mut next = || parts.next().unwrap_or_default();
    let (ping, nodes, jobs) = (next(), next(), next());
    if !ping.contains("is UP") {
        return Ok(None);
    }
    Ok(Some(Scheduler { nodes: slurm::parse_nodes(nodes), jobs: slurm::parse_jobs(jobs) }))
}

/// How many of the static nodes are there, by queue.
pub async fn awaited(
    account: &Account,
    wanted: &[AwaitedNodes],
    instances: &[Instance],
    scheduler: Option<&Scheduler>,
) -> Result<Vec<Awaited>, Failure> {
    let blocks = blocks(account, wanted).await?;
    let mut queues = counted(wanted, instances, scheduler);
    for nodes in wanted {
        let start = nodes.block.as_ref().and_then(|id| blocks.get(id));
        if let Some((start, queue)) = start.zip(queues.iter_mut().find(|queue| queue.queue == nodes.queue)) {
            queue.waits_for = Some(start.clone());
        }
    }
    Ok(queues)
}

/// The static nodes that the plan awaits.
pub fn wanted(plan: &Plan) -> &[AwaitedNodes] {
    let awaited = plan.steps.iter().find_map(|step| match &step.action {
        Action::Aws(AwsAction::AwaitNodes(wanted)) => Some(wanted.as_slice()),
        _ => None,
    });
    awaited.unwrap_or_default()
}

/// How many of the static nodes are there, by queue, as far as instances and Slurm tell.
pub fn counted(wanted: &[AwaitedNodes], instances: &[Instance], scheduler: Option<&Scheduler>) -> Vec<Awaited> {
    let mut queues: BTreeMap<&str, Awaited> = BTreeMap::new();
    for nodes in wanted {
        let is_mine = |one: &&Instance| {
            one.tag("queue-name") == Some(&nodes.queue) && one.tag("compute-resource-name") == Some(&nodes.resource)
        };
        let running = instances.iter().filter(is_mine).filter(|one| one.state == "running").count();
        let begin = format!("{}-", trainyard_spec::nodes::stem(&nodes.queue, &nodes.resource, true));
        // Another resource may be called as this one with more behind it: `q-st-n-2-1` is none of `n`.
        let is_numbered = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
        let is_static = |node: &&NodeState| node.name.strip_prefix(&begin).is_some_and(is_numbered);
        let count = |is: fn(&NodeState) -> bool| {
            scheduler.map(|known| known.nodes.iter().filter(is_static).filter(|node| is(node)).count())
        };
        let queue = queues.entry(&nodes.queue).or_insert_with(|| Awaited {
            queue: nodes.queue.clone(),
            asked: 0,
            running: 0,
            ready: scheduler.map(|_| 0),
            idle: scheduler.map(|_| 0),
            waits_for: None,
        });
        queue.asked += nodes.count;
        queue.running += u32::try_from(running).unwrap_or(u32::MAX);
        let plus = |sum: Option<u32>, more: Option<usize>| {
            sum.zip(more).map(|(sum, more)| sum + u32::try_from(more).unwrap_or(0))
        };
        queue.ready = plus(queue.ready, count(NodeState::is_up));
        queue.idle = plus(queue.idle, count(NodeState::is_idle));
    }
    queues.into_values().collect()
}

/// The Capacity Blocks that have not started, with when they do.
async fn blocks(account: &Account, wanted: &[AwaitedNodes]) -> Result<BTreeMap<String, String>, Failure> {
    let mut ids: Vec<String> = wanted.iter().filter_map(|nodes| nodes.block.clone()).collect();
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = api::reservations(account, &ids).await?;
    let not_yet =
        found.into_iter().filter(|one| matches!(one.state.as_str(), "scheduled" | "payment-pending" | "pending"));
    Ok(not_yet
        .map(|one| {
            let when = one
                .starts_at
                .map_or_else(|| "it starts".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
            (one.id.clone(), format!("Capacity Block {} until {when}", one.id))
        })
        .collect())
}

/// The cluster's own stack, in the words of `pcluster describe-cluster`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Described {
    /// ParallelCluster's word.
    pub cluster_status: String,
    /// CloudFormation's word.
    pub stack_status: String,
    /// ParallelCluster's version.
    pub version: String,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was changed last.
    pub updated_at: Option<String>,
}

/// The cluster's own stack; `None` when there is none.
pub async fn described(account: &Account, name: &str) -> Result<Option<Described>, Failure> {
    Ok(stacks::root::root(account, name).await?.map(|root| {
        let time = |at: Option<&aws_smithy_types::DateTime>| {
            at.and_then(|at| at.fmt(aws_smithy_types::date_time::Format::DateTime).ok())
        };
        Described {
            cluster_status: cluster_status(stacks::status(&root)).to_owned(),
            stack_status: stacks::status(&root).to_owned(),
            version: stacks::root::version(&root).unwrap_or_default().to_owned(),
            created_at: time(root.creation_time()),
            updated_at: time(root.last_updated_time()),
        }
    }))
}

/// ParallelCluster's word for a stack's status.
fn cluster_status(stack: &str) -> &str {
    match stack {
        "ROLLBACK_IN_PROGRESS" | "ROLLBACK_FAILED" | "ROLLBACK_COMPLETE" => "CREATE_FAILED",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        | "UPDATE_ROLLBACK_IN_PROGRESS"
        | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_FAILED" | "UPDATE_ROLLBACK_COMPLETE" => "UPDATE_FAILED",
        other => other,
    }
}

/// A cluster, in a line: what `pcluster list-clusters` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// ParallelCluster's word.
    pub cluster_status: String,
    /// CloudFormation's word.
    pub stack_status: String,
    /// ParallelCluster's version.
    pub version: String,
    /// `slurm`.
    pub scheduler: String,
}

/// Every cluster of the region.
pub async fn list(account: &Account) -> Result<Vec<Listed>, Failure> {
    let mut listed = Vec::new();
    for stack in stacks::all(account).await? {
        let is_image = stacks::tag(&stack, "parallelcluster:image_id").is_some();
        let Some(version) = stacks::root::version(&stack).filter(|_| stack.parent_id().is_none() && !is_image) else {
            continue;
        };
        listed.push(Listed {
            name: stack.stack_name().unwrap_or_default().to_owned(),
            cluster_status: cluster_status(stacks::status(&stack)).to_owned(),
            stack_status: stacks::status(&stack).to_owned(),
            version: version.to_owned(),
            scheduler: stacks::parameter(&stack, "Scheduler").unwrap_or("slurm").to_owned(),
        });
    }
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Node names of `n` are the beginning of those of `n-2`: the queue was complete while one of its own was missing.
    #[test]
    fn static_nodes_count_for_their_own_resource_only() {
        let wanted = |resource: &str, count| AwaitedNodes {
            queue: "q".to_owned(),
            resource: resource.to_owned(),
            count,
            block: None,
        };
        let node = |name: &str, state: &str| NodeState {
            name: name.to_owned(),
            queues: vec!["q".to_owned()],
            state: state.to_owned(),
            cpus: 1,
            memory_mib: 1,
            gres: String::new(),
            reason: String::new(),
        };
        let nodes = vec![
            node("q-st-n-1", "idle"),
            node("q-st-n-2", "down*"),
            node("q-st-n-2-1", "mixed"),
            node("q-dy-n-1", "idle"),
        ];
        let known = Scheduler { nodes, jobs: Vec::new() };
        let counts = |wanted: &[AwaitedNodes]| {
            let queues = counted(wanted, &[], Some(&known));
            (queues[0].asked, queues[0].ready, queues[0].idle, queues[0].is_complete())
        };
        assert_eq!(counts(&[wanted("n", 2)]), (2, Some(1), Some(1), false));
        assert_eq!(counts(&[wanted("n", 2), wanted("n-2", 1)]), (3, Some(2), Some(1), false));
        assert_eq!(counts(&[wanted("n", 1), wanted("n-2", 1)]), (2, Some(2), Some(1), true));
        let unheard = &counted(&[wanted("n", 2)], &[], None)[0];
        assert_eq!((unheard.ready, unheard.idle), (None, None));
    }
}
