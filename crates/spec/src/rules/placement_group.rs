//! A placement group for types that cannot be in one.

use super::{Rule, Scope};
use crate::model::Capacity;
use crate::{Diagnostic, Spec, fleet};

pub(super) static RULE: Rule = Rule {
    code: "placement-unsupported",
    summary: "A reservation made in a placement group holds types that can be in one",
    explain: "Small burstable types, among others, cannot be in a cluster placement group, so no reservation of them was made \
              in one. (On-Demand nodes of such types are left outside of one without a word.)",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in fleet::resources(spec) {
        if !matches!(resource.queue.capacity, Capacity::OwnReservation { .. }) {
            continue;
        }
        for (at, instance) in resource.known().filter(|(_, instance)| !instance.cluster_placement) {
            let what = format!("`{}` cannot be in a cluster placement group", instance.name);
            found.push(Diagnostic::error(RULE.code, at, what).fix("use `targeted_reservation`, or another type"));
        }
    }
    found
}
