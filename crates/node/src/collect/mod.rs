//! What is collected. A collector is one file and one line of [`COLLECTORS`], and its metrics stand in the table
//! (`trainyard_plan::metrics`). It reads one thing, and knows nothing of other collectors, scrapes or deadlines.

mod efa;
mod loadavg;
mod xid;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::events::Events;
use crate::files::{Roots, word};
use crate::jobs::Jobs;
use crate::sheet::{Labels, Sheet};
use crate::xid::Inbox;

/// Every collector, in the order of the exposition.
pub static COLLECTORS: &[&Kind] = &[&loadavg::COLLECTOR, &efa::COLLECTOR, &xid::COLLECTOR];

/// One collector: what it is called, and how it is run.
pub struct Kind {
    /// Its name, in the table and on the command line.
    pub name: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// How it is run beside others.
    pub lane: Lane,
    /// Whose values these are.
    pub scope: Scope,
    /// The collector, or nothing where this machine has nothing for it.
    pub make: fn(&Setting) -> Option<Box<dyn Collector>>,
}

/// A collector that was made, and its kind.
pub type Made = (&'static Kind, Box<dyn Collector>);

/// How a collector is run beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// In turn with others, on one thread: it reads memory of the kernel's.
    Shared,
    /// On a thread of its own: it waits for devices.
    Own,
    /// On a thread of its own, at its own pace: it asks a program or a service, whose time is not ours to spend. No scrape
    /// makes it run more often than this.
    Paced(Duration),
}

/// Whose values a collector reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The kernel's or the machine's: all nodes that share the machine would show the same.
    Machine,
    /// The node's own, also where nodes share a machine.
    Node,
    /// The machine's, or the node's own where it is replayed: every node can be given a folder of its own.
    MachineUnlessReplayed,
}

impl Scope {
    /// Whether all nodes of one machine would show the same.
    pub fn is_machines(self, is_replayed: bool) -> bool {
        match self {
            Self::Machine => true,
            Self::Node => false,
            Self::MachineUnlessReplayed => !is_replayed,
        }
    }
}

/// What collectors are made with.
#[derive(Clone, Default)]
pub struct Setting {
    /// Where the kernel's file systems are.
    pub roots: Roots,
    /// A folder with what is replayed in place of accelerators, fabric and kernel log.
    pub replay: Option<PathBuf>,
    /// Where counts are kept over a restart; nothing is kept without it.
    pub state: Option<PathBuf>,
    /// Where what is noticed is told.
    pub events: Events,
    /// The node's name.
    pub host: String,
    /// What runs on the node, as the collector of jobs found it last.
    pub jobs: Jobs,
    /// Where Xids are handed in that NVML tells of.
    pub xids: Inbox,
}

impl Setting {
    /// The labels of everything that is replayed: with them nobody takes it for a machine's. None without a replay.
    pub fn replay_labels(&self) -> Labels {
        match &self.replay {
            Some(folder) => Labels::new(&[("replay", &replay_profile(folder))]),
            None => Labels::default(),
        }
    }
}

/// What a replay says that it is. One that does not say is a replay all the same.
fn replay_profile(folder: &Path) -> String {
    let description = word(&folder.join("replay.json")).unwrap_or_default();
    let description: serde_json::Value = serde_json::from_str(&description).unwrap_or_default();
    description.get("profile").and_then(|profile| profile.as_str()).unwrap_or("unknown").to_owned()
}

/// Reads one thing, again and again.
pub trait Collector: Send {
    /// Puts what is there now onto the sheet.
    ///
    /// What could be read before a problem came up stays on the sheet, and is shown.
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem>;

    /// Labels of every sample, for example that they are replayed.
    fn constant_labels(&self) -> Labels {
        Labels::default()
    }
}

/// Why a collector could not give all that it should.
#[derive(Debug, Clone)]
pub struct Problem {
    sentence: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// A sentence without a full stop.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), source: None }
    }

    /// Why.
    #[must_use]
    pub fn because(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// The sentence, and its cause.
    pub fn told(&self) -> String {
        match &self.source {
            Some(source) => format!("{}: {source}", self.sentence),
            None => self.sentence.clone(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// A file that cannot be read.
pub(crate) fn unread(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Problem {
    let sentence = format!("{} cannot be read", path.display());
    move |error| Problem::new(sentence).because(error)
}

/// A file that does not say what it should.
pub(crate) fn misread(path: &std::path::Path, what: &str) -> Problem {
    Problem::new(format!("{} has no {what}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_collector_has_metrics_and_every_metric_a_collector() {
        // `agent` is what the conductor says of itself.
        let collectors: BTreeSet<&str> = COLLECTORS.iter().map(|kind| kind.name).chain(["agent"]).collect();
        let in_table: BTreeSet<&str> = trainyard_plan::metrics::all().map(|metric| metric.collector).collect();
        assert_eq!(collectors, in_table);
    }

    #[test]
    fn what_is_replayed_says_so_and_of_which_profile() {
        let folder = tempfile::tempdir().unwrap();
        let labels = |text: Option<&str>| {
            if let Some(text) = text {
                fs_err::write(folder.path().join("replay.json"), text).unwrap();
            }
            Setting { replay: Some(folder.path().to_owned()), ..Setting::default() }.replay_labels()
        };
        let unknown = Labels::new(&[("replay", "unknown")]);
        assert_eq!(labels(None), unknown);
        assert_eq!(labels(Some("{\"profile\": \"p5\"}")), Labels::new(&[("replay", "p5")]));
        assert_eq!(labels(Some("{\"profile\": 5}")), unknown);
        assert_eq!(labels(Some("no JSON")), unknown);
        assert_eq!(Setting::default().replay_labels(), Labels::default());
    }

    #[test]
    fn a_replay_makes_the_machines_fabric_the_nodes_own() {
        for (scope, is_replayed, expected) in [
            (Scope::Machine, true, true),
            (Scope::Node, false, false),
            (Scope::MachineUnlessReplayed, false, true),
            (Scope::MachineUnlessReplayed, true, false),
        ] {
            assert_eq!(scope.is_machines(is_replayed), expected, "{scope:?}");
        }
    }
}
