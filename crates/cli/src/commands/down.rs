//! `trainyard down`: the cluster goes, people's files stay.

mod here;
#[cfg(feature = "aws")]
pub mod there;

use std::path::{Path, PathBuf};

use trainyard_plan::Plan;
use trainyard_provider::engine::{Engine, Journal};
use trainyard_provider::local::Store;
use trainyard_provider::{Failure, Observed};

use crate::jobs::AtWork;
use crate::session::{Made, Session, Target, Where};

/// Take the cluster down. People's files stay unless --delete-data names them.
///
/// On AWS what stays is listed with what it costs a month, and `trainyard up` of the same file adopts it again.
#[derive(Debug, clap::Args)]
pub struct Down {
    /// The spec. Without it: trainyard.yaml, or the one cluster that runs.
    spec: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
    /// Also when jobs run: they are ended.
    #[arg(long)]
    force: bool,
    /// Delete what would stay as well: `fsx`, `home`, `data` or another name that `down` lists, or the cluster's name for
    /// everything.
    #[arg(long, value_name = "NAME")]
    delete_data: Vec<String>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl Down {
    /// Taking down the cluster of a spec, with what it keeps kept.
    pub fn of(file: &Path, place: Where, force: bool) -> Self {
        let target = Target { file: Some(file.to_owned()), cluster: None, on: Some(place) };
        Self { spec: None, target, force, delete_data: Vec::new(), yes: true }
    }

    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let target = Target { file: self.target.file.clone().or(self.spec.clone()), ..self.target.clone() };
        let mut made = session.made(&target)?;
        let _lock = Session::lock(&made.store, "down")?;
        // Another run may have changed it while this one waited.
        made.plan = made.store.plan()?.unwrap_or(made.plan);
        let observed = made.provider.observe(&made.plan)?;
        self.mind_the_jobs(&observed, &made.plan.cluster)?;
        match &made.plan.target {
            trainyard_plan::Target::Local(_) => self.here(session, &made),
            #[cfg(feature = "aws")]
            trainyard_plan::Target::Aws(target) => self.there(session, &made, target, &observed),
            #[cfg(not(feature = "aws"))]
            trainyard_plan::Target::Aws(_) => Err(Failure::usage("this trainyard was built without AWS")),
        }
    }

    fn mind_the_jobs(&self, observed: &Observed, cluster: &str) -> Result<(), Failure> {
        let at_work = AtWork::of(observed, false);
        let Some(what) = at_work.says().filter(|_| !self.force) else { return Ok(()) };
        let instead = match at_work {
            AtWork::Unknown(_) => format!("see why Slurm does not answer: trainyard status --cluster {cluster}"),
            _ => "wait for them, or end them with: trainyard run -- scancel JOB".to_owned(),
        };
        Err(Failure::refused(what)
            .hint(instead)
            .hint(format!("or end what runs with the cluster: trainyard down --cluster {cluster} --force")))
    }
}

/// Undoes the plan's steps; returns whether anything stood.
pub fn undo(session: &Session, made: &Made, again: &str) -> Result<bool, Failure> {
    let mut journal = Journal::open(&made.store.at("journal.jsonl"))?;
    // Without a journal nobody here knows whether it stood; then it does not now.
    let was_live = journal.is_live() || journal.is_empty();
    let progress = session.ui.progress();
    let engine = Engine { provider: &*made.provider, reporter: &progress, cancel: &session.cancel };
    engine.down(&made.plan, &mut journal).map_err(|failure| failure.hint(format!("go on with: {again}")))?;
    Ok(was_live)
}

/// The names of what would be deleted, each one known.
fn known_names<'a>(asked: &'a [String], known: &[String], plan: &Plan) -> Result<Vec<&'a str>, Failure> {
    let unknown = asked.iter().find(|name| **name != plan.cluster && !known.contains(name));
    match unknown {
        None => Ok(asked.iter().map(String::as_str).collect()),
        Some(other) => {
            let there: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            Err(Failure::usage(format!("cluster {} has no data called `{other}`", plan.cluster))
                .hint(format!("there is {}, and `{}` for everything", there.join(", "), plan.cluster)))
        }
    }
}

/// The folder of a cluster, for `down` and its report.
fn kept_folders(store: &Store) -> Vec<PathBuf> {
    ["shared/fsx", "shared/home", "log"].iter().map(|below| store.at(below)).filter(|path| path.is_dir()).collect()
}
