//! The house rules, asserted. One check is one file and one line of [`CHECKS`].
//!
//! Checks only read, never stop at the first finding, and know nothing of each other.

mod arrows;
mod bans;
mod calls;
mod examples;
mod layout;
mod lists;
mod machine_paths;
mod prints;
mod processes;
mod unfinished;
mod unsafe_code;

use std::fmt;
use std::path::Path;

use crate::repository::{File, Repository};

/// One check: a name, a sentence, and a function from the repository to findings.
pub struct Check {
    /// The name that its findings carry.
    pub name: &'static str,
    /// One sentence: what it holds the repository to.
    pub about: &'static str,
    run: fn(&Repository) -> Vec<Violation>,
}

/// Every check, in the order in which findings are shown.
pub static CHECKS: &[&Check] = &[
    &arrows::CHECK,
    &bans::CHECK,
    &prints::CHECK,
    &processes::CHECK,
    &unsafe_code::CHECK,
    &lists::CHECK,
    &calls::CHECK,
    &layout::CHECK,
    &unfinished::CHECK,
    &machine_paths::CHECK,
    &examples::CHECK,
];

/// One place that breaks a house rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The check's name.
    pub rule: &'static str,
    /// The file, below the root.
    pub path: String,
    /// The line.
    pub line: usize,
    /// What is there.
    pub what: String,
    /// Why it must not be there.
    pub why: &'static str,
    /// What to do instead.
    pub fix: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, line, what, why, fix } = self;
        write!(f, "{path}:{line}: {rule}: {what}, but {why}; {fix}")
    }
}

/// Everything in the repository at `root` that breaks a house rule.
pub fn check(root: &Path) -> Vec<Violation> {
    let repository = Repository::read(root);
    let mut violations = unreadable(&repository);
    for check in CHECKS {
        violations.extend((check.run)(&repository));
    }
    violations
}

/// What could not be read was not checked: that is a finding, never a pass.
fn unreadable(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for problem in &repository.problems {
        violations.push(Violation {
            rule: "readable",
            path: problem.path.clone(),
            line: problem.line,
            what: problem.what.clone(),
            why: "nothing can be said about a file that is not read",
            fix: "repair or remove it".to_owned(),
        });
    }
    violations
}

/// A reviewed exception: this thing may stand in this file (a path that ends with `/` is a folder), for this reason.
struct Exception {
    path: &'static str,
    thing: &'static str,
    #[allow(dead_code, reason = "it is for the people who review the list, and none is accepted without it")]
    reason: &'static str,
}

fn is_excepted(exceptions: &[Exception], file: &File, thing: &str) -> bool {
    exceptions.iter().any(|exception| {
        let is_there = if exception.path.ends_with('/') {
            file.path.starts_with(exception.path)
        } else {
            file.path == exception.path
        };
        is_there && exception.thing == thing
    })
}

/// The checks of text and their tests name what they look for.
fn names_what_it_looks_for(file: &File) -> bool {
    file.path.starts_with("xtask/src/tidy/") || file.path.starts_with("xtask/tests/")
}
