//! The silent-TCP tripwire: a job of several nodes whose processes talk over the ordinary network while the node's EFA
//! stands still. Nothing fails then; the job is only many times slower than it should be.
//!
//! Judges readings that others take; only an event is given the time at which it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::events::{Event, Severity};
use crate::jobs::Job;

/// The shortest interval that is judged. Collections can be a moment apart, and what one moment moves says nothing.
const INTERVAL: Duration = Duration::from_secs(5);

/// What a job sends and also receives in a second, at the least, to be taken for one that exchanges gradients. NCCL's
/// start, a rendezvous, logs and Slurm stay below a tenth of it; training over TCP fills the card, 1 GB/s and more.
const EXCHANGED_BYTES_PER_SECOND: u64 = 50_000_000;

/// EFA stands still when it moves less than a hundredth of what the ordinary network does.
const FABRIC_SHARE: u64 = 100;

/// Bytes over the ordinary network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// That came in.
    pub received: u64,
    /// That went out.
    pub sent: u64,
}

/// What was read at one time. All of it only grows.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// When, since any beginning.
    pub at: Duration,
    /// Bytes that the node's EFA devices moved.
    pub fabric: u64,
    /// Bytes over the ordinary network.
    pub ordinary: Traffic,
}

/// A job that began to talk past EFA, and how much it moved in the interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// The job.
    pub job: Job,
    /// Others of several nodes that ran here all the while: the traffic is the node's, and may be theirs.
    pub others: Vec<String>,
    /// What was sent and received over the ordinary network, in bytes per second.
    pub bytes_per_second: Traffic,
}

/// Watches a node.
#[derive(Debug, Default)]
pub struct Tripwire {
    before: Option<Reading>,
    /// The jobs of several nodes that ran when the interval began.
    at_begin: BTreeSet<String>,
    watched: BTreeMap<String, bool>,
    /// Jobs that were told of: one is told once, however often it pauses.
    told: BTreeSet<String>,
    intervals: u64,
}

impl Tripwire {
    /// Takes a reading. The alarm is of a job that was not told of before.
    pub fn see(&mut self, reading: Reading, jobs: &[Job]) -> Option<Alarm> {
        let jobs: Vec<&Job> = jobs.iter().filter(|job| job.is_multi_node()).collect();
        let runs = |id: &String| jobs.iter().any(|job| job.id == *id);
        self.told.retain(runs);
        self.watched.retain(|id, _| runs(id));
        let Some(before) = self.before else {
            self.begin(reading, &jobs);
            return None;
        };
        let span = reading.at.saturating_sub(before.at);
        if span < INTERVAL {
            return None;
        }
        let traffic = per_second(before.ordinary, reading.ordinary, span);
        let is_silent = is_silent(&before, &reading, traffic);
        // What moved is of the jobs that ran all the while. Where there was none, it is of those that came.
        let is_its = |job: &Job| self.at_begin.is_empty() || self.at_begin.contains(&job.id);
        let mut silent: Vec<&Job> = jobs.iter().copied().filter(|job| is_silent && is_its(job)).collect();
        // Those that were told of stand behind.
        silent.sort_by_key(|job| self.told.contains(&job.id));
        for job in &jobs {
            self.watched.insert(job.id.clone(), is_silent && is_its(job));
        }
        // One alarm for all that it may be: whose traffic it is nobody can see on this side of the card.
        let is_new = silent.iter().filter(|job| self.told.insert(job.id.clone())).count() > 0;
        let alarm = silent.split_first().filter(|_| is_new).map(|(job, others)| Alarm {
            job: (*job).clone(),
            others: others.iter().map(|job| job.id.clone()).collect(),
            bytes_per_second: traffic,
        });
        self.intervals += u64::from(!silent.is_empty());
        self.begin(reading, &jobs);
        alarm
    }

    /// There is nothing to see now, and what comes next is compared with nothing before.
    pub fn rest(&mut self) {
        self.before = None;
        self.watched.clear();
    }

    /// The jobs that were judged, and whether each talks past EFA.
    pub fn watched(&self) -> impl Iterator<Item = (&str, bool)> {
        self.watched.iter().map(|(id, is_silent)| (id.as_str(), *is_silent))
    }

    /// The intervals in which any job did.
    pub fn intervals(&self) -> u64 {
        self.intervals
    }

    fn begin(&mut self, reading: Reading, jobs: &[&Job]) {
        self.before = Some(reading);
        self.at_begin = jobs.iter().map(|job| job.id.clone()).collect();
    }
}

/// Both ways are asked for: who exchanges gradients sends about what it receives, and who reads training data or writes
/// a checkpoint over the ordinary network, as it should be, does not.
fn is_silent(before: &Reading, now: &Reading, traffic: Traffic) -> bool {
    let ordinary = (now.ordinary.received.saturating_sub(before.ordinary.received))
        .saturating_add(now.ordinary.sent.saturating_sub(before.ordinary.sent));
    let fabric = now.fabric.saturating_sub(before.fabric);
    traffic.received.min(traffic.sent) >= EXCHANGED_BYTES_PER_SECOND && fabric < ordinary / FABRIC_SHARE
}

fn per_second(before: Traffic, now: Traffic, span: Duration) -> Traffic {
    let rate = |before: u64, now: u64| {
        let per_second = u128::from(now.saturating_sub(before)) * 1000 / span.as_millis().max(1);
        u64::try_from(per_second).unwrap_or(u64::MAX)
    };
    Traffic { received: rate(before.received, now.received), sent: rate(before.sent, now.sent) }
}

/// The event of an alarm.
pub fn alarm(alarm: &Alarm) -> Event {
    let Alarm { job, others, bytes_per_second } = alarm;
    let [sent, received] = [bytes_per_second.sent, bytes_per_second.received].map(|bytes| bytes / 1_000_000);
    let (who, whose) = match others.as_slice() {
        [] => (format!("job {} runs on {} nodes and", job.id, job.node_count), "its log"),
        _ => (format!("job {} or {}, which share this node,", job.id, others.join(" or ")), "their logs"),
    };
    let text = format!(
        "{who} sends {sent} MB/s and receives {received} MB/s over the ordinary network while EFA stands still: see in \
         {whose} (NCCL_DEBUG=INFO) whether NCCL chose Socket, that NCCL_NET is not set to Socket and FI_PROVIDER is efa or \
         not set, that the aws-ofi-nccl plugin is on LD_LIBRARY_PATH, and that `fi_info -p efa` finds libfabric's provider.",
    );
    let fields = json!({
        "jobid": job.id,
        "other_jobids": others,
        "user": job.user,
        "account": job.account,
        "nodes": job.node_count,
        "sent_bytes_per_second": bytes_per_second.sent,
        "received_bytes_per_second": bytes_per_second.received,
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    Event { at: Timestamp::now(), kind: "silent_tcp", severity: Severity::Warning, text, fields }
}

#[cfg(test)]
mod tests;
