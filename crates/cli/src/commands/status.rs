//! `trainyard status`: what the cluster is doing.

use std::path::PathBuf;

use trainyard_provider::{Failure, Provider};

use super::up::queue_rows;
use crate::session::{Session, Target};
use crate::ui::table;

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
        let (store, plan) = session.made(&target)?;
        let observed = session.local(&store).observe(&plan)?;
        if session.ui.is_json() {
            session.ui.json(&serde_json::json!({"cluster": plan.cluster, "folder": store.folder(), "observed": observed}));
            return Ok(u8::from(!observed.controller));
        }
        let ui = &session.ui;
        if !observed.controller {
            ui.data(&format!("cluster {}: down", plan.cluster));
            ui.say("  start it with: trainyard up");
            return Ok(1);
        }
        ui.data(&format!("cluster {}: up\n", plan.cluster));
        ui.data(&table(["queue", "nodes", "up", "off"], queue_rows(&observed)));
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
        ui.say(&format!("\nfiles and logs: {}", store.folder().display()));
        Ok(0)
    }
}
