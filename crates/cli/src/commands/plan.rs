//! `trainyard plan`: what will be made, before it is made.

use std::path::{Path, PathBuf};

use fs_err as fs;
use trainyard_plan::{Artifact, Facts, Options, Undo};
use trainyard_provider::Failure;
use trainyard_spec::{Diagnostic, Spec};

use crate::facts::Source;
use crate::session::{SPEC_FILE, Session};
use crate::ui::table;

/// How a spec becomes a plan.
#[derive(Debug, Clone, clap::Args)]
pub struct Rehearsal {
    /// Rehearse an AWS spec on this machine: same queues, nodes, sizes, Slurm settings and scripts.
    #[arg(long)]
    pub rehearse: bool,
    /// At most this many nodes in each queue.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_nodes: Option<u32>,
}

impl Rehearsal {
    /// Builds the plan, or shows why these facts cannot carry it.
    pub fn plan(&self, session: &Session, spec: &Spec, facts: &Facts) -> Result<trainyard_plan::Plan, Failure> {
        if matches!(facts, Facts::Aws(_)) && self.max_nodes.is_some() {
            return Err(
                Failure::usage("--max-nodes belongs to rehearsals").hint("add --rehearse, or lower `max` in the spec")
            );
        }
        let options = Options { nodes_per_queue_max: self.max_nodes };
        trainyard_plan::build(spec, facts, options).map_err(|found| not_possible(session, &found))
    }
}

fn not_possible(session: &Session, found: &[Diagnostic]) -> Failure {
    let mut failure = Failure::bad("this plan cannot be carried out");
    for diagnostic in found {
        session.ui.say(&format!("error[{}]: {}", diagnostic.code, diagnostic.what));
        if let Some(fix) = &diagnostic.fix {
            failure = failure.hint(fix.say.clone());
        }
    }
    failure
}

/// Show what will be made, in which order, how long it takes, and what has no local meaning.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// The spec.
    #[arg(default_value = SPEC_FILE)]
    file: PathBuf,
    #[command(flatten)]
    rehearsal: Rehearsal,
    #[command(flatten)]
    source: Source,
    /// Write plan.json and every artifact into this folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Say why each line of ParallelCluster's configuration is there.
    #[arg(long)]
    explain: bool,
    /// Show what `up` would change of what stands on AWS, what that interrupts, and what was changed by hand.
    #[arg(long, conflicts_with_all = ["explain", "out", "facts", "rehearse"])]
    diff: bool,
}

impl Plan {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let spec = session.spec(&self.file)?;
        if self.diff {
            return diff(session, &spec, &self.file);
        }
        let found = self.source.facts(session, &spec, &self.file, self.rehearsal.rehearse)?;
        let plan = self.rehearsal.plan(session, &spec, &found.facts)?;
        if let Some(folder) = &self.out {
            save(folder, &plan)?;
            write(folder, &plan.artifacts)?;
            session.ui.say(&format!("wrote plan.json and {} artifacts to {}", plan.artifacts.len(), folder.display()));
        }
        if self.explain {
            return explain(session, &spec, &found.facts);
        }
        if session.ui.is_json() {
            session.ui.json(&plan);
            return Ok(0);
        }
        show(session, &plan);
        if let Some(why) = found.assumed {
            session.ui.say(&format!("assumed: another machine, because {why}"));
        }
        Ok(0)
    }
}

#[cfg(not(feature = "aws"))]
fn diff(_: &Session, _: &Spec, _: &std::path::Path) -> Result<u8, Failure> {
    Err(Failure::usage("this trainyard was built without AWS"))
}

/// What would change of what stands.
#[cfg(feature = "aws")]
fn diff(session: &Session, spec: &Spec, file: &std::path::Path) -> Result<u8, Failure> {
    if spec.provider != trainyard_spec::model::ProviderKind::Aws {
        return Err(Failure::usage("--diff compares with what stands on AWS; a rehearsal is taken down and made anew"));
    }
    let store = session.store_on(spec.name.as_str(), crate::session::Where::Aws)?;
    let facts = session.surveyed(spec, file, &store)?;
    let plan = trainyard_plan::build(spec, &facts, Options::default()).map_err(|found| not_possible(session, &found))?;
    let trainyard_plan::Target::Aws(target) = &plan.target else { return Ok(0) };
    let changes = session.aws(&target.region, &store)?.changes(&plan, true)?;
    if session.ui.is_json() {
        session.ui.json(&changes);
    } else if changes.is_new {
        session.ui.data(&format!("nothing of cluster {} stands yet: `trainyard up` makes all of it", plan.cluster));
    } else if changes.is_empty() {
        session.ui.data(&format!("cluster {} is as the spec asks", plan.cluster));
    } else {
        super::up::changes::show(&session.ui, &changes);
    }
    Ok(0)
}

/// The configuration, each line with the reason for it.
fn explain(session: &Session, spec: &Spec, facts: &Facts) -> Result<u8, Failure> {
    let Facts::Aws(facts) = facts else {
        return Err(Failure::usage("--explain is about ParallelCluster's configuration, which a rehearsal has not")
            .hint("leave out --rehearse, or explain a spec of `provider: aws`"));
    };
    let lines = trainyard_plan::aws::explained(spec, facts);
    if session.ui.is_json() {
        let rows: Vec<_> = lines
            .iter()
            .map(|l| serde_json::json!({ "line": l.line, "path": l.path, "because": l.because, "setting": l.setting }))
            .collect();
        session.ui.json(&rows);
        return Ok(0);
    }
    let wide = lines.iter().map(|line| line.line.chars().count()).max().unwrap_or_default().min(72);
    for line in &lines {
        let because = match (line.because, line.setting) {
            ("", _) => String::new(),
            (because, "") => format!("  # {because}"),
            (because, setting) => format!("  # {because} [{setting}]"),
        };
        session.ui.data(format!("{:<wide$}{because}", line.line).trim_end());
    }
    Ok(0)
}

fn save(folder: &Path, plan: &trainyard_plan::Plan) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    let text = serde_json::to_string_pretty(plan).map_err(|error| Failure::internal(error.to_string()))?;
    fs::write(folder.join("plan.json"), text + "\n")?;
    Ok(())
}

/// Writes artifacts below a folder, each with its mode.
pub(super) fn write<'a>(folder: &Path, artifacts: impl IntoIterator<Item = &'a Artifact>) -> Result<(), Failure> {
    for artifact in artifacts {
        let path = folder.join(&artifact.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, &artifact.text)?;
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(artifact.mode))?;
    }
    Ok(())
}

fn show(session: &Session, plan: &trainyard_plan::Plan) {
    let ui = &session.ui;
    ui.data(&format!(
        "Cluster {}: {} steps, about {}\n",
        plan.cluster,
        plan.steps.len(),
        duration(plan.expected_seconds())
    ));
    let rows = plan.steps.iter().enumerate().map(|(index, step)| {
        let undo = match &step.undo {
            Undo::Act { title, .. } => title.clone(),
            Undo::Kept { because } => format!("kept: {because}"),
            Undo::Nothing => "-".to_owned(),
        };
        [(index + 1).to_string(), step.name.clone(), step.title.clone(), duration(step.deadline_seconds), undo]
    });
    ui.data(&table(["#", "step", "what it does", "deadline", "undone by"], rows));
    ui.data("");
    ui.data(&table(["artifact", "bytes"], plan.artifacts.iter().map(|a| [a.path.clone(), a.text.len().to_string()])));
    if !plan.notes.is_empty() {
        ui.data("\nTo know:");
        for note in &plan.notes {
            ui.data(&format!("  {}: {}", note.about, note.text));
        }
    }
}

/// Seconds as people say them.
fn duration(seconds: u64) -> String {
    if seconds < 180 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}
