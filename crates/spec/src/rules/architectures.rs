//! Intel or AMD beside ARM in one cluster.

use super::{Rule, Scope};
use crate::catalog;
use crate::fleet::word;
use crate::model::InstanceType;
use crate::{Diagnostic, Path, Spec, fleet, path};

pub(super) static RULE: Rule = Rule {
    code: "architectures-differ",
    summary: "Head, login and compute nodes have one processor architecture",
    explain: "All nodes start from images of one architecture, and share the programs under /opt/slurm and /home. So a \
              cluster is x86_64 or arm64 as a whole; the head node's type decides. With Graviton or Grace compute nodes, \
              use a Graviton head, for example m7g.2xlarge.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let head = std::iter::once((path!["head", "instance"], &spec.head.instance));
    let pools = spec.login.iter().enumerate().map(|(n, pool)| (path!["login", n, "instance"], &pool.instance));
    let compute = fleet::resources(spec).flat_map(|resource| resource.types());
    let known = |(at, name): (Path, &InstanceType)| Some((at, catalog::find(name.as_str())?));
    let mut types = head.chain(pools).chain(compute).filter_map(known);
    let Some((_, first)) = types.next() else { return Vec::new() };
    types
        .filter(|(_, instance)| instance.architecture != first.architecture)
        .map(|(at, instance)| {
            let (its, others) = (word(instance.architecture), word(first.architecture));
            let what = format!("`{}` is {its}, and `{}` is {others}", instance.name, first.name);
            Diagnostic::error(RULE.code, at, what)
                .why("a cluster has one processor architecture")
                .fix(format!("use a type with {others}, or {its} for the head node and all others too"))
        })
        .collect()
}
