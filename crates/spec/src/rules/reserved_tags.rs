//! Tags in a name space that belongs to somebody else.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "tag-reserved",
    summary: "Tags do not begin with `aws:`, `parallelcluster:` or `trainyard:`",
    explain: "These prefixes belong to AWS, to ParallelCluster and to trainyard, which find their resources by them.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (key, value) in &spec.tags {
        let at = path!["tags", key.as_str()];
        if ["aws:", "parallelcluster:", "trainyard:"].iter().any(|p| key.to_ascii_lowercase().starts_with(p)) {
            let what = format!("the tag `{key}` uses a reserved prefix");
            found.push(Diagnostic::error(RULE.code, at.clone(), what).fix("use another name").at_key());
        }
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            let what = "a tag's key has 1 to 128 characters and its value at most 256";
            found.push(Diagnostic::error(RULE.code, at, what).fix("shorten it").at_key());
        }
    }
    found
}
