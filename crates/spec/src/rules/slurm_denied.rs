//! Slurm settings that ParallelCluster keeps for itself.

use std::collections::BTreeMap;

use super::{Rule, Scope, slurm_settings};
use crate::model::{SlurmKey, SlurmValue};
use crate::{Diagnostic, Path, Spec, fleet, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "slurm-setting-denied",
    summary: "`settings` leave alone what ParallelCluster sets in Slurm",
    explain: "ParallelCluster writes the lines of nodes and partitions, and refuses a configuration that sets the same \
              again: names, counts, states and weights of nodes, time-outs of suspending and resuming, the launch \
              parameters, and with accounting the way to its database. Weights have `static_weight` and `dynamic_weight`, \
              whole nodes have `exclusive`, idle time has `slurm.idle_minutes`.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let denied = &parallelcluster::of(spec).constants.slurm_settings_denied;
    let mut found = Vec::new();
    let mut cluster: Vec<&str> = denied.cluster.iter().map(String::as_str).collect();
    if spec.accounting.is_some() {
        cluster.extend(denied.accounting.iter().map(String::as_str));
    }
    // What the plan owns has a finding of its own.
    cluster.retain(|name| slurm_settings::home_of(name).is_none());
    report(&mut found, &spec.slurm.settings, &path!["slurm", "settings"], &cluster);
    let queue: Vec<&str> = denied.queue.iter().map(String::as_str).collect();
    for (q, one) in spec.queues.iter().enumerate() {
        report(&mut found, &one.settings, &path!["queues", q, "settings"], &queue);
    }
    let resource: Vec<&str> = denied.compute_resource.iter().map(String::as_str).collect();
    for one in fleet::resources(spec) {
        report(&mut found, &one.own.settings, &one.at("settings"), &resource);
    }
    found
}

fn report(found: &mut Vec<Diagnostic>, settings: &BTreeMap<SlurmKey, SlurmValue>, at: &Path, denied: &[&str]) {
    for key in settings.keys() {
        let lower = key.as_str().to_ascii_lowercase();
        if !denied.contains(&lower.as_str()) {
            continue;
        }
        let fix = match lower.as_str() {
            "weight" => "remove it, and use `static_weight` and `dynamic_weight`",
            "oversubscribe" => "remove it; `exclusive: true` gives each job whole nodes",
            "suspendtime" => "remove it, and use `slurm.idle_minutes`",
            "resumetimeout" => "remove it, and use `timeouts`",
            _ => "remove it",
        };
        let what = format!("`{key}` is set by ParallelCluster");
        found.push(Diagnostic::error(RULE.code, at.at(key.as_str()), what).fix(fix).at_key());
    }
}
