//! Slurm settings that differ only in how they are written, and lists in which something comes twice.

use std::collections::BTreeMap;

use super::{Rule, Scope};
use crate::model::{SlurmKey, SlurmValue};
use crate::{Diagnostic, Path, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "setting-repeated",
    summary: "Each Slurm setting, address and group comes once",
    explain: "Slurm reads `MessageTimeout` and `messagetimeout` as one setting, and the later line wins. Budgets refuse an \
              address twice, and network interfaces a group.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    settings(&spec.slurm.settings, &path!["slurm", "settings"], &mut found);
    for (q, queue) in spec.queues.iter().enumerate() {
        settings(&queue.settings, &path!["queues", q, "settings"], &mut found);
        for (c, resource) in queue.compute.iter().enumerate() {
            settings(&resource.settings, &path!["queues", q, "compute", c, "settings"], &mut found);
        }
    }
    if let Some(budget) = &spec.budget {
        let addresses = budget.notify.iter().map(ToString::to_string);
        once(addresses, &path!["budget", "notify"], &mut found);
    }
    if let Some(existing) = &spec.network.existing {
        let groups = existing.additional_security_groups.iter().map(ToString::to_string);
        once(groups, &path!["network", "existing", "additional_security_groups"], &mut found);
    }
    found
}

fn settings(settings: &BTreeMap<SlurmKey, SlurmValue>, at: &Path, found: &mut Vec<Diagnostic>) {
    let mut seen: Vec<String> = Vec::new();
    for key in settings.keys() {
        let lower = key.as_str().to_ascii_lowercase();
        if seen.contains(&lower) {
            let what = format!("`{key}` is there already, in another spelling");
            found.push(Diagnostic::error(RULE.code, at.at(key.as_str()), what).fix("remove one of them").at_key());
        }
        seen.push(lower);
    }
}

fn once(items: impl Iterator<Item = String>, at: &Path, found: &mut Vec<Diagnostic>) {
    let mut seen: Vec<String> = Vec::new();
    for (index, item) in items.enumerate() {
        if seen.contains(&item) {
            found.push(
                Diagnostic::error(RULE.code, at.at(index), format!("`{item}` is there already"))
                    .fix("remove one of them"),
            );
        }
        seen.push(item);
    }
}
