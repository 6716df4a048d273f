//! One problem in a spec: what, where, why, and the text edit that mends it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::source::{Node, Value};

/// How bad it is. Only errors keep a plan from being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The cluster cannot be built from this.
    Error,
    /// It works, but hardly as meant.
    Warning,
}

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Segment {
    /// The position in a list, from 0.
    Index(usize),
    /// The key of a mapping.
    Key(String),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<String> for Segment {
    fn from(key: String) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Where in the document, independent of the text: `queues[0].name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// This path and one step more.
    #[must_use]
    pub fn at(&self, step: impl Into<Segment>) -> Self {
        let mut longer = self.clone();
        longer.0.push(step.into());
        longer
    }

    /// Whether one of the two contains the other.
    pub fn touches(&self, other: &Self) -> bool {
        let shared = self.0.len().min(other.0.len());
        self.0[..shared] == other.0[..shared]
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if position == 0 => write!(f, "{key}")?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// Builds a [`Path`]: `path!["queues", 0, "name"]`.
#[macro_export]
macro_rules! path {
    ($($step:expr),* $(,)?) => { $crate::Path(vec![$($crate::Segment::from($step)),*]) };
}

/// Where in the text. Lines and columns count from 1, columns in characters, `start..end` in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Replace the bytes `start..end` of the text by `text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// First byte replaced.
    pub start: usize,
    /// One past the last byte replaced.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}

/// A way out: a sentence, and the edits that do it where they are certain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What to do, as an instruction.
    pub say: String,
    /// Empty where only the author can decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
}

/// Which part of a `key: value` pair the caret stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// The value at the path.
    Value,
    /// The key that leads to it.
    Key,
}

/// What an edit does to the spot, before byte positions are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Put this text in its place.
    Replace(String),
    /// Put quotes around what is there.
    Quote,
}

/// One problem: code, place, what, why and fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// A stable name, for `trainyard explain` and for machines.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// Where in the document.
    pub path: Path,
    /// Where in the text; set by [`crate::check`].
    pub place: Option<Place>,
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// Why that matters, where it is not obvious.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    #[serde(skip)]
    pub(crate) rests_on: Option<Path>,
    #[serde(skip)]
    pub(crate) shown_at: Option<Path>,
    #[serde(skip)]
    pub(crate) spot: Spot,
    #[serde(skip)]
    pub(crate) change: Option<Change>,
}

impl Diagnostic {
    /// An error at the value that `path` names.
    pub fn error(code: &'static str, path: Path, what: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path,
            place: None,
            what: what.into(),
            why: None,
            fix: None,
            rests_on: None,
            shown_at: None,
            spot: Spot::Value,
            change: None,
        }
    }

    /// A warning at the value that `path` names.
    pub fn warning(code: &'static str, path: Path, what: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, what) }
    }

    /// Adds the reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Names another value that the finding is about: nothing is said where that is missing or wrong itself.
    #[must_use]
    pub fn rests_on(mut self, path: Path) -> Self {
        self.rests_on = Some(path);
        self
    }

    /// Points elsewhere in the text: the path itself may not be there.
    #[must_use]
    pub fn shown_at(mut self, path: Path) -> Self {
        self.shown_at = Some(path);
        self
    }

    /// Adds an instruction.
    #[must_use]
    pub fn fix(mut self, say: impl Into<String>) -> Self {
        self.fix = Some(Fix { say: say.into(), edits: Vec::new() });
        self
    }

    /// Adds an instruction and the new text of the spot.
    #[must_use]
    pub fn replace(mut self, say: impl Into<String>, text: impl Into<String>) -> Self {
        self = self.fix(say);
        self.change = Some(Change::Replace(text.into()));
        self
    }

    pub(crate) fn quote(mut self, say: impl Into<String>) -> Self {
        self = self.fix(say);
        self.change = Some(Change::Quote);
        self
    }

    pub(crate) fn at_key(mut self) -> Self {
        self.spot = Spot::Key;
        self
    }
}

/// Gives every diagnostic its place in `text` and its fix the bytes to change.
pub(crate) fn place_all(diagnostics: &mut [Diagnostic], root: &Node, text: &str) {
    for diagnostic in diagnostics {
        let place = diagnostic
            .place
            .unwrap_or_else(|| locate(root, diagnostic.shown_at.as_ref().unwrap_or(&diagnostic.path), diagnostic.spot));
        diagnostic.place = Some(place);
        let Some(change) = diagnostic.change.take() else { continue };
        let replacement = match change {
            Change::Replace(with) => with,
            Change::Quote => format!("\"{}\"", &text[place.start..place.end]),
        };
        if let Some(fix) = &mut diagnostic.fix {
            fix.edits = vec![Edit { start: place.start, end: place.end, text: replacement }];
        }
    }
}

/// The place of a path, or of the nearest thing around it that exists.
fn locate(root: &Node, path: &Path, spot: Spot) -> Place {
    let mut node = root;
    let mut place = None;
    for segment in &path.0 {
        let step = match (segment, &node.value) {
            (Segment::Key(name), Value::Map(entries)) => {
                // The last of several equal keys: that is the one a duplicate is reported at.
                entries.iter().rfind(|(key, _)| key.name == *name).map(|(key, value)| (key.place, value))
            }
            (Segment::Index(index), Value::List(items)) => items.get(*index).map(|item| (item.place, item)),
            _ => None,
        };
        let Some((key, next)) = step else { return head_of(node, place) };
        place = Some(key);
        node = next;
    }
    match (spot, place) {
        (Spot::Key, Some(key)) => key,
        _ => head_of(node, place),
    }
}

/// A block is pointed at by its key or its first line, not by all its lines.
fn head_of(node: &Node, key: Option<Place>) -> Place {
    match (&node.value, key) {
        (Value::Map(_), Some(key)) if key.start != node.place.start => key,
        (Value::List(_), Some(key)) => key,
        (Value::Map(entries), _) => entries.first().map_or(node.place, |(key, _)| key.place),
        _ => node.place,
    }
}
