//! What a job had and did on this node, summed up while it runs.
//!
//! Sums are of what was seen. What moves on the whole node is a job's only while no other runs there; for how long that
//! was stands beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Job;
use super::usage::Usage;
use crate::growth::{Growth, Growths};
use crate::meters::{Counted, Direction, GpuMeter};

/// A GPU that shows no more than this many percent does nothing: looking at it takes some.
const IDLE_PERCENT: u32 = 1;

/// A reading of GPUs that is older says nothing of now, unless rounds are as far apart.
const READING_AGE_MAX: Duration = Duration::from_mins(1);

/// The sums of one job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// The job's number.
    pub jobid: String,
    /// Whose it is.
    pub user: String,
    /// What it is charged to.
    pub account: String,
    /// Where it was sent.
    pub partition: String,
    /// What it is called.
    pub name: String,
    /// The array that it is of.
    pub array_job_id: Option<String>,
    /// Its place in the array.
    pub array_task_id: Option<String>,
    /// On how many nodes it runs.
    pub nodes: u32,
    /// When its oldest process on this node began.
    pub started: Option<Timestamp>,
    /// The same in seconds since the machine's start, which nobody sets.
    pub started_uptime: Option<f64>,
    /// When the agent first saw it.
    pub seen_since: Timestamp,
    /// When the agent last saw it.
    pub seen_until: Timestamp,
    /// The same in seconds since the machine's start, which nobody sets.
    pub seen_until_uptime: Option<f64>,
    /// Time in between in which no agent ran, or the job had no process here.
    pub unseen_seconds: f64,
    /// Whether its script or a step of Slurm's own was here, which last as long as the job.
    pub is_whole: bool,
    /// Time that the sums are of.
    pub seconds: f64,
    /// Time of it in which no other job ran here.
    pub alone_seconds: f64,
    /// On processors.
    pub cpu_seconds: Option<f64>,
    /// The most memory.
    pub memory_peak_bytes: Option<u64>,
    /// Its GPUs, by their index.
    #[serde(with = "listed")]
    pub gpus: BTreeMap<u32, GpuTally>,
    /// Over those EFA devices that no other job had.
    pub efa_bytes: Option<u64>,
    /// Over the ordinary network, while it was alone.
    pub ordinary_bytes: Option<u64>,
    /// Read from Lustre and written to it, while it was alone.
    pub lustre_bytes: Option<u64>,
}

/// The sums of one GPU.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GpuTally {
    /// Its index.
    pub gpu: u32,
    /// `GPU-…`.
    pub uuid: String,
    /// Time in which its utilisation was known.
    pub seconds: f64,
    /// Time of it in which it did nothing.
    pub idle_seconds: f64,
    /// Percent times seconds.
    pub percent_seconds: f64,
    /// Time in which the activity of its multiprocessors was known.
    pub sm_seconds: f64,
    /// That activity times seconds.
    pub sm_active_seconds: f64,
    /// The most memory.
    pub memory_peak_mib: Option<u64>,
    /// Over NVLink, in both directions.
    pub nvlink_bytes: Option<u64>,
    /// Energy.
    pub energy_mj: Option<u64>,
}

/// GPUs as a list: keys of JSON are texts.
mod listed {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::GpuTally;

    pub(super) fn serialize<S: Serializer>(gpus: &BTreeMap<u32, GpuTally>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(gpus.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u32, GpuTally>, D::Error> {
        let gpus = Vec::<GpuTally>::deserialize(from)?;
        Ok(gpus.into_iter().map(|gpu| (gpu.gpu, gpu)).collect())
    }
}

/// What moved since the last round.
#[derive(Debug, Default)]
pub struct Moved {
    nvlink: BTreeMap<u32, u64>,
    energy_mj: BTreeMap<u32, u64>,
    fabric: BTreeMap<String, u64>,
    ordinary: Option<u64>,
    lustre: Option<u64>,
}

/// Tells what moved since the last round.
#[derive(Debug, Default)]
pub struct Movement {
    nvlink: Growths<(u32, (u32, Direction))>,
    energy_mj: Growths<u32>,
    fabric: Growths<String>,
    lustre: Growths<String>,
    ordinary: Growth,
}

impl Movement {
    /// Takes what is counted now; `ordinary` is what the ordinary network moved.
    pub fn see(&mut self, counted: &Counted, ordinary: Option<u64>) -> Moved {
        let links = |gpu: &GpuMeter| {
            let index = gpu.index;
            gpu.nvlink_bytes.iter().map(move |(link, bytes)| ((index, *link), *bytes)).collect::<Vec<_>>()
        };
        let mut nvlink: BTreeMap<u32, u64> = BTreeMap::new();
        for ((gpu, _), bytes) in self.nvlink.see(counted.gpus.iter().flat_map(links)) {
            let sum = nvlink.entry(*gpu).or_default();
            *sum = sum.saturating_add(bytes);
        }
        let energy_mj = self.energy_mj.see(counted.gpus.iter().map(|gpu| (gpu.index, gpu.energy_mj)));
        let fabric = self.fabric.see(counted.fabric.iter().cloned().map(|(name, at)| (name, Some(at))));
        let lustre = self.lustre.see(counted.lustre.iter().cloned());
        self.ordinary.see(ordinary);
        Moved {
            nvlink,
            energy_mj: energy_mj.map(|(gpu, grown)| (*gpu, grown)).collect(),
            fabric: fabric.map(|(device, grown)| (device.clone(), grown)).collect(),
            ordinary: self.ordinary.grown(),
            lustre: lustre.map(|(_, grown)| grown).reduce(u64::saturating_add),
        }
    }
}

/// One round, as far as one job is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// Since the last one.
    pub span: Duration,
    /// What others count.
    pub counted: &'a Counted,
    /// What moved.
    pub moved: &'a Moved,
    /// The indexes of its GPUs.
    pub gpus: &'a BTreeSet<u32>,
    /// The EFA devices that it alone has.
    pub devices: &'a BTreeSet<String>,
    /// Whether no other job ran here, now and in the round before.
    pub is_alone: bool,
}

/// How far the clock may be set before the time of a job's begin follows it. What lies below is how exactly it is known.
const CLOCK_STEP_SECONDS: i64 = 2;

fn add(sum: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or_default().saturating_add(more));
    }
}

impl Tally {
    /// Of a job that is seen for the first time.
    pub fn new(now: Timestamp) -> Self {
        Self { seen_since: now, seen_until: now, ..Self::default() }
    }

    /// What is known of the job by now. What was known before and is not any more stays.
    pub fn name(&mut self, job: &Job) {
        let keep = |known: &mut String, now: &str| {
            if !now.is_empty() {
                now.clone_into(known);
            }
        };
        keep(&mut self.jobid, &job.id);
        keep(&mut self.user, &job.user);
        keep(&mut self.account, &job.account);
        keep(&mut self.partition, &job.partition);
        keep(&mut self.name, &job.name);
        if let Some((array, task)) = job.array.clone() {
            (self.array_job_id, self.array_task_id) = (Some(array), Some(task));
        }
        self.nodes = self.nodes.max(job.node_count);
        // Begins are told by the wall clock of now, which may have been set since.
        let is_near =
            |known: Timestamp, now: Timestamp| (known.as_second() - now.as_second()).abs() <= CLOCK_STEP_SECONDS;
        if let Some(now) = job.started.filter(|now| !self.started.is_some_and(|known| is_near(known, *now))) {
            self.started = Some(now);
        }
    }

    /// Takes what it uses now.
    pub fn see(&mut self, usage: &Usage, now: Timestamp) {
        self.seen_until = now;
        // Without a control group, what ended processes had is lost with the last that waited for them.
        self.cpu_seconds = [self.cpu_seconds, usage.cpu_seconds].into_iter().flatten().reduce(f64::max);
        self.memory_peak_bytes =
            [self.memory_peak_bytes, usage.memory_bytes, usage.memory_peak_bytes].into_iter().flatten().max();
    }

    /// Adds a round. Gives back which GPUs of its own told how busy they are, and whether they did nothing.
    pub fn add(&mut self, round: &Round<'_>) -> Vec<(u32, bool)> {
        let mut told = Vec::new();
        let seconds = round.span.as_secs_f64();
        self.seconds += seconds;
        let is_current = |at: std::time::Instant| at.elapsed() <= READING_AGE_MAX.max(round.span * 2);
        if round.counted.gpus_at.is_some_and(is_current) {
            for gpu in round.counted.gpus.iter().filter(|gpu| round.gpus.contains(&gpu.index)) {
                let tally = self.gpus.entry(gpu.index).or_default();
                tally.add(gpu, seconds);
                told.extend(gpu.percent.map(|percent| (gpu.index, percent <= IDLE_PERCENT)));
                add(&mut tally.nvlink_bytes, round.moved.nvlink.get(&gpu.index).copied());
                add(&mut tally.energy_mj, round.moved.energy_mj.get(&gpu.index).copied());
            }
        }
        for device in round.devices {
            add(&mut self.efa_bytes, round.moved.fabric.get(device).copied());
        }
        if round.is_alone {
            self.alone_seconds += seconds;
            add(&mut self.ordinary_bytes, round.moved.ordinary);
            add(&mut self.lustre_bytes, round.moved.lustre);
        }
        told
    }

    /// What an agent kept that did not know the begin by the machine's own clock.
    pub fn start_by_uptime(&mut self) {
        let Some((started, until)) = self.started.zip(self.seen_until_uptime) else { return };
        let ran = self.seen_until.duration_since(started).as_secs_f64();
        self.started_uptime.get_or_insert((until - ran).max(0.0));
    }

    /// From its begin, or where that is not known from the first look at it, to the last.
    pub fn ran_seconds(&self) -> i64 {
        let by_clock = self.seen_until.as_second() - self.started.unwrap_or(self.seen_since).as_second();
        #[allow(clippy::cast_possible_truncation, reason = "seconds since the machine's start")]
        let by_uptime = self.started_uptime.zip(self.seen_until_uptime).map(|(from, to)| (to - from).round() as i64);
        by_uptime.unwrap_or(by_clock)
    }

    /// A sum over its GPUs.
    pub fn gpu_sum(&self, value: impl Fn(&GpuTally) -> f64) -> f64 {
        // Not `sum`, which makes -0 of nothing.
        self.gpus.values().map(value).fold(0.0, |sum, value| sum + value)
    }
}

impl GpuTally {
    fn add(&mut self, gpu: &GpuMeter, seconds: f64) {
        self.gpu = gpu.index;
        gpu.uuid.clone_into(&mut self.uuid);
        if let Some(percent) = gpu.percent {
            self.seconds += seconds;
            self.percent_seconds += f64::from(percent) * seconds;
            if percent <= IDLE_PERCENT {
                self.idle_seconds += seconds;
            }
        }
        if let Some(active) = gpu.sm_active.filter(|active| active.is_finite()) {
            self.sm_seconds += seconds;
            self.sm_active_seconds += active * seconds;
        }
        self.memory_peak_mib = self.memory_peak_mib.max(gpu.memory_used_mib);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn counted(percents: &[u32], nvlink: u64, fabric: u64) -> Counted {
        let gpu = |(index, percent): (u32, &u32)| GpuMeter {
            index,
            uuid: format!("GPU-{index}"),
            percent: Some(*percent),
            memory_used_mib: Some(u64::from(*percent) * 10),
            nvlink_bytes: [((0, Direction::Sent), Some(nvlink)), ((1, Direction::Sent), None)].into(),
            ..GpuMeter::default()
        };
        Counted {
            gpus: (0..).zip(percents).map(gpu).collect(),
            gpus_at: Some(Instant::now()),
            fabric: vec![("a".to_owned(), fabric), ("b".to_owned(), fabric * 2)].into(),
            ..Counted::default()
        }
    }

    /// A link that is not read for once, a mount that does not say: what they counted before is no traffic of now.
    #[test]
    fn what_does_not_answer_for_a_moment_has_not_moved_all_that_it_ever_counted() {
        let mut movement = Movement::default();
        let mut moved = |links: [Option<u64>; 2], mounts: [Option<u64>; 2]| {
            let nvlink_bytes = [0, 1].map(|link| ((link, Direction::Received), links[link as usize])).into();
            let gpu = GpuMeter { index: 5, nvlink_bytes, ..GpuMeter::default() };
            let lustre = ["a", "b"].into_iter().map(str::to_owned).zip(mounts).collect();
            let moved = movement.see(&Counted { gpus: [gpu].into(), lustre, ..Counted::default() }, None);
            (moved.nvlink.get(&5).copied(), moved.lustre)
        };
        let trillion = 1_000_000_000_000;
        assert_eq!(moved([Some(trillion), Some(trillion)], [Some(7 * trillion), Some(9)]), (Some(0), Some(0)));
        assert_eq!(moved([None, Some(trillion + 5)], [None, Some(10)]), (Some(5), Some(1)));
        assert_eq!(
            moved([Some(trillion + 7), Some(trillion + 6)], [Some(7 * trillion + 4), Some(10)]),
            (Some(8), Some(4)),
            "what it moved in the meantime comes with its next answer"
        );
        assert_eq!(moved([None, None], [None, None]), (None, None));
    }

    #[test]
    fn a_job_ran_as_long_as_it_did_whatever_the_clock_was_set_to() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut tally = Tally { started_uptime: Some(100.4), seen_until_uptime: Some(205.5), ..Tally::new(at(1000)) };
        for (told, kept) in [(1000, 1000), (1001, 1000), (998, 998 + 2), (8200, 8200), (8199, 8200)] {
            tally.name(&Job { started: Some(at(told)), ..Job::default() });
            assert_eq!(tally.started, Some(at(kept)), "told {told}");
        }
        assert_eq!(tally.ran_seconds(), 105);
        let mut kept = Tally { started: Some(at(900)), started_uptime: None, seen_until: at(1000), ..tally.clone() };
        kept.start_by_uptime();
        assert_eq!((kept.started_uptime, kept.ran_seconds()), (Some(105.5), 100));
        tally.start_by_uptime();
        assert_eq!(tally.started_uptime, Some(100.4), "what is known stays");
        assert!(tally.gpu_sum(|gpu| gpu.seconds).is_sign_positive());
    }

    #[test]
    fn sums_are_of_the_jobs_own_gpus_and_devices_weighted_with_time() {
        let (gpus, devices) = (BTreeSet::from([1, 2]), BTreeSet::from(["b".to_owned()]));
        let (mut movement, mut tally) = (Movement::default(), Tally::new(Timestamp::UNIX_EPOCH));
        for (percents, seconds, bytes, is_alone) in
            [([99, 80, 0], 10, 100, true), ([99, 20, 1], 30, 140, false), ([99, 20, 50], 10, 150, true)]
        {
            let counted = counted(&percents, bytes, bytes);
            let moved = movement.see(&counted, Some(bytes * 3));
            tally.add(&Round {
                span: Duration::from_secs(seconds),
                counted: &counted,
                moved: &moved,
                gpus: &gpus,
                devices: &devices,
                is_alone,
            });
        }
        assert_eq!(tally.gpus.keys().copied().collect::<Vec<_>>(), [1, 2]);
        let first = &tally.gpus[&1];
        assert_eq!((first.percent_seconds / first.seconds, first.memory_peak_mib), (32.0, Some(800)));
        assert_eq!((tally.gpus[&2].idle_seconds, first.nvlink_bytes), (40.0, Some(50)));
        assert_eq!((tally.efa_bytes, tally.ordinary_bytes, tally.lustre_bytes), (Some(100), Some(30), None));
        assert_eq!((tally.seconds, tally.alone_seconds), (50.0, 20.0));
        assert_eq!((first.sm_seconds, first.energy_mj), (0.0, None));
    }

    #[test]
    fn what_is_not_told_any_more_stays_known() {
        let mut tally = Tally::default();
        let job = Job { id: "7".into(), account: "ml".into(), node_count: 2, ..Job::default() };
        tally.name(&job);
        tally.name(&Job { user: "ann".into(), ..Job::default() });
        assert_eq!((tally.jobid.as_str(), tally.account.as_str(), tally.nodes), ("7", "ml", 2));
        let usage = |memory| Usage { memory_bytes: Some(memory), cpu_seconds: Some(3.0), ..Usage::default() };
        tally.see(&usage(9), Timestamp::UNIX_EPOCH);
        tally.see(&usage(4), Timestamp::UNIX_EPOCH);
        assert_eq!((tally.memory_peak_bytes, tally.cpu_seconds), (Some(9), Some(3.0)));
    }
}
