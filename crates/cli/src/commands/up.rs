//! `trainyard up`: from the file to a cluster that takes jobs.

use std::path::PathBuf;
use std::time::Instant;

use trainyard_plan::Plan;
use trainyard_provider::engine::{Engine, Journal, resumable};
use trainyard_provider::local::Store;
use trainyard_provider::{Failure, Observed};
use trainyard_spec::{Spec, model::ProviderKind};

mod arrived;
#[cfg(feature = "aws")]
pub mod changes;
mod differs;

use super::plan::Rehearsal;
use crate::session::{SPEC_FILE, Session, Where};

/// Make the cluster, or finish making it.
///
/// Safe to run again: what stands is left alone, what is missing is made.
#[derive(Debug, clap::Args)]
pub struct Up {
    /// The spec.
    #[arg(default_value = SPEC_FILE)]
    pub file: PathBuf,
    #[command(flatten)]
    pub rehearsal: Rehearsal,
    /// On AWS: keep watching until the nodes of Capacity Blocks that have not started are there too.
    #[arg(long)]
    pub wait_for_capacity: bool,
    /// Do not ask, even when a change interrupts jobs or replaces something.
    #[arg(short, long)]
    pub yes: bool,
}

impl Up {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let begun = Instant::now();
        let spec = session.spec(&self.file)?;
        let place = place(&spec, &self.rehearsal);
        let store = session.store_on(spec.name.as_str(), place)?;
        let _lock = Session::lock(&store, "up")?;
        let facts = match place {
            Where::Local => session.survey(&spec, &store)?,
            Where::Aws => session.surveyed(&spec, &self.file, &store)?,
        };
        let plan = self.rehearsal.plan(session, &spec, &facts)?;
        let mut journal = Journal::open(&store.at("journal.jsonl"))?;
        if place == Where::Local {
            refuse_other_plan(&store, &plan, &journal)?;
        }
        #[cfg(feature = "aws")]
        let vanished = match &plan.target {
            trainyard_plan::Target::Aws(target) => self.agree(session, target, &store, &plan, &mut journal)?,
            trainyard_plan::Target::Local(_) => Vec::new(),
        };
        store.save_plan(&plan)?;
        let provider = session.provider_with(&plan, &store, Some(crate::local_files::folder_of(&self.file)))?;
        let progress = session.ui.progress();
        let engine = Engine { provider: &*provider, reporter: &progress, cancel: &session.cancel };
        engine.up(&plan, &mut journal).map_err(|failure| self.advise(failure, &plan.cluster))?;
        #[cfg(feature = "aws")]
        if let trainyard_plan::Target::Aws(target) = &plan.target {
            changes::remove(session, &session.aws(&target.region, &store)?, &plan.cluster, &vanished)?;
            if self.wait_for_capacity {
                changes::wait_for_capacity(session, &*provider, &plan)?;
            }
        }
        let observed = provider.observe(&plan)?;
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

/// Where the spec's cluster is made.
pub fn place(spec: &Spec, rehearsal: &Rehearsal) -> Where {
    if spec.provider == ProviderKind::Aws && !rehearsal.rehearse { Where::Aws } else { Where::Local }
}

/// What of people's goes with the head that stands; an earlier spec may have said otherwise than this plan's.
pub fn lost_with_the_head(store: &Store, plan: &Plan) -> Result<Vec<String>, Failure> {
    let saved = store.plan()?;
    Ok(match &saved.as_ref().unwrap_or(plan).target {
        trainyard_plan::Target::Aws(stands) => stands.loses.clone(),
        trainyard_plan::Target::Local(_) => Vec::new(),
    })
}

fn refuse_other_plan(store: &Store, plan: &Plan, journal: &Journal) -> Result<(), Failure> {
    if !journal.is_live() {
        return Ok(());
    }
    let Some(known) = store.plan()? else { return Ok(()) };
    differs::refuse_other(&known, plan)
}

fn report(session: &Session, plan: &Plan, observed: &Observed, begun: Instant) {
    let (ui, seconds) = (&session.ui, begun.elapsed().as_secs_f64());
    let queues = arrived::arrived(plan, observed);
    if ui.is_json() {
        let line = serde_json::json!({"event": "cluster", "cluster": plan.cluster, "seconds": seconds, "queues": queues, "observed": observed});
        ui.data(&line.to_string());
        return;
    }
    ui.say(&format!("\ncluster {} is up after {seconds:.1} s", plan.cluster));
    ui.say(&arrived::shown(&queues));
    if let trainyard_plan::Target::Aws(target) = &plan.target {
        let cluster = &plan.cluster;
        let next = if target.asks_slurm { format!("run --cluster {cluster} -- sinfo") } else { format!("nodes --cluster {cluster}") };
        ui.say(&format!("\nnext: trainyard status --cluster {cluster}    trainyard {next}"));
        return;
    }
    ui.say(&format!(
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
