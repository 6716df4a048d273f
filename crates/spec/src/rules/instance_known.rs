//! An instance type that the catalogue does not have.

use super::{Rule, Scope};
use crate::model::{InstanceType, ProviderKind};
use crate::{Diagnostic, Path, Spec, catalog, fleet, path};

pub(super) static RULE: Rule = Rule {
    code: "instance-unknown",
    summary: "Instance types are in the catalogue; a rehearsal knows the hardware of every node",
    explain: "A rehearsal declares each node's CPUs, memory and GPUs to Slurm. They come from `hardware`, or from the \
              catalogue for the instance type. For a type that the catalogue does not have, say them in `hardware`. On AWS \
              a type that is not there is a warning: it may be new, or misspelt, and no rule judges what is not known.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let names: Vec<&str> = catalog::instances().iter().map(|instance| &*instance.name).collect();
    let unknown = nodes(spec).into_iter().filter(|(_, instance)| catalog::find(instance.as_str()).is_none());
    let mut found = Vec::new();
    for (at, instance) in unknown {
        let what = format!("`{instance}` is not in the catalogue of instance types");
        let (finding, otherwise) = match spec.provider {
            ProviderKind::Local => (
                Diagnostic::error(RULE.code, at, what).why("its CPUs and GPUs are not known"),
                "declare its `hardware`",
            ),
            ProviderKind::Aws => (
                Diagnostic::warning(RULE.code, at, what)
                    .why("its GPUs and network cards are taken from EC2 when the plan is made online"),
                "it is taken as it is",
            ),
        };
        found.push(match crate::shape::nearest(instance.as_str(), &names) {
            // Of a family that is not known the name may be right: EC2 has more, and newer, families.
            Some(near) if is_family_known(instance.as_str()) => {
                finding.replace(format!("did you mean `{near}`?"), near)
            }
            Some(near) => finding.fix(format!("did you mean `{near}`? if not, {otherwise}")),
            None => finding.fix(format!("check the spelling; if it is right, {otherwise}")),
        });
    }
    found
}

/// The types that matter: a rehearsal has the hardware of compute nodes alone, and takes it from `hardware` first.
fn nodes(spec: &Spec) -> Vec<(Path, &InstanceType)> {
    let is_declared = |resource: &fleet::Resource<'_>| resource.own.hardware.is_some();
    let compute = fleet::resources(spec).filter(|resource| !is_declared(resource));
    match spec.provider {
        ProviderKind::Local => {
            compute.flat_map(|one| one.own.instance.iter().map(move |i| (one.at("instance"), i))).collect()
        }
        ProviderKind::Aws => {
            let head = std::iter::once((path!["head", "instance"], &spec.head.instance));
            let pools = spec.login.iter().enumerate().map(|(n, pool)| (path!["login", n, "instance"], &pool.instance));
            head.chain(pools).chain(compute.flat_map(|resource| resource.types())).collect()
        }
    }
}

fn is_family_known(name: &str) -> bool {
    let family = name.split('.').next();
    catalog::instances().iter().any(|instance| family == Some(instance.family()))
}
