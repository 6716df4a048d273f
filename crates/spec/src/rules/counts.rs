//! More static nodes than nodes.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "min-above-max",
    summary: "`min` is at most `max`",
    explain: "`max` counts all nodes of a compute resource; the first `min` of them are static (always on), \
              the others come when a job asks.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (q, queue) in spec.queues.iter().enumerate() {
        for (c, resource) in queue.compute.iter().enumerate().filter(|(_, resource)| resource.min > resource.max) {
            let what = format!("{} static nodes are more than all {} nodes", resource.min, resource.max);
            found.push(
                Diagnostic::error(RULE.code, path!["queues", q, "compute", c, "min"], what)
                    .replace(format!("lower `min` to {} or raise `max`", resource.max), resource.max.to_string()),
            );
        }
    }
    found
}
