//! Addresses that may come in: each once, and no more than a security group holds.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "access-ranges",
    summary: "Ranges of addresses begin at their first address, come once, and fit into a security group",
    explain: "EC2 keeps a range by its first address (`203.0.113.9/24` is `203.0.113.0/24`) and refuses the same range twice. \
              A security group holds 60 rules; each range takes one for SSH, and one more where there are desktops.",
    scope: Scope::Aws,
    check,
};

const RULES_MAX: usize = 60;

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut seen: Vec<(u32, u32)> = Vec::new();
    for (index, cidr) in spec.access.cidrs.iter().enumerate() {
        let Some((address, bits)) = super::network_addresses::parts(cidr) else { continue };
        let at = path!["access", "cidrs", index];
        let first = address & u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        if first != address {
            let [a, b, c, d] = first.to_be_bytes();
            let right = format!("{a}.{b}.{c}.{d}/{bits}");
            let what = format!("`{cidr}` does not begin at its first address");
            found.push(Diagnostic::error(RULE.code, at, what).replace(format!("it is `{right}`"), right));
        } else if seen.contains(&(first, bits)) {
            found
                .push(Diagnostic::error(RULE.code, at, format!("`{cidr}` is there already")).fix("remove one of them"));
        }
        seen.push((first, bits));
    }
    let desktops = spec.head.dcv || spec.login.iter().any(|pool| pool.dcv);
    let rules = spec.access.cidrs.len() * if desktops { 2 } else { 1 };
    if rules > RULES_MAX {
        let what = format!("{rules} rules are more than a security group holds ({RULES_MAX})");
        found.push(Diagnostic::error(RULE.code, path!["access", "cidrs"], what).fix("merge ranges into wider ones"));
    }
    found
}
