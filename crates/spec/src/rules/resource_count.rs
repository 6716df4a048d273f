//! More compute resources than a cluster may have.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, fleet, parallelcluster};

pub(super) static RULE: Rule = Rule {
    code: "too-many-resources",
    summary: "A cluster has 50 compute resources at most, over all its queues",
    explain: "ParallelCluster counts the compute resources of all queues together. Several queues of few resources, or \
              resources with several `instances`, stay below its limit.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let most = parallelcluster::of(spec).constants.limits.compute_resources_per_cluster;
    let count = fleet::resources(spec).count();
    let Some(first_too_many) = fleet::resources(spec).nth(most) else { return Vec::new() };
    let what = format!("there are {count} compute resources, and a cluster has {most} at most");
    vec![
        Diagnostic::error(RULE.code, first_too_many.at("name"), what)
            .fix("remove some, or put types of one shape into one resource with `instances`"),
    ]
}
