//! Two zones that are one.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "zones-equal",
    summary: "The second zone differs from the first",
    explain: "What stands in two zones survives the loss of one, and load balancers refuse two subnets in one zone.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    match (&spec.network.zone, &spec.network.second_zone) {
        (Some(first), Some(second)) if first == second => vec![
            Diagnostic::error(RULE.code, path!["network", "second_zone"], format!("both zones are `{first}`"))
                .fix("name another zone of the region, or remove it"),
        ],
        _ => Vec::new(),
    }
}
