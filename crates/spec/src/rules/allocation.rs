//! A way to choose among instance types that the capacity does not have.

use super::{Rule, Scope};
use crate::model::{Allocation, Capacity};
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "allocation-unsupported",
    summary: "`allocation` fits the capacity, and there is something to choose from",
    explain: "`allocation` says how EC2 chooses among several `instances`, so without any it has no effect. On-Demand is \
              chosen by price or in the order written; Spot by price, by capacity, or both. The orders (`prioritized`, \
              `capacity_optimized_prioritized`) came with ParallelCluster 3.14. A reservation or a Capacity Block leaves \
              no choice.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (q, queue) in spec.queues.iter().enumerate() {
        let Some(allocation) = queue.allocation else { continue };
        let at = path!["queues", q, "allocation"];
        let kind = match queue.capacity {
            Capacity::OnDemand { .. } | Capacity::ReservationGroup { .. } => "ONDEMAND",
            Capacity::Spot { .. } => "SPOT",
            Capacity::CapacityBlock { .. } | Capacity::OwnReservation { .. } | Capacity::TargetedReservation { .. } => {
                let what = "a reservation leaves no choice among instance types";
                found.push(Diagnostic::error(RULE.code, at, what).fix("remove `allocation`").at_key());
                continue;
            }
        };
        if queue.compute.iter().all(|resource| resource.instances.is_empty()) {
            let what = "`allocation` has no effect: no compute resource of this queue has `instances`";
            found.push(Diagnostic::error(RULE.code, at, what).fix("remove it, or give several `instances`").at_key());
            continue;
        }
        let (word, strategy) = names(allocation);
        let release = parallelcluster::of(spec);
        if has(&release, kind, strategy) {
            continue;
        }
        let fix = if has(&parallelcluster::newest(), kind, strategy) {
            "use ParallelCluster 3.14 or newer, or another way"
        } else {
            match kind {
                "SPOT" => "use `price_capacity_optimized`",
                _ => "use `lowest_price` or `prioritized`",
            }
        };
        let bought = if kind == "SPOT" { "Spot instances" } else { "On-Demand instances" };
        let what = format!("ParallelCluster {} does not choose {bought} by `{word}`", release.version);
        found.push(Diagnostic::error(RULE.code, at, what).fix(fix));
    }
    found
}

fn has(release: &parallelcluster::Release, kind: &str, strategy: &str) -> bool {
    let known = release.constants.allocation_strategies_by_capacity_type.get(kind);
    known.is_some_and(|known| known.iter().any(|known| known == strategy))
}

/// Our word, and ParallelCluster's.
fn names(allocation: Allocation) -> (&'static str, &'static str) {
    match allocation {
        Allocation::LowestPrice => ("lowest_price", "lowest-price"),
        Allocation::Prioritized => ("prioritized", "prioritized"),
        Allocation::CapacityOptimized => ("capacity_optimized", "capacity-optimized"),
        Allocation::PriceCapacityOptimized => ("price_capacity_optimized", "price-capacity-optimized"),
        Allocation::CapacityOptimizedPrioritized => {
            ("capacity_optimized_prioritized", "capacity-optimized-prioritized")
        }
    }
}
