//! One instance type and several of them at once.

use std::collections::HashSet;

use super::{Rule, Scope};
use crate::model::Capacity;
use crate::{Diagnostic, Spec, fleet};

pub(super) static RULE: Rule = Rule {
    code: "instance-or-instances",
    summary: "A compute resource has one `instance`, or several different `instances`",
    explain: "`instances` lets EC2 choose among types of one shape, so each is named once, and `instance` is left out. A \
              reservation or a Capacity Block holds machines of one type, so there it is `instance`; a reservation group \
              may hold several.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in fleet::resources(spec).filter(|resource| !resource.own.instances.is_empty()) {
        let at = resource.at("instances");
        let is_reserved = matches!(
            resource.queue.capacity,
            Capacity::OwnReservation { .. } | Capacity::TargetedReservation { .. } | Capacity::CapacityBlock { .. }
        );
        if resource.own.instance.is_some() {
            let what = "`instance` and `instances` exclude each other";
            found.push(Diagnostic::error(RULE.code, at.clone(), what).fix("keep one of the two").at_key());
        } else if is_reserved {
            let what = "a reservation holds machines of one type, and here are several `instances`";
            found.push(
                Diagnostic::error(RULE.code, at.clone(), what).fix("use `instance`, with the reservation's type"),
            );
        }
        let mut seen = HashSet::new();
        for (n, instance) in resource.own.instances.iter().enumerate() {
            if !seen.insert(instance) {
                let what = format!("`{instance}` is there twice");
                found.push(Diagnostic::error(RULE.code, at.at(n), what).fix("remove one"));
            }
        }
    }
    found
}
