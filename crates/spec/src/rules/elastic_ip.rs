//! A fixed public address on a private node.

use super::{Rule, Scope};
use crate::model::Exposure;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "elastic-ip-private",
    summary: "Only a public head node has a fixed public address",
    explain: "Nothing from the internet reaches a private subnet, so an address there has no effect, and is paid for. In an \
              existing network the subnet decides, which is not known here.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    if !spec.head.elastic_ip || spec.head.subnet == Exposure::Public || spec.network.existing.is_some() {
        return Vec::new();
    }
    vec![
        Diagnostic::error(
            RULE.code,
            path!["head", "elastic_ip"],
            "the head node is private, and has no public address",
        )
        .fix("set `subnet: public`, or remove `elastic_ip`"),
    ]
}
