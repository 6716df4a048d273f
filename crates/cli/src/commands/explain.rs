//! `trainyard explain CODE`: the long story of one diagnostic.

use trainyard_provider::Failure;
use trainyard_spec::rules::{RULES, Rule};

use crate::session::Session;

/// Tell the long story of one diagnostic.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The code, as `check` shows it in brackets. Without it: all codes.
    code: Option<String>,
}

impl Explain {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let json = |rule: &Rule| serde_json::json!({"code": rule.code, "summary": rule.summary, "explain": rule.explain});
        let Some(code) = self.code else {
            if session.ui.is_json() {
                session.ui.json(&RULES.iter().map(|rule| json(rule)).collect::<Vec<_>>());
                return Ok(0);
            }
            for rule in RULES {
                session.ui.data(&format!("{:<24} {}", rule.code, rule.summary));
            }
            return Ok(0);
        };
        let rule = RULES.iter().find(|rule| rule.code == code).ok_or_else(|| {
            Failure::usage(format!("there is no rule `{code}`")).hint("see all rules with: trainyard explain")
        })?;
        if session.ui.is_json() {
            session.ui.json(&json(rule));
            return Ok(0);
        }
        session.ui.data(&format!("{}: {}\n\n{}", rule.code, rule.summary, rule.explain));
        Ok(0)
    }
}
