//! Instance types of one compute resource that are not of one shape.

use super::{Rule, Scope};
use crate::catalog::{AcceleratorKind, Instance};
use crate::model::Toggle;
use crate::{Diagnostic, Spec, fleet};

pub(super) static RULE: Rule = Rule {
    code: "instances-differ",
    summary: "The `instances` of a compute resource have as many CPUs and GPUs, of one kind",
    explain: "Slurm sees the nodes of a compute resource as equal, whichever type they are. So ParallelCluster asks for as \
              many vCPUs (cores where hyper-threads are disabled), as many accelerators of one maker, and one processor \
              architecture. Memory may differ: Slurm reckons with the smallest.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in fleet::resources(spec) {
        let by_cores = resource.own.hyperthreads == Toggle::Disabled;
        let mut types = resource.known().filter(|(at, _)| *at != resource.at("instance"));
        let Some((_, first)) = types.next() else { continue };
        for (at, instance) in types {
            let Some((its, others)) = difference(instance, first, by_cores) else { continue };
            let what = format!("`{}` has {its}, and `{}` has {others}", instance.name, first.name);
            found.push(
                Diagnostic::error(RULE.code, at, what)
                    .why("Slurm sees all nodes of a compute resource as equal")
                    .fix("put types of another shape into a compute resource of their own"),
            );
        }
    }
    found
}

/// What one has, and what the other has instead.
fn difference(one: &Instance, other: &Instance, by_cores: bool) -> Option<(String, String)> {
    let cpus = |instance: &Instance| {
        if by_cores { format!("{} cores", instance.cores()) } else { format!("{} vCPUs", instance.vcpus) }
    };
    let accelerators = |instance: &Instance| match instance.gpu_kind {
        AcceleratorKind::None => "no accelerator".to_owned(),
        AcceleratorKind::Gpu => format!("{} GPUs of NVIDIA", instance.gpus),
        AcceleratorKind::Neuron => format!("{} Neuron devices", instance.gpus),
        AcceleratorKind::Other => format!("{} GPUs of another maker", instance.gpus),
    };
    // The architecture of all nodes of a cluster is one; another rule holds them to it.
    let pairs = [(cpus(one), cpus(other)), (accelerators(one), accelerators(other))];
    pairs.into_iter().find(|(its, others)| its != others)
}
