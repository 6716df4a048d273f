//! More tags than a node takes.

use std::collections::BTreeSet;

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "too-many-tags",
    summary: "A queue's nodes have 38 tags at most, those of the cluster included",
    explain: "ParallelCluster allows 40 different tags for the nodes of a queue. Two are trainyard's and its own, so that \
              the cluster's and the queue's together may be 38.",
    scope: Scope::Aws,
    check,
};

/// `trainyard:cluster`, and the one by which ParallelCluster's provider finds its clusters.
const OURS: usize = 2;

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let most = parallelcluster::of(spec).constants.limits.tags.saturating_sub(OURS);
    let finding = |at, count: usize| {
        let what = format!("there are {count} tags on these nodes, and {most} at most are allowed");
        Diagnostic::error(RULE.code, at, what).fix("remove some")
    };
    if spec.tags.len() > most {
        return vec![finding(path!["tags"], spec.tags.len())];
    }
    let mut found = Vec::new();
    for (q, queue) in spec.queues.iter().enumerate() {
        let all: BTreeSet<&String> = spec.tags.keys().chain(queue.tags.keys()).collect();
        if all.len() > most {
            found.push(finding(path!["queues", q, "tags"], all.len()));
        }
    }
    found
}
