//! No file names a folder that exists only on the machine where it was written.

use crate::repository::Repository;

use super::{Check, Violation, names_what_it_looks_for};

pub(super) static CHECK: Check = Check { name: RULE, about: "no file names a folder of one machine", run };

const RULE: &str = "machine-paths";

const FOLDERS: &[&str] = &["/Users/"];

fn run(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in repository.files.iter().filter(|file| !names_what_it_looks_for(file)) {
        for (line, text) in file.text.lines().enumerate() {
            let Some(folder) = FOLDERS.iter().find(|folder| begins_in(text, folder)) else { continue };
            violations.push(Violation {
                rule: RULE,
                path: file.path.clone(),
                line: line + 1,
                what: format!("a path begins with {folder}"),
                why: "it exists only on the machine where it was written",
                fix: "make it relative, or take it as an argument".to_owned(),
            });
        }
    }
    violations
}

/// Whether a path of the text begins in the folder; `/fsx` in front of it, or `$HOME`, makes it another path.
fn begins_in(text: &str, folder: &str) -> bool {
    let is_longer_path = |character: char| character.is_alphanumeric() || "_-.~/)}*".contains(character);
    text.match_indices(folder).any(|(at, _)| !text[..at].ends_with(is_longer_path))
}
