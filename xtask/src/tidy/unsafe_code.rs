//! `unsafe` only where the hardware is. Tests are not exempt.

use crate::repository::Repository;

use super::{Check, Exception, Violation, is_excepted};

pub(super) static CHECK: Check = Check { name: RULE, about: "`unsafe` only where the hardware is", run };

const RULE: &str = "unsafe";

const EXCEPTIONS: &[Exception] = &[
    Exception { path: "crates/collectives/", thing: "unsafe", reason: "it calls NCCL and MPI, which are C" },
    Exception {
        path: "crates/node/src/gpus/nvml_ffi.rs",
        thing: "unsafe",
        reason: "it calls NVML, which is C and is loaded at run time",
    },
    Exception {
        path: "crates/node/src/collect/timex/adjtimex_ffi.rs",
        thing: "unsafe",
        reason: "it calls adjtimex, which no safe crate has for reading",
    },
];

fn run(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (file, code) in repository.code().filter(|(file, _)| !is_excepted(EXCEPTIONS, file, "unsafe")) {
        for token in code.tokens.iter().filter(|token| token.text == "unsafe") {
            violations.push(Violation {
                rule: RULE,
                path: file.path.clone(),
                line: token.line,
                what: "`unsafe` outside crates/collectives and the files that call C".to_owned(),
                why: "memory safety is reviewed in few places and nowhere else",
                fix: "use a safe crate for it, for example nix".to_owned(),
            });
        }
    }
    violations
}
