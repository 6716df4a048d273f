//! Lustre sizes that FSx does not sell (pitfall D-A51).

use super::{Rule, Scope};
use crate::model::{Lustre, LustreDeployment, ProviderKind, Shared};
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "lustre-size",
    summary: "FSx for Lustre comes in 1200, 2400 and then steps of 2400 GiB; with EFA in larger steps",
    explain: "FSx for Lustre on SSD is sold as 1200 GiB, 2400 GiB, and from there in steps of 2400 GiB. With EFA the steps \
              follow the throughput: 38400 GiB at 125 MB/s per TiB, 19200 at 250 (what `auto` stands for), 9600 at 500, \
              4800 at 1000.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Shared::Lustre(lustre) = &spec.storage.shared else { return Vec::new() };
    let size = lustre.size_gib;
    // A rehearsal does not look at `efa`.
    let steps = if spec.provider == ProviderKind::Aws { efa_steps(lustre) } else { None };
    let step = steps.unwrap_or(2400);
    if size.is_multiple_of(step) || steps.is_none() && size == 1200 {
        return Vec::new();
    }
    let next = size.div_ceil(step) * step;
    let with = if steps.is_some() { " with EFA at this throughput" } else { "" };
    vec![
        Diagnostic::error(
            RULE.code,
            path!["storage", "shared", "size_gib"],
            format!("FSx for Lustre has no {size} GiB{with}"),
        )
        .replace(format!("the next size is {next}"), next.to_string()),
    ]
}

/// The steps in which Lustre over EFA is sold. Nothing where another rule refuses EFA or the throughput.
fn efa_steps(lustre: &Lustre) -> Option<u32> {
    if !lustre.efa || matches!(lustre.deployment, LustreDeployment::Persistent1 | LustreDeployment::Scratch2) {
        return None;
    }
    match lustre.throughput_mb_s_per_tib.or(250) {
        125 => Some(38_400),
        250 => Some(19_200),
        500 => Some(9600),
        1000 => Some(4800),
        _ => None,
    }
}
