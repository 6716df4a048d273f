//! Which crate may depend on which. Every kind of dependency counts, also for tests and for one target only.

use std::collections::BTreeMap;

use crate::manifest::{Manifest, Renames};
use crate::repository::Repository;

use super::{Check, Violation};

pub(super) static CHECK: Check =
    Check { name: RULE, about: "workspace crates depend on each other only along the design's arrows", run };

const RULE: &str = "arrows";

/// The crates that only tests may depend on.
const TESTING: &str = "testing";

/// A crate's folder, and the crates that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("run", &[]),
    ("plan", &["spec"]),
    ("provider", &["plan", "spec", "run"]),
    ("node", &["plan", "spec", "run"]),
    ("collectives", &["plan"]),
    ("cli", &["spec", "plan", "run", "provider", "node", "collectives"]),
    // What tests share makes inputs and starts programs; it must not bring a crate with effects into the tests of
    // another. `spec` has none, and says which inputs are accepted.
    (TESTING, &["run", "spec", TESTING]),
    // It reads, with what each of them reads with, what nobody would write. Nothing may depend on it.
    ("fuzz", &["spec", "plan", "provider", "node"]),
    // A chore builds in seconds, and also when the product does not.
    ("xtask", &[]),
];

fn run(repository: &Repository) -> Vec<Violation> {
    let renames = match repository.file("Cargo.toml").map(|file| Renames::parse(&file.text)) {
        Some(Ok(renames)) => renames,
        Some(Err((line, what))) => return vec![unread("Cargo.toml", line, what)],
        None => return vec![unread("Cargo.toml", 1, "there is no root manifest".to_owned())],
    };
    let mut violations = Vec::new();
    let mut manifests = Vec::new();
    for (folder, file) in repository.manifests() {
        match Manifest::parse(&file.text, &renames) {
            Ok(manifest) => manifests.push((folder, file.path.as_str(), manifest)),
            Err((line, what)) => violations.push(unread(&file.path, line, what)),
        }
    }
    let folders: BTreeMap<&str, &str> =
        manifests.iter().map(|(folder, _, manifest)| (manifest.name.as_str(), *folder)).collect();
    for (folder, path, manifest) in &manifests {
        violations.extend(along_the_arrows(folder, path, manifest, &folders));
    }
    violations
}

fn along_the_arrows(folder: &str, path: &str, manifest: &Manifest, folders: &BTreeMap<&str, &str>) -> Vec<Violation> {
    let violation = |line, what, fix: &str| Violation {
        rule: RULE,
        path: path.to_owned(),
        line,
        what,
        why: "a crate exists only to forbid something, and an extra arrow lets it in",
        fix: fix.to_owned(),
    };
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == folder) else {
        let what = format!("the crate `{folder}` is not among the design's");
        return vec![violation(manifest.name_line, what, "make it a module, or give it its row in ARROWS")];
    };
    let mut violations = Vec::new();
    for dependency in &manifest.dependencies {
        let Some(to) = folders.get(dependency.package.as_str()) else { continue };
        // A crate may name itself, to switch features on for its own tests.
        if allowed.contains(to) || *to == folder || (*to == TESTING && dependency.for_tests) {
            continue;
        }
        let may = if allowed.is_empty() { "no other crate".to_owned() } else { allowed.join(", ") };
        let what = format!("`{folder}` depends on `{to}` and may depend on {may}");
        violations.push(violation(dependency.line, what, "pass the data in, or move the code to where it may live"));
    }
    violations
}

fn unread(path: &str, line: usize, what: String) -> Violation {
    let (why, fix) = ("its arrows cannot be read", "repair it".to_owned());
    Violation { rule: RULE, path: path.to_owned(), line, what, why, fix }
}
