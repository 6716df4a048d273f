//! A remote desktop on a system that has none.

use super::{Rule, Scope};
use crate::catalog::{self, Architecture};
use crate::model::InstanceType;
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "dcv-unsupported",
    summary: "Remote desktops only on systems that have them",
    explain: "NICE DCV does not run on every operating system, and on fewer of them with ARM processors.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let release = parallelcluster::of(spec);
    let systems = &release.constants.operating_systems;
    let os = parallelcluster::os(spec.parallelcluster.os);
    let has = |list: &[String]| list.iter().any(|without| without == os);
    let is_arm = |instance: &InstanceType| {
        catalog::find(instance.as_str()).is_some_and(|known| known.architecture == Architecture::Arm64)
    };
    let head = (path!["head", "dcv"], spec.head.dcv, &spec.head.instance);
    let pools = spec.login.iter().enumerate().map(|(n, pool)| (path!["login", n, "dcv"], pool.dcv, &pool.instance));
    std::iter::once(head)
        .chain(pools)
        .filter(|(_, wants, instance)| {
            *wants && (has(&systems.without_dcv) || is_arm(instance) && has(&systems.without_dcv_on_arm))
        })
        .map(|(at, ..)| {
            let what = format!("ParallelCluster {} has no remote desktop on `{os}` here", release.version);
            Diagnostic::error(RULE.code, at, what).fix("remove it, or change `parallelcluster.os` or its version")
        })
        .collect()
}
