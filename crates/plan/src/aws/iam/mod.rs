//! What the person who runs trainyard must be allowed to do: reviewed tables, and the policies of one cluster that are
//! made of them.

mod policy;
mod questions;
pub mod tables;

use std::collections::{BTreeMap, BTreeSet};

use trainyard_spec::Spec;
use trainyard_spec::facts::AwsFacts;
use trainyard_spec::model::Engine;

use super::Context;
use super::cloudformation::resources::iam::PolicyDocument;
pub use questions::{Decision, Question, denied};

/// What trainyard itself asks of AWS.
pub const CALLS: &str = include_str!("calls.tsv");
/// What `CloudFormation` asks of the caller, by type and operation.
pub const HANDLERS: &str = include_str!("actions.tsv");
/// On what.
pub const SCOPES: &str = include_str!("scope.tsv");

/// The policies of whoever makes, changes and removes this cluster: together they are the least that is known to do.
pub(crate) fn policies(context: &Context<'_>) -> Vec<PolicyDocument> {
    let names = policy::Names::of(context);
    let wanted = actions(&types(context));
    // A table that cannot be read is a defect of ours, which a test finds; nothing is allowed then.
    policy::compose(&wanted, &tables::scopes(SCOPES).unwrap_or_default(), &names)
}

/// What IAM is asked about the caller before anything of this cluster is made.
pub fn questions(spec: &Spec, facts: &AwsFacts) -> Vec<Question> {
    let context = Context::new(spec, facts);
    let wanted = actions(&types(&context));
    // What organizations like to ask for: every request has its region, and most have the cluster's tags.
    let mut usual = BTreeMap::from([("aws:RequestedRegion".to_owned(), super::region(spec).to_owned())]);
    usual.extend(super::names::tags(spec).into_iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), value)));
    let scopes = tables::scopes(SCOPES).unwrap_or_default();
    questions::questions(&wanted, &scopes, &policy::Names::of(&context), &usual)
}

/// The types of every stack that is made in the caller's name.
fn types<'a>(context: &'a Context<'_>) -> BTreeSet<&'a str> {
    let resources = context.stacks.iter().filter_map(|stack| stack.template["Resources"].as_object());
    let ours = resources.flat_map(serde_json::Map::values).filter_map(|body| body["Type"].as_str());
    let is_by_provider = context.spec.parallelcluster.engine == Engine::Cloudformation;
    ours.chain(tables::PROVIDERS.iter().copied().filter(|_| is_by_provider)).collect()
}

/// What the calls, and resources of these types, ask for.
fn actions(types: &BTreeSet<&str>) -> BTreeSet<&'static str> {
    let calls = tables::calls(CALLS).unwrap_or_default().into_iter().flat_map(|call| call.actions);
    let handlers = tables::handlers(HANDLERS).unwrap_or_default().into_iter();
    let handled = handlers.filter(|handler| types.contains(handler.kind)).flat_map(|handler| handler.actions);
    calls.chain(handled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An action without a row would silently be left out of every policy.
    #[test]
    fn every_action_has_its_resources() {
        let scopes = tables::scopes(SCOPES).expect("scope.tsv");
        let calls = tables::calls(CALLS).expect("calls.tsv").into_iter().flat_map(|call| call.actions);
        let handlers = tables::handlers(HANDLERS).expect("actions.tsv").into_iter().flat_map(|handler| handler.actions);
        let bare: BTreeSet<&str> =
            calls.chain(handlers).filter(|action| tables::on(&scopes, action).is_empty()).collect();
        assert!(bare.is_empty(), "scope.tsv has no pattern that fits {bare:?}");
    }
}
