//! A data bucket that no file system is linked to.

use super::{Rule, Scope};
use crate::model::Shared;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "data-bucket-unlinked",
    summary: "A data bucket is linked to a new Lustre file system",
    explain: "What `import` and `export` ask for is done by FSx for Lustre. Without a file system of its own the cluster \
              still makes the bucket, and nodes may read and write it; but nothing appears under /fsx, and nothing is \
              written back. A file system that is already there keeps the links that it has.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Some(bucket) = &spec.storage.data_bucket else { return Vec::new() };
    if matches!(spec.storage.shared, Shared::Lustre(_)) || !(bucket.import || bucket.export) {
        return Vec::new();
    }
    vec![
        Diagnostic::warning(
            RULE.code,
            path!["storage", "data_bucket"],
            "nothing links this bucket with the nodes' files",
        )
        .why("`import` and `export` are done by a new Lustre file system, and there is none")
        .fix("set `shared: { kind: lustre }`, or `import: false` and `export: false`"),
    ]
}
