//! Metadata IOPS that FSx for Lustre does not sell.

use super::{Rule, Scope};
use crate::model::{Choice, LustreDeployment, Shared};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "lustre-metadata",
    summary: "FSx for Lustre's metadata IOPS are 1500, 3000, 6000, 12000, and then steps of 12000",
    explain: "FSx for Lustre sells metadata IOPS as 1500, 3000, 6000, 12000, and from there in steps of 12000 up to 192000. \
              `auto` lets them follow the size.",
    scope: Scope::Aws,
    check,
};

const MOST: u32 = 192_000;

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Shared::Lustre(lustre) = &spec.storage.shared else { return Vec::new() };
    let Choice::Given(asked) = lustre.metadata_iops else { return Vec::new() };
    if matches!(lustre.deployment, LustreDeployment::Persistent1 | LustreDeployment::Scratch2) {
        // Another rule says that these have none at all.
        return Vec::new();
    }
    let next = match asked {
        0..=1500 => 1500,
        1501..=3000 => 3000,
        3001..=6000 => 6000,
        6001..=MOST => asked.div_ceil(12_000) * 12_000,
        _ => MOST,
    };
    if next == asked {
        return Vec::new();
    }
    let say = if asked > MOST { "the most is" } else { "the next are" };
    vec![
        Diagnostic::error(
            RULE.code,
            path!["storage", "shared", "metadata_iops"],
            format!("FSx for Lustre has no {asked} metadata IOPS"),
        )
        .replace(format!("{say} {next}"), next.to_string()),
    ]
}
