//! The whole internet let in, unasked (pitfalls D-A45, D-B05).

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "world-open",
    summary: "0.0.0.0/0 only with `open_to_the_world: true`",
    explain: "Clusters with SSH open to the internet are found within minutes. If that is really meant, the spec says \
              so in words.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    if spec.access.open_to_the_world {
        return Vec::new();
    }
    let open = spec.access.cidrs.iter().enumerate().filter(|(_, cidr)| is_wide(cidr.as_str()));
    open.map(|(index, cidr)| {
        Diagnostic::error(
            RULE.code,
            path!["access", "cidrs", index],
            format!("`{cidr}` lets the internet in, or much of it"),
        )
        .fix("give your own address, for example `203.0.113.7/32`, or set `open_to_the_world: true`")
    })
    .collect()
}

/// Nobody has eight million addresses of their own; two halves of the world are the world.
fn is_wide(cidr: &str) -> bool {
    cidr.rsplit('/').next().and_then(|bits| bits.parse::<u32>().ok()).is_some_and(|bits| bits < 9)
}
