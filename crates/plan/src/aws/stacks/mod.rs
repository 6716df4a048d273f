//! The stacks, split by lifetime. One stack is one file and one line of [`STACKS`]; each reads what those
//! before it give out, and takes it as parameters, so that it also works by hand in the console.

mod accounting;
mod budget;
mod data;
mod directory;
mod endpoints;
mod home;
mod identity;
mod monitoring;
mod nat;
mod network;
mod storage;

use serde_json::Value;
use trainyard_spec::model::Lustre;

pub(crate) use accounting::USER as DATABASE_USER;
pub(crate) use data::files_bucket_begin;
pub(crate) use directory::reader as directory_reader;
pub(crate) use identity::writes_metrics as identity_writes_metrics;
pub(crate) use storage::{Chosen as ChosenLustre, can_back_up};

use super::cloudformation::Template;
use super::{Context, Wire, names};

/// A stack of the plan.
pub struct StackKind {
    /// Its short name: `trainyard render infra --stack NAME`.
    pub name: &'static str,
    /// What it holds, in one sentence: the template's description begins with it.
    pub about: &'static str,
    /// Whether `down` removes it, or why it stays.
    pub stays: Option<&'static str>,
    /// Seconds that it usually takes.
    pub seconds: u64,
    /// Fills its template; an empty one is not made.
    pub(crate) fill: fn(&Context<'_>, &mut Template),
}

/// Every stack, in the order in which they are made.
pub static STACKS: &[&StackKind] = &[
    &data::STACK,
    &network::STACK,
    &nat::STACK,
    &endpoints::STACK,
    &storage::STACK,
    &home::STACK,
    &identity::STACK,
    &monitoring::STACK,
    &accounting::STACK,
    &directory::STACK,
    &budget::STACK,
];

/// A stack of one plan: its template, and what its parameters take.
pub(crate) struct Stack {
    pub name: &'static str,
    pub kind: &'static StackKind,
    pub template: Value,
    pub wires: Vec<(String, Wire)>,
    pub makes_iam: bool,
}

pub(super) fn build(kind: &'static StackKind, context: &Context<'_>) -> Option<Stack> {
    let about = format!("{} Cluster {}, made by trainyard.", kind.about, context.spec.name);
    let mut template = Template::new(about, &names::tags(context.spec));
    (kind.fill)(context, &mut template);
    if template.is_empty() {
        return None;
    }
    Some(Stack {
        name: kind.name,
        kind,
        wires: template.wires().to_vec(),
        makes_iam: template.makes_iam(),
        template: template.to_value(),
    })
}

/// The deployment type that a Lustre file system gets.
pub(crate) fn lustre_deployment(context: &Context<'_>, lustre: &Lustre) -> &'static str {
    storage::Chosen::new(context, lustre).deployment
}
