//! What AWS answered, as far as a record tells, beside what the emulator answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Items of each operation: `answer 200`, `field Stacks.member.StackName: text`, `value StackStatus=CREATE_COMPLETE`.
pub type Seen = BTreeMap<String, BTreeSet<String>>;
/// The same of several runs; whether every run had it.
pub type Expected = BTreeMap<String, BTreeMap<String, bool>>;

/// An item of every operation that was asked for.
const CALLED: &str = "called";
const ABOUT: &str = "What the program asks of the emulator in an acceptance run, and the shapes of the answers; true: in every \
                     run. Written by: cargo run -p xtask -- aws-acceptance --write-expected FILE";

/// Reads a record. A line that is none is told by its number.
pub fn read(record: &str) -> Result<Seen, String> {
    let mut seen = Seen::new();
    for (number, text) in record.lines().enumerate() {
        let line: Value = serde_json::from_str(text).map_err(|error| format!("line {}: {error}", number + 1))?;
        let (Some(service), Some(operation)) = (line["service"].as_str(), line["operation"].as_str()) else { continue };
        let items = seen.entry(format!("{service}:{operation}")).or_default();
        items.insert(CALLED.to_owned());
        items.insert(answer(&line));
        for (path, kinds) in line["fields"].as_object().into_iter().flatten() {
            let kinds = kinds.as_array().into_iter().flatten().filter_map(Value::as_str);
            items.extend(kinds.map(|kind| format!("field {path}: {kind}")));
        }
        let values = line["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
        items.extend(values.map(|value| format!("value {value}")));
    }
    Ok(seen)
}

fn answer(line: &Value) -> String {
    match (line["status"].as_u64(), line["code"].as_str(), line["trouble"].as_str()) {
        (Some(status), Some(code), _) => format!("answer {status} {code}"),
        (Some(status), None, _) => format!("answer {status}"),
        (None, _, Some(trouble)) => format!("answer none ({trouble})"),
        (None, _, None) => "answer none".to_owned(),
    }
}

/// Reads what was written by [`text`].
pub fn parse(text: &str) -> Result<Expected, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let operations = file["operations"].as_object().ok_or("it has no `operations`")?;
    let read = |items: &Value| -> Option<BTreeMap<String, bool>> {
        items.as_object()?.iter().map(|(item, always)| Some((item.clone(), always.as_bool()?))).collect()
    };
    operations
        .iter()
        .map(|(name, items)| Some((name.clone(), read(items)?)))
        .collect::<Option<Expected>>()
        .ok_or_else(|| "an operation has something that is no item".to_owned())
}

/// As a file.
pub fn text(expected: &Expected) -> String {
    let operations: Map<String, Value> = expected.iter().map(|(name, items)| (name.clone(), json!(items))).collect();
    let file = json!({"about": ABOUT, "operations": operations});
    serde_json::to_string_pretty(&file).map(|text| text + "\n").unwrap_or_default()
}

/// One more run: what only one of both has is not in every run.
pub fn merge(known: Option<Expected>, seen: &Seen) -> Expected {
    let is_first = known.is_none();
    let mut merged = known.unwrap_or_default();
    for (name, items) in &mut merged {
        let here = seen.get(name);
        for (item, always) in items {
            *always &= here.is_some_and(|here| here.contains(item));
        }
    }
    for (name, items) in seen {
        let known = merged.entry(name.clone()).or_default();
        for item in items {
            known.entry(item.clone()).or_insert(is_first);
        }
    }
    merged
}

/// Whether a record ends before the life that it is of, because its file was full.
pub fn is_cut(record: &str) -> bool {
    record.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).any(|line| !line["full"].is_null())
}

/// Every difference, one line each: first of operations, then of what they answer.
pub fn differences(expected: &Expected, seen: &Seen) -> Vec<String> {
    let is_always = |items: &BTreeMap<String, bool>| items.get(CALLED) == Some(&true);
    let ours = seen.keys().filter(|name| !expected.contains_key(*name));
    let theirs = expected.iter().filter(|(name, items)| is_always(items) && !seen.contains_key(*name));
    let mut lines: Vec<String> = ours.map(|name| format!("{name}: asked only here")).collect();
    lines.extend(theirs.map(|(name, _)| format!("{name}: asked only of the emulator")));
    for (name, items) in seen {
        let Some(known) = expected.get(name) else { continue };
        let new = items.iter().filter(|item| !known.contains_key(*item) && !is_empty_list(item, known));
        lines.extend(new.map(|item| format!("{name}: new {item}")));
        // What an operation does not always answer cannot be missed where it was asked less.
        let gone = known.iter().filter(|(item, always)| **always && !items.contains(*item));
        lines.extend(gone.map(|(item, _)| format!("{name}: missing {item}")));
    }
    lines
}

/// A list that had nothing in it at that moment, of which it is known what else is in it.
fn is_empty_list(item: &str, known: &BTreeMap<String, bool>) -> bool {
    let Some(path) = item.strip_suffix(": empty") else { return false };
    known.keys().any(|other| other.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '['])))
}

/// Whether a difference is something that did not come: after a step that failed, most of a life did not.
pub fn is_absence(difference: &str) -> bool {
    difference.ends_with(": asked only of the emulator") || difference.contains(": missing ")
}
