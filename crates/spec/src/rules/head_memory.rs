//! A head node too small for its nodes.

use super::{Rule, Scope};
use crate::catalog::{self, Architecture, Instance};
use crate::{Diagnostic, Spec, fleet, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "head-memory",
    summary: "The head node has the memory that ParallelCluster asks for",
    explain: "Slurm's controller keeps all nodes in memory, dynamic ones too. ParallelCluster asks for 0.6 GiB and 1 GiB \
              more for every 25 nodes of all queues together (the sum of `max`), but never for more than 16 GiB.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Some(head) = catalog::find(spec.head.instance.as_str()) else { return Vec::new() };
    let asked = &parallelcluster::of(spec).constants.head_node_memory;
    let nodes: f64 = fleet::resources(spec).map(|resource| f64::from(resource.own.max)).sum();
    let needed = (nodes / asked.nodes_per_gib + asked.system_gib).min(asked.at_most_gib);
    let memory = |instance: &Instance| f64::from(instance.memory_mib) / 1024.0;
    if memory(head) >= needed {
        return Vec::new();
    }
    let what =
        format!("{nodes} nodes need a head with {needed:.1} GiB, and `{}` has {:.1} GiB", head.name, memory(head));
    let finding = Diagnostic::error(RULE.code, path!["head", "instance"], what)
        .why("Slurm's controller keeps all nodes in memory");
    let family = if head.architecture == Architecture::Arm64 { "m6g" } else { "m5" };
    let fits = |instance: &&Instance| instance.family() == family && memory(instance) >= needed;
    let smallest = catalog::instances().iter().filter(fits).min_by_key(|instance| instance.memory_mib);
    vec![match smallest {
        Some(instance) => finding.replace(format!("use `{}`, for example", instance.name), &*instance.name),
        None => finding.fix("use a larger type"),
    }]
}
