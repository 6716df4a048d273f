//! `trainyard status`: what the cluster is doing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use trainyard_plan::usage::Answer;
use trainyard_provider::{Failure, NodeState, Observed, Usage};

use super::up::queue_rows;
use crate::session::{Made, Session, Target};
use crate::ui::{Ui, table, usage};

/// Show what the cluster is doing: queues, nodes, jobs.
#[derive(Debug, clap::Args)]
pub struct Status {
    /// The spec. Without it: trainyard.yaml, or the one cluster that runs.
    spec: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

impl Status {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let target = Target { file: self.target.file.clone().or(self.spec), ..self.target };
        let made = session.made(&target)?;
        let observed = made.provider.observe(&made.plan)?;
        let cluster = &made.plan.cluster;
        let is_up = stands(&observed);
        let live = if observed.controller { live(session, &made) } else { Usage::default() };
        if session.ui.is_json() {
            session.ui.json(&serde_json::json!({"cluster": cluster, "folder": made.store.folder(), "observed": observed, "live": live.nodes, "limit": live.limit}));
            return Ok(u8::from(!is_up));
        }
        let ui = &session.ui;
        if !is_up && !show_cloud(ui, cluster, &observed) {
            ui.data(&format!("cluster {cluster}: down"));
            ui.say("  start it with: trainyard up");
            return Ok(1);
        }
        if is_up && !show_cloud(ui, cluster, &observed) {
            ui.data(&format!("cluster {cluster}: up"));
        }
        show_scheduler(ui, &observed);
        show_usage(ui, &observed, &live);
        ui.say(&format!("\nfiles and logs: {}", made.store.folder().display()));
        Ok(u8::from(!is_up))
    }
}

/// What nodes do now. A cluster is looked at all the same where nobody tells.
pub(super) fn live(session: &Session, made: &Made) -> Usage {
    made.provider.usage(&made.plan).unwrap_or_else(|failure| {
        session.ui.say(&format!("what nodes use is not known: {}", failure.chain().join(": ")));
        for hint in &failure.hints {
            session.ui.say(&format!("  hint: {hint}"));
        }
        Usage::default()
    })
}

/// What is not known of them, and why.
pub(super) fn say_why(ui: &Ui, live: &Usage) {
    let lines: Vec<String> = usage::silent(&live.nodes).into_iter().chain(live.limit.clone()).collect();
    if !lines.is_empty() {
        ui.say(&format!("\n{}", lines.join("\n")));
    }
}

/// More would push the jobs off the screen; `trainyard nodes` has all.
const NODES_SHOWN: usize = 16;

/// The head first, and then in the order that `trainyard nodes` has.
fn in_order<'a>(observed: &[NodeState], live: &'a BTreeMap<String, Answer>) -> Vec<(&'a str, &'a Answer)> {
    let place = |name: &str| observed.iter().position(|node| node.name == name).map_or(0, |place| place + 1);
    let mut order: Vec<(&str, &Answer)> = live.iter().map(|(name, answer)| (name.as_str(), answer)).collect();
    order.sort_by_cached_key(|(name, _)| place(name));
    order
}

fn show_usage(ui: &Ui, observed: &Observed, live: &Usage) {
    let order = in_order(&observed.nodes, &live.nodes);
    let row = |(name, answer): &(&str, &Answer)| {
        [(*name).to_owned()].into_iter().chain(usage::cells(Some(answer))).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = order.iter().take(NODES_SHOWN).map(row).collect();
    if usage::is_any_known(&rows) {
        ui.data("");
        usage::show(ui, &[&["node"][..], &usage::COLUMNS].concat(), &rows);
        if order.len() > NODES_SHOWN {
            ui.data(&format!("and {} more: trainyard nodes", order.len() - NODES_SHOWN));
        }
    }
    say_why(ui, live);
}

fn show_scheduler(ui: &Ui, observed: &Observed) {
    if !observed.controller {
        ui.data("\nSlurm does not answer");
        return;
    }
    ui.data("");
    ui.data(&table(["queue", "nodes", "up", "off"], queue_rows(observed)));
    if observed.jobs.is_empty() {
        ui.data("\nno jobs");
    } else {
        let rows = observed.jobs.iter().map(|job| {
            [&job.id, &job.name, &job.queue, &job.state, &job.elapsed, &job.place].map(Clone::clone)
        });
        ui.data("");
        ui.data(&table(["job", "name", "queue", "state", "time", "nodes or reason"], rows));
    }
    let ill: Vec<_> = observed.nodes.iter().filter(|node| !node.reason.is_empty()).collect();
    if !ill.is_empty() {
        ui.data("");
        ui.data(&table(["node", "state", "reason"], ill.iter().map(|n| [n.name.clone(), n.state.clone(), n.reason.clone()])));
    }
}

/// Whether the cluster is there and well.
#[cfg(feature = "aws")]
fn stands(observed: &Observed) -> bool {
    match &observed.cloud {
        Some(cloud) => {
            matches!(cloud.cluster.cluster_status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE")
                || was_taken_back(cloud)
        }
        None => observed.controller,
    }
}

/// ParallelCluster says UPDATE_FAILED, but the cluster stands as it did before that change.
#[cfg(feature = "aws")]
fn was_taken_back(cloud: &trainyard_provider::aws::Cloud) -> bool {
    cloud.cluster.stack_status == "UPDATE_ROLLBACK_COMPLETE"
}

#[cfg(not(feature = "aws"))]
fn stands(observed: &Observed) -> bool {
    observed.controller
}

#[cfg(not(feature = "aws"))]
fn show_cloud(_: &Ui, _: &str, _: &Observed) -> bool {
    false
}

/// What AWS says of it; `false` when it is not there.
#[cfg(feature = "aws")]
fn show_cloud(ui: &Ui, cluster: &str, observed: &Observed) -> bool {
    let Some(cloud) = &observed.cloud else { return false };
    let described = &cloud.cluster;
    ui.data(&format!("cluster {cluster}: {} (ParallelCluster {})", described.cluster_status, described.version));
    if was_taken_back(cloud) {
        ui.data("the last change failed and was taken back; the cluster stands as it did before");
    }
    let since = cloud.fleet.updated_at.as_ref().map(|at| format!(" since {at}")).unwrap_or_default();
    ui.data(&format!("fleet: {}{since}", cloud.fleet.status));
    let heads = cloud.instances.iter().filter(|one| one.tag("node-type") == Some("HeadNode"));
    for head in heads {
        let address = head.public_ip.as_ref().or(head.private_ip.as_ref()).map_or("no address yet", String::as_str);
        ui.data(&format!("head: {} {} {} {address}", head.id, head.instance, head.state));
    }
    for pool in &cloud.logins {
        ui.data(&format!("login pool {}: {}, {} healthy, {} not: {}", pool.pool, pool.status, pool.healthy, pool.unhealthy, pool.address));
    }
    let static_nodes = awaited(cloud);
    if !static_nodes.is_empty() {
        ui.data(&format!("\n{static_nodes}"));
    }
    true
}

/// Static nodes by queue, as a table; empty without any.
#[cfg(feature = "aws")]
fn awaited(cloud: &trainyard_provider::aws::Cloud) -> String {
    if cloud.queues.is_empty() {
        return String::new();
    }
    let rows = cloud.queues.iter().map(|queue| {
        let ready = queue.ready.map_or_else(|| "?".to_owned(), |ready| ready.to_string());
        let waits = queue.waits_for.clone().unwrap_or_default();
        [queue.queue.clone(), queue.asked.to_string(), queue.running.to_string(), ready, waits]
    });
    table(["static nodes of", "asked", "running", "ready", "waits for"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_comes_first_and_then_nodes_as_slurm_has_them() {
        let names = ["q-st-n-1", "q-st-n-2", "q-st-n-10"];
        let node = |name: &str| NodeState {
            name: name.to_owned(),
            queues: Vec::new(),
            state: "idle".into(),
            cpus: 1,
            memory_mib: 1,
            gres: String::new(),
            reason: String::new(),
        };
        let answer = || Answer { agent: String::new(), usage: None, problem: None };
        let live = names.iter().chain(&["head"]).map(|name| ((*name).to_owned(), answer())).collect();
        let observed = names.map(node);
        let shown: Vec<&str> = in_order(&observed, &live).into_iter().map(|(name, _)| name).collect();
        assert_eq!(shown, ["head", "q-st-n-1", "q-st-n-2", "q-st-n-10"]);
    }
}
