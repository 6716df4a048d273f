//! A number of days that CloudWatch does not have.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "log-days",
    summary: "Logs are kept for a number of days that CloudWatch has",
    explain: "CloudWatch keeps logs for 1, 3, 5, 7 or 14 days, for 1 to 6 months, or for some lengths up to ten years, and \
              for nothing in between.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let days = spec.monitoring.log_days;
    let known = &parallelcluster::of(spec).constants.log_retention_days;
    if !spec.monitoring.logs || known.contains(&days) {
        return Vec::new();
    }
    let at = path!["monitoring", "log_days"];
    let finding = Diagnostic::error(RULE.code, at, format!("CloudWatch does not keep logs for {days} days"));
    vec![match known.iter().filter(|known| **known > days).min() {
        Some(next) => finding.replace(format!("the next is {next}"), next.to_string()),
        None => finding.fix("use a smaller number"),
    }]
}
