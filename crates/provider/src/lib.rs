//! Who makes it so: the [`Provider`] trait, the engine that runs a plan through it, and the providers.
//!
//! The engine has no choices: names, order, deadlines and undo are in the plan. Every step is
//! journaled before and after, resumable after `kill -9`, and has a deadline. This crate tells
//! (events); it never prints.

#[cfg(feature = "aws")]
pub mod aws;
pub mod engine;
pub mod failure;
pub mod fake;
pub mod head;
pub mod local;
pub mod logs;
mod progress;
pub mod slurm;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use trainyard_plan::usage::Answer;
use trainyard_plan::{Action, Facts, Plan};
use trainyard_run::Cancel;
use trainyard_spec::Spec;

pub use failure::{Failure, Kind};
pub use head::Head;
pub use logs::Logs;
pub use progress::{Progress, QueueNodes, Resource, Resources};

/// What a provider may use while it works on one step.
pub struct StepContext<'a> {
    /// When the step has failed.
    pub deadline: Instant,
    /// Set when the user asks to stop.
    pub cancel: &'a Cancel,
    /// Where to say how far the work is.
    pub progress: &'a dyn Fn(Progress),
}

impl StepContext<'_> {
    /// How long the step may still take.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Asks `ready` again and again until it answers. `Ok(Err(_))` means "not yet", and says what is awaited.
    pub fn wait_for<T, P: Into<Progress>>(
        &self,
        what: &str,
        mut ready: impl FnMut() -> Result<Result<T, P>, Failure>,
    ) -> Result<T, Failure> {
        let mut pause = Duration::from_millis(20);
        loop {
            let last: Progress = match ready()? {
                Ok(value) => return Ok(value),
                Err(last) => last.into(),
            };
            if self.cancel.is_set() {
                return Err(Failure::interrupted(format!("stopped while waiting for {what}")));
            }
            if self.remaining().is_zero() {
                return Err(Failure::refused(format!("{what} did not happen in time; last seen: {}", last.text)));
            }
            (self.progress)(last);
            std::thread::sleep(pause.min(self.remaining()));
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }
}

/// Who makes a plan so.
pub trait Provider {
    /// Finds out what is true outside and matters to this spec.
    fn survey(&self, spec: &Spec) -> Result<Facts, Failure>;

    /// Does one action. Doing it twice must do no harm.
    fn execute(&self, plan: &Plan, action: &Action, context: &StepContext<'_>) -> Result<(), Failure>;

    /// Whether what an action once did still holds.
    fn holds(&self, plan: &Plan, action: &Action) -> Result<bool, Failure>;

    /// What is there now.
    fn observe(&self, plan: &Plan) -> Result<Observed, Failure>;

    /// What the nodes that run do now, as far as agents tell it.
    fn usage(&self, _: &Plan) -> Result<Usage, Failure> {
        Ok(Usage::default())
    }

    /// The way onto the head of a cluster that runs.
    fn head<'a>(&'a self, plan: &'a Plan) -> Result<Box<dyn Head + 'a>, Failure>;

    /// The logs of the cluster's nodes.
    fn logs<'a>(&'a self, plan: &'a Plan) -> Result<Box<dyn Logs + 'a>, Failure>;
}

/// What nodes do now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// By their names; the head too.
    pub nodes: BTreeMap<String, Answer>,
    /// Why agents cannot tell all: a sentence without a full stop.
    pub limit: Option<String>,
}

/// A cluster as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// Whether the scheduler answers.
    pub controller: bool,
    /// Every compute node.
    pub nodes: Vec<NodeState>,
    /// Every job that is not over.
    pub jobs: Vec<JobState>,
    /// What AWS says of it, where it is there.
    #[cfg(feature = "aws")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<aws::Cloud>,
}

impl Observed {
    /// A cluster of this machine.
    pub fn here(controller: bool, nodes: Vec<NodeState>, jobs: Vec<JobState>) -> Self {
        Self {
            controller,
            nodes,
            jobs,
            #[cfg(feature = "aws")]
            cloud: None,
        }
    }

    /// How many compute nodes run whose jobs nobody can tell, since Slurm does not answer.
    #[cfg(feature = "aws")]
    pub fn unheard(&self) -> usize {
        let unasked = self.cloud.as_ref().filter(|_| !self.controller);
        unasked.map_or(0, aws::Cloud::compute_at_work)
    }

    /// A machine that is asked is heard.
    #[cfg(not(feature = "aws"))]
    #[allow(clippy::unused_self)]
    pub fn unheard(&self) -> usize {
        0
    }
}

/// A node as Slurm sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// Its queues.
    pub queues: Vec<String>,
    /// Slurm's word for its state, with the suffix for power: `idle`, `alloc`, `idle~`, `down*`.
    pub state: String,
    /// Logical CPUs.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Its generic resources, in Slurm's spelling; empty without any.
    pub gres: String,
    /// Why it is out of service; empty when it is not.
    pub reason: String,
}

impl NodeState {
    /// Whether it is powered down: it costs nothing and comes when a job asks.
    pub fn is_off(&self) -> bool {
        self.state.ends_with(['~', '%'])
    }

    /// Whether it is up and has no job.
    pub fn is_idle(&self) -> bool {
        self.is_up() && self.state.starts_with("idle")
    }

    /// Whether it takes or runs jobs.
    pub fn is_up(&self) -> bool {
        let word = self.state.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
        !self.is_off()
            && !self.state.ends_with(['#', '*'])
            && matches!(word, "idle" | "mixed" | "allocated" | "completing")
    }
}

/// A job that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobState {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// Its queue.
    pub queue: String,
    /// Slurm's word for its state.
    pub state: String,
    /// Nodes it has or asks for.
    pub nodes: u32,
    /// Seconds that it has run.
    pub elapsed: String,
    /// Where it runs, or why it waits.
    pub place: String,
}
