//! EFA on types that have none.

use super::{Rule, Scope};
use crate::model::Toggle;
use crate::{Diagnostic, Spec, fleet};

pub(super) static RULE: Rule = Rule {
    code: "efa-unsupported",
    summary: "`efa: enabled` only on types with EFA",
    explain: "The Elastic Fabric Adapter is part of the machine: a type has it or not. Of several `instances`, each must \
              have it. `efa: auto`, the default, switches it on wherever it is there.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for resource in fleet::resources(spec).filter(|resource| resource.own.efa == Toggle::Enabled) {
        if let Some((_, instance)) = resource.known().find(|(_, instance)| instance.efa_interfaces == 0) {
            let what = format!("`{}` has no EFA", instance.name);
            found.push(
                Diagnostic::error(RULE.code, resource.at("efa"), what)
                    .replace("set `efa` to `auto`, or use types with EFA", "auto"),
            );
        }
    }
    found
}
