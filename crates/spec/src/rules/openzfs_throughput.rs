//! Throughputs that FSx for OpenZFS does not sell.

use super::{Rule, Scope};
use crate::model::Home;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "openzfs-throughput",
    summary: "FSx for OpenZFS' throughput is one of those sold",
    explain: "FSx for OpenZFS has 160, 320, 640, 1280, 2560, 3840, 5120, 7680 and 10240 MB/s. In one zone there are also 64, \
              128, 256, 512, 1024, 2048, 3072 and 4096 MB/s, on the older servers.",
    scope: Scope::Aws,
    check,
};

static NEWER: &[u32] = &[160, 320, 640, 1280, 2560, 3840, 5120, 7680, 10240];
static OLDER: &[u32] = &[64, 128, 256, 512, 1024, 2048, 3072, 4096];

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Home::Openzfs { throughput_mb_s: asked, multi_zone, .. } = spec.storage.home else { return Vec::new() };
    let older = if multi_zone { &[] } else { OLDER };
    let sold = || NEWER.iter().chain(older).copied();
    if sold().any(|value| value == asked) {
        return Vec::new();
    }
    let zones = if multi_zone { "two zones" } else { "one zone" };
    // The largest stands for all that is above it.
    let next = sold().filter(|value| *value > asked).min().unwrap_or(10_240);
    vec![
        Diagnostic::error(
            RULE.code,
            path!["storage", "home", "throughput_mb_s"],
            format!("FSx for OpenZFS has no {asked} MB/s in {zones}"),
        )
        .replace(format!("the next is {next}"), next.to_string()),
    ]
}
