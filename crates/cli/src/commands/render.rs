//! `trainyard render`: one artifact, for people with their own pipeline.

use std::path::PathBuf;

use trainyard_plan::{Artifact, artifacts};
use trainyard_provider::Failure;

use super::plan::{Rehearsal, facts_or_assumed};
use crate::session::{SPEC_FILE, Session};

/// Print one kind of artifact, for people with their own pipeline.
#[derive(Debug, clap::Args)]
pub struct Render {
    /// Which: slurm, gres, hooks, hosts, layout or sbatch.
    artifact: String,
    /// The spec.
    #[arg(default_value = SPEC_FILE)]
    file: PathBuf,
    /// Which batch script.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(artifacts::JOBS))]
    job: Option<String>,
    /// At most this many nodes in each queue.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    max_nodes: Option<u32>,
}

impl Render {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        if artifacts::find(&self.artifact).is_none() {
            let mut failure = Failure::usage(format!("there is no artifact `{}`", self.artifact));
            for kind in artifacts::KINDS {
                failure = failure.hint(format!("trainyard render {:<8} {}", kind.name, kind.about));
            }
            return Err(failure);
        }
        if self.job.is_some() && self.artifact != "sbatch" {
            return Err(Failure::usage(format!("--job belongs to `render sbatch`, not to `render {}`", self.artifact)));
        }
        let spec = session.spec(&self.file)?;
        let (facts, assumed) = facts_or_assumed(session, &spec)?;
        if let Some(why) = assumed {
            session.ui.say(&format!("assumed: another machine, because {why}"));
        }
        if spec.provider == trainyard_spec::model::ProviderKind::Aws {
            session.ui.say("as rehearsed on this machine; this version of trainyard renders nothing for AWS yet");
        }
        let rehearsal = Rehearsal { rehearse: true, max_nodes: self.max_nodes };
        let plan = rehearsal.plan(session, &spec, &facts)?;
        let file = self.job.map(|job| format!("/{job}.sbatch")).unwrap_or_default();
        let fits = |artifact: &&Artifact| artifact.kind == self.artifact && artifact.path.ends_with(&file);
        let wanted: Vec<&Artifact> = plan.artifacts.iter().filter(fits).collect();
        let many = wanted.len() > 1;
        for artifact in wanted {
            if many {
                session.ui.data(&format!("# --- {}", artifact.path));
            }
            session.ui.bytes(artifact.text.as_bytes());
        }
        Ok(0)
    }
}
