//! A check of GPUs that are not there.

use super::{Rule, Scope};
use crate::catalog::AcceleratorKind;
use crate::model::Toggle;
use crate::{Diagnostic, Spec, fleet};

pub(super) static RULE: Rule = Rule {
    code: "gpu-check-unsupported",
    summary: "`gpu_health_check: enabled` only on types with NVIDIA GPUs",
    explain: "ParallelCluster's check runs NVIDIA's diagnostic before each job, and knows no other maker's devices. `auto`, \
              the default, switches it on wherever there are NVIDIA GPUs.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in fleet::resources(spec).filter(|resource| resource.own.gpu_health_check == Toggle::Enabled) {
        if let Some((_, instance)) = resource.known().find(|(_, instance)| instance.gpu_kind != AcceleratorKind::Gpu) {
            let what = format!("`{}` has no NVIDIA GPU to check", instance.name);
            found.push(
                Diagnostic::error(RULE.code, resource.at("gpu_health_check"), what)
                    .replace("set `gpu_health_check` to `auto`", "auto"),
            );
        }
    }
    found
}
