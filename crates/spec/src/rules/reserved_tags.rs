//! Tags in a name space that belongs to somebody else.

use std::collections::BTreeMap;

use super::{Rule, Scope};
use crate::{Diagnostic, Path, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "tag-reserved",
    summary: "Tags do not begin with `aws:`, `parallelcluster:` or `trainyard:`, and none is `Name`",
    explain: "These prefixes belong to AWS, to ParallelCluster and to trainyard, which find their resources by them. \
              `Name` is set on every node and on everything else that is made, and nothing can have it twice.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    report(&mut found, &spec.tags, &path!["tags"]);
    for (q, queue) in spec.queues.iter().enumerate() {
        report(&mut found, &queue.tags, &path!["queues", q, "tags"]);
    }
    found
}

fn report(found: &mut Vec<Diagnostic>, tags: &BTreeMap<String, String>, at: &Path) {
    for (key, value) in tags {
        let at = at.at(key.as_str());
        if ["aws:", "parallelcluster:", "trainyard:"].iter().any(|p| key.to_ascii_lowercase().starts_with(p)) {
            let what = format!("the tag `{key}` uses a reserved prefix");
            found.push(Diagnostic::error(RULE.code, at.clone(), what).fix("use another name").at_key());
        }
        if key == "Name" {
            let what = "the tag `Name` is set already";
            found.push(
                Diagnostic::error(RULE.code, at.clone(), what)
                    .why("ParallelCluster and trainyard name by it what they make")
                    .fix("use another name")
                    .at_key(),
            );
        }
        // What S3, IAM and FSx take: letters, digits, blanks and these signs.
        let fits = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
        if !fits(key) || !fits(value) || value.is_empty() {
            let what = "a tag is made of letters, digits, blanks and `_.:/=+-@`, and its value is not empty";
            found.push(Diagnostic::error(RULE.code, at.clone(), what).fix("leave the other signs out").at_key());
        }
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            let what = "a tag's key has 1 to 128 characters and its value at most 256";
            found.push(Diagnostic::error(RULE.code, at, what).fix("shorten it").at_key());
        }
    }
}
