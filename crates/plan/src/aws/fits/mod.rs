//! Whether the account carries what the spec asks of it, as far as the facts know it (D-A09).

mod existing;
mod quotas;

use trainyard_spec::facts::ReservationFacts;
use trainyard_spec::model::{Capacity, Os, Queue, ReservationId, Zone};
use trainyard_spec::{Diagnostic, Spec, path};

pub use existing::identifier;
pub use quotas::needs as quota_needs;

use super::{AwsFacts, Context, expects, place, timeouts};

/// Everything that does not fit. A reservation that the facts do not know is not judged.
pub(super) fn check(spec: &Spec, facts: &AwsFacts) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (number, queue) in spec.queues.iter().enumerate() {
        let Some((id, asked)) = asked(&queue.capacity) else { continue };
        let Some(known) = facts.reservations.get(id.as_str()) else { continue };
        let at = path!["queues", number, "capacity"];
        if asked != known.is_block {
            let (is, say) = if known.is_block {
                ("is a Capacity Block", "set `kind: capacity_block`")
            } else {
                ("is an On-Demand reservation", "set `kind: targeted_reservation`, or `own_reservation` with its group")
            };
            found.push(Diagnostic::error("reservation-kind", at.at("kind"), format!("{id} {is}")).fix(say));
        }
        found.extend(group(&queue.capacity, id, known).map(|what| {
            Diagnostic::error("reservation-group", at.clone(), what)
                .why("instances of a reservation start only in the group that it was made with")
                .fix("say the group that EC2 shows for the reservation")
        }));
        found.extend(
            size(spec, queue, id, known).map(|what| {
                Diagnostic::error("reservation-size", at.clone(), what).fix("lower `max`, or reserve more")
            }),
        );
        if known.zone != facts.zone && !facts.zone.contains("-az") && queue.subnets.is_empty() {
            let what = format!("{id} is in {}, the nodes would stand in {}", known.zone, facts.zone);
            let fix = format!("set `network.zone` to {}", known.zone);
            found.push(Diagnostic::error("reservation-zone", path!["network", "zone"], what).fix(fix));
        }
        for (index, resource) in queue.compute.iter().enumerate() {
            if let Some(instance) = resource.instance.as_ref().filter(|instance| instance.as_str() != known.instance) {
                let at = path!["queues", number, "compute", index, "instance"];
                let what = format!("{id} holds {}, not {instance}", known.instance);
                found.push(
                    Diagnostic::error("reservation-type", at, what).replace("use its type", known.instance.clone()),
                );
            }
        }
    }
    found
}

/// The reservation that a queue names, and whether as a Capacity Block.
fn asked(capacity: &Capacity) -> Option<(&ReservationId, bool)> {
    match capacity {
        Capacity::OwnReservation { reservation, .. } | Capacity::TargetedReservation { reservation } => {
            Some((reservation, false))
        }
        Capacity::CapacityBlock { reservation } => Some((reservation, true)),
        Capacity::OnDemand { .. } | Capacity::Spot { .. } | Capacity::ReservationGroup { .. } => None,
    }
}

fn group(capacity: &Capacity, id: &ReservationId, known: &ReservationFacts) -> Option<String> {
    match (capacity, &known.placement_group) {
        (Capacity::OwnReservation { placement_group, .. }, Some(is)) if placement_group != is => {
            Some(format!("{id} was made in the placement group {is}, not in {placement_group}"))
        }
        (Capacity::OwnReservation { placement_group, .. }, None) => {
            Some(format!("{id} was made without a placement group, not in {placement_group}"))
        }
        (Capacity::TargetedReservation { .. }, Some(is)) => Some(format!("{id} was made in the placement group {is}")),
        _ => None,
    }
}

fn size(spec: &Spec, queue: &Queue, id: &ReservationId, known: &ReservationFacts) -> Option<String> {
    let shares = |other: &&Queue| asked(&other.capacity).is_some_and(|(other, _)| other == id);
    let wanted: u32 = spec.queues.iter().filter(shares).flat_map(|queue| &queue.compute).map(|one| one.max).sum();
    // Told once, at the first queue that draws on it.
    let is_first = spec.queues.iter().find(shares).is_some_and(|first| first.name == queue.name);
    (is_first && known.count > 0 && wanted > known.count)
        .then(|| format!("{id} holds {} instances, and {wanted} are asked of it", known.count))
}

/// Why a plan cannot be made of this spec and these facts.
pub(super) fn reasons(spec: &Spec, facts: &AwsFacts) -> Result<(), Vec<Diagnostic>> {
    let mut found = check(spec, facts);
    if let Some(why) = place::why_two_zones(spec).filter(|_| facts.zone == facts.second_zone) {
        let what = format!("{why} needs two zones, and there is only {}", facts.zone);
        found.push(
            Diagnostic::error("two-zones-needed", path!["network", "second_zone"], what)
                .fix("give another `second_zone` in the spec or the facts"),
        );
    }
    found.extend(of_the_facts(spec, facts));
    found.extend(existing::check(spec, facts, &expects::expects(&Context::new(spec, facts))));
    found.extend(quotas::check(spec, facts));
    found.extend(key(spec, facts));
    found.extend(permissions(facts));
    let limits = timeouts::derive(spec, facts);
    if !limits.is_enough {
        let (needs, has) = (limits.whole_seconds, limits.head_seconds);
        let what = format!("the head needs {needs} s with the nodes that it waits for, and has {has} s");
        let fix = "do less in scripts, or give more time in `timeouts`";
        found.push(Diagnostic::error("head-timeout", path!["timeouts"], what).fix(fix));
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Ubuntu refuses logins with RSA keys of EC2's kind, and so does ParallelCluster.
fn key(spec: &Spec, facts: &AwsFacts) -> Option<Diagnostic> {
    let is_ubuntu = matches!(spec.parallelcluster.os, Os::Ubuntu2204 | Os::Ubuntu2404);
    (is_ubuntu && facts.key.as_deref() == Some("rsa")).then(|| {
        Diagnostic::error("key-kind", path!["access", "key"], "the key pair is RSA, which this system does not take")
            .fix("name an ed25519 key pair, or another name: `up` makes an ed25519 one")
    })
}

fn permissions(facts: &AwsFacts) -> Option<Diagnostic> {
    if facts.denied.is_empty() {
        return None;
    }
    let what = format!("the caller may not do {}", facts.denied.join(", "));
    Some(
        Diagnostic::error("not-allowed", trainyard_spec::Path::root(), what)
            .why("IAM's simulation of the caller's policies says so; nothing was made")
            .fix(
                "attach the policies that `trainyard render iam` prints; or, where conditions decide that a simulation \
                 cannot know, set TRAINYARD_SKIP_PERMISSIONS=1",
            ),
    )
}

/// Facts may come from a file of anybody's: they are held against the spec, and against what they claim to be.
fn of_the_facts(spec: &Spec, facts: &AwsFacts) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let zone = |what: String| Diagnostic::error("facts-zone", path!["network", "zone"], what).fix("correct the facts");
    if let Some(asked) = spec.network.zone.as_ref().filter(|asked| asked.as_str() != facts.zone) {
        found.push(zone(format!("the spec's zone is {asked}, that of the facts is {}", facts.zone)));
    }
    let zones = [("zone", &facts.zone), ("second_zone", &facts.second_zone), ("head_zone", &facts.head_zone)];
    found.extend(
        zones
            .iter()
            .filter(|(_, text)| Zone::new(text).is_none())
            .map(|(name, _)| zone(format!("`{name}` is no zone"))),
    );
    for (stack, outputs) in &facts.outputs {
        let is_value = |text: &str| !text.is_empty() && !text.contains("${") && !text.chars().any(char::is_control);
        found.extend(outputs.iter().filter(|(_, value)| !is_value(value)).map(|(output, _)| {
            let what = format!("the facts' output {stack}.{output} is no value");
            Diagnostic::error("facts-output", trainyard_spec::Path::root(), what).fix("take it from the stack again")
        }));
    }
    found
}
