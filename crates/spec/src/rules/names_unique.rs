//! Two queues, or two compute resources of a queue, with one name.

use std::collections::HashSet;

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "name-repeated",
    summary: "Queue names are unique, and compute resource names within their queue",
    explain: "Node names are made of queue and compute resource: `<queue>-st-<resource>-1`. \
              Two of the same name would make two nodes of the same name, and Slurm would refuse to start. \
              Slurm also owns the name `default`.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut queues = HashSet::new();
    let mut nodes = HashSet::new();
    for (q, queue) in spec.queues.iter().enumerate() {
        let is_new = queues.insert(&queue.name);
        report(&mut found, is_new, queue.name.as_str(), "queue", path!["queues", q, "name"]);
        let mut resources = HashSet::new();
        for (c, resource) in queue.compute.iter().enumerate() {
            let at = path!["queues", q, "compute", c, "name"];
            // Dashes in names can make two different pairs spell one node name.
            let [fixed, dynamic] = ["st", "dy"].map(|kind| format!("{}-{kind}-{}", queue.name, resource.name));
            let is_known = resources.contains(&resource.name);
            if is_new && !is_known && !(nodes.insert(fixed.clone()) & nodes.insert(dynamic)) {
                let what = format!("its nodes would have names that others have, `{fixed}-1` for example");
                found.push(
                    Diagnostic::error(RULE.code, at.clone(), what)
                        .why("node names are made of queue and compute resource, joined by dashes")
                        .fix("use another name for the queue or for the compute resource"),
                );
            }
            report(&mut found, resources.insert(&resource.name), resource.name.as_str(), "compute resource", at);
        }
    }
    found
}

fn report(found: &mut Vec<Diagnostic>, is_new: bool, name: &str, what: &str, at: crate::Path) {
    if name == "default" {
        let say = format!("a {what} cannot be called `default`");
        found
            .push(Diagnostic::error(RULE.code, at, say).why("Slurm gives that word a meaning").fix("use another name"));
    } else if !is_new {
        let say = format!("there is already a {what} called `{name}`");
        found.push(
            Diagnostic::error(RULE.code, at, say).why("node names are made of these names").fix("use another name"),
        );
    }
}
