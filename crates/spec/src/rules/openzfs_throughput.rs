//! Throughputs that FSx for OpenZFS does not sell.

use super::{Rule, Scope};
use crate::model::Home;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "openzfs-throughput",
    summary: "FSx for OpenZFS' throughput is one of those sold",
    explain: "FSx for OpenZFS, as it is made here, has 160, 320, 640, 1280, 2560, 3840, 5120, 7680 and 10240 MB/s.",
    scope: Scope::Aws,
    check,
};

static SOLD: &[u32] = &[160, 320, 640, 1280, 2560, 3840, 5120, 7680, 10240];

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Home::Openzfs { throughput_mb_s: asked, .. } = spec.storage.home else { return Vec::new() };
    if SOLD.contains(&asked) {
        return Vec::new();
    }
    // The largest stands for all that is above it.
    let next = SOLD.iter().copied().find(|value| *value > asked).unwrap_or(10_240);
    vec![
        Diagnostic::error(
            RULE.code,
            path!["storage", "home", "throughput_mb_s"],
            format!("FSx for OpenZFS has no {asked} MB/s"),
        )
        .replace(format!("the next is {next}"), next.to_string()),
    ]
}
