//! A placement group for types that cannot be in one.

use super::{Rule, Scope};
use crate::model::Capacity;
use crate::{Diagnostic, Spec, fleet};

pub(super) static RULE: Rule = Rule {
    code: "placement-unsupported",
    summary: "Types that cannot be kept close together are not asked to",
    explain: "On-Demand nodes are put into a cluster placement group unless `placement_group: false` says otherwise. Small \
              burstable types, among others, cannot be in one, and ParallelCluster refuses them there.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in fleet::resources(spec) {
        let fix = match resource.queue.capacity {
            Capacity::OnDemand { placement_group: true } if !fleet::is_spread(resource.queue) => {
                "set the queue's `capacity: { kind: on_demand, placement_group: false }`, or use another type"
            }
            Capacity::OwnReservation { .. } => "use `targeted_reservation`, or another type",
            _ => continue,
        };
        for (at, instance) in resource.known().filter(|(_, instance)| !instance.cluster_placement) {
            let what = format!("`{}` cannot be in a cluster placement group", instance.name);
            found.push(Diagnostic::error(RULE.code, at, what).fix(fix));
        }
    }
    found
}
