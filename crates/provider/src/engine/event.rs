//! What the engine tells while it works. The CLI draws it; nothing here prints.

use serde::Serialize;

use crate::Progress;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run begins.
    Begin {
        /// The cluster.
        cluster: String,
        /// How many steps there are.
        steps: usize,
        /// How long they usually take together; 0 where nobody knows.
        expected_seconds: u64,
    },
    /// A step was done before and still holds.
    Skipped {
        /// Its name.
        step: String,
        /// What it does.
        title: String,
        /// How long it would usually have taken.
        expected_seconds: u64,
    },
    /// A step begins.
    Started {
        /// Its name.
        step: String,
        /// What it does.
        title: String,
        /// Its number, from 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// How long it usually takes; 0 where nobody knows.
        expected_seconds: u64,
    },
    /// How far a step is.
    Progress {
        /// Its name.
        step: String,
        /// What it waits for.
        #[serde(flatten)]
        progress: Progress,
    },
    /// A step is done.
    Done {
        /// Its name.
        step: String,
        /// How long it took.
        seconds: f64,
    },
    /// A step failed.
    Failed {
        /// Its name.
        step: String,
        /// Whether the run ends here.
        required: bool,
        /// What happened, and the causes.
        causes: Vec<String>,
    },
    /// Something stays although the cluster goes.
    Kept {
        /// The step that made it.
        step: String,
        /// Why.
        because: String,
    },
    /// The run is over.
    End,
}

/// Who is told.
pub trait Reporter {
    /// Hears one event. Must not fail: a broken terminal does not stop a cluster.
    fn tell(&self, event: &Event);
}

/// Nobody is told.
impl Reporter for () {
    fn tell(&self, _: &Event) {}
}
