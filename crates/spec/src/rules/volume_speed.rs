//! Volumes that are to move more than their operations carry.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "volume-speed",
    summary: "A gp3 volume moves at most a quarter MB/s for each operation per second",
    explain: "EBS allows gp3 volumes 0.25 MB/s for each provisioned operation per second: 1000 MB/s take 4000.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let head = (path!["head", "root_volume_speed"], spec.head.root_volume_speed);
    let queues = spec.queues.iter().enumerate();
    let queues = queues.map(|(q, queue)| (path!["queues", q, "root_volume_speed"], queue.root_volume_speed));
    std::iter::once(head)
        .chain(queues)
        .filter_map(|(at, speed)| Some((at, speed?)))
        .filter(|(_, speed)| speed.mb_s.saturating_mul(4) > speed.iops)
        .map(|(at, speed)| {
            let needed = speed.mb_s.saturating_mul(4);
            let what = format!("{} MB/s take {needed} IOPS, and there are {}", speed.mb_s, speed.iops);
            Diagnostic::error(RULE.code, at.at("iops"), what)
                .replace(format!("raise `iops` to {needed}, or lower `mb_s`"), needed.to_string())
        })
        .collect()
}
