//! What IAM's simulation is asked before anything is made: the actions of the policies, on resources as they will be
//! called.

use std::collections::{BTreeMap, BTreeSet};

use super::policy::Names;
use super::tables::{Scope, on};

/// So many actions are asked about in one call.
const ACTIONS_MAX: usize = 50;
/// Stands for what is made up later: ids, and ends of names.
const SAMPLE: &str = "trainyard";

/// One call: every action on every resource. Only some of the pairs matter: those of `asked`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The actions, each with the resources on which it is asked for.
    pub asked: BTreeMap<&'static str, BTreeSet<String>>,
    /// What holds of the request: keys of conditions, with a value that our own policies ask for.
    pub context: BTreeMap<String, String>,
}

impl Question {
    /// Every resource of it.
    pub fn resources(&self) -> BTreeSet<&str> {
        self.asked.values().flatten().map(String::as_str).collect()
    }
}

/// What to ask, by service: some twenty calls for a whole cluster.
pub fn questions(
    wanted: &BTreeSet<&'static str>,
    scopes: &[Scope<'static>],
    names: &Names,
    usual: &BTreeMap<String, String>,
) -> Vec<Question> {
    // A value for each key of our own conditions, in every question: IAM calls a key missing whatever is asked.
    let mut known = usual.clone();
    for condition in scopes.iter().filter_map(|scope| scope.condition.as_ref()) {
        if let Some(value) = condition.values.first().and_then(|value| names.filled(value)) {
            known.insert(condition.key.to_owned(), value.replace('*', ""));
        }
    }
    let mut by_service: BTreeMap<(&str, bool), Question> = BTreeMap::new();
    for action in wanted {
        let scopes = on(scopes, action);
        let resources: BTreeSet<String> =
            scopes.iter().flat_map(|scope| names.resources(scope.resource)).map(|one| sample(&one)).collect();
        if resources.is_empty() {
            continue;
        }
        let service = action.split(':').next().unwrap_or_default();
        // On everything, or on things: a call with both would ask for pairs that mean nothing.
        let everything = resources.contains("*");
        let question = by_service
            .entry((service, everything))
            .or_insert_with(|| Question { asked: BTreeMap::new(), context: known.clone() });
        question.asked.insert(action, resources);
    }
    by_service.into_values().flat_map(parts).collect()
}

fn parts(whole: Question) -> Vec<Question> {
    let all: Vec<_> = whole.asked.into_iter().collect();
    let part = |part: &[(&'static str, BTreeSet<String>)]| Question {
        asked: part.iter().cloned().collect(),
        context: whole.context.clone(),
    };
    all.chunks(ACTIONS_MAX).map(part).collect()
}

/// A resource as one that may come: nothing stands for anything in it.
fn sample(resource: &str) -> String {
    if resource == "*" { resource.to_owned() } else { resource.replace('*', SAMPLE) }
}

/// What IAM decided about one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// Allowed, or not; `None`: it depends on what the simulation was not told.
    pub is_allowed: Option<bool>,
    /// Who forbids it, where that is not merely missing from the caller's own policies.
    pub by: Option<&'static str>,
}

/// The actions that are allowed on none of the resources on which they are asked for, each with who forbids it.
pub fn denied(question: &Question, decisions: &[Decision]) -> Vec<String> {
    let mut found = Vec::new();
    for (action, resources) in &question.asked {
        let about = |one: &&Decision| one.action.eq_ignore_ascii_case(action) && resources.contains(&one.resource);
        let mine: Vec<&Decision> = decisions.iter().filter(about).collect();
        // What was not answered is not known.
        if mine.is_empty() || mine.iter().any(|one| one.is_allowed != Some(false)) {
            continue;
        }
        let by = mine.iter().find_map(|one| one.by).map(|by| format!(" ({by})")).unwrap_or_default();
        found.push(format!("{action}{by}"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        let on = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let asked = [("iam:PassRole", on(&["role/a", "role/b"])), ("iam:GetRole", on(&["role/a"]))].into();
        Question { asked, context: BTreeMap::new() }
    }

    fn said(action: &str, resource: &str, is_allowed: Option<bool>, by: Option<&'static str>) -> Decision {
        Decision { action: action.to_owned(), resource: resource.to_owned(), is_allowed, by }
    }

    #[test]
    fn an_action_is_denied_where_no_resource_is_left_for_it() {
        let pass =
            |a, b| [said("iam:PassRole", "role/a", a, None), said("iam:PassRole", "role/b", b, Some("a boundary"))];
        let cases: &[(_, &[&str])] = &[
            (pass(Some(false), Some(false)), &["iam:PassRole (a boundary)"]),
            (pass(Some(true), Some(false)), &[]),
            (pass(None, Some(false)), &[]),
        ];
        for (decisions, denied_are) in cases {
            assert_eq!(denied(&question(), decisions), *denied_are);
        }
    }

    #[test]
    fn pairs_that_nobody_asked_about_do_not_count() {
        let other =
            [said("iam:GetRole", "role/b", Some(false), None), said("iam:TagRole", "role/a", Some(false), None)];
        assert_eq!(denied(&question(), &other), Vec::<String>::new());
        let mine = [said("IAM:getrole", "role/a", Some(false), None)];
        assert_eq!(denied(&question(), &mine), ["iam:GetRole"]);
    }
}
