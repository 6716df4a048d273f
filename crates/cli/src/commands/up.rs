//! `trainyard up`: from the file to a cluster that takes jobs.

use std::path::PathBuf;
use std::time::Instant;

use trainyard_provider::engine::{Engine, Journal, resumable};
use trainyard_provider::local::Store;
use trainyard_provider::{Failure, Observed, Provider};

use super::plan::Rehearsal;
use crate::session::{SPEC_FILE, Session};
use crate::ui::table;

/// Make the cluster, or finish making it.
///
/// Safe to run again: what stands is left alone, what is missing is made.
#[derive(Debug, clap::Args)]
pub struct Up {
    /// The spec.
    #[arg(default_value = SPEC_FILE)]
    file: PathBuf,
    #[command(flatten)]
    rehearsal: Rehearsal,
}

impl Up {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let begun = Instant::now();
        let spec = session.spec(&self.file)?;
        self.rehearsal.allows(&spec)?;
        let store = session.store(spec.name.as_str())?;
        let _lock = Session::lock(&store, "up")?;
        let facts = session.survey(&spec, &store)?;
        let plan = self.rehearsal.plan(session, &spec, &facts)?;
        let mut journal = Journal::open(&store.at("journal.jsonl"))?;
        refuse_other_plan(&store, &plan, &journal)?;
        store.save_plan(&plan)?;
        let local = session.local(&store);
        let progress = session.ui.progress();
        let engine = Engine { provider: &local, reporter: &progress, cancel: &session.cancel };
        engine.up(&plan, &mut journal).map_err(|failure| self.advise(failure, &plan.cluster))?;
        let observed = local.observe(&plan)?;
        report(session, &plan, &observed, begun);
        Ok(0)
    }

    fn advise(&self, failure: Failure, cluster: &str) -> Failure {
        let rehearse = if self.rehearsal.rehearse { "--rehearse " } else { "" };
        let most = self.rehearsal.max_nodes.map(|most| format!("--max-nodes {most} ")).unwrap_or_default();
        let again = format!("trainyard up {rehearse}{most}{}", self.file.display());
        if resumable(&failure) {
            return failure.hint(format!("go on with: {again}"));
        }
        failure
            .hint(format!("go on, once that is mended, with: {again}"))
            .hint(format!("or take it down with: trainyard down --cluster {cluster}"))
    }
}

/// A running cluster is not rebuilt under its jobs.
fn refuse_other_plan(store: &Store, plan: &trainyard_plan::Plan, journal: &Journal) -> Result<(), Failure> {
    if !journal.is_live() {
        return Ok(());
    }
    let Some(known) = store.plan()? else { return Ok(()) };
    // This program may lie elsewhere than it did; what the cluster is may not change.
    let mut stands = known.rehearsed()?.clone();
    stands.facts.program.clone_from(&plan.rehearsed()?.facts.program);
    let differs = |artifact: &&trainyard_plan::Artifact| {
        artifact.kind != "layout" && known.artifact(&artifact.path) != Some(*artifact)
    };
    if stands == *plan.rehearsed()? && !plan.artifacts.iter().any(|artifact| differs(&artifact)) {
        return Ok(());
    }
    let changed: Vec<&str> = plan.artifacts.iter().filter(differs).map(|artifact| artifact.path.as_str()).collect();
    Err(Failure::refused(format!("cluster `{}` stands, made from another plan", plan.cluster))
        .caused_by(std::io::Error::other(format!("these would change: {}", changed.join(", "))))
        .hint(format!("take it down first: trainyard down --cluster {} (files in /fsx and /home stay)", plan.cluster)))
}

fn report(session: &Session, plan: &trainyard_plan::Plan, observed: &Observed, begun: Instant) {
    if session.ui.is_json() {
        let line = serde_json::json!({"event": "cluster", "cluster": plan.cluster, "seconds": begun.elapsed().as_secs_f64(), "observed": observed});
        session.ui.data(&line.to_string());
        return;
    }
    let seconds = begun.elapsed().as_secs_f64();
    session.ui.say(&format!("\ncluster {} is up after {seconds:.1} s", plan.cluster));
    session.ui.say(&table(["queue", "nodes", "up", "off"], queue_rows(observed)));
    session.ui.say(&format!(
        "\nnext: trainyard submit JOB.sbatch --wait    trainyard run -- sinfo    trainyard status --cluster {}",
        plan.cluster
    ));
}

/// Nodes by queue: all, up, powered down.
pub fn queue_rows(observed: &Observed) -> Vec<[String; 4]> {
    let mut queues: Vec<&str> = observed.nodes.iter().flat_map(|node| node.queues.iter().map(String::as_str)).collect();
    queues.sort_unstable();
    queues.dedup();
    let count = |queue: &str, is: fn(&trainyard_provider::NodeState) -> bool| {
        observed.nodes.iter().filter(|node| node.queues.iter().any(|q| q == queue) && is(node)).count().to_string()
    };
    queues
        .iter()
        .map(|queue| [(*queue).to_owned(), count(queue, |_| true), count(queue, trainyard_provider::NodeState::is_up), count(queue, trainyard_provider::NodeState::is_off)])
        .collect()
}
