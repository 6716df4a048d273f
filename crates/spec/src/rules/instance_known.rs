//! An instance type that the catalogue does not have.

use super::{Rule, Scope};
use crate::model::ProviderKind;
use crate::{Diagnostic, Spec, catalog, path};

pub(super) static RULE: Rule = Rule {
    code: "instance-unknown",
    summary: "A rehearsal knows the hardware of every node",
    explain: "A rehearsal declares each node's CPUs, memory and GPUs to Slurm. They come from `hardware`, or from the \
              catalogue for the instance type. For a type that the catalogue does not have, say them in `hardware`.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let names: Vec<&str> = catalog::instances().iter().map(|instance| &*instance.name).collect();
    let mut found = Vec::new();
    for (q, queue) in spec.queues.iter().enumerate() {
        for (c, resource) in queue.compute.iter().enumerate() {
            let Some(instance) = resource.instance.as_ref().filter(|i| catalog::find(i.as_str()).is_none()) else {
                continue;
            };
            if resource.hardware.is_some() {
                continue;
            }
            let at = path!["queues", q, "compute", c, "instance"];
            let what = format!("`{instance}` is not in the catalogue of instance types");
            let finding = match spec.provider {
                ProviderKind::Local => Diagnostic::error(RULE.code, at, what).why("its CPUs and GPUs are not known"),
                ProviderKind::Aws => Diagnostic::warning(RULE.code, at, what)
                    .why("its GPUs and network cards are taken from EC2 when the plan is made online"),
            };
            found.push(match crate::shape::nearest(instance.as_str(), &names) {
                // Of a family that is not known the name may be right: EC2 has more, and newer, families.
                Some(near) if is_family_known(instance.as_str()) => {
                    finding.replace(format!("did you mean `{near}`?"), near)
                }
                Some(near) => finding.fix(format!("did you mean `{near}`? if not, declare its `hardware`")),
                None => finding.fix("check the spelling, or declare its `hardware`"),
            });
        }
    }
    found
}

fn is_family_known(name: &str) -> bool {
    let family = name.split('.').next();
    catalog::instances().iter().any(|instance| family == Some(instance.family()))
}
