//! `trainyard down`: the cluster goes, people's files stay.

use std::path::PathBuf;

use fs_err as fs;
use trainyard_provider::engine::{Engine, Journal};
use trainyard_provider::local::Store;
use trainyard_provider::{Failure, Observed};

use crate::session::{Session, Target};
use crate::ui::Confirmed;

/// Take the cluster down. Files in /fsx and /home stay unless --delete-data names them.
#[derive(Debug, clap::Args)]
pub struct Down {
    /// The spec. Without it: trainyard.yaml, or the one cluster that runs.
    spec: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
    /// Also when jobs run: they are ended.
    #[arg(long)]
    force: bool,
    /// Delete the cluster's data as well: `fsx`, `home`, or the cluster's name for everything.
    #[arg(long, value_name = "NAME")]
    delete_data: Vec<String>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl Down {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let target = Target { file: self.target.file.clone().or(self.spec.clone()), ..self.target.clone() };
        let made = session.made(&target)?;
        let (store, provider) = (made.store, made.provider);
        let deletions = self.deletions(&store, &made.plan.cluster)?;
        let _lock = Session::lock(&store, "down")?;
        // Another run may have changed it while this one waited.
        let plan = store.plan()?.unwrap_or(made.plan);
        self.mind_the_jobs(&provider.observe(&plan)?, &plan.cluster)?;
        let confirmed = if deletions.is_empty() {
            None
        } else {
            let what = format!("this deletes {} of cluster {}", self.delete_data.join(" and "), plan.cluster);
            Some(session.ui.confirm(&what, &plan.cluster, self.yes)?)
        };
        let mut journal = Journal::open(&store.at("journal.jsonl"))?;
        let was_live = journal.is_live();
        let progress = session.ui.progress();
        let engine = Engine { provider: &*provider, reporter: &progress, cancel: &session.cancel };
        let again = format!("trainyard down --cluster {}", plan.cluster);
        engine.down(&plan, &mut journal).map_err(|failure| failure.hint(format!("go on with: {again}")))?;
        if let Some(confirmed) = confirmed {
            delete(&deletions, &confirmed)?;
        }
        report(session, &store, &plan.cluster, was_live, &deletions);
        Ok(0)
    }

    fn deletions(&self, store: &Store, cluster: &str) -> Result<Vec<PathBuf>, Failure> {
        let known = |name: &String| match name.as_str() {
            "fsx" => Ok(store.at("shared/fsx")),
            "home" => Ok(store.at("shared/home")),
            name if name == cluster => Ok(store.folder().to_owned()),
            other => Err(Failure::usage(format!("cluster {cluster} has no data called `{other}`"))
                .hint(format!("there is `fsx`, `home`, and `{cluster}` for everything"))),
        };
        self.delete_data.iter().map(known).collect()
    }

    fn mind_the_jobs(&self, observed: &Observed, cluster: &str) -> Result<(), Failure> {
        let running: Vec<&str> = observed.jobs.iter().map(|job| job.id.as_str()).collect();
        if running.is_empty() || self.force {
            return Ok(());
        }
        let (noun, verb) = if running.len() == 1 { ("job", "is") } else { ("jobs", "are") };
        Err(Failure::refused(format!("{} {noun} {verb} not over: {}", running.len(), running.join(", ")))
            .hint("wait for them, or end them with: trainyard run -- scancel JOB")
            .hint(format!("or end them with the cluster: trainyard down --cluster {cluster} --force")))
    }
}

/// Deleting needs the proof that somebody agreed.
fn delete(paths: &[PathBuf], _: &Confirmed) -> Result<(), Failure> {
    for path in paths.iter().filter(|path| path.exists()) {
        fs::remove_dir_all(path)?;
    }
    Ok(())
}

fn report(session: &Session, store: &Store, cluster: &str, was_live: bool, deletions: &[PathBuf]) {
    let kept: Vec<PathBuf> =
        ["shared/fsx", "shared/home", "log"].iter().map(|below| store.at(below)).filter(|path| path.is_dir()).collect();
    if session.ui.is_json() {
        let line = serde_json::json!({"event": "down", "cluster": cluster, "kept": kept, "deleted": deletions});
        session.ui.data(&line.to_string());
        return;
    }
    session.ui.say(&format!("cluster {cluster} {}", if was_live { "is down" } else { "was down already" }));
    for path in deletions {
        session.ui.say(&format!("  deleted: {}", path.display()));
    }
    for path in &kept {
        session.ui.say(&format!("  kept: {}", path.display()));
    }
    if !kept.is_empty() {
        session.ui.say("  it costs nothing but disk; `trainyard up` adopts it again, --delete-data deletes it");
    }
}
