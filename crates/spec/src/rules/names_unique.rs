//! Two queues, two login pools, or two compute resources of a queue, with one name.

use std::collections::HashSet;

use super::{Rule, Scope};
use crate::model::ProviderKind;
use crate::{Diagnostic, Spec, nodes, path};

pub(super) static RULE: Rule = Rule {
    code: "name-repeated",
    summary: "Names of queues, of login pools, and of compute resources within their queue are unique",
    explain: "Node names are made of queue and compute resource: `<queue>-st-<resource>-1`. \
              Two of the same name would make two nodes of the same name, and Slurm would refuse to start. \
              Slurm also owns the name `default`. On AWS, ParallelCluster also joins the two names, with a dash and \
              without: `a-b` and `c` spell what `a` and `b-c` spell, and `ab` and `c` what `a` and `bc` spell. A login \
              pool shares these names.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut queues = HashSet::new();
    let mut stems = HashSet::new();
    let mut pools = HashSet::new();
    for (n, pool) in spec.login.iter().enumerate() {
        let at = path!["login", n, "name"];
        report(&mut found, pools.insert(&pool.name), pool.name.as_str(), "login pool", at);
    }
    let mut templates: HashSet<String> = pools.into_iter().map(ToString::to_string).collect();
    let mut identities = HashSet::new();
    for (q, queue) in spec.queues.iter().enumerate() {
        let is_new = queues.insert(&queue.name);
        report(&mut found, is_new, queue.name.as_str(), "queue", path!["queues", q, "name"]);
        let mut resources = HashSet::new();
        for (c, resource) in queue.compute.iter().enumerate() {
            let at = path!["queues", q, "compute", c, "name"];
            // Dashes in names can make two different pairs spell one node name.
            let [fixed, dynamic] = [true, false].map(|is_static| nodes::stem(&queue.name, &resource.name, is_static));
            let is_known = resources.contains(&resource.name);
            if !is_new || is_known {
                // Reported below.
            } else if !(stems.insert(fixed.clone()) & stems.insert(dynamic)) {
                let what = format!("its nodes would have names that others have, `{fixed}-1` for example");
                found.push(
                    Diagnostic::error(RULE.code, at.clone(), what)
                        .why("node names are made of queue and compute resource, joined by dashes")
                        .fix("use another name for the queue or for the compute resource"),
                );
            } else if !(templates.insert(format!("{}-{}", queue.name, resource.name))
                & identities.insert(format!("{}{}", queue.name, resource.name)))
                && spec.provider == ProviderKind::Aws
            {
                let what = format!("`{}` and `{}` together spell what others spell", queue.name, resource.name);
                found.push(
                    Diagnostic::error(RULE.code, at.clone(), what)
                        .why("ParallelCluster names launch templates and stacks' resources by both names joined")
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
