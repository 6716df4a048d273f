//! Names that say nothing, files that are too long, and files that do not say what they are.

use std::collections::BTreeSet;

use crate::manifest::{Manifest, Renames};
use crate::repository::{File, Repository};
use crate::source::Code;

use super::{Check, Exception, Violation, is_excepted};

pub(super) static CHECK: Check = Check { name: RULE, about: "files are named, short and introduced", run };

const RULE: &str = "layout";

/// Where the rules about files hold.
const FOLDERS: &[&str] = &["crates", "xtask", "testing", "fuzz"];

const EMPTY_NAMES: &[&str] = &["common", "core", "helpers", "types", "util", "utils"];

const LONGEST: usize = 500;

const EXCEPTIONS: &[Exception] = &[];

fn run(repository: &Repository) -> Vec<Violation> {
    let mut violations = names_of_files(repository);
    violations.extend(names_of_crates(repository));
    for (file, code) in repository.code().filter(|(file, _)| is_ours(file)) {
        violations.extend(names_of_modules(file, code));
        violations.extend(length(file));
        violations.extend(header(file));
    }
    violations
}

fn is_ours(file: &File) -> bool {
    FOLDERS.contains(&file.components()[0])
}

fn finding(path: &str, line: usize, what: String) -> Violation {
    Violation { rule: RULE, path: path.to_owned(), line, what, why: "", fix: String::new() }
}

fn empty_name(path: &str, line: usize, what: String) -> Violation {
    let fix = "name it after the one thing that it does".to_owned();
    Violation { why: "everything fits under that name, so everything ends there", fix, ..finding(path, line, what) }
}

/// Folders and files of every kind, each once.
fn names_of_files(repository: &Repository) -> Vec<Violation> {
    let mut found = BTreeSet::new();
    for file in repository.files.iter().filter(|file| is_ours(file)) {
        let mut end = 0;
        for part in file.path.split_inclusive('/') {
            end += part.len();
            let name = part.trim_end_matches('/');
            let stem = if part.ends_with('/') { name } else { name.split('.').next().unwrap_or(name) };
            if EMPTY_NAMES.contains(&stem) {
                found.insert((file.path[..end].trim_end_matches('/'), stem));
            }
        }
    }
    found.into_iter().map(|(path, stem)| empty_name(path, 1, format!("something is called `{stem}`"))).collect()
}

fn names_of_crates(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (_, file) in repository.manifests() {
        // A manifest that cannot be read is the finding of `arrows`.
        let Ok(manifest) = Manifest::parse(&file.text, &Renames::default()) else { continue };
        let last = manifest.name.rsplit(['-', '_']).next().unwrap_or_default();
        if EMPTY_NAMES.contains(&last) {
            let what = format!("a crate is called `{}`", manifest.name);
            violations.push(empty_name(&file.path, manifest.name_line, what));
        }
    }
    violations
}

/// Modules that have no file of their own.
fn names_of_modules(file: &File, code: &Code) -> Vec<Violation> {
    let mut violations = Vec::new();
    for window in code.tokens.windows(3) {
        let [word, name, open] = window else { continue };
        if word.text == "mod" && open.text == "{" && EMPTY_NAMES.contains(&name.text.as_str()) {
            violations.push(empty_name(&file.path, name.line, format!("a module is called `{}`", name.text)));
        }
    }
    violations
}

fn length(file: &File) -> Option<Violation> {
    let lines = file.text.lines().count();
    (lines > LONGEST && !is_excepted(EXCEPTIONS, file, "length")).then(|| Violation {
        why: "a file that is read in one go is understood in one go",
        fix: "split it where its module header would need an `and`".to_owned(),
        ..finding(&file.path, LONGEST + 1, format!("{lines} lines are more than {LONGEST}"))
    })
}

fn header(file: &File) -> Option<Violation> {
    let is_source =
        matches!(file.components().as_slice(), ["crates" | "testing", _, "src", ..] | ["xtask" | "fuzz", "src", ..]);
    (is_source && !file.text.starts_with("//!")).then(|| Violation {
        why: "the header is where a reader learns what the module promises",
        fix: "begin with `//! ` and its contract".to_owned(),
        ..finding(&file.path, 1, "the file does not begin with `//!`".to_owned())
    })
}
