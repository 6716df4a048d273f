//! `trainyard submit`: a batch job to the cluster.

use std::path::PathBuf;

use trainyard_provider::Failure;
use trainyard_provider::local::{JobFiles, News};

use crate::session::{Session, Target};

/// Copy a batch script and its files to the cluster, and submit it.
///
/// The script can name files that go along: `#TRAINYARD copy train.py data.csv`.
#[derive(Debug, clap::Args)]
pub struct Submit {
    /// The batch script.
    job: PathBuf,
    /// A file or folder to copy beside the script. Can be given several times.
    #[arg(long, value_name = "PATH")]
    copy: Vec<PathBuf>,
    /// An option for sbatch, for example --sbatch=--nodes=2. Can be given several times.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
    /// Follow the output and return the job's own exit code.
    #[arg(short, long)]
    pub wait: bool,
    #[command(flatten)]
    target: Target,
    /// Arguments for the script.
    #[arg(last = true)]
    arguments: Vec<String>,
}

impl Submit {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let access = session.access(&self.target)?;
        let files = JobFiles { script: self.job, copies: self.copy, options: self.sbatch, arguments: self.arguments };
        let job = access.submit(&files)?;
        let ui = &session.ui;
        if !self.wait {
            if ui.is_json() {
                ui.json(&serde_json::json!({"job": job.id, "folder": job.folder, "here": job.here}));
            } else {
                ui.data(&job.id);
                ui.say(&format!("job {} is submitted; its files: {}", job.id, job.here.display()));
            }
            return Ok(0);
        }
        if !ui.is_json() {
            ui.say(&format!("job {} is submitted; its files: {}", job.id, job.here.display()));
        }
        let json = ui.is_json();
        let finished = access.follow(&job, &session.cancel, &mut |news| match news {
            _ if json => {}
            News::Output(bytes) => ui.bytes(bytes),
            // Its end is told with its code.
            News::State(state) if state.starts_with("completed") => {}
            News::State(state) => ui.say(&format!("job {}: {state}", job.id)),
        })?;
        if json {
            ui.json(&serde_json::json!({"job": job.id, "folder": job.folder, "here": job.here, "state": finished.state, "code": finished.code}));
        } else {
            ui.say(&format!("job {}: {} with code {}", job.id, finished.state.to_lowercase(), finished.code));
        }
        Ok(u8::try_from(finished.code).unwrap_or(1))
    }
}
