//! Lustre sizes that FSx does not sell (pitfall D-A51).

use super::{Rule, Scope};
use crate::model::Shared;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "lustre-size",
    summary: "FSx for Lustre comes in 1200, 2400 and then steps of 2400 GiB",
    explain: "FSx for Lustre on SSD is sold as 1200 GiB, 2400 GiB, and from there in steps of 2400 GiB.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Shared::Lustre(lustre) = &spec.storage.shared else { return Vec::new() };
    let size = lustre.size_gib;
    if size == 1200 || size % 2400 == 0 {
        return Vec::new();
    }
    let next = size.div_ceil(2400) * 2400;
    vec![
        Diagnostic::error(
            RULE.code,
            path!["storage", "shared", "size_gib"],
            format!("FSx for Lustre has no {size} GiB"),
        )
        .replace(format!("the next size is {next}"), next.to_string()),
    ]
}
