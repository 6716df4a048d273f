//! Instance types that the release or its images do not drive.

use super::{Rule, Scope};
use crate::model::{ImageId, InstanceType};
use crate::{Diagnostic, Path, Spec, fleet, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "instance-unsupported",
    summary: "ParallelCluster's images drive the instance type",
    explain: "The official images carry NVIDIA's open driver, which needs a Turing GPU or a newer one: the G2, G3, P2 and \
              P3 families need a machine image of your own. P6-B300 and P6e-GB200 run on some operating systems only.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let release = parallelcluster::of(spec);
    let families = &release.constants.instance_families;
    let os = parallelcluster::os(spec.parallelcluster.os);
    let mut found = Vec::new();
    for (at, instance, image) in nodes(spec) {
        let family = instance.as_str().split('.').next().unwrap_or_default();
        if image.is_none() && families.denied_by_gpu_driver.iter().any(|denied| denied == family) {
            let what = format!("the driver of the official images is too new for the GPUs of `{instance}`");
            let fix = "use a newer type, or an `image` of your own with an older driver";
            found.push(Diagnostic::error(RULE.code, at.clone(), what).fix(fix));
        }
        let denied = match family {
            _ if family.starts_with("p6-b300") => families.p6_b300.as_ref(),
            _ if family.starts_with("p6e-gb200") => families.p6e_gb200.as_ref(),
            _ => None,
        };
        if denied.is_some_and(|systems| systems.iter().any(|denied| denied == os)) {
            let what = format!("`{instance}` does not run on `{os}`");
            found.push(
                Diagnostic::error(RULE.code, at, what).fix("set `parallelcluster.os` to `ubuntu2404`, for example"),
            );
        }
    }
    found
}

/// Every type with its place, and the image that its nodes start from.
fn nodes(spec: &Spec) -> Vec<(Path, &InstanceType, Option<&ImageId>)> {
    let mut nodes = vec![(path!["head", "instance"], &spec.head.instance, spec.head.image.as_ref())];
    let pools = spec.login.iter().enumerate();
    nodes.extend(pools.map(|(n, pool)| (path!["login", n, "instance"], &pool.instance, pool.image.as_ref())));
    for resource in fleet::resources(spec) {
        nodes.extend(resource.types().map(|(at, instance)| (at, instance, resource.queue.image.as_ref())));
    }
    nodes
}
