//! Processes start in one crate, and nobody ends this one from within. Tests may start them, and not end.

use crate::repository::{File, Repository};
use crate::source::Mention;

use super::{Check, Exception, Violation, is_excepted};

pub(super) static CHECK: Check = Check { name: RULE, about: "processes start only in `run`; nothing calls exit", run };

const RULE: &str = "processes";

const STARTS: &[&str] = &["std::process::Command", "tokio::process"];

const EXIT: &str = "std::process::exit";

/// The one crate that starts processes.
const STARTER: &str = "run";

const EXCEPTIONS: &[Exception] = &[];

fn run(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (file, code) in repository.code().filter(|(file, _)| file.path.starts_with("crates/")) {
        let is_held = file.source_of().is_some_and(|folder| folder != STARTER);
        for mention in code.mentions.iter().filter(|mention| !mention.is_macro) {
            if mention.names(EXIT) {
                violations.push(exit(file, mention));
            }
            let Some(thing) = STARTS.iter().find(|thing| mention.names(thing)) else { continue };
            if is_held && !mention.test && !is_excepted(EXCEPTIONS, file, thing) {
                violations.push(start(file, mention, thing));
            }
        }
    }
    violations
}

fn start(file: &File, mention: &Mention, thing: &str) -> Violation {
    Violation {
        rule: RULE,
        path: file.path.clone(),
        line: mention.line,
        what: format!("{thing} outside crates/{STARTER}"),
        why: "every process needs a deadline, and its output in the error",
        fix: format!("use the Command of crates/{STARTER}"),
    }
}

fn exit(file: &File, mention: &Mention) -> Violation {
    Violation {
        rule: RULE,
        path: file.path.clone(),
        line: mention.line,
        what: format!("{EXIT} is called"),
        why: "it skips every cleanup on the way out",
        fix: "return an error, or an ExitCode from main".to_owned(),
    }
}
