//! Walks two configurations side by side along ParallelCluster's schema, as its own comparison does: lists of objects
//! are matched by name, lists of scalars are one value, and a section that comes or goes is one change.

use serde_json::{Map, Value};
use trainyard_spec::parallelcluster::Release;

/// A change before its effect is known.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// The sections above, with the names of list items: `SlurmQueues[train]`.
    pub sections: Vec<String>,
    /// The key.
    pub key: String,
    /// What stands.
    pub old: Option<&'a Value>,
    /// What is asked for.
    pub new: Option<&'a Value>,
    /// Whether it is an item of a list that comes or goes.
    pub is_item: bool,
    /// ParallelCluster's policy.
    pub policy: &'static str,
}

impl Found<'_> {
    /// Where it is, for people.
    pub fn path(&self) -> String {
        let name = self.old.or(self.new).filter(|_| self.is_item).and_then(|item| item[list_key(&self.key)].as_str());
        let key = name.map_or_else(|| self.key.clone(), |name| format!("{}[{name}]", self.key));
        self.sections.iter().cloned().chain([key]).collect::<Vec<_>>().join(".")
    }
}

/// What the items of a list are told apart by.
fn list_key(list: &str) -> &'static str {
    match list {
        "AdditionalIamPolicies" => "Policy",
        "S3Access" => "BucketName",
        "Tags" => "Key",
        "Instances" => "InstanceType",
        _ => "Name",
    }
}

/// Every change, in the order of the keys.
pub fn compare<'a>(release: &Release, old: &'a Value, new: &'a Value) -> Vec<Found<'a>> {
    let mut walk = Walk { release, found: Vec::new() };
    walk.section("", &[], old, new);
    walk.found
}

struct Walk<'a, 'r> {
    release: &'r Release,
    found: Vec<Found<'a>>,
}

impl<'a> Walk<'a, '_> {
    fn section(&mut self, schema: &str, sections: &[String], old: &'a Value, new: &'a Value) {
        static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        let (old, new) = (old.as_object().unwrap_or(&NOTHING), new.as_object().unwrap_or(&NOTHING));
        let mut keys: Vec<&String> = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))).collect();
        keys.sort();
        for key in keys {
            let (before, after) = (present(old.get(key)), present(new.get(key)));
            self.key(&format!("{schema}/{key}"), sections, key, before, after);
        }
    }

    fn key(&mut self, schema: &str, sections: &[String], key: &str, old: Option<&'a Value>, new: Option<&'a Value>) {
        let field = self.release.field(schema);
        // What the schema does not know cannot be changed for all we know.
        let policy = field.map_or("UNSUPPORTED", |field| field.update_policy);
        let mut below = sections.to_vec();
        match field.map(|field| field.kind) {
            // A list of scripts is one value to ParallelCluster: they run one after the other.
            Some("List[Object]") if key != "Sequence" => self.list(schema, sections, key, old, new, policy),
            Some(kind) if kind == "Object" || kind.starts_with("Script") => match (old, new) {
                (Some(old), Some(new)) => {
                    below.push(key.to_owned());
                    self.section(schema, &below, old, new);
                }
                (None, None) => {}
                _ if policy == "IGNORED" => {
                    below.push(key.to_owned());
                    self.section(schema, &below, old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
                }
                _ => self.change(sections, key, old, new, policy),
            },
            _ if alike(old, new) => {}
            _ => self.change(sections, key, old, new, policy),
        }
    }

    fn list(
        &mut self,
        schema: &str,
        sections: &[String],
        key: &str,
        old: Option<&'a Value>,
        new: Option<&'a Value>,
        policy: &'static str,
    ) {
        let items = |list: Option<&'a Value>| list.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let (old, new, by) = (items(old), items(new), list_key(key));
        let twin = |among: &'a [Value], item: &Value| among.iter().find(|other| other[by] == item[by]);
        for item in new {
            if let Some(before) = twin(old, item) {
                let name = item[by].as_str().unwrap_or_default();
                let mut below = sections.to_vec();
                below.push(format!("{key}[{name}]"));
                self.section(&format!("{schema}[]"), &below, before, item);
            } else {
                self.item(sections, key, (None, Some(item)), policy);
            }
        }
        for item in old.iter().filter(|item| twin(new, item).is_none()) {
            self.item(sections, key, (Some(item), None), policy);
        }
    }

    fn change(
        &mut self,
        sections: &[String],
        key: &str,
        old: Option<&'a Value>,
        new: Option<&'a Value>,
        policy: &'static str,
    ) {
        let (sections, key) = (sections.to_vec(), key.to_owned());
        self.found.push(Found { sections, key, old, new, is_item: false, policy });
    }

    fn item(
        &mut self,
        sections: &[String],
        key: &str,
        (old, new): (Option<&'a Value>, Option<&'a Value>),
        policy: &'static str,
    ) {
        let (sections, key) = (sections.to_vec(), key.to_owned());
        self.found.push(Found { sections, key, old, new, is_item: true, policy });
    }
}

/// Nothing, in whatever form, is nothing.
fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

/// Whether two values mean the same: CloudFormation makes every scalar a text.
fn alike(old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| alike(Some(old), Some(new)))
        }
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            old.len() == new.len() && old.iter().all(|(key, value)| alike(Some(value), new.get(key)))
        }
        (Some(old), Some(new)) => text(old) == text(new),
        (old, new) => old == new,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
