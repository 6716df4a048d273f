//! Text that CloudFormation, or our own plan, would take for more than text.

use serde_json::Value;

use super::{Rule, Scope};
use crate::{Diagnostic, Path, Spec};

pub(super) static RULE: Rule = Rule {
    code: "reserved-text",
    summary: "No text holds `${` or `{{resolve:`",
    explain: "`${Name}` is filled in by CloudFormation, and `${stack.Output}` by trainyard; `{{resolve:…}}` is a secret or a \
              parameter that CloudFormation looks up. In a tag, an argument or a setting of yours they would be filled \
              in, too, and not be what you wrote.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // The spec's own types always serialize; nothing is found in what could not be looked at.
    walk(&serde_json::to_value(spec).unwrap_or_default(), &Path::root(), &mut found);
    found
}

fn walk(value: &Value, at: &Path, found: &mut Vec<Diagnostic>) {
    match value {
        Value::String(text) => found.extend(reserved(text).map(|what| {
            let what = format!("`{what}` in this text would be filled in, not kept");
            Diagnostic::error(RULE.code, at.clone(), what).fix("write it without that; a script can put it together")
        })),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, value)| walk(value, &at.at(index), found)),
        Value::Object(map) => {
            for (key, value) in map {
                if let Some(what) = reserved(key) {
                    let what = format!("`{what}` in this name would be filled in, not kept");
                    found
                        .push(Diagnostic::error(RULE.code, at.at(key.as_str()), what).fix("use another name").at_key());
                }
                walk(value, &at.at(key.as_str()), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn reserved(text: &str) -> Option<&'static str> {
    ["${", "{{resolve:"].into_iter().find(|word| text.contains(word))
}
