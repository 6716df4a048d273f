//! `docs/rules.md`: every rule that a spec is held to, with its long story.

use super::{Ask, MARK, Reference, trimmed};

pub(super) static REFERENCE: Reference = Reference { path: "docs/rules.md", compose };

fn compose(ask: Ask<'_>) -> Result<String, String> {
    let list = ask(&["explain"])?;
    let rules: Vec<(&str, &str)> = list.lines().filter_map(|line| line.trim().split_once(' ')).collect();
    if rules.is_empty() {
        return Err("trainyard explain: it lists no rule".to_owned());
    }
    let mut parts = vec![format!(
        "{MARK}\n\n# The rules\n\nWhat `trainyard check` holds a spec to beyond its shape; \
         `trainyard explain CODE` says the same.\n\n| code | it asks for |\n|---|---|\n"
    )];
    for (code, summary) in &rules {
        // A bar would end the table's cell, also inside backticks.
        parts.push(format!("| [{code}](#{code}) | {} |\n", summary.trim().replace('|', "\\|")));
    }
    for (code, summary) in &rules {
        let story = ask(&["explain", code])?;
        let story = story.split_once("\n\n").map_or("", |(_, story)| story);
        parts.push(format!("\n## {code}\n\n**{}**\n\n{}", summary.trim(), trimmed(story)));
    }
    Ok(parts.concat())
}
