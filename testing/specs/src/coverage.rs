//! How much of the spec's fields the random specs reach: a field that is never set is never tested.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A field, and in how many specs it has a value that is not its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its path: `queues[].capacity(spot).max_price_cents`.
    pub field: String,
    /// In how many specs it was set.
    pub specs: usize,
}

/// The share of every field of the schema in these specs, in the order of the paths.
pub fn coverage(specs: &[String]) -> Vec<Share> {
    let schema = trainyard_spec::schema();
    let walker = Walker { root: &schema };
    let mut fields = BTreeSet::new();
    walker.fields(&schema, "", &mut fields);
    let mut counts: BTreeMap<String, usize> = fields.into_iter().map(|field| (field, 0)).collect();
    for spec in specs {
        let value: Value = serde_json::from_str(spec).unwrap_or_default();
        let mut set = BTreeSet::new();
        walker.set(&value, &schema, "", &mut set);
        for field in set {
            if let Some(count) = counts.get_mut(&field) {
                *count += 1;
            }
        }
    }
    counts.into_iter().map(|(field, specs)| Share { field, specs }).collect()
}

struct Walker<'a> {
    root: &'a Value,
}

impl<'a> Walker<'a> {
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
            Some(pointer) => self.root.pointer(pointer).unwrap_or(schema),
            None => schema,
        }
    }

    /// The forms of a schema: one, or those among which a value chooses; each with its mark.
    fn forms(&self, schema: &'a Value) -> Vec<(String, &'a Value)> {
        let kind = schema["properties"]["kind"]["const"].as_str();
        let mark = kind.map_or_else(String::new, |kind| format!("({kind})"));
        // A form that is a type of its own carries its kind beside the reference.
        let schema = self.resolve(schema);
        let several = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
        match several {
            Some(several) => several.iter().flat_map(|form| self.forms(form)).collect(),
            None => vec![(mark, schema)],
        }
    }

    fn fields(&self, schema: &'a Value, path: &str, fields: &mut BTreeSet<String>) {
        for (mark, form) in self.forms(schema) {
            if let Some(properties) = form["properties"].as_object() {
                for (name, property) in
                    properties.iter().filter(|(name, property)| *name != "kind" || property.get("const").is_none())
                {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}{mark}.{name}") };
                    fields.insert(path.clone());
                    self.fields(property, &path, fields);
                }
            } else if form.get("items").is_some() {
                self.fields(&form["items"], &format!("{path}[]"), fields);
            }
        }
    }

    fn set(&self, value: &Value, schema: &'a Value, path: &str, set: &mut BTreeSet<String>) {
        let kind = value["kind"].as_str().map(|kind| format!("({kind})"));
        for (mark, form) in self.forms(schema) {
            if !mark.is_empty() && kind.as_ref() != Some(&mark) {
                continue;
            }
            match (value, form["properties"].as_object()) {
                (Value::Object(map), Some(properties)) => {
                    for (name, value) in map {
                        let Some(property) = properties.get(name) else { continue };
                        let path = if path.is_empty() { name.clone() } else { format!("{path}{mark}.{name}") };
                        if property.get("default") != Some(value) {
                            set.insert(path.clone());
                        }
                        self.set(value, property, &path, set);
                    }
                }
                (Value::Array(list), _) if form.get("items").is_some() => {
                    for value in list {
                        self.set(value, &form["items"], &format!("{path}[]"), set);
                    }
                }
                _ => {}
            }
        }
    }
}
