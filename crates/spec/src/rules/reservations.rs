//! One reservation in several places that cannot share it.

use std::collections::HashMap;

use super::{Rule, Scope};
use crate::fleet::Resource;
use crate::model::{Capacity, ReservationId};
use crate::{Diagnostic, Spec, fleet};

pub(super) static RULE: Rule = Rule {
    code: "reservation-shared",
    summary: "Whatever shares a reservation asks for the same: kind, instance type, placement group",
    explain: "A reservation is of one kind and holds machines of one type, in one placement group or in none. Several \
              queues or compute resources may draw on it, if all of them describe it alike.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut first: HashMap<&ReservationId, Resource<'_>> = HashMap::new();
    let mut found = Vec::new();
    for resource in fleet::resources(spec) {
        let Some((id, kind, group)) = reservation(&resource.queue.capacity) else { continue };
        let Some(other) = first.get(id) else {
            first.insert(id, resource);
            continue;
        };
        let Some((_, other_kind, other_group)) = reservation(&other.queue.capacity) else { continue };
        let (queue, name) = (&other.queue.name, &other.own.name);
        if kind != other_kind || group != other_group {
            if resource.c == 0 {
                let what = format!("queue `{queue}` describes the reservation `{id}` otherwise");
                found.push(
                    Diagnostic::error(RULE.code, resource.at_queue("capacity"), what)
                        .fix("give both the same `capacity`, or a reservation each"),
                );
            }
        } else if let (Some(its), Some(others)) = (&resource.own.instance, &other.own.instance)
            && its != others
        {
            let what = format!("`{id}` holds one type, and `{name}` of queue `{queue}` takes `{others}` from it");
            found.push(
                Diagnostic::error(RULE.code, resource.at("instance"), what)
                    .fix("use the type that the reservation holds, or another reservation"),
            );
        }
    }
    found
}

/// The reservation, how it is described, and its placement group.
fn reservation(capacity: &Capacity) -> Option<(&ReservationId, &'static str, Option<&str>)> {
    match capacity {
        Capacity::OwnReservation { reservation, placement_group } => {
            Some((reservation, "own_reservation", Some(placement_group)))
        }
        Capacity::TargetedReservation { reservation } => Some((reservation, "targeted_reservation", None)),
        Capacity::CapacityBlock { reservation } => Some((reservation, "capacity_block", None)),
        Capacity::OnDemand { .. } | Capacity::ReservationGroup { .. } | Capacity::Spot { .. } => None,
    }
}
