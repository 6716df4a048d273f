//! An operating system that the ParallelCluster release does not have.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "os-unsupported",
    summary: "The operating system is one of the ParallelCluster release's, with an image to start from",
    explain: "Releases of ParallelCluster add operating systems and drop them: 3.16 has no `alinux2`. For `rocky8` and \
              `rocky9` ParallelCluster publishes no machine image: build one with `pcluster build-image` and name it in \
              `head.image`.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let release = parallelcluster::of(spec);
    let systems = &release.constants.operating_systems;
    let os = parallelcluster::os(spec.parallelcluster.os);
    let at = path!["parallelcluster", "os"];
    if !systems.all.iter().any(|known| known == os) {
        let what = format!("ParallelCluster {} does not run on `{os}`", release.version);
        return vec![Diagnostic::error(RULE.code, at, what).fix(format!("use one of {}", systems.all.join(", ")))];
    }
    if spec.head.image.is_none() && systems.needing_custom_ami.iter().any(|known| known == os) {
        let what = format!("there is no official image of `{os}`");
        return vec![
            Diagnostic::error(RULE.code, at, what)
                .why("ParallelCluster publishes none for it")
                .fix("build one with `pcluster build-image` and name it in `head.image`, or use another system"),
        ];
    }
    Vec::new()
}
