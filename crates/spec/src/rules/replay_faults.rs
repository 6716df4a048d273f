//! Replayed faults of what the replayed machine does not have.

use super::{Rule, Scope};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "replay-fault",
    summary: "A replayed machine has the part that its faults are of, and each fault once",
    explain: "Some faults of `rehearsal.replay` are of GPUs, and `trn1` has none. `trainyard-agent replay list` shows what \
              each fault is of.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (n, replay) in spec.rehearsal.replay.iter().enumerate() {
        for (f, fault) in replay.faults.iter().enumerate() {
            let at = path!["rehearsal", "replay", n, "faults", f];
            let (name, profile) = (fault.name(), replay.profile.name());
            if replay.faults[..f].contains(fault) {
                found
                    .push(Diagnostic::error(RULE.code, at, format!("`{name}` is there twice")).fix("keep one of them"));
            } else if fault.is_of_gpus() && !replay.profile.has_gpus() {
                found.push(
                    Diagnostic::error(RULE.code, at, format!("`{name}` is a fault of GPUs, and `{profile}` has none"))
                        .rests_on(path!["rehearsal", "replay", n, "profile"])
                        .fix("use another fault, or a profile with GPUs"),
                );
            }
        }
    }
    found
}
