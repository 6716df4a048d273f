//! Zones of a queue that are not the network's.

use std::collections::HashSet;

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "queue-zone",
    summary: "A queue's zones are the network's, written as the network writes them",
    explain: "`zones` chooses among the subnets of a new network, which stand in `network.zone` and `network.second_zone`. \
              So both the zones and their spelling (`us-east-2a` or `use2-az1`) are those of `network`. In an existing \
              network, and where a queue has `subnets`, the subnets say where nodes stand.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let network = &spec.network;
    let mut found = Vec::new();
    for (q, queue) in spec.queues.iter().enumerate().filter(|(_, queue)| !queue.zones.is_empty()) {
        let at = path!["queues", q, "zones"];
        let in_the_way = match () {
            () if !queue.subnets.is_empty() => Some(("the queue's `subnets`", "remove one of the two")),
            () if network.existing.is_some() => Some(("`network.existing`", "use the queue's `subnets` instead")),
            () => None,
        };
        if let Some((other, fix)) = in_the_way {
            let what = format!("`zones` has no effect beside {other}");
            found.push(Diagnostic::error(RULE.code, at, what).fix(fix).at_key());
            continue;
        }
        if network.zone.is_none() {
            let what = "`zones` chooses among the network's zones, and its first one is not named";
            found.push(Diagnostic::error(RULE.code, at, what).fix("name it in `network.zone`").at_key());
            continue;
        }
        let mut seen = HashSet::new();
        for (n, zone) in queue.zones.iter().enumerate() {
            if !seen.insert(zone) {
                let what = format!("`{zone}` is there twice");
                found.push(Diagnostic::error(RULE.code, at.at(n), what).fix("remove one"));
            } else if ![&network.zone, &network.second_zone].into_iter().flatten().any(|known| known == zone) {
                let what = format!("`{zone}` is neither `network.zone` nor `network.second_zone`");
                found.push(
                    Diagnostic::error(RULE.code, at.at(n), what)
                        .fix("name it there, in the same spelling, or choose one of the two"),
                );
            }
        }
    }
    found
}
