//! The plan: artifacts, steps, notes. Plain data that is printed, saved, hashed and run.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::aws::{AwsAction, AwsTarget};
use crate::rehearsed::{LocalAction, Rehearsed};

/// Everything that will be made and done, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The format of this file.
    pub version: u32,
    /// The cluster's name.
    pub cluster: String,
    /// Files that will be written, by path.
    pub artifacts: Vec<Artifact>,
    /// What will be done, first to last; undone last to first.
    pub steps: Vec<Step>,
    /// What the reader should know before saying yes.
    pub notes: Vec<Note>,
    /// Where it is made, with what is needed to run it again from the saved plan.
    pub target: Target,
}

/// Where a plan is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A rehearsal on this machine: its nodes and where things lie.
    Local(Rehearsed),
    /// AWS: the region, and what must exist there beforehand.
    Aws(AwsTarget),
}

/// A plan for AWS was handed to what rehearses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRehearsed;

impl std::fmt::Display for NotRehearsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this plan is for AWS, not for a rehearsal on this machine")
    }
}

impl std::error::Error for NotRehearsed {}

impl Plan {
    /// Seconds that all steps together usually take.
    pub fn expected_seconds(&self) -> u64 {
        self.steps.iter().map(|step| step.expected_seconds).sum()
    }

    /// The rehearsed cluster.
    pub fn rehearsed(&self) -> Result<&Rehearsed, NotRehearsed> {
        match &self.target {
            Target::Local(rehearsed) => Ok(rehearsed),
            Target::Aws(_) => Err(NotRehearsed),
        }
    }

    /// The artifact of that path.
    pub fn artifact(&self, path: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.path == path)
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Which kind of artifact it is: the name in `trainyard render`.
    pub kind: String,
    /// Path below the cluster's folder.
    pub path: String,
    /// Unix mode.
    pub mode: u32,
    /// Its text. Never a secret.
    pub text: String,
}

impl Artifact {
    /// A file that everybody may read.
    pub fn text(path: impl Into<String>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        // Templates lose their last newline; a script without one is a trap for the next line.
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Self { kind: String::new(), path: path.into(), mode: 0o644, text }
    }

    /// A file that is run.
    pub fn script(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { mode: 0o755, ..Self::text(path, text) }
    }
}

/// One thing that is done, and how it is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name: unique in the plan, and the same in every plan of the same kind.
    pub name: String,
    /// What it does, as a person would say it.
    pub title: String,
    /// What the provider does.
    pub action: Action,
    /// Seconds after which it has failed.
    pub deadline_seconds: u64,
    /// Seconds that it usually takes.
    pub expected_seconds: u64,
    /// How it is undone.
    pub undo: Undo,
    /// Whether the cluster is of use without it.
    pub required: bool,
}

impl Step {
    /// What identifies the step's work: a changed action means that it is done again.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.action)
    }
}

/// A short digest of anything that can be written as JSON.
pub fn fingerprint(value: &impl Serialize) -> String {
    // Our own types always serialize; an empty text would only mean that the step is done again.
    let text = serde_json::to_string(value).unwrap_or_default();
    let digest = Sha256::digest(text.as_bytes());
    let first = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{first:016x}")
}

/// Bytes in hex, as sha256sum writes them.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

/// How a step is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// By another action.
    Act {
        /// What it does, as a person would say it.
        title: String,
        /// What the provider does.
        action: Action,
    },
    /// Not at all, for a reason.
    Kept {
        /// The reason, told at `down`.
        because: String,
    },
    /// There is nothing to undo.
    Nothing,
}

/// What a provider is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// In a rehearsal.
    Local(LocalAction),
    /// On AWS.
    Aws(AwsAction),
}

/// Something the reader should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The setting that it is about.
    pub about: String,
    /// What is to be known.
    pub text: String,
}
