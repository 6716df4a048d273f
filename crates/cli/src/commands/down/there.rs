//! Taking down a cluster on AWS: what stays is listed with what it costs.

use std::collections::BTreeSet;

use trainyard_plan::Action;
use trainyard_plan::aws::{AwsAction, AwsTarget};
use trainyard_provider::{Failure, Observed};
use trainyard_provider::aws::{Aws, Kept};
use trainyard_provider::engine::{Event, Reporter as _};

use super::{Down, known_names, undo};
use crate::session::{Made, Session};
use crate::ui::Confirmed;

impl Down {
    pub(super) fn there(&self, session: &Session, made: &Made, target: &AwsTarget, observed: &Observed) -> Result<u8, Failure> {
        let cluster = &made.plan.cluster;
        let aws = session.aws(&target.region, &made.store)?;
        let names = self.names(made, target)?;
        let loses = if observed.cloud.is_some() { target.loses.as_slice() } else { &[] };
        let agreed = self.agree(session, made, &aws, &names, loses)?;
        let delete: String = self.delete_data.iter().flat_map(|name| [" --delete-data ", name]).collect();
        let again = format!("trainyard down --cluster {cluster}{delete}");
        let was_live = undo(session, made, &again)?;
        let vanished = aws.vanished(&made.plan)?;
        crate::commands::up::changes::remove(session, &aws, cluster, &vanished)?;
        let deleted = match agreed.filter(|_| !names.is_empty()) {
            Some((going, confirmed)) => delete_kept(session, made, &aws, &names, &going, &confirmed)
                .map_err(|failure| failure.hint(format!("go on with: {again}")))?,
            None => Vec::new(),
        };
        let kept = aws.kept(&made.plan).map_err(|failure| {
            failure.within(format!("the cluster {cluster} is down, but what stays cannot be listed")).hint(again)
        })?;
        report(session, cluster, was_live, &kept, &deleted);
        Ok(0)
    }

    /// What is to be deleted; the cluster's name stands for all of it.
    fn names(&self, made: &Made, target: &AwsTarget) -> Result<BTreeSet<String>, Failure> {
        let stacks = target.keeps.iter().map(|keepsake| keepsake.name.clone());
        let known: Vec<String> = stacks.chain(OTHERS.iter().map(|name| (*name).to_owned())).collect();
        let asked = known_names(&self.delete_data, &known, &made.plan)?;
        if asked.contains(&made.plan.cluster.as_str()) {
            // ParallelCluster's bucket is every cluster's and image's of the region: only by its own name.
            let own = |name: &String| name != "parallelcluster" || asked.contains(&"parallelcluster");
            return Ok(known.into_iter().filter(own).collect());
        }
        let is_linked = made.plan.steps.iter().any(|step| match &step.action {
            Action::Aws(AwsAction::DeployStack(call)) => call.stack == "storage" && call.parameters.contains_key("DataBucketName"),
            _ => false,
        });
        if is_linked && asked.contains(&"data") && !asked.contains(&"fsx") {
            return Err(Failure::usage("the data bucket cannot go while `fsx` stays: what is deleted in it would be deleted in /fsx")
                .hint("name that too: --delete-data fsx"));
        }
        let asked: BTreeSet<String> = asked.into_iter().map(str::to_owned).collect();
        Ok(asked)
    }

    /// Shows what goes and asks for it; `None` where nothing is lost. What goes is what was shown.
    fn agree(
        &self,
        session: &Session,
        made: &Made,
        aws: &Aws,
        names: &BTreeSet<String>,
        loses: &[String],
    ) -> Result<Option<(Vec<Kept>, Confirmed)>, Failure> {
        if names.is_empty() && loses.is_empty() {
            return Ok(None);
        }
        let cluster = &made.plan.cluster;
        let kept = if names.is_empty() { Vec::new() } else { aws.kept(&made.plan)? };
        let (going, staying): (Vec<Kept>, Vec<Kept>) = kept.into_iter().partition(|one| names.contains(&one.name));
        mind_the_network(names, &staying)?;
        let with_data = going.iter().filter(|one| one.has_data).map(|one| one.what.clone());
        let lost: Vec<String> = with_data.chain(loses.iter().cloned()).collect();
        if !going.is_empty() && !session.ui.is_json() {
            session.ui.say(&listing(&going));
        }
        let what = if lost.is_empty() { "nothing that holds data".to_owned() } else { format!("for ever: {}", lost.join("; ")) };
        let confirmed = session.ui.confirm(&format!("this deletes {what} (cluster {cluster})"), cluster, self.yes)?;
        Ok(Some((going, confirmed)))
    }
}

/// What `--delete-data` takes beside the names of the plan's own stacks.
const OTHERS: &[&str] =
    &["fsx", "home", "accounting", "directory", "budget", "key", "logs", "parallelcluster", "replaced", "backups"];
/// What has interfaces in the network.
const IN_THE_NETWORK: &[&str] = &["fsx", "home", "accounting", "directory", "replaced"];

fn mind_the_network(names: &BTreeSet<String>, staying: &[Kept]) -> Result<(), Failure> {
    let needs_it = staying.iter().find(|one| IN_THE_NETWORK.contains(&one.name.as_str()));
    match needs_it.filter(|_| names.contains("network")) {
        Some(Kept { name, .. }) => {
            Err(Failure::usage(format!("the network cannot go while `{name}` stays: it has interfaces in it"))
                .hint(format!("name that too: --delete-data {name}")))
        }
        None => Ok(()),
    }
}

/// Deleting needs the proof that somebody agreed.
fn delete_kept(session: &Session, made: &Made, aws: &Aws, names: &BTreeSet<String>, agreed: &[Kept], _: &Confirmed) -> Result<Vec<Kept>, Failure> {
    let progress = session.ui.progress();
    let step = "delete-data".to_owned();
    let title = "Delete what was kept".to_owned();
    progress.tell(&Event::Started { step: step.clone(), title, number: 1, of: 1, expected_seconds: 600 });
    let begun = std::time::Instant::now();
    let tell = |how_far| progress.tell(&Event::Progress { step: step.clone(), progress: how_far });
    let result = aws.delete_kept(&made.plan, names, agreed, &tell);
    match &result {
        Ok(_) => progress.tell(&Event::Done { step: step.clone(), seconds: begun.elapsed().as_secs_f64() }),
        Err(failure) => progress.tell(&Event::Failed { step: step.clone(), required: true, causes: failure.chain() }),
    }
    progress.tell(&Event::End);
    result
}

fn report(session: &Session, cluster: &str, was_live: bool, kept: &[Kept], deleted: &[Kept]) {
    let ui = &session.ui;
    if ui.is_json() {
        let line = serde_json::json!({"event": "down", "cluster": cluster, "kept": kept, "deleted": deleted});
        ui.data(&line.to_string());
        return;
    }
    ui.say(&format!("\ncluster {cluster} {}", if was_live { "is down" } else { "was down already" }));
    for one in deleted {
        ui.say(&format!("  deleted: {}", one.what));
    }
    if kept.is_empty() {
        ui.say("nothing of it is left in the account");
        return;
    }
    ui.say("\nwhat stays:");
    ui.say(&listing(kept));
    let cents: u64 = kept.iter().filter_map(|one| one.monthly_cents).sum();
    let unknown: Vec<&str> = kept
        .iter()
        .filter(|one| one.monthly_cents.is_none() && one.by_use.is_none())
        .map(|one| one.name.as_str())
        .collect();
    let (least, but) = match unknown.join(", ") {
        names if names.is_empty() => ("", String::new()),
        names => ("at least ", format!("; the price of {names} is not known")),
    };
    ui.say(&format!("together {least}{} a month and more by use, at list price in us-east-1{but}", dollars(cents)));
    // What no stack holds, nobody adopts.
    let adopts = if kept.iter().any(|one| one.stack_name.is_some()) { "`trainyard up` adopts what stacks hold; " } else { "" };
    ui.say(&format!("{adopts}delete it with: trainyard down --cluster {cluster} --delete-data NAME"));
}

/// What stays, with what it costs: two lines each, since ids are long.
pub fn listing(kept: &[Kept]) -> String {
    let wide = kept.iter().map(|one| one.name.len()).max().unwrap_or_default();
    let lines = kept.iter().map(|one| {
        let monthly = match (one.monthly_cents, &one.by_use) {
            (Some(0), None) => "costs nothing".to_owned(),
            (Some(0) | None, Some(rate)) => format!("{rate}, a month"),
            (Some(cents), None) => format!("{} a month", dollars(cents)),
            (Some(cents), Some(rate)) => format!("{} a month, and {rate}", dollars(cents)),
            (None, None) => "its price is not known".to_owned(),
        };
        let ids = if one.resources.is_empty() { String::new() } else { format!("\n  {:wide$}  {}", "", one.resources.join(" ")) };
        format!("  {:wide$}  {}: {monthly}{ids}", one.name, one.what)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn dollars(cents: u64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}
