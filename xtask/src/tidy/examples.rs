//! Every example tells the editor where its schema is.

use crate::repository::Repository;

use super::{Check, Violation};

pub(super) static CHECK: Check = Check { name: RULE, about: "every example names its schema", run };

const RULE: &str = "examples";

const FIRST_LINE: &str = "# yaml-language-server: $schema=../docs/trainyard.schema.json";

fn run(repository: &Repository) -> Vec<Violation> {
    // Below the folder lie the files that examples run, not examples.
    let is_example = |path: &str| match path.strip_prefix("examples/").and_then(|name| name.strip_suffix(".yaml")) {
        Some(name) => !name.contains('/'),
        None => false,
    };
    let mut violations = Vec::new();
    for file in repository.files.iter().filter(|file| is_example(&file.path)) {
        if file.text.lines().next() != Some(FIRST_LINE) {
            violations.push(Violation {
                rule: RULE,
                path: file.path.clone(),
                line: 1,
                what: "the first line does not name the schema".to_owned(),
                why: "people copy examples, and with that line their editor checks while they type",
                fix: format!("begin with `{FIRST_LINE}`"),
            });
        }
    }
    violations
}
