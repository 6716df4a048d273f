//! Settings that nothing would read (pitfall D-A11).

use super::{Rule, Scope};
use crate::model::MonitoringMode;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "setting-unused",
    summary: "Every setting given has an effect",
    explain: "A workspace id or certificate that the chosen monitoring mode does not use is a misunderstanding waiting \
              to be found out, so it is an error.",
    scope: Scope::Everywhere,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let monitoring = &spec.monitoring;
    let mode = monitoring.mode;
    let uses_amp = matches!(mode, MonitoringMode::Amp | MonitoringMode::AmpAmg);
    let dead = [
        ("amp_workspace", monitoring.amp_workspace.is_some() && !uses_amp, "`amp` or `amp_amg`"),
        ("amg_workspace", monitoring.amg_workspace.is_some() && mode != MonitoringMode::AmpAmg, "`amp_amg`"),
        ("certificate", monitoring.certificate.is_some() && mode != MonitoringMode::SelfHosted, "`self_hosted`"),
    ];
    dead.iter()
        .filter(|(_, is_dead, _)| *is_dead)
        .map(|(key, _, modes)| {
            let what = format!("`{key}` has no effect in this monitoring mode");
            Diagnostic::error(RULE.code, path!["monitoring", *key], what)
                .fix(format!("set `mode` to {modes}, or remove it"))
        })
        .collect()
}
