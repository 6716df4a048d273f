//! Throughputs that FSx for Lustre does not sell.

use super::{Rule, Scope};
use crate::model::{Choice, LustreDeployment, Shared};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "lustre-throughput",
    summary: "FSx for Lustre's throughput is one of its deployment type's",
    explain: "Throughput is bought per TiB: PERSISTENT_2 (and `auto`) has 125, 250, 500 and 1000 MB/s, PERSISTENT_1 has 50, \
              100 and 200. SCRATCH_2 always has 200, and takes no setting.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Shared::Lustre(lustre) = &spec.storage.shared else { return Vec::new() };
    let Choice::Given(asked) = lustre.throughput_mb_s_per_tib else { return Vec::new() };
    let at = path!["storage", "shared", "throughput_mb_s_per_tib"];
    let sold: &[u32] = match lustre.deployment {
        LustreDeployment::Persistent2 | LustreDeployment::Auto => &[125, 250, 500, 1000],
        LustreDeployment::Persistent1 => &[50, 100, 200],
        LustreDeployment::Scratch2 => {
            let what = "SCRATCH_2 has one throughput, and takes no setting";
            return vec![Diagnostic::error(RULE.code, at, what).fix("remove it, or use another `deployment`").at_key()];
        }
    };
    if sold.contains(&asked) {
        return Vec::new();
    }
    let next = sold.iter().find(|value| **value > asked).or(sold.last()).copied().unwrap_or_default();
    let values = sold.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    vec![
        Diagnostic::error(RULE.code, at, format!("FSx for Lustre has no {asked} MB/s per TiB with this deployment"))
            .why(format!("it has {values}"))
            .replace(format!("use {next}"), next.to_string()),
    ]
}
