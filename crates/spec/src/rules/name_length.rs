//! A cluster's name that is too long for its database.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "name-too-long",
    summary: "With accounting, the cluster's name has 40 characters at most",
    explain: "Slurm's database takes its name from the cluster's. ParallelCluster allows 60 characters, but only 40 with \
              accounting.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let most = parallelcluster::of(spec).constants.limits.cluster_name_with_accounting;
    let length = spec.name.as_str().chars().count();
    if spec.accounting.is_none() || length <= most {
        return Vec::new();
    }
    let what = format!("the name has {length} characters, and with accounting at most {most} are allowed");
    vec![Diagnostic::error(RULE.code, path!["name"], what).fix("use a shorter name, or remove `accounting`")]
}
