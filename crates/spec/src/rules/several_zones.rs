//! Nodes in several zones that must stand together.

use std::collections::HashSet;

use super::{Rule, Scope};
use crate::model::Toggle;
use crate::{Diagnostic, Spec, fleet, path};

pub(super) static RULE: Rule = Rule {
    code: "several-zones",
    summary: "A queue in several zones or subnets has `instances`, and no EFA",
    explain: "ParallelCluster spreads nodes over several subnets only where EC2 may choose the type, so each compute \
              resource says `instances` (one entry is enough), and each subnet is named once. EFA reaches no further than a zone: set `efa: disabled`, or \
              keep such nodes in one zone.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in fleet::resources(spec).filter(|resource| fleet::is_spread(resource.queue)) {
        if resource.own.instance.is_some() && resource.own.instances.is_empty() {
            let what = "nodes of one `instance` come up in one zone, and this queue has several";
            found.push(
                Diagnostic::error(RULE.code, resource.at("instance"), what)
                    .fix("write `instances: [...]` instead, or keep the queue in one zone")
                    .at_key(),
            );
        }
        // A type without EFA has a finding of its own.
        if resource.has_efa() && resource.known().all(|(_, instance)| instance.efa_interfaces > 0) {
            let finding = Diagnostic::error(RULE.code, resource.at("efa"), "EFA does not reach from zone to zone");
            found.push(match resource.own.efa {
                Toggle::Enabled => finding.replace("set `efa` to `disabled`", "disabled"),
                _ => finding
                    .shown_at(resource.at("name"))
                    .why("`auto` switches it on for these types")
                    .fix("add `efa: disabled`, or keep the queue in one zone"),
            });
        }
    }
    let queues = spec.queues.iter().enumerate().map(|(q, queue)| (path!["queues", q, "subnets"], &queue.subnets));
    let existing = spec.network.existing.iter();
    let existing =
        existing.map(|existing| (path!["network", "existing", "compute_subnets"], &existing.compute_subnets));
    for (at, subnets) in existing.chain(queues) {
        let mut seen = HashSet::new();
        for (n, subnet) in subnets.iter().enumerate().filter(|(_, subnet)| !seen.insert(*subnet)) {
            found.push(Diagnostic::error(RULE.code, at.at(n), format!("`{subnet}` is there twice")).fix("remove one"));
        }
    }
    found
}
