//! `trainyard nodes`: every node, and rehearsing the loss of one.

use std::path::PathBuf;

use trainyard_provider::local::supervisor::{Ask, Client};
use trainyard_plan::usage::Answer;
use trainyard_provider::{Failure, NodeState};

use super::status::{live, say_why};
use crate::session::{Session, Target};
use crate::ui::{table, usage};

/// Show every node; rehearse the loss of one.
#[derive(Debug, clap::Args)]
pub struct Nodes {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show every node (the default).
    List {
        /// The spec.
        spec: Option<PathBuf>,
    },
    /// End everything on a node at once, as when its machine dies. Only in a rehearsal.
    Crash {
        /// The node.
        node: String,
    },
}

impl Nodes {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        match self.action {
            Some(Action::Crash { node }) => crash(session, &self.target, &node),
            Some(Action::List { spec }) => {
                list(session, &Target { file: self.target.file.clone().or(spec), ..self.target })
            }
            None => list(session, &self.target),
        }
    }
}

fn list(session: &Session, target: &Target) -> Result<u8, Failure> {
    let made = session.made(target)?;
    let plan = &made.plan;
    let observed = made.provider.observe(plan)?;
    #[cfg(feature = "aws")]
    if let Some(cloud) = observed.cloud.as_ref().filter(|_| !observed.controller) {
        return Ok(instances(session, cloud));
    }
    if !observed.controller {
        return Err(Failure::refused(format!("cluster `{}` is down", plan.cluster)).hint("start it with: trainyard up"));
    }
    let told = live(session, &made);
    if session.ui.is_json() {
        let nodes: Vec<_> = observed.nodes.iter().map(|node| Told { node, live: told.nodes.get(&node.name) }).collect();
        session.ui.json(&nodes);
        say_why(&session.ui, &told);
        return Ok(0);
    }
    let row = |node: &NodeState| {
        let gib = memory(node.memory_mib);
        [node.name.clone(), node.queues.join(","), node.state.clone(), node.cpus.to_string(), gib, node.gres.clone(), node.reason.clone()]
    };
    let columns = ["node", "queue", "state", "CPUs", "memory", "GPUs", "reason"];
    if told.nodes.is_empty() {
        session.ui.data(&table(columns, observed.nodes.iter().map(row)));
        return Ok(0);
    }
    let rows = observed.nodes.iter().map(|node| {
        let [name, queue, state, cpus, memory, gpus, reason] = row(node);
        let cells = usage::cells(told.nodes.get(&node.name));
        [name, queue, state, cpus, memory, gpus, reason].into_iter().chain(cells).collect()
    });
    // Why a node is down matters more than what it does.
    let header = [&columns[..], &usage::COLUMNS].concat();
    usage::show(&session.ui, &header, &rows.collect::<Vec<_>>());
    say_why(&session.ui, &told);
    Ok(0)
}

/// A node as Slurm sees it, and what it does as its agent tells it.
#[derive(serde::Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    node: &'a NodeState,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<&'a Answer>,
}

/// Where Slurm does not answer, or cannot be asked: what EC2 says.
#[cfg(feature = "aws")]
fn instances(session: &Session, cloud: &trainyard_provider::aws::Cloud) -> u8 {
    if session.ui.is_json() {
        session.ui.json(&cloud.instances);
        return 0;
    }
    session.ui.say("Slurm does not answer, or may not be asked (`access.ssm`); EC2 says:");
    let rows = cloud.instances.iter().map(|one| {
        let text = |tag: &str| one.tag(tag).unwrap_or_default().to_owned();
        let address = one.private_ip.clone().unwrap_or_default();
        [one.id.clone(), text("node-type"), text("queue-name"), one.instance.clone(), one.state.clone(), address]
    });
    session.ui.data(&table(["instance", "kind", "queue", "type", "state", "address"], rows));
    0
}

/// Whole GiB; small nodes with a decimal.
fn memory(mib: u64) -> String {
    if mib >= 10 * 1024 { format!("{} GiB", mib / 1024) } else { format!("{}.{} GiB", mib / 1024, mib % 1024 * 10 / 1024) }
}

fn crash(session: &Session, target: &Target, node: &str) -> Result<u8, Failure> {
    let made = session.made(target)?;
    let (store, plan) = (&made.store, &made.plan);
    if node == trainyard_plan::local::HEAD {
        return Err(Failure::usage("the head node carries the scheduler; losing it is not rehearsed here"));
    }
    session.local(store).access(plan)?;
    Client::new(store).ask(&Ask::Crash { node: node.to_owned() })?;
    session.ui.say(&format!("{node} is gone, with everything that ran on it\nwatch: trainyard nodes; trainyard status"));
    Ok(0)
}
