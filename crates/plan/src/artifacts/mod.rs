//! The files of a plan. One kind of artifact is one file and one line of [`KINDS`].

mod cluster_json;
mod gres_conf;
mod hooks;
mod hosts;
mod sbatch;
mod slurm_conf;

use trainyard_spec::Spec;
use trainyard_spec::facts::LocalFacts;

use crate::Artifact;
use crate::rehearsed::{PartitionNodes, Rehearsed};

pub use sbatch::JOBS;

/// What an artifact is made from.
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
    pub render: fn(&Context<'_>) -> Vec<Artifact>,
}

/// Every kind, in the order in which they are written.
pub static KINDS: &[&Kind] =
    &[&slurm_conf::KIND, &gres_conf::KIND, &hooks::KIND, &hosts::KIND, &cluster_json::KIND, &sbatch::KIND];

/// The kind of that name.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

/// Every artifact of a plan.
pub fn all(context: &Context<'_>) -> Vec<Artifact> {
    let of_kind = |kind: &&'static Kind| {
        let name = kind.name;
        (kind.render)(context).into_iter().map(move |artifact| Artifact { kind: name.to_owned(), ..artifact })
    };
    KINDS.iter().flat_map(of_kind).collect()
}
