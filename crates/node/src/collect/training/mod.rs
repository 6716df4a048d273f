//! Training, as the jobs' own scripts tell of it: lines of JSON in `FOLDER/JOB/RANK.jsonl`.
//!
//! Users write there. Nothing of their text becomes a label but a job's number and a rank's, both checked; jobs, ranks and
//! bytes have limits, shared out so that no job takes those of another.

mod line;
mod rank;
mod tail;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use serde_json::json;
use trainyard_plan::metrics::training as m;

use super::{Collector, Kind, Lane, Problem, Scope, ScopeChoice, unread};
use crate::events::{Event, Events, Severity};
use crate::files::{Listed, listed};
use crate::jobs::Jobs;
use crate::sheet::{Labels, Sheet};
use rank::{Measure, Rank, STEPS, compare};
use tail::{CAREFULLY, Found, path_of};

pub(super) static COLLECTOR: Kind = Kind {
    name: "training",
    about: "Steps, loss and stragglers, as the jobs' own scripts tell of them",
    // The folder is the users', and may be on a slow disk.
    lane: Lane::Own,
    scope: Scope::Given,
    make: |setting| {
        let (folder, may_be_missing) = match &setting.training {
            Some(folder) => (folder.clone(), false),
            // Below /run nothing outlives a start of the machine: the first job's prolog makes it, long after the agent.
            None if setting.scope == ScopeChoice::Node => return None, // it is the machine's, and another agent reads it
            None => (setting.roots.root.join(FOLDER), true),
        };
        let (jobs, events) = (setting.jobs.clone(), setting.events.clone());
        Some(Box::new(Training { folder, may_be_missing, jobs, alarms: Alarms::new(events), told: BTreeMap::new() }))
    },
};

/// Where scripts write if nobody says another place, below the root.
const FOLDER: &str = "run/trainyard/training";

/// Jobs that have series. A node runs a handful at once.
const JOBS_MAX: usize = 64;

/// Ranks of a job that have series. A node has 16 accelerators at the most, and some run two ranks on each.
const RANKS_MAX: usize = 64;

/// Ranks of all jobs that have series: some 16 each, which stay within a collector's limit. Jobs that run come first.
const ALL_RANKS_MAX: usize = 1024;

/// Entries of the folder that are looked at. Those of jobs that ended are somebody's to remove.
const ENTRIES_MAX: usize = 4096;

/// Jobs' folders that are looked into.
const FOLDERS_MAX: usize = 512;

/// What is read of a job in one collection, shared out among its ranks: some 3,000 lines.
const JOB_BYTES_MAX: u64 = 512 << 10;

/// What is read of a rank in one collection.
const RANK_BYTES_MAX: u64 = 64 << 10;

/// A job whose ranks have told nothing for so long has ended, or will not be helped by a metric.
const SHOWN_AT_MOST: Duration = Duration::from_mins(30);

/// Stragglers that are told of in a while. The newest 256 events of all kinds are kept.
const ALARMS_MAX: usize = 16;
const ALARMS_SPAN: Duration = Duration::from_mins(10);

struct Training {
    folder: PathBuf,
    /// Whether that there is none is as it should be.
    may_be_missing: bool,
    jobs: Jobs,
    alarms: Alarms,
    /// By job and rank.
    told: BTreeMap<String, BTreeMap<u32, Rank>>,
}

impl Collector for Training {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let flags = (OFlag::O_DIRECTORY | OFlag::O_NONBLOCK).bits();
        let folder = match File::options().read(true).custom_flags(flags).open(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.may_be_missing => {
                self.told.clear();
                return Ok(());
            }
            opened => opened.map_err(unread(&self.folder))?,
        };
        let (ids, mut refused) = self.ids(&path_of(&folder));
        let mut before = std::mem::take(&mut self.told);
        let mut room = ALL_RANKS_MAX;
        for id in ids {
            if self.told.len() == JOBS_MAX || room == 0 {
                refused += 1;
                continue;
            }
            let mut ranks = before.remove(&id).unwrap_or_default();
            refused += read_job(&folder, &id, &mut ranks, RANKS_MAX.min(room));
            if ranks.values().any(is_heard) {
                room -= ranks.len();
                self.told.insert(id, ranks);
            }
        }
        for (id, ranks) in &mut self.told {
            show(sheet, id, ranks);
            compare_ranks(sheet, id, ranks, &mut self.alarms);
        }
        sheet.put(&m::trainyard_training_jobs, &[], self.told.len());
        sheet.put(&m::trainyard_training_entries_refused, &[], refused);
        Ok(())
    }
}

impl Training {
    /// The jobs that have a folder, and how many entries are none. Those that run come first, then those that told before,
    /// then the newest: when there are more than there is room for, it is the ended ones that are left out.
    fn ids(&self, folder: &str) -> (Vec<String>, usize) {
        let Listed { names: entries, unnamed, has_more } = listed(Path::new(folder), ENTRIES_MAX);
        let count = entries.len() + unnamed + usize::from(has_more);
        let mut ids: Vec<String> = entries.into_iter().filter(|name| is_job_id(name)).collect();
        let refused = count - ids.len();
        let running = self.jobs.running();
        // Those that run are looked for, however many others there are.
        let is_there = |id: &&String| Path::new(folder).join(id).is_dir() && !ids.contains(id);
        let more: Vec<String> = running.iter().map(|job| &job.id).filter(is_there).cloned().collect();
        ids.extend(more);
        ids.sort_by_cached_key(|id| {
            let runs = running.iter().any(|job| job.id == *id);
            let number = id.split('_').next().and_then(|digits| digits.parse::<u64>().ok());
            (!runs, !self.told.contains_key(id), std::cmp::Reverse(number))
        });
        ids.truncate(FOLDERS_MAX);
        (ids, refused)
    }
}

/// What Slurm gives as SLURM_JOB_ID, or `ARRAY_TASK`. Numbers have one spelling, so that no two folders are one job.
fn is_job_id(name: &str) -> bool {
    let (job, task) = name.split_once('_').unwrap_or((name, "0"));
    [job, task].iter().all(|digits| digits.parse::<u32>().is_ok_and(|number| number.to_string() == **digits))
}

/// The rank whose file it is.
fn rank_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".jsonl")?;
    digits.parse().ok().filter(|rank: &u32| rank.to_string() == digits)
}

/// Reads on in a job's files, of so many ranks. How many entries were refused.
fn read_job(folder: &File, id: &str, ranks: &mut BTreeMap<u32, Rank>, ranks_max: usize) -> usize {
    let Ok(folder) = openat(folder, id, CAREFULLY | OFlag::O_DIRECTORY, Mode::empty()) else {
        ranks.clear();
        return 1;
    };
    let Listed { names: entries, unnamed, has_more } = listed(Path::new(&path_of(&folder)), RANKS_MAX * 4);
    let mut there: Vec<u32> = entries.iter().filter_map(|name| rank_of(name)).collect();
    there.sort_unstable();
    there.truncate(ranks_max);
    let mut refused = entries.len() + unnamed + usize::from(has_more) - there.len();
    ranks.retain(|number, _| there.contains(number));
    let most = RANK_BYTES_MAX.min(JOB_BYTES_MAX / there.len().max(1) as u64);
    for number in there {
        let mut rank = ranks.remove(&number).unwrap_or_default();
        // A line is taken by the rank whose file is read.
        let mut tail = std::mem::take(&mut rank.tail);
        let mut has_told = false;
        let known = rank.silence().is_some();
        let found = tail.read(&folder, &format!("{number}.jsonl"), most, &mut |line| {
            has_told = true;
            rank.take(&line);
        });
        rank.tail = tail;
        match found {
            Found::Refused => refused += 1,
            Found::Old => {}
            Found::Written(written) => {
                rank.is_heard(has_told && known, written);
                ranks.insert(number, rank);
            }
        }
    }
    refused
}

fn show(sheet: &mut Sheet, id: &str, ranks: &mut BTreeMap<u32, Rank>) {
    for (number, rank) in ranks.iter_mut().filter(|(_, rank)| is_heard(rank)) {
        let labels = labels(id, *number);
        let labels = &labels;
        sheet.put_known(&m::trainyard_training_step, labels, rank.step);
        sheet.put_known(&m::trainyard_training_steps_total, labels, rank.step.map(|_| rank.steps));
        sheet.put_known(&m::trainyard_training_last_step_seconds, labels, rank.step_seconds.last);
        sheet.put_known(&m::trainyard_training_mean_step_seconds, labels, rank.step_seconds.mean());
        let timed = [
            (&m::trainyard_training_step_seconds_total, &rank.step_seconds),
            (&m::trainyard_training_compute_seconds_total, &rank.compute_seconds),
            (&m::trainyard_training_wait_seconds_total, &rank.wait_seconds),
        ];
        for (metric, time) in timed {
            sheet.put_known(metric, labels, (time.count > 0).then_some(time.sum));
        }
        let count = timed.iter().map(|(_, time)| time.count).max().unwrap_or_default();
        sheet.put_known(&m::trainyard_training_timed_steps_total, labels, (count > 0).then_some(count));
        sheet.put_known(&m::trainyard_training_loss, labels, rank.loss);
        sheet.put_known(&m::trainyard_training_samples_per_second, labels, rank.samples_per_second);
        sheet.put_known(&m::trainyard_training_tokens_per_second, labels, rank.tokens_per_second);
        let silence = rank.silence().map(|silence| silence.as_secs());
        sheet.put_known(&m::trainyard_training_last_line_age_seconds, labels, silence);
        sheet.put_with(&m::trainyard_training_not_finite_total, labels, rank.not_finite);
        sheet.put_with(&m::trainyard_training_lines_unread_total, labels, rank.tail.unread);
        sheet.put_with(&m::trainyard_training_bytes_skipped_total, labels, rank.tail.skipped);
    }
}

/// A rank that fell silent is not at work any more, whatever it told last. It is kept: its counters go on when it is back.
fn is_heard(rank: &Rank) -> bool {
    rank.silence().is_some_and(|silence| silence < SHOWN_AT_MOST)
}

fn labels(id: &str, rank: u32) -> Labels {
    Labels::new(&[("jobid", id), ("rank", &rank.to_string())])
}

fn compare_ranks(sheet: &mut Sheet, id: &str, ranks: &mut BTreeMap<u32, Rank>, alarms: &mut Alarms) {
    let heard: Vec<&Rank> = ranks.values().filter(|rank| is_heard(rank)).collect();
    let Some((measure, median, ratios)) = compare(&heard) else { return };
    let compared = ratios.iter().flatten().count();
    for ((number, rank), ratio) in ranks.iter_mut().filter(|(_, rank)| is_heard(rank)).zip(ratios) {
        let Some(ratio) = ratio else { continue };
        sheet.put_with(&m::trainyard_training_straggler_ratio, &labels(id, *number), ratio);
        if rank.begins_to_straggle(ratio) {
            alarms.tell(straggler(&Straggler { id, rank: *number, ratio, measure, median, compared }));
        }
    }
}

/// Tells of stragglers, but never so often that a script which plays with its times drives all other events out.
struct Alarms {
    events: Events,
    /// When each of the last few was told.
    told: VecDeque<Instant>,
}

impl Alarms {
    fn new(events: Events) -> Self {
        Self { events, told: VecDeque::new() }
    }

    /// What is one too many shows in its ratio alone.
    fn tell(&mut self, event: Event) {
        if self.told.len() == ALARMS_MAX {
            if self.told.front().is_some_and(|first| first.elapsed() < ALARMS_SPAN) {
                return;
            }
            self.told.pop_front();
        }
        self.told.push_back(Instant::now());
        self.events.tell(event);
    }
}

/// A rank that is slower than the others.
struct Straggler<'a> {
    id: &'a str,
    rank: u32,
    ratio: f64,
    measure: Measure,
    /// Of the ranks on this node, and how many they are.
    median: f64,
    compared: usize,
}

fn straggler(of: &Straggler<'_>) -> Event {
    let Straggler { id, rank, ratio, measure, median, compared } = *of;
    let (measure, percent) = (measure.name(), (ratio - 1.0) * 100.0);
    let text = format!(
        "rank {rank} of job {id} is {percent:.0} % slower than the median of its {compared} ranks on this node ({measure} \
         {:.3} s against {median:.3} s over {STEPS} steps): compare its GPU's clocks, temperature, Xids and NVLink errors \
         with the others', and its share of the data.",
        median * ratio,
    );
    let fields = json!({ "jobid": id, "rank": rank, "ratio": ratio, "measure": measure, "median_seconds": median });
    let fields = fields.as_object().cloned().unwrap_or_default();
    Event { at: Timestamp::now(), kind: "straggler", severity: Severity::Warning, text, fields }
}
