//! Jobs: which run here, what is theirs, what they take, and how they went.

mod known;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use trainyard_plan::metrics::jobs as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting, replay_profile};
use crate::events::Events;
use crate::files::{Buffer, Roots, Text, word};
use crate::jobs::find::{Finder, Found, Look};
use crate::jobs::record::{Record, Running};
use crate::jobs::summary::Summary;
use crate::jobs::tally::{Movement, Round, Tally};
use crate::jobs::{JOBS_MAX, Jobs, usage};
use crate::meters::{Counted, Meters};
use crate::ordinary::Ordinary;
use crate::sheet::{Labels, Sheet};
use known::{All, Known, Places, own_devices};

pub(super) static COLLECTOR: Kind = Kind {
    name: "jobs",
    about: "Slurm's jobs on this node",
    // To read a process's variables waits for the process, and to keep sums waits for the disk.
    lane: Lane::Own,
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Collected::new(setting))),
};

/// A job that has no process here for so long has ended. Between two steps there is none on nodes where neither the job's
/// script nor a step of Slurm's own runs.
const GONE_FOR: Duration = Duration::from_secs(30);

/// Sums are kept so often, and when a job comes or goes. What is lost with an agent that is killed is said.
const KEPT_EVERY: Duration = Duration::from_mins(1);

/// A node can run thousands of jobs an hour that are over in a moment. One that is shorter and had no GPU is in the record,
/// and would only drive other events out.
const TOLD_SECONDS_MIN: i64 = 60;

/// What ended in one round is told one by one up to here; the record has all.
const EVENTS_MAX: usize = 32;

struct Collected {
    roots: Roots,
    replay: Option<String>,
    boot: String,
    finder: Finder,
    uptime: Text,
    ordinary: Ordinary,
    movement: Movement,
    meters: Meters,
    jobs: Jobs,
    events: Events,
    known: All,
    /// When the last round was, while there were jobs, and whether one had the node for itself.
    last: Option<Instant>,
    was_alone: bool,
    record: Option<Record>,
    kept: Option<Instant>,
    is_changed: bool,
    /// What was wrong with what was kept.
    loaded: Option<Problem>,
    ended: u64,
    gpu_seconds: f64,
    idle_gpu_seconds: f64,
    buffer: Buffer,
}

impl Collected {
    fn new(setting: &Setting) -> Self {
        let roots = setting.roots.clone();
        let mut collected = Self {
            replay: setting.replay.as_deref().map(replay_profile),
            boot: word(&roots.proc.join("sys/kernel/random/boot_id")).unwrap_or_default(),
            finder: Finder::new(&roots.proc),
            uptime: Text::new(roots.proc.join("uptime")),
            ordinary: Ordinary::new(&roots.proc),
            movement: Movement::default(),
            meters: setting.meters.clone(),
            jobs: setting.jobs.clone(),
            events: setting.events.clone(),
            known: All::new(),
            last: None,
            was_alone: true,
            record: setting.state.as_deref().map(Record::new),
            kept: None,
            is_changed: false,
            loaded: None,
            ended: 0,
            gpu_seconds: 0.0,
            idle_gpu_seconds: 0.0,
            buffer: Buffer::default(),
            roots,
        };
        collected.load();
        collected
    }

    /// Takes up what was kept. What does not run any more is told in the first round.
    fn load(&mut self) {
        let Some(running) = self.record.as_ref().and_then(|record| match record.take_up() {
            Ok(running) => running,
            Err(problem) => {
                self.loaded = Some(problem);
                None
            }
        }) else {
            return;
        };
        for mut tally in running.jobs {
            // Nothing of another boot runs on, also where Slurm starts it again under its number.
            tally.is_whole |= running.boot != self.boot;
            tally.start_by_uptime();
            let mut known = Known::new(tally);
            known.gone = Some(Instant::now());
            self.known.insert(known.job.id.clone(), known);
        }
        if running.boot != self.boot {
            let now = Timestamp::now();
            let ended: Vec<Known> = std::mem::take(&mut self.known).into_values().collect();
            self.end(ended, now);
        }
    }

    /// What a job's sums are since the last round, and what each is now.
    fn round(&mut self, found: &BTreeMap<String, Found>, now: Timestamp) -> Counted {
        let counted = self.meters.counted();
        let span = self.last.map_or(Duration::ZERO, |last| last.elapsed());
        self.last = Some(Instant::now());
        let ordinary = self.ordinary.read(&mut self.buffer).ok();
        let moved = self.movement.see(&counted, ordinary.map(|traffic| traffic.received.saturating_add(traffic.sent)));
        let uptime = self.uptime();
        // One that ended since the last round had its part of what moved in between.
        let is_only = found.len() == 1;
        let is_alone = std::mem::replace(&mut self.was_alone, is_only) && is_only;
        let fabric_sys = self.roots.fabric_sys.clone().unwrap_or_else(|| self.roots.sys.clone());
        let places = Places { proc: &self.roots.proc, sys: &self.roots.sys, fabric_sys: &fabric_sys };
        for (id, found) in found.iter().take(JOBS_MAX) {
            let known = self.known.entry(id.clone()).or_insert_with(|| {
                self.is_changed = true;
                Known::new(Tally { jobid: id.clone(), ..Tally::new(now) })
            });
            if known.gone.take().is_some() {
                // No agent was there, or no process of the job.
                known.tally.unseen_seconds += now.duration_since(known.tally.seen_until).as_secs_f64().max(0.0);
                known.was_here = false;
            }
            let began =
                [Some(seconds(found.started)), known.tally.started_uptime].into_iter().flatten().reduce(f64::min);
            known.tally.started_uptime = began;
            known.tally.seen_until_uptime = uptime;
            known.learn(places, found, began.zip(uptime).and_then(|(began, uptime)| when(now, uptime - began)));
            known.usage = usage::read(places.proc, places.sys, found, &mut self.buffer);
            known.tally.see(&known.usage, now);
            known.claim(&counted, is_only);
        }
        let own = own_devices(&self.known);
        let mut gpus = BTreeMap::new();
        for (id, devices) in own {
            let Some(known) = self.known.get_mut(&id) else { continue };
            // A job that came in the meantime has not been here for all of the time.
            if std::mem::replace(&mut known.was_here, true) {
                let (counted, moved, own) = (&counted, &moved, &known.gpus);
                gpus.extend(known.tally.add(&Round { span, counted, moved, gpus: own, devices: &devices, is_alone }));
            }
        }
        // A GPU that several jobs share is still one.
        for is_idle in gpus.into_values() {
            self.gpu_seconds += span.as_secs_f64();
            self.idle_gpu_seconds += if is_idle { span.as_secs_f64() } else { 0.0 };
        }
        counted
    }

    /// Seconds since the machine's start.
    fn uptime(&mut self) -> Option<f64> {
        self.uptime.read().ok()?.split_ascii_whitespace().next()?.parse().ok()
    }

    /// Those that were started again under their number since they were last seen.
    fn take_restarted(&mut self, found: &BTreeMap<String, Found>) -> Vec<Known> {
        let is_another = |id: &String, known: &mut Known| {
            let seen = known.tally.seen_until_uptime;
            let began = found.get(id).map(|found| seconds(found.started));
            known.tally.is_whole && began.zip(seen).is_some_and(|(began, seen)| began > seen)
        };
        self.known.extract_if(.., is_another).map(|(_, known)| known).collect()
    }

    /// Those that have no process here any more.
    fn take_gone(&mut self, found: &BTreeMap<String, Found>) -> Vec<Known> {
        let is_over = |id: &String, known: &mut Known| {
            if found.contains_key(id) {
                return false;
            }
            let gone = *known.gone.get_or_insert_with(Instant::now);
            known.tally.is_whole || gone.elapsed() >= GONE_FOR
        };
        self.known.extract_if(.., is_over).map(|(_, known)| known).collect()
    }

    fn end(&mut self, ended: Vec<Known>, now: Timestamp) {
        self.is_changed |= !ended.is_empty();
        for (nth, known) in ended.into_iter().enumerate() {
            self.ended += 1;
            let is_short = known.tally.ran_seconds() < TOLD_SECONDS_MIN && known.tally.gpus.is_empty();
            let summary = Summary::new(known.tally, now, self.replay.clone());
            if let Some(Err(problem)) = self.record.as_ref().map(|record| record.add(&summary)) {
                self.loaded.get_or_insert(problem);
            }
            if nth < EVENTS_MAX && !is_short {
                self.events.tell(summary.event());
            }
        }
    }

    fn keep(&mut self, now: Timestamp) -> Result<(), Problem> {
        let Some(record) = &self.record else { return Ok(()) };
        let is_due = self.kept.is_none_or(|kept| kept.elapsed() >= KEPT_EVERY) && !self.known.is_empty();
        if self.is_changed || is_due {
            self.kept = Some(Instant::now());
            let jobs = self.known.values().map(|known| known.tally.clone()).collect();
            record.keep(&Running::new(&self.boot, now, jobs))?;
            self.is_changed = false;
        }
        Ok(())
    }

    fn put(&self, sheet: &mut Sheet, counted: &Counted) {
        let here = || self.known.values().filter(|known| known.gone.is_none());
        for known in here() {
            put_job(sheet, known);
            self.put_own(sheet, known, counted);
        }
        sheet.put(&m::trainyard_jobs, &[], here().count());
        sheet.put(&m::trainyard_jobs_ended_total, &[], self.ended);
        if counted.has_gpus {
            let replay = self.replayed(&[]);
            sheet.put_with(&m::trainyard_jobs_gpu_seconds_total, &replay, self.gpu_seconds);
            sheet.put_with(&m::trainyard_jobs_idle_gpu_seconds_total, &replay, self.idle_gpu_seconds);
        }
    }

    /// What stands between a job and the node's GPUs and fabric.
    fn put_own(&self, sheet: &mut Sheet, known: &Known, counted: &Counted) {
        let id = known.tally.jobid.as_str();
        for gpu in &known.gpus {
            let (index, uuid) = (gpu.to_string(), Known::uuid(counted, *gpu));
            let labels = self.replayed(&[("jobid", id), ("gpu", &index), ("UUID", uuid)]);
            sheet.put_with(&m::trainyard_job_gpu_info, &labels, 1_u32);
        }
        for device in &known.devices {
            let labels = self.replayed(&[("jobid", id), ("device", device)]);
            sheet.put_with(&m::trainyard_job_efa_info, &labels, 1_u32);
        }
    }

    /// Jobs are real where GPUs and fabric are not: what is of both says so.
    fn replayed(&self, labels: &[(&str, &str)]) -> Labels {
        let mut labels = Labels::new(labels);
        if let Some(profile) = &self.replay {
            labels.add("replay", profile);
        }
        labels
    }
}

impl Collector for Collected {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let Look { jobs: found, problem } = self.finder.look()?;
        let now = Timestamp::now();
        if !self.known.is_empty() {
            let mut ended = self.take_restarted(&found);
            ended.extend(self.take_gone(&found));
            self.end(ended, now);
        }
        let counted = if found.is_empty() {
            self.last = None;
            self.was_alone = true;
            self.movement = Movement::default();
            self.meters.counted()
        } else {
            self.round(&found, now)
        };
        let here = self.known.values().filter(|known| known.gone.is_none());
        self.jobs.set(here.map(|known| known.job.clone()).collect());
        self.put(sheet, &counted);
        let kept = self.keep(now);
        match self.loaded.take().or(problem) {
            Some(problem) => Err(problem),
            None => kept,
        }
    }
}

/// Of ticks.
#[allow(clippy::cast_precision_loss, reason = "ticks since the machine's start are far below 2^52")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / usage::ticks_per_second()
}

/// What is so old began when, by the wall clock.
fn when(now: Timestamp, age_seconds: f64) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::try_from_secs_f64(age_seconds.max(0.0)).ok()?).ok()
}

fn put_job(sheet: &mut Sheet, known: &Known) {
    let (tally, usage) = (&known.tally, &known.usage);
    let id = tally.jobid.as_str();
    let nodes = if tally.nodes == 0 { String::new() } else { tally.nodes.to_string() };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let measured = if usage.is_of_cgroup { "cgroup" } else { "processes" };
    let values = [
        id,
        &tally.user,
        &tally.account,
        &tally.partition,
        &tally.name,
        &nodes,
        &text(&tally.array_job_id),
        &text(&tally.array_task_id),
        measured,
    ];
    if known.is_named() {
        sheet.put(&m::trainyard_job_info, &values, 1_u32);
    }
    if let Some(started) = tally.started {
        sheet.put(&m::trainyard_job_start_time_seconds, &[id], started.as_second());
    }
    // What ended processes had is lost with the last that waited for them, and a counter does not go back.
    if let Some(seconds) = tally.cpu_seconds {
        sheet.put(&m::trainyard_job_cpu_seconds_total, &[id], seconds);
    }
    for (metric, bytes) in [
        (&m::trainyard_job_memory_bytes, usage.memory_bytes),
        (&m::trainyard_job_memory_peak_bytes, tally.memory_peak_bytes),
        (&m::trainyard_job_memory_limit_bytes, usage.memory_limit_bytes),
    ] {
        if let Some(bytes) = bytes {
            sheet.put(metric, &[id], bytes);
        }
    }
    sheet.put(&m::trainyard_job_processes, &[id], known.job.pids.len());
}

#[cfg(test)]
mod tests;
