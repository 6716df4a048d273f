//! Capacity of a kind in which the instance type is not sold.

use super::{Rule, Scope};
use crate::model::Capacity;
use crate::{Diagnostic, Spec, fleet};

pub(super) static RULE: Rule = Rule {
    code: "capacity-not-sold",
    summary: "The instance type is sold as the capacity that the queue asks for",
    explain: "Not every type can be had in every way: Capacity Blocks are for accelerated types, some of those come in \
              blocks only, and some types are no Spot instances. Reservations hold On-Demand capacity.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in fleet::resources(spec) {
        for (at, instance) in resource.known() {
            let sold = instance.capacity;
            let (is_sold, kind) = match resource.queue.capacity {
                Capacity::Spot { .. } => (sold.spot, "as Spot instances"),
                Capacity::CapacityBlock { .. } => (sold.capacity_block, "in Capacity Blocks"),
                _ => (sold.on_demand, "On-Demand"),
            };
            if is_sold {
                continue;
            }
            let ways = [
                (sold.on_demand, "`on_demand` and reservations"),
                (sold.spot, "`spot`"),
                (sold.capacity_block, "`capacity_block`"),
            ];
            let ways: Vec<&str> = ways.iter().filter(|(can, _)| *can).map(|(_, way)| *way).collect();
            let what = format!("`{}` is not sold {kind}", instance.name);
            found.push(
                Diagnostic::error(RULE.code, at, what)
                    .fix(format!("use another type, or another `capacity`: it comes with {}", ways.join(" and "))),
            );
        }
    }
    found
}
