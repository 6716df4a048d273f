//! Work that was put off has an issue, and no code path ends in a promise. Tests are not exempt.

use crate::repository::{File, Repository};
use crate::source::Code;

use super::{Check, Violation, names_what_it_looks_for};

pub(super) static CHECK: Check = Check { name: RULE, about: "work that was put off has an issue", run };

const RULE: &str = "unfinished";

const MARKS: &[&str] = &["TODO", "FIXME"];

const MACROS: &[&str] = &["todo", "unimplemented"];

fn run(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in repository.files.iter().filter(|file| !names_what_it_looks_for(file)) {
        for (line, text) in file.text.lines().enumerate() {
            if let Some(mark) = MARKS.iter().find(|mark| has_bare(text, mark)) {
                let fix = format!("do it now, or open an issue and write `{mark}(#12)`");
                violations.push(finding(file, line + 1, format!("{mark} without an issue"), fix));
            }
        }
        violations.extend(file.code.iter().flat_map(|code| macros(file, code)));
    }
    violations
}

fn macros<'a>(file: &'a File, code: &'a Code) -> impl Iterator<Item = Violation> {
    code.mentions.iter().filter(|mention| mention.is_macro).filter_map(|mention| {
        let name = MACROS.iter().find(|name| mention.path.last().is_some_and(|last| last == *name))?;
        let fix = "finish it, or return an error that says what is missing".to_owned();
        Some(finding(file, mention.line, format!("{name}! is called"), fix))
    })
}

fn finding(file: &File, line: usize, what: String, fix: String) -> Violation {
    let why = "what nobody tracks is never finished";
    Violation { rule: RULE, path: file.path.clone(), line, what, why, fix }
}

/// The mark as a word of its own, without `(#number)` behind it.
fn has_bare(text: &str, mark: &str) -> bool {
    text.match_indices(mark).any(|(at, _)| {
        let after = &text[at + mark.len()..];
        let is_word = !text[..at].ends_with(is_word_character) && !after.starts_with(is_word_character);
        let issue = after.strip_prefix("(#").and_then(|rest| rest.split_once(')')).map_or("", |(issue, _)| issue);
        is_word && (issue.is_empty() || !issue.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
