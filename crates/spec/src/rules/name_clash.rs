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

/// What stacks' names end in; a test of the plan holds this against the stacks that there are. The last holds the
/// cluster itself.
pub static ENDINGS: &[&str] = &[
    "data",
    "network",
    "nat",
    "endpoints",
    "storage",
    "home",
    "identity",
    "monitoring",
    "accounting",
    "directory",
    "budget",
    "cluster",
];

/// The stack of ParallelCluster's provider ends in this and a version.
pub static PROVIDER: &str = "-provider-";

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let name = spec.name.as_str();
    let before_ending = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)?.strip_suffix('-'));
    let before_version = || {
        let (before, version) = name.rsplit_once(PROVIDER)?;
        (!version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '-')).then_some(before)
    };
    let Some(other) = before_ending.or_else(before_version) else { return Vec::new() };
    let what = format!("a cluster called `{other}` would have a stack called `{name}`");
    vec![Diagnostic::error(RULE.code, path!["name"], what).fix("choose a name with another ending")]
}
