//! The files of a plan. One kind of artifact is one file and one line of [`KINDS`].

mod cluster_json;
mod cluster_stack;
mod gres_conf;
mod hooks;
mod hosts;
mod iam;
mod infra;
mod node_files;
mod pcluster;
mod sbatch;
mod slurm_conf;

use trainyard_spec::Spec;
use trainyard_spec::facts::{AwsFacts, LocalFacts};

use crate::rehearsed::{PartitionNodes, Rehearsed};
use crate::{Artifact, aws};

pub use sbatch::JOBS;

/// What an artifact of a rehearsal is made from.
pub struct Context<'a> {
    /// The spec.
    pub spec: &'a Spec,
    /// The facts.
    pub facts: &'a LocalFacts,
    /// The cluster's nodes and folders.
    pub rehearsed: &'a Rehearsed,
    /// The nodes by compute resource.
    pub partitions: &'a [PartitionNodes],
}

/// One kind of artifact.
pub struct Kind {
    /// Its name in `trainyard render NAME`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// Makes its files.
    pub render: Render,
}

/// Makes the files of a kind, for the one or the other provider.
#[derive(Clone, Copy)]
pub enum Render {
    /// Of a rehearsal.
    Local(fn(&Context<'_>) -> Vec<Artifact>),
    /// Of a cluster on AWS.
    Aws(fn(&aws::Context<'_>) -> Vec<Artifact>),
    /// Beside a cluster on AWS: no part of its plan, because somebody else uses it, before.
    Beside(fn(&aws::Context<'_>) -> Vec<Artifact>),
}

/// Every kind, in the order in which they are written.
pub static KINDS: &[&Kind] = &[
    &slurm_conf::KIND,
    &gres_conf::KIND,
    &hooks::KIND,
    &hosts::KIND,
    &cluster_json::KIND,
    &sbatch::KIND,
    &infra::KIND,
    &node_files::KIND,
    &pcluster::KIND,
    &cluster_stack::KIND,
    &iam::KIND,
];

/// The kind of that name.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

/// Every artifact of a rehearsal's plan.
pub fn all(context: &Context<'_>) -> Vec<Artifact> {
    let of_kind = |kind: &&'static Kind| match kind.render {
        Render::Local(render) => named(kind.name, render(context)),
        Render::Aws(_) | Render::Beside(_) => Vec::new(),
    };
    KINDS.iter().flat_map(of_kind).collect()
}

/// Every artifact of an AWS plan.
pub fn all_aws(context: &aws::Context<'_>) -> Vec<Artifact> {
    let of_kind = |kind: &&'static Kind| match kind.render {
        Render::Aws(render) => named(kind.name, render(context)),
        Render::Local(_) | Render::Beside(_) => Vec::new(),
    };
    KINDS.iter().flat_map(of_kind).collect()
}

/// The artifacts of a kind that is rendered beside a plan; none of any other kind.
pub fn beside(kind: &Kind, spec: &Spec, facts: &AwsFacts) -> Vec<Artifact> {
    match kind.render {
        Render::Beside(render) => named(kind.name, aws::rendered(render, spec, facts)),
        Render::Local(_) | Render::Aws(_) => Vec::new(),
    }
}

fn named(kind: &str, artifacts: Vec<Artifact>) -> Vec<Artifact> {
    artifacts.into_iter().map(|artifact| Artifact { kind: kind.to_owned(), ..artifact }).collect()
}
