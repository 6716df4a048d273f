//! `docs/metrics.md`: every metric of the agent, and the names of the field's exporters that it has or has not.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Ask, MARK, Reference};
use crate::trainyard::AGENT;

pub(super) static REFERENCE: Reference = Reference { path: "docs/metrics.md", compose };

/// Who asks for it, the name, and why it is not there.
const FIELD: &str = include_str!("metrics.tsv");

fn compose(ask: Ask<'_>) -> Result<String, String> {
    let answer = ask(&[AGENT, "metrics", "--format", "json"])?;
    let answer: Value = serde_json::from_str(&answer).map_err(|error| format!("trainyard-agent metrics: {error}"))?;
    let collectors =
        answer.as_array().filter(|list| !list.is_empty()).ok_or("trainyard-agent metrics: it lists none")?;
    let mut text = format!(
        "{MARK}\n\n# Metrics of trainyard-agent\n\nWhat `/metrics` of an agent gives, by collector. A node has those that its \
         machine has something for. Names are the field's where it has one: `node_*` as node_exporter has them, `DCGM_FI_*` \
         as dcgm-exporter, `node_amazonefa_*` as the EFA node exporter, `lustre_*` as the Lustre exporter, \
         but in bytes. Where accelerators and fabric are \
         replayed, every one of their series has the label `replay`; where nodes share a machine, what is the machine's has \
         `scope=\"host\"`.\n\nIn classic text a metric of type info is a gauge. In OpenMetrics, a counter whose name lacks `_total` \
         is of type unknown.\n"
    );
    let mut known = Vec::new();
    for collector in collectors {
        let word = |key: &str| collector[key].as_str().unwrap_or_default();
        let _ = write!(text, "\n## {}\n\n{}. From {}.\n", word("collector"), capital(word("about")), word("source"));
        text.push_str("\n| metric | type | unit | labels | what it is |\n|---|---|---|---|---|\n");
        for metric in collector["metrics"].as_array().into_iter().flatten() {
            let word = |key: &str| metric[key].as_str().unwrap_or_default();
            let names = |key: &str| {
                let names = metric[key].as_array().into_iter().flatten().filter_map(Value::as_str);
                names.collect::<Vec<_>>().join(", ")
            };
            let (mut labels, parts) = (names("labels"), names("part_labels"));
            if !parts.is_empty() {
                let _ = write!(labels, "; of a partition also {parts}");
            }
            let help = word("help").replace('|', "\\|");
            let _ =
                writeln!(text, "| `{}` | {} | {} | {} | {help} |", word("name"), word("type"), word("unit"), labels);
            known.push(word("name").to_owned());
        }
    }
    field(&mut text, &known)?;
    Ok(text)
}

fn field(text: &mut String, known: &[String]) -> Result<(), String> {
    text.push_str(
        "\n## Names of the field that the agent has, and has not\n\nWhat the dashboard Node Exporter Full and dcgm-exporter's own list \
         ask for, and what AWS's exporter of Neuron devices gives.\n",
    );
    let rows: Vec<(&str, &str, &str)> = FIELD.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect();
    let mut last = "";
    for (who, name, why) in rows {
        if who != last {
            let _ = write!(text, "\n### {who}\n\n| name | |\n|---|---|\n");
            last = who;
        }
        let is_there = known.iter().any(|known| known == name);
        match (is_there, why) {
            (true, "") => drop(writeln!(text, "| `{name}` | yes |")),
            (false, "") => {
                return Err(format!("metrics.tsv: {name} is not among the agent's metrics, and has no reason"));
            }
            (true, _) => return Err(format!("metrics.tsv: {name} is among the agent's metrics; remove the reason")),
            (false, why) => drop(writeln!(text, "| `{name}` | no: {why} |")),
        }
    }
    Ok(())
}

fn row(line: &str) -> Option<(&str, &str, &str)> {
    let mut cells = line.split('\t');
    Some((cells.next()?, cells.next()?, cells.next()?))
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
