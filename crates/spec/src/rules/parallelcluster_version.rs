//! A ParallelCluster release that is not known here.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "version-unknown",
    summary: "`parallelcluster.version` is a release that trainyard knows",
    explain: "Each release of ParallelCluster takes other settings, operating systems and limits. What is checked here \
              was read from the published packages, release by release; of one that was not read, nothing could be \
              promised. The diagnostic lists those that were.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let version = spec.parallelcluster.version.as_str();
    if parallelcluster::release(version).is_some() {
        return Vec::new();
    }
    let known: Vec<&str> = parallelcluster::versions().collect();
    let minor = version.rsplit_once('.').map_or(version, |(minor, _)| minor);
    let finding = Diagnostic::error(
        RULE.code,
        path!["parallelcluster", "version"],
        format!("ParallelCluster {version} is not known"),
    )
    .why(format!("known: {}", known.join(", ")));
    let same_minor = |known: &&str| known.rsplit_once('.').is_some_and(|(of, _)| of == minor);
    // A patch release changes no setting, so another of the same minor is what was meant.
    vec![match parallelcluster::versions().rfind(same_minor) {
        Some(near) => finding.replace(format!("use {near}"), near),
        None => finding.fix(format!("use {}", parallelcluster::newest().version)),
    }]
}
