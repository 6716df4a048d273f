//! Where a value comes from: known now, or given out by a stack once it stands.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that a template, a cluster configuration or an action takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    /// Known when the plan is made.
    Known(String),
    /// What a stack gives out.
    Output {
        /// The stack.
        stack: String,
        /// Its output.
        output: String,
    },
}

impl Wire {
    /// What `stack` gives out as `output`.
    pub fn output(stack: &str, output: &str) -> Self {
        Self::Output { stack: stack.to_owned(), output: output.to_owned() }
    }
}

impl std::fmt::Display for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(text) => f.write_str(text),
            Self::Output { stack, output } => write!(f, "${{{stack}.{output}}}"),
        }
    }
}

impl<T: Into<String>> From<T> for Wire {
    fn from(text: T) -> Self {
        Self::Known(text.into())
    }
}

/// As `${stack.Output}` where it is not known yet.
impl Serialize for Wire {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Wire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        Ok(match inner.and_then(|inner| inner.split_once('.')) {
            Some((stack, output)) => Self::output(stack, output),
            None => Self::Known(text),
        })
    }
}
