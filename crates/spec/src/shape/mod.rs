//! Holds a YAML tree against the JSON Schema and reports every difference at once.
//!
//! The schema that editors use is the very one that is checked here, so the two cannot drift.
//! What does not fit is left out ("pruned"), or replaced by a stand-in where the document would
//! fall apart without it, so that the rules can report their own findings in the same run.

mod words;

use serde_json::{Map, Value as Json};

use crate::diagnostic::{Diagnostic, Path};
use crate::source::{Node, Value};

pub(crate) use words::nearest;
use words::{
    article, either, enum_of, example_of, first_sentence, is_any_scalar, is_required, kind_of, not_one_of, say,
    scalar_text, shapes, shorten, tag_of, tags, type_of, unknown_key,
};

/// What fitted, what was left out, and why.
pub(crate) struct Shaped {
    /// The document without its misfits; `None` when the whole of it does not fit.
    pub value: Option<Json>,
    /// What was left out or stood in for: rules must stay silent about these places.
    pub pruned: Vec<Path>,
    /// One diagnostic for each misfit.
    pub problems: Vec<Diagnostic>,
}

/// Reads `node` as the document that `schema` describes.
pub(crate) fn read(node: &Node, schema: &Json) -> Shaped {
    let mut walk = Walk { root: schema, pruned: Vec::new(), problems: Vec::new(), stand_ins: 0 };
    let value = walk.value(node, schema, &Path::root());
    Shaped { value, pruned: walk.pruned, problems: walk.problems }
}

struct Walk<'a> {
    root: &'a Json,
    pruned: Vec<Path>,
    problems: Vec<Diagnostic>,
    stand_ins: usize,
}

impl<'a> Walk<'a> {
    /// `None` means that a problem was recorded.
    fn value(&mut self, node: &Node, schema: &'a Json, path: &Path) -> Option<Json> {
        let schema = self.resolve(schema);
        if node.value == Value::Null {
            let name = path.0.last().map_or_else(String::new, |_| format!("`{path}` "));
            return self.fail(
                Diagnostic::error("empty-value", path.clone(), format!("{name}has no value"))
                    .at_key()
                    .why("an empty setting reads like a choice, but is none")
                    .fix("give it a value, or remove the line to get the default"),
            );
        }
        let alternatives = self.alternatives(schema);
        if alternatives.len() > 1 {
            return self.one_of(node, schema, &alternatives, path);
        }
        let schema = alternatives.first().copied().unwrap_or(schema);
        if is_any_scalar(schema)
            && let Some(text) = scalar_text(&node.value)
        {
            return self.text(&text, schema, path);
        }
        match (type_of(schema), &node.value) {
            ("object", Value::Map(entries)) => Some(self.object(entries, schema, path)),
            ("array", Value::List(items)) => self.array(items, schema, path),
            ("integer", Value::Int(number)) => self.integer(*number, schema, path),
            ("number", Value::Int(_) | Value::Float(_)) => self.number(&node.value, schema, path),
            ("boolean", Value::Bool(truth)) => Some((*truth).into()),
            ("string", Value::Text(text)) => self.text(text, schema, path),
            (wanted, value) => self.wrong_type(wanted, value, schema, path),
        }
    }

    fn fail(&mut self, problem: Diagnostic) -> Option<Json> {
        self.pruned.push(problem.path.clone());
        self.problems.push(problem);
        None
    }

    fn resolve(&self, mut schema: &'a Json) -> &'a Json {
        while let Some(name) = schema["$ref"].as_str() {
            let Some(next) = name.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) else { break };
            schema = next;
        }
        schema
    }

    /// The alternatives of a schema, `null` left out: an absent key is how nothing is said.
    fn alternatives(&self, schema: &'a Json) -> Vec<&'a Json> {
        let list = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array());
        let Some(list) = list else { return vec![schema] };
        let mut found = Vec::new();
        for option in list.iter().map(|option| self.resolve(option)).filter(|o| o["type"] != "null") {
            found.extend(self.alternatives(option));
        }
        found
    }

    fn one_of(&mut self, node: &Node, schema: &'a Json, options: &[&'a Json], path: &Path) -> Option<Json> {
        let words: Vec<&str> = options.iter().filter_map(|option| option["const"].as_str()).collect();
        let words: Vec<&str> = options.iter().flat_map(|option| enum_of(option)).chain(words).collect();
        if let (Value::Text(text), false) = (&node.value, words.is_empty()) {
            if words.contains(&text.as_str()) {
                return Some(text.as_str().into());
            }
            if options.iter().all(|o| type_of(o) != "string" || o.get("const").is_some() || o.get("enum").is_some()) {
                let problem = not_one_of(text, &words, &shapes(options), path);
                return self.fail(problem);
            }
        }
        let kind = kind_of(&node.value);
        let fits = |option: &&&Json| {
            let wanted = type_of(option);
            (wanted == kind || (wanted == "number" && kind == "integer")) && option.get("const").is_none()
        };
        let fitting: Vec<&'a Json> = options.iter().filter(fits).copied().collect();
        match fitting[..] {
            [] => {
                let wanted = words.iter().map(|word| format!("`{word}`")).chain(shapes(options)).collect::<Vec<_>>();
                let what = format!("{} is expected here, not {}", either(&wanted), say(&node.value));
                let problem = Diagnostic::error("wrong-type", path.clone(), what);
                // The tag's word alone, where its block is meant: `capacity: spot`.
                let meant = match &node.value {
                    Value::Text(text) => tags(options).into_iter().find(|(_, word)| word == text),
                    _ => None,
                };
                self.fail(match meant {
                    Some((tag, word)) => {
                        problem.replace(format!("write `{{ {tag}: {word} }}`"), format!("{{ {tag}: {word} }}"))
                    }
                    None => problem.fix(self.example(schema)),
                })
            }
            [only] => self.value(node, only, path),
            // Several mappings: told apart by their tag, or by which keys they know.
            [first, ..] => {
                if let Some((tag, word)) = tag_of(node, &fitting) {
                    let words: Vec<&str> =
                        fitting.iter().filter_map(|option| option["properties"][tag]["const"].as_str()).collect();
                    return match fitting.iter().find(|option| option["properties"][tag]["const"] == word) {
                        Some(option) => self.value(node, option, path),
                        None => self.fail(not_one_of(word, &words, &[], &path.at(tag))),
                    };
                }
                let keys = |option: &Json| match &node.value {
                    Value::Map(entries) => {
                        entries.iter().filter(|(key, _)| option["properties"].get(&key.name).is_some()).count()
                    }
                    _ => 0,
                };
                let best = fitting.iter().copied().max_by_key(|option| keys(option)).unwrap_or(first);
                self.value(node, best, path)
            }
        }
    }

    fn object(&mut self, entries: &[(crate::source::Key, Node)], schema: &'a Json, path: &Path) -> Json {
        let empty = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&empty);
        let mut fitted = Map::new();
        for (key, node) in entries {
            let here = path.at(key.name.as_str());
            if let Some(known) = schema["properties"].get(&key.name) {
                let value = self.value(node, known, &here);
                let needed = is_required(schema, &key.name);
                if let Some(value) = value.or_else(|| needed.then(|| self.stand_in(known, Some(node)))) {
                    fitted.insert(key.name.clone(), value);
                }
            } else if let Some(patterns) = schema["patternProperties"].as_object() {
                let fits =
                    |pattern: &String| regex_lite::Regex::new(pattern).is_ok_and(|regex| regex.is_match(&key.name));
                if let Some((_, known)) = patterns.iter().find(|(pattern, _)| fits(pattern)) {
                    if let Some(value) = self.value(node, known, &here) {
                        fitted.insert(key.name.clone(), value);
                    }
                } else {
                    let what = format!("`{}` is not a name that can stand in `{path}`", shorten(&key.name));
                    self.problems.push(Diagnostic::error("bad-format", here, what).at_key().fix("check the spelling"));
                }
            } else if let Some(any) = schema.get("additionalProperties").filter(|any| any.is_object()) {
                if let Some(value) = self.value(node, any, &here) {
                    fitted.insert(key.name.clone(), value);
                }
            } else {
                let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                // What was meant is as good as given: rules must not miss it too.
                if let Some(meant) = nearest(&key.name, &known) {
                    self.pruned.push(path.at(meant));
                }
                self.problems.push(unknown_key(&key.name, &known, &here));
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if entries.iter().any(|(key, _)| key.name == name) {
                continue;
            }
            let owner = if path.0.is_empty() { "the spec".to_owned() } else { format!("`{path}`") };
            let meaning = self.resolve(&schema["properties"][name])["description"].as_str();
            let hint = first_sentence(schema["properties"][name]["description"].as_str().or(meaning));
            let example = self.example(self.resolve(&schema["properties"][name]));
            self.problems.push(
                Diagnostic::error("missing-key", path.at(name), format!("{owner} needs `{name}`"))
                    .why(hint)
                    .fix(format!("add `{name}`: {example}")),
            );
            self.pruned.push(path.at(name));
            let value = self.stand_in(&schema["properties"][name], None);
            fitted.insert(name.to_owned(), value);
        }
        Json::Object(fitted)
    }

    /// What could stand there.
    fn example(&self, schema: &'a Json) -> String {
        let options = self.alternatives(schema);
        let words: Vec<String> = options
            .iter()
            .flat_map(|option| enum_of(option).into_iter().chain(option["const"].as_str()))
            .map(|word| format!("`{word}`"))
            .collect();
        let blocks = tags(&options).into_iter().map(|(tag, word)| format!("`{{ {tag}: {word} }}`"));
        let all: Vec<String> = words.into_iter().chain(blocks).collect();
        if all.is_empty() { example_of(schema) } else { either(&all) }
    }

    /// Something of the right type for a required value that is missing or wrong. Rules hear nothing of
    /// its place, and it must not make them report others: texts are unique, words the nearest to what
    /// was meant, or else the last of their kind (the list of words begins with the most demanding).
    fn stand_in(&mut self, schema: &'a Json, node: Option<&Node>) -> Json {
        let schema = self.resolve(schema);
        let options = self.alternatives(schema);
        let words: Vec<&str> =
            options.iter().flat_map(|option| enum_of(option).into_iter().chain(option["const"].as_str())).collect();
        if let Some(last) = words.last() {
            let meant = node.and_then(|n| if let Value::Text(text) = &n.value { nearest(text, &words) } else { None });
            return meant.unwrap_or(last).into();
        }
        let schema = options.first().copied().unwrap_or(schema);
        match type_of(schema) {
            "object" => {
                let names = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
                let entries: Vec<(&str, &'a Json)> = names.map(|name| (name, &schema["properties"][name])).collect();
                entries.into_iter().map(|(name, s)| (name.to_owned(), self.stand_in(s, None))).collect()
            }
            "array" => Json::Array(Vec::new()),
            "integer" | "number" => schema["minimum"].as_i64().unwrap_or(1).into(),
            "boolean" => false.into(),
            _ => {
                self.stand_ins += 1;
                format!("\u{0}{}", self.stand_ins).into()
            }
        }
    }

    fn array(&mut self, items: &[Node], schema: &'a Json, path: &Path) -> Option<Json> {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        if (items.len() as u64) < least {
            let what = format!("`{path}` is empty; at least {least} is needed");
            return self.fail(Diagnostic::error("out-of-range", path.clone(), what).fix(example_of(schema)));
        }
        if let Some(most) = schema["maxItems"].as_u64().filter(|most| items.len() as u64 > *most) {
            let what = format!("`{path}` has {} entries; at most {most} are allowed", items.len());
            return self.fail(Diagnostic::error("out-of-range", path.clone(), what).fix("remove some"));
        }
        // A misfit keeps its seat: rules name list entries by position.
        let fitted = items.iter().enumerate().map(|(index, item)| {
            let value = self.value(item, &schema["items"], &path.at(index));
            value.unwrap_or_else(|| self.stand_in(&schema["items"], Some(item)))
        });
        Some(Json::Array(fitted.collect()))
    }

    fn integer(&mut self, number: i64, schema: &'a Json, path: &Path) -> Option<Json> {
        let widest = (schema["format"] == "uint32").then_some(i64::from(u32::MAX));
        let limits = (schema["minimum"].as_i64(), schema["maximum"].as_i64().or(widest));
        let outside = limits.0.is_some_and(|low| number < low) || limits.1.is_some_and(|high| number > high);
        if !outside {
            return Some(number.into());
        }
        let range = match limits {
            (Some(low), Some(high)) => format!("from {low} to {high}"),
            (Some(low), None) => format!("{low} or more"),
            (None, high) => format!("at most {}", high.unwrap_or(number)),
        };
        let what = format!("{number} is out of range for `{path}`");
        let say = format!("use a whole number {range}");
        self.fail(Diagnostic::error("out-of-range", path.clone(), what).fix(say))
    }

    fn number(&mut self, value: &Value, schema: &'a Json, path: &Path) -> Option<Json> {
        #[allow(clippy::cast_precision_loss)] // settings are far below 2^52
        let number = match value {
            Value::Int(number) => *number as f64,
            Value::Float(number) => *number,
            _ => return None,
        };
        let low = schema["minimum"].as_f64().or(schema["exclusiveMinimum"].as_f64());
        if let Some(low) = low.filter(|low| number < *low) {
            let what = format!("{number} is out of range for `{path}`");
            return self.fail(Diagnostic::error("out-of-range", path.clone(), what).fix(format!("use {low} or more")));
        }
        Some(number.into())
    }

    fn text(&mut self, text: &str, schema: &'a Json, path: &Path) -> Option<Json> {
        let words = enum_of(schema);
        let word = schema["const"].as_str();
        let words: Vec<&str> = words.into_iter().chain(word).collect();
        if !words.is_empty() && !words.contains(&text) {
            let problem = not_one_of(text, &words, &[], path);
            return self.fail(problem);
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            // A pattern that does not compile is caught by a test over the whole schema.
            if regex_lite::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text)) {
                let meaning = first_sentence(schema["description"].as_str());
                let what = format!("`{}` does not fit `{path}`", shorten(text));
                return self
                    .fail(Diagnostic::error("bad-format", path.clone(), what).why(meaning).fix(example_of(schema)));
            }
        }
        Some(text.into())
    }

    fn wrong_type(&mut self, wanted: &str, value: &Value, schema: &'a Json, path: &Path) -> Option<Json> {
        let what = format!("`{path}` must be {}, not {}", article(wanted), say(value));
        let what = if path.0.is_empty() { what.replacen("`` must", "a spec must", 1) } else { what };
        let problem = Diagnostic::error("wrong-type", path.clone(), what);
        let scalar = matches!(value, Value::Int(_) | Value::Float(_) | Value::Bool(_));
        let problem = match value {
            Value::Text(text) if wanted == "integer" && text.trim().parse::<i64>().is_ok() => {
                problem.replace("remove the quotes", text.trim())
            }
            Value::Text(text) if wanted == "boolean" => match text.to_ascii_lowercase().as_str() {
                "yes" | "on" | "true" => problem.replace("write `true`", "true"),
                "no" | "off" | "false" => problem.replace("write `false`", "false"),
                _ => problem.fix("write `true` or `false`"),
            },
            _ if wanted == "string" && scalar => problem.quote("put it in quotes"),
            _ => problem.fix(example_of(schema)),
        };
        self.fail(problem)
    }
}
