//! Memory for jobs that is not there, or that nobody counts.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, fleet};

pub(super) static RULE: Rule = Rule {
    code: "schedulable-memory",
    summary: "`schedulable_memory_mib` is no more than the type has, and `memory_scheduling` is on",
    explain: "It is how much of a node's memory jobs may ask for; 95 % of the type's when absent, the rest being Linux's. \
              Slurm looks at it only with `slurm.memory_scheduling`.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in fleet::resources(spec) {
        let Some(memory) = resource.own.schedulable_memory_mib else { continue };
        let at = resource.at("schedulable_memory_mib");
        let smallest = resource.known().map(|(_, instance)| instance).min_by_key(|instance| instance.memory_mib);
        if let Some(instance) = smallest.filter(|instance| instance.memory_mib < memory) {
            let what =
                format!("`{}` has {} MiB, and jobs may ask for {memory} MiB", instance.name, instance.memory_mib);
            found.push(Diagnostic::error(RULE.code, at, what).fix("remove it: 95 % of the type's is the default"));
        } else if !spec.slurm.memory_scheduling {
            let what = "`schedulable_memory_mib` has no effect without `slurm.memory_scheduling`";
            let fix = "set `slurm: { memory_scheduling: true }`, or remove it";
            found.push(Diagnostic::warning(RULE.code, at, what).fix(fix).at_key());
        }
    }
    found
}
