//! How far a step is: in a line for people, and in parts for who draws it.

use serde::Serialize;

/// How far a step is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// In a line.
    pub text: String,
    /// What goes on now, where the step has several parts: `the head sets itself up`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The resources of the stack that is worked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The nodes that are to come, by queue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<QueueNodes>,
}

/// Resources of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// How many are done.
    pub done: usize,
    /// How many there will be; `None` where nobody knows, as of a change or a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
    /// What is being worked on, longest first.
    pub in_progress: Vec<Resource>,
}

/// A resource that is being worked on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Resource {
    /// `Vpc (EC2 VPC)`
    pub name: String,
    /// Since when, in seconds.
    pub seconds: u64,
}

/// Nodes of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct QueueNodes {
    /// The queue.
    pub name: String,
    /// How many there are to be.
    pub asked: u32,
    /// How many run.
    pub running: u32,
    /// How many take or run jobs, as Slurm sees it; `None` where Slurm cannot be asked.
    pub ready: Option<u32>,
    /// How many of these have no job; `None` where Slurm cannot be asked.
    pub idle: Option<u32>,
}

impl Progress {
    /// With what goes on now.
    #[must_use]
    pub fn at(mut self, stage: &str) -> Self {
        self.stage = Some(stage.to_owned());
        self
    }

    /// With nodes by queue.
    #[must_use]
    pub fn with_queues(mut self, queues: impl IntoIterator<Item = QueueNodes>) -> Self {
        self.queues = queues.into_iter().collect();
        self
    }
}

impl From<String> for Progress {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl From<&str> for Progress {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Progress {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}
