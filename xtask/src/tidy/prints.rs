//! Only the user interface prints.

use crate::repository::{File, Repository};

use super::{Check, Exception, Violation, is_excepted};

pub(super) static CHECK: Check = Check { name: RULE, about: "only the user interface prints", run };

const RULE: &str = "prints";

const MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

const STREAMS: &[&str] = &["std::io::stdout", "std::io::stderr", "anstream::stdout", "anstream::stderr"];

/// The user interface.
const INTERFACE: &str = "crates/cli/src/ui/";

const EXCEPTIONS: &[Exception] = &[
    Exception {
        path: "crates/cli/src/commands/supervisor.rs",
        thing: "std::io::stdout",
        reason: "a node's process speaks to the supervisor through this pipe; no person reads it",
    },
    Exception {
        path: "crates/node/src/ui.rs",
        thing: "std::io::stdout",
        reason: "the agent is a program of its own, and this is all of its user interface",
    },
    Exception { path: "crates/node/src/ui.rs", thing: "std::io::stderr", reason: "as above" },
];

fn run(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    let is_held = |file: &File| file.source_of().is_some() && !file.path.starts_with(INTERFACE);
    for (file, code) in repository.code().filter(|(file, _)| is_held(file)) {
        for mention in code.in_product() {
            let last = mention.path.last().map_or("", String::as_str);
            let thing = if mention.is_macro {
                MACROS.iter().find(|name| **name == last)
            } else {
                STREAMS.iter().find(|stream| mention.names(stream))
            };
            let Some(thing) = thing.filter(|thing| !is_excepted(EXCEPTIONS, file, thing)) else { continue };
            violations.push(Violation {
                rule: RULE,
                path: file.path.clone(),
                line: mention.line,
                what: format!("{thing} outside {INTERFACE}"),
                why: "libraries tell and the command line draws, so that JSON stays JSON and bars stay whole",
                fix: "return the text or send an event, and let `ui` show it".to_owned(),
            });
        }
    }
    violations
}
