//! A database that is to be larger at least than at most.

use super::{Rule, Scope};
use crate::model::Accounting;
use crate::{Diagnostic, Spec, path};

pub(super) static RULE: Rule = Rule {
    code: "accounting-capacity",
    summary: "The database's `min_acu` is at most its `max_acu`",
    explain: "Aurora grows and shrinks between the two: `min_acu` is what it always has (and costs), `max_acu` what it may \
              grow to under load.",
    scope: Scope::Aws,
    check,
};

fn check(spec: &Spec) -> Vec<Diagnostic> {
    let Some(Accounting::New { min_acu, max_acu }) = spec.accounting else { return Vec::new() };
    if min_acu <= max_acu {
        return Vec::new();
    }
    let what = format!("{min_acu} capacity units at least are more than {max_acu} at most");
    let fix = format!("lower `min_acu` to {max_acu}, or raise `max_acu`");
    vec![Diagnostic::error(RULE.code, path!["accounting", "min_acu"], what).fix(fix)]
}
