//! One thing, one file, one line: every file of a registry's folder is in its list, and nothing else is.
//! A registry that is not where [`REGISTRIES`] says is a finding: a list that is not read was not checked.

use std::collections::BTreeSet;

use crate::repository::{File, Repository};
use crate::source::Token;

use super::{Check, Violation};

pub(super) static CHECK: Check = Check { name: RULE, about: "every file of a registry is in its list", run };

const RULE: &str = "lists";

/// A folder of like things, and the list that names them.
struct Registry {
    /// The file with the list; its folder holds the things.
    file: &'static str,
    form: Form,
}

/// How a list is written.
enum Form {
    /// `mod x;` lines, and `static LIST: … = &[&x::ITEM, …];`
    Static { list: &'static str, item: &'static str },
    /// `name! { x: Name, … }`, which makes the modules too.
    Macro { name: &'static str },
}

const REGISTRIES: &[Registry] = &[
    Registry { file: "crates/spec/src/rules/mod.rs", form: Form::Static { list: "RULES", item: "RULE" } },
    Registry { file: "crates/plan/src/artifacts/mod.rs", form: Form::Static { list: "KINDS", item: "KIND" } },
    Registry { file: "crates/plan/src/aws/stacks/mod.rs", form: Form::Static { list: "STACKS", item: "STACK" } },
    Registry { file: "crates/plan/src/metrics/mod.rs", form: Form::Static { list: "TABLES", item: "TABLE" } },
    Registry { file: "crates/node/src/collect/mod.rs", form: Form::Static { list: "COLLECTORS", item: "COLLECTOR" } },
    Registry { file: "crates/cli/src/commands/mod.rs", form: Form::Macro { name: "commands" } },
    Registry { file: "fuzz/src/targets/mod.rs", form: Form::Static { list: "TARGETS", item: "TARGET" } },
    Registry { file: "xtask/src/tidy/mod.rs", form: Form::Static { list: "CHECKS", item: "CHECK" } },
    Registry { file: "xtask/src/generate/mod.rs", form: Form::Static { list: "REFERENCES", item: "REFERENCE" } },
];

const WHY: &str = "what is not in its list does not exist for the program";

fn run(repository: &Repository) -> Vec<Violation> {
    REGISTRIES.iter().flat_map(|registry| of_registry(repository, registry)).collect()
}

fn of_registry(repository: &Repository, registry: &Registry) -> Vec<Violation> {
    let finding =
        |path: &str, line, what, fix| Violation { rule: RULE, path: path.to_owned(), line, what, why: WHY, fix };
    let tokens = repository.file(registry.file).and_then(|file| file.code.as_ref()).map(|code| &code.tokens);
    let list = tokens.and_then(|tokens| Some((tokens, registry.form.entries(tokens)?)));
    let Some((tokens, entries)) = list else {
        let what = format!("{} is not there", registry.form);
        return vec![finding(registry.file, 1, what, "put it back, or give REGISTRIES its new place".to_owned())];
    };
    let files = files_beside(repository, registry.file);
    let mut violations = Vec::new();
    let mut missing = |names: &BTreeSet<&str>, line: &dyn Fn(&str) -> String| {
        for (name, file) in files.iter().filter(|(name, _)| !names.contains(name)) {
            let what = format!("{} has no line `{}`", registry.file, line(name));
            violations.push(finding(&file.path, 1, what, "add the line where it belongs in the order".to_owned()));
        }
    };
    if matches!(registry.form, Form::Static { .. }) {
        missing(&modules(tokens), &|name| format!("mod {name};"));
    }
    missing(&entries.iter().map(|entry| entry.name).collect(), &|name| registry.form.line(name));
    let mut seen = BTreeSet::new();
    for Entry { name, line } in entries {
        if !files.iter().any(|(file, _)| *file == name) {
            let what = format!("`{}` has no file", registry.form.line(name));
            violations.push(finding(registry.file, line, what, "add the file, or remove the line".to_owned()));
        }
        if !seen.insert(name) {
            let what = format!("`{}` is there twice", registry.form.line(name));
            violations.push(finding(registry.file, line, what, "remove one".to_owned()));
        }
    }
    violations
}

/// The modules beside a file, as `x.rs` or `x/mod.rs`.
fn files_beside<'a>(repository: &'a Repository, list: &str) -> Vec<(&'a str, &'a File)> {
    let folder = list.trim_end_matches("mod.rs");
    let name = |file: &'a File| {
        let below = file.path.strip_prefix(folder)?;
        let name = below.strip_suffix("/mod.rs").or(below.strip_suffix(".rs"))?;
        (!name.contains('/') && name != "mod").then_some((name, file))
    };
    repository.files.iter().filter_map(name).collect()
}

/// The names in `mod x;` lines.
fn modules(tokens: &[Token]) -> BTreeSet<&str> {
    let module = |window: &'_ [Token]| window[0].text == "mod" && window[2].text == ";";
    tokens.windows(3).filter(|window| module(window)).map(|window| window[1].text.as_str()).collect()
}

struct Entry<'a> {
    name: &'a str,
    line: usize,
}

impl Form {
    /// The entries, or nothing when the list is not in this file.
    fn entries<'a>(&self, tokens: &'a [Token]) -> Option<Vec<Entry<'a>>> {
        let entry = |token: &'a Token| Entry { name: &token.text, line: token.line };
        let is = |token: &Token, text: &str| token.text == text;
        match self {
            Self::Static { list, item } => {
                let begin = tokens.windows(2).position(|pair| is(&pair[0], list) && is(&pair[1], ":"))?;
                let begin = begin + tokens[begin..].iter().position(|token| is(token, "="))?;
                let body = body(&tokens[begin..], "[", "]")?;
                let entries = body
                    .windows(4)
                    .filter(|window| is(&window[0], "&") && is(&window[2], "::") && is(&window[3], item));
                Some(entries.map(|window| entry(&window[1])).collect())
            }
            Self::Macro { name } => {
                let begin = tokens
                    .windows(3)
                    .position(|three| is(&three[0], name) && is(&three[1], "!") && is(&three[2], "{"))?;
                let body = body(&tokens[begin..], "{", "}")?;
                let entries = body.windows(4).filter(|window| is(&window[1], ":") && is(&window[3], ","));
                Some(entries.map(|window| entry(&window[0])).collect())
            }
        }
    }

    fn line(&self, name: &str) -> String {
        match self {
            Self::Static { item, .. } => format!("&{name}::{item},"),
            Self::Macro { .. } => format!("{name}: Name,"),
        }
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Static { list, .. } => write!(f, "the list {list}"),
            Self::Macro { name } => write!(f, "the list {name}!"),
        }
    }
}

/// The tokens between the first `open` and its `close`.
fn body<'a>(tokens: &'a [Token], open: &str, close: &str) -> Option<&'a [Token]> {
    let begin = tokens.iter().position(|token| token.text == open)? + 1;
    let mut depth = 1_usize;
    for (at, token) in tokens.iter().enumerate().skip(begin) {
        if token.text == open {
            depth += 1;
        } else if token.text == close {
            depth -= 1;
            if depth == 0 {
                return tokens.get(begin..at);
            }
        }
    }
    None
}
