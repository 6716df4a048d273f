//! A public door that nobody may use.

use super::{Rule, Scope};
use crate::model::Exposure;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "public-but-closed",
    summary: "Public nodes come with addresses that may reach them",
    explain: "Security groups are closed by default. A head or login pool in the public subnet is of use only to the \
              addresses in `access.cidrs`.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    if !spec.access.cidrs.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut report = |at, who: &str| {
        found.push(
            Diagnostic::warning(
                RULE.code,
                at,
                format!("the {who} stands in the public subnet, but nobody may reach it"),
            )
            .fix("add your address to `access.cidrs`, for example `203.0.113.7/32`, or leave it private"),
        );
    };
    if spec.head.subnet == Exposure::Public {
        report(path!["head", "subnet"], "head node");
    }
    for (number, _) in spec.login.iter().enumerate().filter(|(_, pool)| pool.subnet == Exposure::Public) {
        report(path!["login", number, "subnet"], "login pool");
    }
    found
}
