//! A Capacity Block with dynamic nodes.

use super::{Rule, Scope};
use crate::model::Capacity;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "capacity-block-static",
    summary: "All nodes of a Capacity Block are static: `min` equals `max`",
    explain: "A block is paid for from its first minute to its last, used or not, and ParallelCluster accepts it only \
              with MinCount equal to MaxCount and above zero.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (q, queue) in spec.queues.iter().enumerate() {
        if !matches!(queue.capacity, Capacity::CapacityBlock { .. }) {
            continue;
        }
        for (c, resource) in queue.compute.iter().enumerate().filter(|(_, r)| r.min < r.max) {
            let at = path!["queues", q, "compute", c, "min"];
            let what =
                format!("a Capacity Block's nodes are all static, but `min` is {} of {}", resource.min, resource.max);
            let say = format!("set `min` to {}", resource.max);
            found.push(
                Diagnostic::error(RULE.code, at, what)
                    .why("the block is paid for whether its nodes run or not")
                    .fix(say),
            );
        }
    }
    found
}
