//! What stands in two zones, in a network that names only one.

use super::{Rule, Scope};
use crate::model::{Accounting, Directory, Home, MonitoringMode};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "two-zones-needed",
    summary: "In an existing network, what stands in two zones has two subnets",
    explain: "A new database, a multi-zone file system and the load balancer before a Grafana of your own stand in two \
              zones. A new network gets a second zone by itself. Of an existing one, `service_subnets` names two subnets, \
              in two zones.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Some(existing) = &spec.network.existing else { return Vec::new() };
    let subnets = &existing.service_subnets;
    // The first two are taken.
    if subnets.len() > 1 && subnets[0] != subnets[1] {
        return Vec::new();
    }
    let needs = [
        (matches!(spec.accounting, Some(Accounting::New { .. })), "a new accounting database", path!["accounting"]),
        (
            matches!(spec.storage.home, Home::Openzfs { multi_zone: true, .. }),
            "a multi-zone file system",
            path!["storage", "home", "multi_zone"],
        ),
        (
            spec.monitoring.mode == MonitoringMode::SelfHosted,
            "a load balancer before Grafana",
            path!["monitoring", "mode"],
        ),
    ];
    let directory = (matches!(spec.directory, Some(Directory::New { .. })), "a new directory", path!["directory"]);
    let needs = needs.into_iter().chain([directory]);
    let Some((_, what, at)) = needs.into_iter().find(|(needs, ..)| *needs) else { return Vec::new() };
    vec![
        Diagnostic::error(
            RULE.code,
            path!["network", "existing", "service_subnets"],
            format!("{what} stands in two zones, and needs two subnets"),
        )
        .shown_at(if subnets.is_empty() { at } else { path!["network", "existing", "service_subnets"] })
        .fix("name two subnets in two zones in `network.existing.service_subnets`"),
    ]
}
