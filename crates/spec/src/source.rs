//! YAML text to a tree in which every node knows its place. The only file that knows the YAML parser.
//!
//! Bounded: depth, and the number of nodes after aliases are expanded. Never panics on any text.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as YamlSpan};

use crate::diagnostic::{Diagnostic, Path, Place};

const DEPTH_MAX: usize = 64;
const NODES_MAX: usize = 100_000;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands; a block's place is its whole extent.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// The key of a mapping entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Its text.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// A YAML value, by the 1.2 core schema (so `no` and `on` are text).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the text; duplicate keys are kept (and reported).
    Map(Vec<(Key, Node)>),
}

/// What was read: the tree as far as it goes, and what is wrong with the text.
#[derive(Debug)]
pub struct Source {
    /// `None` when nothing could be read.
    pub root: Option<Node>,
    /// Syntax errors, duplicate keys, several documents.
    pub problems: Vec<Diagnostic>,
}

/// Reads one YAML document.
pub fn read(text: &str) -> Source {
    let mut reader = Reader {
        bytes: byte_offsets(text),
        text,
        anchors: HashMap::new(),
        open: Vec::new(),
        nodes: 0,
        problems: Vec::new(),
        root: None,
        documents: 0,
    };
    for event in Parser::new_from_str(text) {
        let result = match event {
            Ok((event, span)) => reader.take(event, span),
            Err(error) => {
                let what = format!("this is not YAML: {}", error.info());
                Err(Diagnostic::error("yaml-syntax", Path::root(), what).at(reader.point(*error.marker())).into())
            }
        };
        if let Err(problem) = result {
            reader.problems.push(*problem);
            reader.root = None;
            break;
        }
    }
    if reader.root.is_none() && reader.problems.is_empty() {
        let what = "the file holds no settings";
        let fix = "write a spec with: trainyard init";
        let place = Place { line: 1, column: 1, start: 0, end: 0 };
        reader.problems.push(Diagnostic::error("yaml-empty", Path::root(), what).fix(fix).at(place));
    }
    Source { root: reader.root, problems: reader.problems }
}

/// Any YAML or JSON document as plain data, without places; `None` when it is neither.
pub fn data(text: &str) -> Option<serde_json::Value> {
    read(text).root.map(Node::into_data)
}

impl Node {
    fn into_data(self) -> serde_json::Value {
        match self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(is) => is.into(),
            Value::Int(number) => number.into(),
            Value::Float(number) => number.into(),
            Value::Text(text) => text.into(),
            Value::List(items) => items.into_iter().map(Self::into_data).collect(),
            Value::Map(fields) => fields.into_iter().map(|(key, node)| (key.name, node.into_data())).collect(),
        }
    }
}

/// Boxed: a diagnostic is large, and reading seldom fails.
type Problem = Box<Diagnostic>;

/// Byte position of every character, and of the end.
fn byte_offsets(text: &str) -> Vec<usize> {
    text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect()
}

enum Open {
    List { place: Place, anchor: usize, items: Vec<Node> },
    Map { place: Place, anchor: usize, entries: Vec<(Key, Node)>, key: Option<Key> },
}

struct Reader<'a> {
    bytes: Vec<usize>,
    text: &'a str,
    anchors: HashMap<usize, Node>,
    open: Vec<Open>,
    nodes: usize,
    problems: Vec<Diagnostic>,
    root: Option<Node>,
    documents: usize,
}

impl Reader<'_> {
    fn point(&self, marker: Marker) -> Place {
        let byte = self.byte(marker);
        Place { line: marker.line().max(1), column: marker.col() + 1, start: byte, end: byte }
    }

    fn byte(&self, marker: Marker) -> usize {
        self.bytes.get(marker.index()).copied().unwrap_or(self.text.len())
    }

    fn place(&self, span: YamlSpan) -> Place {
        let mut place = self.point(span.start);
        place.end = self.byte(span.end).max(place.start);
        // A plain scalar's span may run into the blanks or the comment behind it.
        let seen = self.text.get(place.start..place.end).unwrap_or("");
        place.end = place.start + seen.trim_end().len();
        place
    }

    fn take(&mut self, event: Event<'_>, span: YamlSpan) -> Result<(), Problem> {
        let place = self.place(span);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let what = "a second document begins here; a spec is one document";
                    return Err(Box::new(
                        Diagnostic::error("yaml-documents", Path::root(), what)
                            .fix("keep one cluster a file")
                            .at(place),
                    ));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, _) => {
                let value = if style == ScalarStyle::Plain { plain(&text) } else { Value::Text(text.into_owned()) };
                self.add(Node { place, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.open(Open::List { place, anchor, items: Vec::new() }),
            Event::MappingStart(anchor, _) => self.open(Open::Map { place, anchor, entries: Vec::new(), key: None }),
            Event::SequenceEnd | Event::MappingEnd => self.close(place),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                // Problems inside the alias are reported where the alias is used.
                Some(node) => {
                    self.nodes += size(&node);
                    self.add(Node { place, value: node.value }, 0)
                }
                None => Err(problem("yaml-syntax", "this alias names no anchor", place)),
            },
            _ => Ok(()),
        }
    }

    fn open(&mut self, open: Open) -> Result<(), Problem> {
        let (Open::List { place, .. } | Open::Map { place, .. }) = &open;
        if self.open.len() >= DEPTH_MAX {
            let what = format!("this is nested more than {DEPTH_MAX} levels deep");
            return Err(problem("yaml-too-deep", &what, *place));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, end: Place) -> Result<(), Problem> {
        let (mut place, anchor, value) = match self.open.pop() {
            Some(Open::List { place, anchor, items }) => (place, anchor, Value::List(items)),
            Some(Open::Map { place, anchor, entries, .. }) => (place, anchor, Value::Map(entries)),
            None => return Ok(()),
        };
        place.end = end.end.max(place.end);
        self.add(Node { place, value }, anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let what = format!("the document grows to more than {NODES_MAX} values here");
            return Err(problem("yaml-too-large", &what, node.place));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                None => *key = Some(key_of(node)?),
                Some(key) => {
                    if entries.iter().any(|(known, _)| known.name == key.name) {
                        let what = format!("`{}` is given twice", key.name);
                        self.problems.push(
                            Diagnostic::error("duplicate-key", Path::root(), what)
                                .why("only one of the two could take effect")
                                .fix("keep one of them")
                                .at(key.place),
                        );
                    } else {
                        entries.push((key, node));
                    }
                }
            },
        }
        Ok(())
    }
}

/// Aliases multiply: ten lines can describe billions of values, so an alias costs what it stands for.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
        _ => 1,
    }
}

fn problem(code: &'static str, what: &str, place: Place) -> Problem {
    Box::new(Diagnostic::error(code, Path::root(), what).at(place))
}

fn key_of(node: Node) -> Result<Key, Problem> {
    let place = node.place;
    let name = match node.value {
        Value::Text(text) => text,
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => String::new(),
        Value::List(_) | Value::Map(_) => {
            return Err(problem("yaml-syntax", "a key must be a word", place));
        }
    };
    Ok(Key { name, place })
}

/// The YAML 1.2 core schema for a plain scalar.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if let Some(hex) = text.strip_prefix("0x").filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())) {
        return i64::from_str_radix(hex, 16).map_or_else(|_| Value::Text(text.to_owned()), Value::Int);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && let Ok(number) = text.strip_prefix('+').unwrap_or(text).parse()
    {
        return Value::Int(number);
    }
    let float = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    match text.parse::<f64>() {
        Ok(number) if float && number.is_finite() => Value::Float(number),
        _ => Value::Text(text.to_owned()),
    }
}

impl Diagnostic {
    fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}
