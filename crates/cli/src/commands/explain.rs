//! `trainyard explain CODE`: the long story of one diagnostic.

use trainyard_provider::Failure;
use trainyard_spec::{codes::CODES, rules::RULES};

use crate::session::Session;

/// Tell the long story of one diagnostic.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The code, as `check` shows it in brackets. Without it: all codes.
    code: Option<String>,
}

/// A code, its summary and its story.
type Story = (&'static str, &'static str, &'static str);

/// Rules first, then what YAML and the shape check find.
fn stories() -> impl Iterator<Item = Story> {
    let rules = RULES.iter().map(|rule| (rule.code, rule.summary, rule.explain));
    rules.chain(CODES.iter().map(|code| (code.code, code.summary, code.explain)))
}

fn json((code, summary, explain): Story) -> serde_json::Value {
    serde_json::json!({"code": code, "summary": summary, "explain": explain})
}

impl Explain {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let ui = &session.ui;
        let Some(code) = self.code else {
            if ui.is_json() {
                ui.json(&stories().map(json).collect::<Vec<_>>());
            } else {
                stories().for_each(|(code, summary, _)| ui.data(&format!("{code:<24} {summary}")));
            }
            return Ok(0);
        };
        let story = stories().find(|(known, _, _)| *known == code).ok_or_else(|| {
            Failure::usage(format!("there is no code `{code}`")).hint("see all codes with: trainyard explain")
        })?;
        if ui.is_json() {
            ui.json(&json(story));
        } else {
            ui.data(&format!("{}: {}\n\n{}", story.0, story.1, story.2));
        }
        Ok(0)
    }
}
