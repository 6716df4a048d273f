//! One file system mounted twice.

use std::collections::HashSet;

use super::{Rule, Scope};
use crate::model::{Home, Mount, Shared};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "mount-repeated",
    summary: "A file system is mounted once",
    explain: "ParallelCluster takes each file system, volume and cache once. A second path to the same files can be a \
              symbolic link. Several volumes of one OpenZFS or ONTAP file system have ids of their own.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let storage = &spec.storage;
    let mut all = Vec::new();
    if let Home::Existing { id } = &storage.home {
        all.push((path!["storage", "home", "id"], id.as_str()));
    }
    if let Shared::Existing { id } = &storage.shared {
        all.push((path!["storage", "shared", "id"], id.as_str()));
    }
    all.extend(storage.mounts.iter().enumerate().map(|(n, mount)| (path!["storage", "mounts", n, "id"], id(mount))));
    let mut seen = HashSet::new();
    all.into_iter()
        .filter(|(_, id)| !seen.insert(*id))
        .map(|(at, id)| {
            Diagnostic::error(RULE.code, at, format!("`{id}` is mounted already"))
                .fix("remove one of the two, and link the second path to the first on the nodes")
        })
        .collect()
}

fn id(mount: &Mount) -> &str {
    match mount {
        Mount::Efs { id, .. } => id.as_str(),
        Mount::Volume { id, .. } => id.as_str(),
        Mount::Lustre { id, .. } => id.as_str(),
        Mount::Openzfs { id, .. } | Mount::Ontap { id, .. } => id.as_str(),
        Mount::FileCache { id, .. } => id.as_str(),
    }
}
