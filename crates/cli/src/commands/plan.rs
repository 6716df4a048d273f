//! `trainyard plan`: what will be made, before it is made.

use std::path::PathBuf;

use fs_err as fs;
use trainyard_plan::{Facts, LocalFacts, Options, Undo};
use trainyard_provider::{Failure, Kind};
use trainyard_spec::{Diagnostic, Spec, model::ProviderKind};

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
        let options = Options { nodes_per_queue_max: self.max_nodes };
        trainyard_plan::build(spec, facts, options).map_err(|found| not_possible(session, &found))
    }

    /// AWS is not driven yet; saying so beats a half-made cluster.
    pub fn allows(&self, spec: &Spec) -> Result<(), Failure> {
        if spec.provider == ProviderKind::Local || self.rehearse {
            return Ok(());
        }
        Err(Failure::refused("this version of trainyard does not drive AWS yet")
            .hint("rehearse the same file on this machine: add --rehearse"))
    }
}

fn not_possible(session: &Session, found: &[Diagnostic]) -> Failure {
    let mut failure = Failure::bad("this machine cannot carry this plan");
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
    /// Write plan.json and every artifact into this folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Plan {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let spec = session.spec(&self.file)?;
        self.rehearsal.allows(&spec)?;
        let (facts, assumed) = facts_or_assumed(session, &spec)?;
        let plan = self.rehearsal.plan(session, &spec, &facts)?;
        if let Some(folder) = &self.out {
            write(folder, &plan)?;
            session.ui.say(&format!("wrote plan.json and {} artifacts to {}", plan.artifacts.len(), folder.display()));
        }
        if session.ui.is_json() {
            session.ui.json(&plan);
            return Ok(0);
        }
        show(session, &plan);
        if let Some(why) = assumed {
            session.ui.say(&format!("assumed: another machine, because {why}"));
        }
        Ok(0)
    }
}

/// The machine's facts; where it cannot rehearse, those of an imagined one, and why.
pub fn facts_or_assumed(session: &Session, spec: &Spec) -> Result<(Facts, Option<String>), Failure> {
    let store = session.store(spec.name.as_str())?;
    Ok(match session.survey(spec, &store) {
        Ok(facts) => (facts, None),
        Err(failure) if failure.kind == Kind::Refused => (Facts::Local(LocalFacts::assumed()), Some(failure.what)),
        Err(failure) => return Err(failure),
    })
}

fn write(folder: &std::path::Path, plan: &trainyard_plan::Plan) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    let text = serde_json::to_string_pretty(plan).map_err(|error| Failure::internal(error.to_string()))?;
    fs::write(folder.join("plan.json"), text + "\n")?;
    for artifact in &plan.artifacts {
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
    ui.data(&format!("Cluster {}: {} steps, about {} s\n", plan.cluster, plan.steps.len(), plan.expected_seconds()));
    let rows = plan.steps.iter().enumerate().map(|(index, step)| {
        let undo = match &step.undo {
            Undo::Act { title, .. } => title.clone(),
            Undo::Kept { because } => format!("kept: {because}"),
            Undo::Nothing => "-".to_owned(),
        };
        [(index + 1).to_string(), step.name.clone(), step.title.clone(), format!("{} s", step.deadline_seconds), undo]
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
