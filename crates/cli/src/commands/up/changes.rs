//! What an `up` changes of a cluster that stands on AWS: shown first, and agreed to where it disturbs or loses.

use trainyard_plan::Plan;
use trainyard_plan::aws::AwsTarget;
use trainyard_provider::aws::{Aws, Changes, Fate};
use trainyard_provider::engine::{Event, Journal, Reporter as _};
use trainyard_provider::local::Store;
use trainyard_provider::{Failure, Provider};

use super::Up;
use crate::commands::down;
use crate::session::{Made, Session};
use crate::ui::Ui;

impl Up {
    /// Shows what would change, and asks where something is interrupted or lost. Returns the stacks that the spec does
    /// not ask for any more.
    pub(super) fn agree(
        &self,
        session: &Session,
        target: &AwsTarget,
        store: &Store,
        plan: &Plan,
        journal: &mut Journal,
    ) -> Result<Vec<String>, Failure> {
        mind_the_region(store, target, journal)?;
        let aws = session.aws(&target.region, store)?;
        let changes = aws.changes(plan, false)?;
        if (changes.is_new || changes.is_empty()) && changes.beside.is_empty() {
            return Ok(Vec::new());
        }
        // What a first run that was interrupted left out is no change.
        let is_first = changes.cluster.is_empty() && changes.stacks.iter().all(|stack| stack.is_new);
        if !is_first {
            show(&session.ui, &changes);
        }
        let mut losses = changes.losses();
        if changes.recreates() || changes.remade.is_some() {
            losses.extend(super::lost_with_the_head(store, plan)?);
        }
        if !losses.is_empty() {
            let what = format!("this is interrupted or lost: {}", losses.join("; "));
            let _confirmed = session.ui.confirm(&what, &plan.cluster, self.yes)?;
        }
        if changes.recreates() {
            take_down(session, store, plan, journal)?;
        }
        Ok(changes.vanished)
    }
}

/// One name in two regions would mix two journals.
fn mind_the_region(store: &Store, target: &AwsTarget, journal: &Journal) -> Result<(), Failure> {
    let Some(saved) = store.plan()?.filter(|_| journal.is_live()) else { return Ok(()) };
    match &saved.target {
        trainyard_plan::Target::Aws(stands) if stands.region != target.region => {
            Err(Failure::refused(format!("cluster {} stands in {}, and the spec says {}", saved.cluster, stands.region, target.region))
                .hint("give the new one another `name`")
                .hint(format!("or take the old one down first: trainyard down --cluster {}", saved.cluster)))
        }
        _ => Ok(()),
    }
}

/// ParallelCluster cannot change it in place: the old one goes, its storage stays, and `up` makes the new one.
fn take_down(session: &Session, store: &Store, plan: &Plan, journal: &mut Journal) -> Result<(), Failure> {
    let old = store.plan()?.unwrap_or_else(|| plan.clone());
    let provider = session.provider(&old, store)?;
    let made = Made { store: store.clone(), plan: old, provider };
    down::undo(session, &made, "trainyard up (the same command)")?;
    *journal = Journal::open(&store.at("journal.jsonl"))?;
    Ok(())
}

/// What would change, for people; programs read it from `plan --diff --format json`.
pub fn show(ui: &Ui, changes: &Changes) {
    if ui.is_json() {
        return;
    }
    ui.say("what changes:");
    for change in &changes.cluster {
        ui.say(&format!("  {}\n      {} [{}]", change.summary(), change.effect.says(), change.policy));
    }
    for stack in &changes.stacks {
        if stack.is_new {
            ui.say(&format!("  stack {} is made", stack.stack_name));
        }
        for one in &stack.resources {
            let what = match one.fate {
                Fate::Made => "is made",
                Fate::InPlace => "is changed in place",
                Fate::PerhapsReplaced => "may be replaced by another",
                Fate::Replaced => "is replaced by another",
                Fate::Goes => "goes",
            };
            let properties = if one.properties.is_empty() { String::new() } else { format!(": {}", one.properties.join(", ")) };
            ui.say(&format!("  stack {}: {} ({}) {what}{properties}", stack.stack_name, one.name, one.kind));
        }
        for drift in &stack.drift {
            ui.say(&format!("  stack {}: {drift} (by hand)", stack.stack_name));
        }
    }
    for name in &changes.vanished {
        ui.say(&format!("  stack {name} goes: the spec does not ask for it any more; what it retains stays"));
    }
}

/// Deletes stacks that the spec does not ask for any more, once the cluster does not use them.
pub fn remove(session: &Session, aws: &Aws, cluster: &str, vanished: &[String]) -> Result<(), Failure> {
    if vanished.is_empty() {
        return Ok(());
    }
    let progress = session.ui.progress();
    let step = "vanished".to_owned();
    let title = format!("Delete what the spec does not ask for any more: {}", vanished.join(", "));
    progress.tell(&Event::Started { step: step.clone(), title, number: 1, of: 1, expected_seconds: 120 });
    let begun = std::time::Instant::now();
    aws.delete_stacks(cluster, vanished, &|how_far| progress.tell(&Event::Progress { step: step.clone(), progress: how_far }))?;
    progress.tell(&Event::Done { step: step.clone(), seconds: begun.elapsed().as_secs_f64() });
    progress.tell(&Event::End);
    Ok(())
}

/// Watches until every Capacity Block has started and its nodes are there.
pub fn wait_for_capacity(session: &Session, provider: &dyn Provider, plan: &Plan) -> Result<(), Failure> {
    let mut told = Vec::new();
    loop {
        let observed = provider.observe(plan)?;
        let queues = observed.cloud.map(|cloud| cloud.queues).unwrap_or_default();
        let waiting: Vec<String> = queues
            .iter()
            .filter(|queue| queue.waits_for.is_some() || !queue.is_complete())
            .map(|queue| match &queue.waits_for {
                Some(block) => format!("{}: waits for {block}", queue.queue),
                None => format!("{}: {} of {} ready", queue.queue, queue.ready.unwrap_or(queue.running), queue.asked),
            })
            .collect();
        if waiting.is_empty() {
            return Ok(());
        }
        if waiting != told {
            session.ui.say(&format!("  {}", waiting.join("; ")));
            told = waiting;
        }
        for _ in 0..20 {
            if session.cancel.is_set() {
                return Err(Failure::interrupted("stopped while waiting for capacity; the cluster stands")
                    .hint("look again with: trainyard status"));
            }
            std::thread::sleep(std::time::Duration::from_millis(250));
        }
    }
}
