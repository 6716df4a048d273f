//! Jobs on this node: which run, as the collector of jobs found them, for whoever must know; and how they are found,
//! measured and summed up, without a question to Slurm's controller.

pub mod environment;
pub mod find;
pub mod list;
mod marks;
pub mod record;
pub mod summary;
pub mod tally;
pub mod usage;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// More than a node ever has. What is beyond is left out: whoever asks goes through all of them.
pub const JOBS_MAX: usize = 4096;

/// One job that runs here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// The scheduler's number of it.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// What it is charged to.
    pub account: String,
    /// The partition that it was sent to.
    pub partition: String,
    /// What its owner calls it.
    pub name: String,
    /// Of a task of an array, the array's number and its own in it.
    pub array: Option<(String, String)>,
    /// On how many nodes it runs, this one included.
    pub node_count: u32,
    /// Since when, where it is known.
    pub started: Option<Timestamp>,
    /// The folder of its control group, where it is known.
    pub cgroup: Option<PathBuf>,
    /// Its processes on this node, as far as they are known.
    pub pids: Vec<u32>,
}

impl Job {
    /// Whether it needs the network between nodes.
    pub fn is_multi_node(&self) -> bool {
        self.node_count > 1
    }
}

/// The jobs that run here. Clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct Jobs {
    running: Arc<Mutex<Arc<[Job]>>>,
}

impl Jobs {
    /// These run now, and no others.
    pub fn set(&self, mut running: Vec<Job>) {
        running.truncate(JOBS_MAX);
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = running.into();
    }

    /// Those that run, as far as anybody has looked.
    pub fn running(&self) -> Arc<[Job]> {
        Arc::clone(&self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_finds_all_see() {
        let jobs = Jobs::default();
        let other = jobs.clone();
        assert!(other.running().is_empty());
        jobs.set(vec![Job { id: "7".into(), node_count: 2, ..Job::default() }]);
        assert!(other.running().iter().all(Job::is_multi_node));
        jobs.set(vec![Job::default(); JOBS_MAX + 1]);
        assert_eq!(other.running().len(), JOBS_MAX);
    }
}
