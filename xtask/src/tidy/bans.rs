//! Effects and heavy dependencies, and the only crates that may have them.

use crate::manifest::{Manifest, Renames};
use crate::repository::Repository;

use super::{Check, Violation};

pub(super) static CHECK: Check =
    Check { name: RULE, about: "effects and heavy dependencies stay in the crates that are for them", run };

const RULE: &str = "bans";

/// The crates whose every result follows from their arguments.
const PURE: &[&str] = &["spec", "plan"];

/// Packages that a pure crate must not depend on, not even in its tests.
const IMPURE_PACKAGES: &[&str] = &["chrono", "fs-err", "hyper", "jiff", "libc", "nix", "reqwest", "time"];

/// Packages (`*` for all that begin so) and the only crates that may depend on them.
const HEAVY_PACKAGES: &[(&str, &[&str])] = &[("tokio", &["provider", "cli", "node"]), ("aws-*", &["provider"])];

/// What a pure crate's own code must not mention, and where its result comes from instead.
const IMPURE_PATHS: &[(&str, &str)] = &[
    ("std::fs", "take the text as an argument"),
    ("fs_err", "take the text as an argument"),
    ("std::env", "take the value as an argument"),
    ("std::net", "take the answer as a fact"),
    ("std::process", "take the answer as a fact"),
    ("std::time::SystemTime", "take the time as a fact"),
    ("std::time::Instant", "leave measuring to the engine"),
    ("std::io::stdin", "take the text as an argument"),
    ("std::io::stdout", "return the text"),
    ("std::io::stderr", "return the text"),
];

const WHY_PURE: &str = "spec and plan never read files, the clock, the environment or the network";

fn run(repository: &Repository) -> Vec<Violation> {
    let mut violations = packages(repository);
    violations.extend(paths(repository));
    violations
}

fn packages(repository: &Repository) -> Vec<Violation> {
    // A manifest that cannot be read is the finding of `arrows`.
    let renames = repository.file("Cargo.toml").and_then(|file| Renames::parse(&file.text).ok()).unwrap_or_default();
    let mut violations = Vec::new();
    for (folder, file) in repository.manifests().filter(|(_, file)| file.path.starts_with("crates/")) {
        let Ok(manifest) = Manifest::parse(&file.text, &renames) else { continue };
        for dependency in &manifest.dependencies {
            let Some((why, fix)) = banned(folder, &dependency.package) else { continue };
            let what = format!("`{folder}` depends on {}", dependency.package);
            violations.push(Violation { rule: RULE, path: file.path.clone(), line: dependency.line, what, why, fix });
        }
    }
    violations
}

/// Why the crate must not have the package, and what to do instead.
fn banned(folder: &str, package: &str) -> Option<(&'static str, String)> {
    if PURE.contains(&folder) && IMPURE_PACKAGES.contains(&package) {
        return Some((WHY_PURE, "take what it would tell as an argument or a fact".to_owned()));
    }
    let is_meant = |wanted: &str| match wanted.strip_suffix('*') {
        Some(beginning) => package.starts_with(beginning),
        None => package == wanted,
    };
    let (_, only) = HEAVY_PACKAGES.iter().find(|(wanted, only)| is_meant(wanted) && !only.contains(&folder))?;
    let why = if PURE.contains(&folder) { WHY_PURE } else { "it is heavy, and the crates without it build in seconds" };
    Some((why, format!("use it only in {}", only.join(", "))))
}

fn paths(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (file, code) in repository.code() {
        let Some(folder) = file.source_of().filter(|folder| PURE.contains(folder)) else { continue };
        for mention in code.in_product() {
            // `std::env!` is the compiler's; it reads nothing when the program runs.
            let Some((thing, fix)) = IMPURE_PATHS.iter().find(|(thing, _)| mention.names(thing)) else { continue };
            if mention.is_macro {
                continue;
            }
            violations.push(Violation {
                rule: RULE,
                path: file.path.clone(),
                line: mention.line,
                what: format!("`{folder}` mentions {thing}"),
                why: WHY_PURE,
                fix: (*fix).to_owned(),
            });
        }
    }
    violations
}
