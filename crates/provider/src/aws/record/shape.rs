//! The shape of an answer: which fields it has and of which types, without what is in them.
//!
//! Never panics on any text, and says no word that is not in the table of [`names`].

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

use super::names;

/// A larger answer is not looked at: a template or a log, of which the shape says nothing.
const ANSWER_BYTES_MAX: usize = 4 << 20;
const NODES_MAX: u32 = 200_000;
/// The deepest answer of what is asked here has 9 levels.
const DEPTH_MAX: usize = 24;
const FIELDS_MAX: usize = 1000;
/// Where a name would say something of the account.
const UNNAMED: &str = "*";

/// What is written down of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Paths of fields, and the types that were met there.
    pub fields: BTreeMap<String, BTreeSet<&'static str>>,
    /// `field=value` of those few fields whose values are AWS's own words.
    pub values: BTreeSet<String>,
}

/// The shape of an XML or JSON answer; nothing for any other text.
pub fn of(text: &str) -> Option<Shape> {
    if text.len() > ANSWER_BYTES_MAX {
        return None;
    }
    let mut shape = Shape::default();
    if text.trim_start().starts_with('<') {
        let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options).ok()?;
        shape.element(&mut Vec::new(), document.root_element());
    } else {
        shape.json(&mut Vec::new(), &serde_json::from_str(text).ok()?, false);
    }
    Some(shape)
}

impl Shape {
    fn element(&mut self, path: &mut Vec<&'static str>, node: Node<'_, '_>) {
        let name = node.tag_name().name();
        path.push(names::field(name).unwrap_or(UNNAMED));
        let mut children = node.children().filter(Node::is_element).peekable();
        if children.peek().is_none() || path.len() >= DEPTH_MAX {
            let text = node.text().unwrap_or_default().trim();
            self.leaf(path, kind_of_text(text));
            self.values.extend(names::value(name, text));
        } else {
            children.for_each(|child| self.element(path, child));
        }
        path.pop();
    }

    /// `in_map`: the keys at this level are data.
    fn json(&mut self, path: &mut Vec<&'static str>, value: &Value, in_map: bool) {
        if path.len() >= DEPTH_MAX {
            return;
        }
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, value) in fields {
                    let field = names::field(name).filter(|_| !in_map);
                    let is_data = field.is_none();
                    path.push(field.unwrap_or(UNNAMED));
                    if let (false, Some(text)) = (is_data, value.as_str()) {
                        self.values.extend(names::value(name, text));
                    }
                    // Below a name that nobody knows, nothing is known either.
                    self.json(path, value, !in_map && (is_data || names::is_map(name)));
                    path.pop();
                }
            }
            Value::Array(items) if !items.is_empty() => {
                path.push("[]");
                for item in items {
                    self.json(path, item, in_map);
                }
                path.pop();
            }
            Value::Object(_) | Value::Array(_) => self.leaf(path, "empty"),
            Value::String(text) => self.leaf(path, if text.is_empty() { "empty" } else { "text" }),
            Value::Number(_) => self.leaf(path, "number"),
            Value::Bool(_) => self.leaf(path, "boolean"),
            Value::Null => self.leaf(path, "null"),
        }
    }

    fn leaf(&mut self, path: &[&'static str], kind: &'static str) {
        let path = path.join(".").replace(".[]", "[]");
        if self.fields.len() < FIELDS_MAX || self.fields.contains_key(&path) {
            self.fields.entry(path).or_default().insert(kind);
        }
    }
}

/// XML has text only; what programs read out of it is told apart where no chance can make one look like another.
fn kind_of_text(text: &str) -> &'static str {
    let is_time = text.len() >= 20 && text.is_char_boundary(11) && {
        let date = &text.as_bytes()[..11];
        date.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            10 => *byte == b'T',
            _ => byte.is_ascii_digit(),
        })
    };
    match text {
        "" => "empty",
        "true" | "false" => "boolean",
        _ if is_time => "time",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> (Vec<String>, Vec<String>) {
        let shape = of(text).expect("a shape");
        let kinds = |kinds: BTreeSet<&str>| kinds.into_iter().collect::<Vec<_>>().join("|");
        (
            shape.fields.into_iter().map(|(path, found)| format!("{path}: {}", kinds(found))).collect(),
            shape.values.into_iter().collect(),
        )
    }

    #[test]
    fn xml_becomes_paths_types_and_statuses() {
        let (fields, values) = said(
            "<DescribeStacksResponse xmlns=\"http://x/\"><DescribeStacksResult><Stacks><member><StackName>secret</StackName>\
             <StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-11-26T10:00:00Z</CreationTime>\
             <DisableRollback>false</DisableRollback><NotificationARNs/><alice>bob</alice></member></Stacks>\
             </DescribeStacksResult></DescribeStacksResponse>",
        );
        let below = "DescribeStacksResponse.DescribeStacksResult.Stacks.member";
        let wanted = ["*: text", "CreationTime: time", "DisableRollback: boolean", "NotificationARNs: empty"];
        let wanted = wanted.into_iter().chain(["StackName: text", "StackStatus: text"]);
        assert_eq!(fields, wanted.map(|end| format!("{below}.{end}")).collect::<Vec<_>>());
        assert_eq!(values, ["StackStatus=CREATE_COMPLETE"]);
    }

    #[test]
    fn json_keys_that_are_data_have_no_name() {
        let (fields, values) = said(
            r#"{"Item": {"Status": {"S": "RUNNING"}, "alice": {"M": {"Name": {"N": "1"}}}}, "tags": {"Owner": "bob"},
                "Volumes": [{"Lifecycle": "CREATED"}, {"Lifecycle": ""}], "Count": 1, "NextToken": null, "unheard": {"Status": "Failed"}}"#,
        );
        let wanted = ["*.*: text", "Count: number", "Item.*.M.*.N: text"];
        assert_eq!(
            fields,
            [&wanted[..], &["Item.*.S: text", "NextToken: null", "Volumes[].Lifecycle: empty|text", "tags.*: text"]]
                .concat()
        );
        assert_eq!(values, ["Lifecycle=CREATED"]);
    }

    #[test]
    fn what_is_neither_has_no_shape() {
        for text in
            ["", "<", "plain words", "{\"a\":", "<a><b></a>", "\u{0}", "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>"]
        {
            assert_eq!(of(text), None, "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(300), "</a>".repeat(300));
        assert_eq!(of(&deep).expect("a shape").fields.len(), 1);
        assert_eq!(of(&"[".repeat(100_000)), None);
        assert_eq!(of(&format!("\"{}\"", "x".repeat(ANSWER_BYTES_MAX))), None);
    }
}
