//! How schemas and values are read and said in words.

use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Path};
use crate::source::{Node, Value};

/// The tags of options that are blocks: key and word.
pub(super) fn tags<'j>(options: &[&'j Json]) -> Vec<(&'j str, &'j str)> {
    let tag = |option: &&'j Json| {
        let option: &'j Json = option;
        let (key, schema) = option["properties"].as_object()?.iter().find(|(_, p)| p["const"].is_string())?;
        Some((key.as_str(), schema["const"].as_str()?))
    };
    options.iter().filter_map(tag).collect()
}

/// The tag that tells the options apart, if `node` has it: its key and its word.
pub(super) fn tag_of<'n>(node: &'n Node, options: &[&'n Json]) -> Option<(&'n str, &'n str)> {
    let tag = options.first()?["properties"].as_object()?.iter().find(|(_, p)| p["const"].is_string())?.0;
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| key.name == *tag).and_then(|(_, value)| match &value.value {
        Value::Text(word) => Some((tag.as_str(), word.as_str())),
        _ => None,
    })
}

pub(super) fn unknown_key(name: &str, known: &[&str], path: &Path) -> Diagnostic {
    let what = format!("`{}` is not a setting that trainyard knows here", shorten(name));
    let problem = Diagnostic::error("unknown-key", path.clone(), what).at_key();
    match nearest(name, known) {
        Some(near) => problem.replace(format!("did you mean `{near}`?"), near),
        None if known.is_empty() => problem.fix("remove it"),
        None => problem.fix(format!("known here: {}", known.join(", "))),
    }
}

pub(super) fn not_one_of(text: &str, words: &[&str], others: &[String], path: &Path) -> Diagnostic {
    let allowed: Vec<String> = words.iter().map(|word| format!("`{word}`")).chain(others.iter().cloned()).collect();
    let what = format!("`{}` is not a value of `{path}`", shorten(text));
    let problem = Diagnostic::error("not-one-of", path.clone(), what);
    match nearest(text, words) {
        Some(near) => problem.replace(format!("did you mean `{near}`? It can be {}", either(&allowed)), near),
        None => problem.fix(format!("use {}", either(&allowed))),
    }
}

/// The nearest known word, if it is near enough to be what was meant.
pub(crate) fn nearest<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    let plain = |word: &str| word.to_lowercase().replace(['-', ' '], "_");
    let text = plain(&text.chars().take(80).collect::<String>());
    words
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&plain(word), &text), *word))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, word)| *distance <= (word.chars().count().max(text.chars().count()) / 3).max(1))
        .map(|(_, word)| word)
}

pub(super) fn is_required(schema: &Json, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
}

pub(super) fn enum_of(schema: &Json) -> Vec<&str> {
    schema["enum"].as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

pub(super) fn type_of(schema: &Json) -> &str {
    match &schema["type"] {
        Json::String(name) => name,
        Json::Array(names) => names.iter().filter_map(Json::as_str).find(|name| *name != "null").unwrap_or(""),
        _ if schema["const"].is_string() || schema["enum"].is_array() => "string",
        _ if schema["const"].is_number() => "integer",
        _ => "",
    }
}

/// Whether numbers and truths may stand where text is meant.
pub(super) fn is_any_scalar(schema: &Json) -> bool {
    schema["type"]
        .as_array()
        .is_some_and(|types| types.iter().any(|t| t == "string") && types.iter().any(|t| t == "integer"))
}

pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) => "integer",
        Value::Float(_) => "number",
        Value::Text(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

pub(super) fn shapes(options: &[&Json]) -> Vec<String> {
    let mut shapes: Vec<String> = Vec::new();
    for option in options.iter().filter(|option| option.get("const").is_none() && option.get("enum").is_none()) {
        let shape = article(type_of(option)).to_owned();
        if !shapes.contains(&shape) {
            shapes.push(shape);
        }
    }
    shapes
}

pub(super) fn article(kind: &str) -> &str {
    match kind {
        "object" => "a block of settings",
        "array" => "a list",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "string" => "text",
        _ => "something else",
    }
}

pub(super) fn say(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Int(number) => format!("the number {number}"),
        Value::Float(number) => format!("the number {number}"),
        Value::Text(text) => format!("the text `{}`", shorten(text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a block of settings".to_owned(),
    }
}

pub(super) fn either(words: &[String]) -> String {
    match words {
        [] => "something else".to_owned(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).map(|c| if c.is_control() { '·' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

pub(super) fn first_sentence(text: Option<&str>) -> String {
    let text = text.unwrap_or("").replace('\n', " ");
    text.split_once(". ").map_or(text.as_str(), |(first, _)| first).trim_end_matches('.').to_owned()
}

pub(super) fn example_of(schema: &Json) -> String {
    match schema["examples"].as_array().and_then(|list| list.first()) {
        Some(Json::String(text)) => format!("for example `{text}`"),
        Some(other) => format!("for example `{other}`"),
        None => match enum_of(schema)[..] {
            [] => format!("{} is expected", article(type_of(schema))),
            ref words => either(&words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>()),
        },
    }
}
