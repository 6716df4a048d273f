//! Root volumes smaller than the image.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "root-volume-small",
    summary: "A root volume holds the machine image: 45 GiB at least",
    explain: "A root volume starts as a copy of the machine image, and ParallelCluster's own images have 45 GiB. An image \
              of your own may be larger, and then its size is the least.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let least = parallelcluster::of(spec).constants.root_volume_minimum_gib;
    let head = (path!["head", "root_volume_gib"], spec.head.root_volume_gib);
    let queues = spec.queues.iter().enumerate();
    let queues = queues.map(|(q, queue)| (path!["queues", q, "root_volume_gib"], queue.root_volume_gib));
    std::iter::once(head)
        .chain(queues)
        .filter(|(_, size)| *size < least)
        .map(|(at, size)| {
            let what = format!("{size} GiB are less than the machine image has");
            Diagnostic::error(RULE.code, at, what).replace(format!("{least} GiB is the least"), least.to_string())
        })
        .collect()
}
