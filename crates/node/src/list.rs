//! The list of metrics, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use trainyard_plan::metrics;

use crate::collect::COLLECTORS;

/// What the agent says of itself has no collector of its own.
const OWN: &str = "what the agent says of itself and of its collectors";

/// Every metric with this in its name, as lines: name, type, unit and what it is.
pub fn text(part: &str) -> String {
    let mut text = String::new();
    for metric in metrics::all().filter(|metric| metric.name.contains(part)) {
        let unit = if metric.unit().is_empty() { String::new() } else { format!(", {}", metric.unit()) };
        let mut labels = metric.labels.join(", ");
        if !metric.part_labels.is_empty() {
            let _ = write!(labels, "; of a partition also {}", metric.part_labels.join(", "));
        }
        if !labels.is_empty() {
            labels = format!(" {{{labels}}}");
        }
        let _ = writeln!(
            text,
            "{}{labels}\n    {} ({:?}{unit}; from {})",
            metric.name, metric.help, metric.kind, metric.source
        );
    }
    text
}

/// The same by collector, as JSON.
pub fn json(part: &str) -> Value {
    let about = |name: &str| COLLECTORS.iter().find(|kind| kind.name == name).map_or(OWN, |kind| kind.about);
    let tables = metrics::tables().iter().map(|table| {
        let metrics: Vec<Value> =
            table.metrics.iter().filter(|metric| metric.name.contains(part)).map(|m| one(m)).collect();
        let source = table.metrics.first().map_or("", |metric| metric.source);
        json!({ "collector": table.collector, "about": about(table.collector), "source": source, "metrics": metrics })
    });
    tables.filter(|table| table["metrics"].as_array().is_some_and(|list| !list.is_empty())).collect()
}

fn one(metric: &metrics::Metric) -> Value {
    json!({
        "name": metric.name,
        "type": format!("{:?}", metric.kind),
        "unit": metric.unit(),
        "labels": metric.labels,
        "part_labels": metric.part_labels,
        "help": metric.help,
    })
}
