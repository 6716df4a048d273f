//! `trainyard render`: one artifact, for people with their own pipeline.

use std::path::PathBuf;

use trainyard_plan::{Artifact, Facts, artifacts};
use trainyard_provider::Failure;
use trainyard_spec::model::ProviderKind;

use super::plan::{Rehearsal, write};
use crate::facts::Source;
use crate::session::{SPEC_FILE, Session};

/// Print one kind of artifact, for people with their own pipeline.
#[derive(Debug, clap::Args)]
pub struct Render {
    /// Which: pcluster, infra or iam on AWS; slurm, gres, hooks, hosts, layout or sbatch of a rehearsal.
    artifact: String,
    /// The spec.
    #[arg(default_value = SPEC_FILE)]
    file: PathBuf,
    /// Which batch script.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(artifacts::JOBS))]
    job: Option<String>,
    /// Which stack's template.
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// Write its files below this folder.
    #[arg(long, value_name = "FOLDER", conflicts_with = "stack")]
    out: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// At most this many nodes in each queue.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    max_nodes: Option<u32>,
}

impl Render {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let Some(kind) = artifacts::find(&self.artifact) else {
            let mut failure = Failure::usage(format!("there is no artifact `{}`", self.artifact));
            for kind in artifacts::KINDS {
                failure = failure.hint(format!("trainyard render {:<8} {}", kind.name, kind.about));
            }
            return Err(failure);
        };
        if self.job.is_some() && self.artifact != "sbatch" {
            return Err(Failure::usage(format!("--job belongs to `render sbatch`, not to `render {}`", self.artifact)));
        }
        if self.stack.is_some() && self.artifact != "infra" {
            return Err(Failure::usage(format!(
                "--stack belongs to `render infra`, not to `render {}`",
                self.artifact
            )));
        }
        let spec = session.spec(&self.file)?;
        let is_aws = !matches!(kind.render, artifacts::Render::Local(_));
        if is_aws && spec.provider != ProviderKind::Aws {
            return Err(Failure::usage(format!(
                "`{}` is of clusters on AWS, and {} is a rehearsal",
                self.artifact, spec.name
            ))
            .hint("set `provider: aws` and `region`, or render one of: slurm, gres, hooks, hosts, layout, sbatch"));
        }
        let found = self.source.facts(session, &spec, &self.file, !is_aws)?;
        if let Some(why) = found.assumed {
            session.ui.say(&format!("assumed: another machine, because {why}"));
        }
        if !is_aws && spec.provider == ProviderKind::Aws {
            session.ui.say("as rehearsed on this machine; on AWS, ParallelCluster writes its own");
        }
        let rehearsal = Rehearsal { rehearse: !is_aws, max_nodes: self.max_nodes };
        let plan = rehearsal.plan(session, &spec, &found.facts)?;
        if let Some(stack) = &self.stack {
            return one_stack(session, &plan, stack);
        }
        let beside = match &found.facts {
            Facts::Aws(facts) => artifacts::beside(kind, &spec, facts),
            Facts::Local(_) => Vec::new(),
        };
        let file = self.job.map(|job| format!("/{job}.sbatch")).unwrap_or_default();
        let fits = |artifact: &&Artifact| artifact.kind == self.artifact && artifact.path.ends_with(&file);
        let wanted: Vec<&Artifact> = plan.artifacts.iter().chain(&beside).filter(fits).collect();
        if let Some(folder) = &self.out {
            write(folder, wanted.iter().copied())?;
            let paths: Vec<&str> = wanted.iter().map(|artifact| artifact.path.as_str()).collect();
            let written = if paths.is_empty() { "nothing".to_owned() } else { paths.join(", ") };
            session.ui.say(&format!("wrote {written} to {}", folder.display()));
            return Ok(0);
        }
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

fn one_stack(session: &Session, plan: &trainyard_plan::Plan, stack: &str) -> Result<u8, Failure> {
    let wanted = format!("stacks/{stack}.yaml");
    if let Some(template) = plan.artifact(&wanted) {
        session.ui.bytes(template.text.as_bytes());
        return Ok(0);
    }
    let name = |artifact: &Artifact| Some(artifact.path.strip_prefix("stacks/")?.strip_suffix(".yaml")?.to_owned());
    let made: Vec<String> = plan.artifacts.iter().filter_map(name).collect();
    Err(Failure::usage(format!("this spec has no stack `{stack}`")).hint(format!("it has: {}", made.join(", "))))
}
