//! AWS without a region.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "region-needed",
    summary: "`provider: aws` names its region",
    explain: "A region taken silently from a profile puts the same file into different places on different machines, \
              so the spec says it.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    if spec.region.is_some() {
        return Vec::new();
    }
    vec![
        Diagnostic::error(RULE.code, path!["region"], "`provider: aws` needs a `region`")
            .shown_at(path!["provider"])
            .why("it is never taken from your profile: the file must mean the same everywhere")
            .fix("add `region`: for example `us-east-1`"),
    ]
}
