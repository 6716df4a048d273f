//! File systems that hide each other, or the system's own folders.

use super::{Rule, Scope};
use crate::model::{Home, Mount, Shared};
use crate::{Diagnostic, Path, Spec, parallelcluster, path};

pub(super) static RULE: Rule = Rule {
    code: "mount-path",
    summary: "File systems are mounted beside each other, and not over the system's folders",
    explain: "A file system that is mounted over another one, or inside of it, hides files or keeps the other from being \
              mounted. /home and /fsx are taken by `storage.home` and `storage.shared`, unless those are `ephemeral` and \
              `none`, and the nodes' own disks by `storage.scratch`. ParallelCluster refuses the system's folders, such as \
              /opt or /mnt, but not folders in them: /mnt/data is free.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let reserved = &parallelcluster::of(spec).constants.reserved_mount_dirs;
    let storage = &spec.storage;
    let mut found = Vec::new();
    let mut taken: Vec<(String, &str)> = Vec::new();
    if !matches!(storage.home, Home::Ephemeral {}) {
        taken.push(("storage.home".to_owned(), "/home"));
    }
    if !matches!(storage.shared, Shared::None {}) {
        taken.push(("storage.shared".to_owned(), "/fsx"));
    }
    for (at, directory) in own_paths(spec) {
        let finding = |what: String| Diagnostic::error(RULE.code, at.clone(), what);
        if reserved.iter().any(|known| known == directory) || directory == "/NONE" {
            found.push(
                finding(format!("`{directory}` belongs to the system")).fix("use another path, for example `/data`"),
            );
        } else if let Some((owner, path)) = taken.iter().find(|(_, path)| overlap(path, directory)) {
            let what = if *path == directory {
                format!("`{directory}` is taken by `{owner}`")
            } else {
                format!("`{directory}` and `{path}` of `{owner}` lie inside each other")
            };
            found.push(finding(what).why("one would hide the other").fix("use a path beside it"));
        }
        taken.push((at.to_string(), directory));
    }
    for (n, mount) in storage.mounts.iter().enumerate() {
        if matches!(mount, Mount::FileCache { .. }) && mount.path().as_str() == "/home" {
            let at = path!["storage", "mounts", n, "path"];
            let what = "an Amazon File Cache cannot be /home";
            found
                .push(Diagnostic::error(RULE.code, at, what).fix("use another path, or another file system for /home"));
        }
    }
    found
}

/// The paths that the spec chooses.
fn own_paths(spec: &Spec) -> impl Iterator<Item = (Path, &str)> {
    let scratch = &spec.storage.scratch;
    let scratch = scratch.enabled.then(|| (path!["storage", "scratch", "path"], scratch.path.as_str()));
    let mounts = spec.storage.mounts.iter().enumerate();
    scratch.into_iter().chain(mounts.map(|(n, mount)| (path!["storage", "mounts", n, "path"], mount.path().as_str())))
}

fn overlap(one: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(one, other) || within(other, one)
}
