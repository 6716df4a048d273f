//! A cluster that is called like another's stack.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "name-clash",
    summary: "A cluster's name does not end like a stack's",
    explain: "The stacks of cluster `train` are called `train-data`, `train-network` and so on, and ParallelCluster gives the \
              cluster a stack of its own name. A cluster called `train-data` would meet the first one's.",
    scope: Scope::Aws,
    check,
};

/// What stacks' names end in; a test of the plan holds this against the stacks that there are.
pub static ENDINGS: &[&str] =
    &["data", "network", "nat", "endpoints", "storage", "identity", "monitoring", "accounting", "directory", "budget"];

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let name = spec.name.as_str();
    let Some(ending) =
        ENDINGS.iter().find(|ending| name.strip_suffix(**ending).is_some_and(|rest| rest.ends_with('-')))
    else {
        return Vec::new();
    };
    let what = format!(
        "a cluster called `{}` would have a stack called `{name}`",
        name.trim_end_matches(ending).trim_end_matches('-')
    );
    vec![Diagnostic::error(RULE.code, path!["name"], what).fix("choose a name with another ending")]
}
