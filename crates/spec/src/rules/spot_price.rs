//! Spot instances for nothing.

use super::{Rule, Scope};
use crate::model::Capacity;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "spot-price",
    summary: "A limit on the Spot price is above zero",
    explain: "EC2 starts a Spot instance while its price is below the limit, and no price is below zero. Without a limit \
              of your own it is the On-Demand price, and you pay the Spot price in any case.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (q, queue) in spec.queues.iter().enumerate() {
        if matches!(queue.capacity, Capacity::Spot { max_price_cents: Some(0) }) {
            let at = path!["queues", q, "capacity", "max_price_cents"];
            found.push(
                Diagnostic::error(RULE.code, at, "no Spot instance costs nothing")
                    .fix("remove it, so that the On-Demand price is the limit"),
            );
        }
    }
    found
}
