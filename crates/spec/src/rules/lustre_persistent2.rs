//! Settings that only PERSISTENT_2 has.

use super::{Rule, Scope};
use crate::model::{Choice, LustreDeployment, Shared};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "lustre-persistent2",
    summary: "EFA and metadata IOPS of FSx for Lustre need PERSISTENT_2",
    explain: "Lustre over EFA, and metadata servers with IOPS of their own, came with PERSISTENT_2. `auto` takes it wherever \
              the zone has it.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Shared::Lustre(lustre) = &spec.storage.shared else { return Vec::new() };
    let name = match lustre.deployment {
        LustreDeployment::Auto | LustreDeployment::Persistent2 => return Vec::new(),
        LustreDeployment::Persistent1 => "PERSISTENT_1",
        LustreDeployment::Scratch2 => "SCRATCH_2",
    };
    let asked = [("efa", lustre.efa), ("metadata_iops", matches!(lustre.metadata_iops, Choice::Given(_)))];
    asked
        .iter()
        .filter(|(_, is_asked)| *is_asked)
        .map(|(key, _)| {
            let what = format!("{name} has no `{key}`");
            Diagnostic::error(RULE.code, path!["storage", "shared", *key], what)
                .fix(format!("remove `{key}`, or set `deployment: persistent2`"))
                .at_key()
        })
        .collect()
}
