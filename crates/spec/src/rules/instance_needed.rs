//! AWS without an instance type.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "instance-needed",
    summary: "On AWS every compute resource has an instance type; declared hardware is for rehearsals",
    explain: "In a rehearsal a node can be declared with any hardware. On AWS the instance type decides it.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (q, queue) in spec.queues.iter().enumerate() {
        for (c, resource) in queue.compute.iter().enumerate() {
            let at = path!["queues", q, "compute", c];
            if resource.types().next().is_none() {
                let what = format!("compute resource `{}` needs an `instance`", resource.name);
                found.push(
                    Diagnostic::error(RULE.code, at.at("instance"), what)
                        .shown_at(at.at("name"))
                        .fix("add `instance`: for example `p5en.48xlarge`, or several `instances`"),
                );
            }
            if resource.hardware.is_some() {
                let what = "`hardware` has no effect on AWS";
                found.push(
                    Diagnostic::error(RULE.code, at.at("hardware"), what)
                        .why("the instance type decides it")
                        .fix("remove it"),
                );
            }
        }
    }
    found
}
