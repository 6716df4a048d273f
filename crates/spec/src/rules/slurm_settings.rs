//! slurm.conf lines that belong to the plan.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "slurm-setting-owned",
    summary: "`slurm.settings` adds to slurm.conf and never overrides what the plan owns",
    explain: "Nodes, partitions, paths, ports, users and the power-saving programs follow from the spec; a second \
              definition would make two truths. Settings with a home of their own in the spec are named there.",
    scope: Scope::Everywhere,
    check,
};

/// Owned names in lower case: Slurm does not tell cases apart. The second is where to say it instead.
static OWNED: &[(&str, &str)] = &[
    ("accountingstoragehost", "accounting"),
    ("accountingstoragetype", "accounting"),
    ("authinfo", ""),
    ("authtype", ""),
    ("clustername", "name"),
    ("communicationparameters", ""),
    ("credtype", ""),
    ("downnodes", ""),
    ("epilog", ""),
    ("epilogslurmctld", ""),
    ("grestypes", "queues[].compute[].instance"),
    ("include", ""),
    ("jobcomploc", ""),
    ("jobcomptype", ""),
    ("killwait", "slurm.kill_wait_seconds"),
    ("nodename", "queues"),
    ("nodeset", "queues"),
    ("partitionname", "queues"),
    ("plugindir", ""),
    ("plugstackconfig", "containers"),
    ("proctracktype", ""),
    ("prolog", ""),
    ("prologslurmctld", ""),
    ("resumefailprogram", ""),
    ("resumeprogram", ""),
    ("resumetimeout", "timeouts"),
    ("returntoservice", ""),
    ("selecttype", ""),
    ("selecttypeparameters", "slurm.memory_scheduling"),
    ("slurmctldhost", ""),
    ("slurmctldlogfile", ""),
    ("slurmctldparameters", ""),
    ("slurmctldpidfile", ""),
    ("slurmctldport", ""),
    ("slurmdlogfile", ""),
    ("slurmdparameters", ""),
    ("slurmdpidfile", ""),
    ("slurmdport", ""),
    ("slurmdspooldir", ""),
    ("slurmdtimeout", "slurm.slurmd_timeout_seconds"),
    ("slurmduser", ""),
    ("slurmuser", ""),
    ("statesavelocation", ""),
    ("suspendexcnodes", ""),
    ("suspendprogram", ""),
    ("suspendtime", "slurm.idle_minutes"),
    ("suspendtimeout", ""),
    ("switchtype", ""),
    ("taskplugin", ""),
    ("taskepilog", ""),
    ("taskprolog", ""),
    ("unkillablestepprogram", ""),
    ("mailprog", ""),
    ("rebootprogram", ""),
    ("healthcheckprogram", ""),
    ("jobsubmitplugins", ""),
    ("clifilterplugins", ""),
    ("srunprolog", ""),
    ("srunepilog", ""),
];

/// Where to say a setting of the plan's instead. `None`: the setting is free.
pub(super) fn home_of(lower: &str) -> Option<&'static str> {
    OWNED.iter().find(|(name, _)| *name == lower).map(|(_, home)| *home)
}

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for key in spec.slurm.settings.keys() {
        let lower = key.as_str().to_ascii_lowercase();
        let Some(home) = home_of(&lower) else { continue };
        let what = format!("`{key}` is set by the plan");
        let fix = if home.is_empty() { "remove it".to_owned() } else { format!("remove it, and use `{home}`") };
        found.push(Diagnostic::error(RULE.code, path!["slurm", "settings", key.as_str()], what).fix(fix).at_key());
    }
    found
}
