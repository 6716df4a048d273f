//! Intel or AMD beside ARM in one cluster.

use super::{Rule, Scope};
use crate::catalog;
use crate::fleet::word;
use crate::{Diagnostic, Spec, fleet, path};

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
    let Some(head) = catalog::find(spec.head.instance.as_str()) else { return Vec::new() };
    let pools = spec.login.iter().enumerate().filter_map(|(n, pool)| {
        catalog::find(pool.instance.as_str()).map(|instance| (path!["login", n, "instance"], instance))
    });
    let compute = fleet::resources(spec).flat_map(|resource| resource.known());
    pools
        .chain(compute)
        .filter(|(_, instance)| instance.architecture != head.architecture)
        .map(|(at, instance)| {
            let (its, heads) = (word(instance.architecture), word(head.architecture));
            let what = format!("`{}` is {its}, and the head node's `{}` is {heads}", instance.name, head.name);
            Diagnostic::error(RULE.code, at, what)
                .why("a cluster has one processor architecture")
                .fix(format!("use a type with {heads}, or set `head.instance` and the others to types with {its}"))
        })
        .collect()
}
