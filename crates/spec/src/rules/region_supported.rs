//! A region that ParallelCluster does not list.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "region-unsupported",
    summary: "The region is one of the ParallelCluster release's",
    explain: "ParallelCluster refuses regions that it does not support. Its own list can be longer than the one in its \
              package, which is the one that is checked here, so this is a warning.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let release = parallelcluster::of(spec);
    let Some(region) = &spec.region else { return Vec::new() };
    if release.constants.regions.iter().any(|known| known == region.as_str()) {
        return Vec::new();
    }
    let names: Vec<&str> = release.constants.regions.iter().map(String::as_str).collect();
    let what = format!("`{region}` is not in the list of regions of ParallelCluster {}", release.version);
    let finding =
        Diagnostic::warning(RULE.code, path!["region"], what).why("it refuses regions that it does not support");
    vec![match crate::shape::nearest(region.as_str(), &names) {
        Some(near) => finding.fix(format!("did you mean `{near}`?")),
        None => finding.fix("use another region, or look it up in ParallelCluster's documentation"),
    }]
}
