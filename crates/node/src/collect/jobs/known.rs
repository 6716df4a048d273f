//! What is known of one job: read once, and again only where its processes are others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::jobs::Job;
use crate::jobs::environment::{self, Told};
use crate::jobs::find::Found;
use crate::jobs::tally::Tally;
use crate::jobs::usage::Usage;
use crate::meters::Counted;

/// How often the variables of a step are asked for: where the agent may not read them it gives up.
const TRIES: u32 = 20;

/// A job whose user is not known by then is shown without: before, its labels would only change in a moment.
const ANONYMOUS_ROUNDS: u32 = 3;

/// More steps of one job are taken for those before.
const STEPS_MAX: usize = 64;

/// A program opens its devices some time after its start.
const DEVICES_EVERY: Duration = Duration::from_secs(30);

/// Open files of a job that are looked at at once: each costs microseconds.
const OPEN_FILES_MAX: usize = 8192;

/// Where a job's processes are looked into.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    pub(super) proc: &'a Path,
    /// Where the fabric is.
    pub(super) fabric_sys: &'a Path,
    /// Where control groups are.
    pub(super) sys: &'a Path,
}

pub(super) struct Known {
    pub(super) job: Job,
    pub(super) tally: Tally,
    /// The GPUs that are its own, by index.
    pub(super) gpus: BTreeSet<u32>,
    /// Its EFA devices.
    pub(super) devices: BTreeSet<String>,
    pub(super) usage: Usage,
    /// Since when it has no process here.
    pub(super) gone: Option<Instant>,
    /// Whether it was here in the round before.
    pub(super) was_here: bool,
    rounds: u32,
    /// By Slurm's numbers.
    told_gpus: BTreeSet<u32>,
    /// Tries that are left for each step's variables.
    steps: BTreeMap<String, u32>,
    opened: BTreeSet<String>,
    looked: Option<Instant>,
}

impl Known {
    pub(super) fn new(tally: Tally) -> Self {
        let job = Job { id: tally.jobid.clone(), ..Job::default() };
        Self {
            job,
            tally,
            gpus: BTreeSet::new(),
            devices: BTreeSet::new(),
            usage: Usage::default(),
            gone: None,
            was_here: false,
            rounds: 0,
            told_gpus: BTreeSet::new(),
            steps: BTreeMap::new(),
            opened: BTreeSet::new(),
            looked: None,
        }
    }

    /// Takes in what its processes say.
    pub(super) fn learn(&mut self, places: Places<'_>, found: &Found, started: Option<Timestamp>) {
        self.rounds = self.rounds.saturating_add(1);
        let pids: Vec<u32> = found.pids().collect();
        let mut to_look_at: Vec<u32> = pids.iter().filter(|pid| !self.job.pids.contains(pid)).copied().collect();
        self.job.pids = pids;
        self.job.started = started.or(self.job.started);
        let folder = found.place.as_ref().and_then(|place| place.folders.first());
        self.job.cgroup = folder.map(|(controllers, path)| {
            let mounts = places.sys.join("fs/cgroup").join(controllers);
            mounts.join(path.trim_start_matches('/'))
        });
        for (step, pids) in &found.steps {
            // These last as long as the job does.
            self.tally.is_whole |= matches!(step.as_str(), "batch" | "extern" | "interactive");
            self.ask(places.proc, step, pids);
        }
        if let Some(uid) = found.place.as_ref().and_then(|place| place.uid).filter(|_| self.job.user.is_empty()) {
            self.job.user = environment::user_name(uid);
        }
        let is_due = self.looked.is_none_or(|looked| looked.elapsed() >= DEVICES_EVERY);
        if is_due {
            self.looked = Some(Instant::now());
            to_look_at.clone_from(&self.job.pids);
        }
        if !to_look_at.is_empty() && places.fabric_sys.join("class/infiniband").is_dir() {
            // Shared out: one process with very many files must not hide the others' devices.
            let each = OPEN_FILES_MAX / to_look_at.len();
            for pid in to_look_at {
                self.opened.extend(environment::devices(places.proc, places.fabric_sys, pid, each));
            }
        }
        self.tally.name(&self.job);
    }

    /// Whether what it is called is known, as far as it ever will be.
    pub(super) fn is_named(&self) -> bool {
        !self.tally.user.is_empty() || self.rounds > ANONYMOUS_ROUNDS
    }

    /// Asks a step's processes for what Slurm told them, until one answers.
    fn ask(&mut self, proc: &Path, step: &str, pids: &[u32]) {
        if self.steps.len() >= STEPS_MAX && !self.steps.contains_key(step) {
            return;
        }
        let tries = self.steps.entry(step.to_owned()).or_insert(TRIES);
        if *tries == 0 {
            return;
        }
        // The first two: the oldest is the program, or a shell around it.
        for pid in pids.iter().take(2) {
            *tries = tries.saturating_sub(1);
            let Some(told) = environment::read(proc, *pid).filter(|told| told.is_of(&self.job.id)) else { continue };
            *tries = 0;
            if self.job.user.is_empty() {
                self.job.user = environment::uid(proc, *pid).map(environment::user_name).unwrap_or_default();
            }
            self.take(step, told);
            return;
        }
        // Whose it is anybody may know. What Slurm keeps there for itself is root's.
        if *tries == 0 && step != "extern" && self.job.user.is_empty() {
            let uid = pids.first().and_then(|pid| environment::uid(proc, *pid));
            self.job.user = uid.map(environment::user_name).unwrap_or_default();
        }
    }

    fn take(&mut self, step: &str, told: Told) {
        // What a script has from Slurm goes along with its steps to other nodes, where other GPUs are the job's.
        if matches!(step, "batch" | "interactive") || told.node_count == Some(1) {
            self.told_gpus.extend(told.job_gpus);
        }
        self.told_gpus.extend(told.step_gpus);
        let job = &mut self.job;
        job.node_count = job.node_count.max(told.node_count.unwrap_or_default());
        for (known, now) in
            [(&mut job.account, told.account), (&mut job.partition, told.partition), (&mut job.name, told.name)]
        {
            if known.is_empty() {
                *known = now;
            }
        }
        job.array = job.array.take().or(told.array);
    }

    /// Finds out which of the node's GPUs and EFA devices are its own. Slurm's numbers of GPUs are those of their device
    /// files; a process that NVML sees on a GPU has it, whoever was told what.
    pub(super) fn claim(&mut self, counted: &Counted, is_alone: bool) {
        let pids: BTreeSet<u32> = self.job.pids.iter().copied().collect();
        let is_its = |gpu: &&crate::meters::GpuMeter| {
            self.told_gpus.contains(&gpu.minor.unwrap_or(gpu.index)) || gpu.pids.iter().any(|pid| pids.contains(pid))
        };
        self.gpus.extend(counted.gpus.iter().filter(is_its).map(|gpu| gpu.index));
        self.devices.clone_from(&self.opened);
        let has_all_gpus = !counted.gpus.is_empty() && counted.gpus.iter().all(|gpu| self.gpus.contains(&gpu.index));
        if self.devices.is_empty() && has_all_gpus && is_alone {
            self.devices.extend(counted.fabric.iter().map(|(name, _)| name.clone()));
        }
    }

    /// The UUID of one of its GPUs.
    pub(super) fn uuid<'a>(counted: &'a Counted, index: u32) -> &'a str {
        let gpu: Option<&'a crate::meters::GpuMeter> = counted.gpus.iter().find(|gpu| gpu.index == index);
        gpu.map_or("", |gpu| gpu.uuid.as_str())
    }
}

/// Jobs by their numbers.
pub(super) type All = BTreeMap<String, Known>;

/// The EFA devices that a job has and no other.
pub(super) fn own_devices(known: &All) -> BTreeMap<String, Arc<BTreeSet<String>>> {
    let here = || known.iter().filter(|(_, known)| known.gone.is_none());
    let mut holders: BTreeMap<&str, u32> = BTreeMap::new();
    for device in here().flat_map(|(_, known)| &known.devices) {
        *holders.entry(device).or_default() += 1;
    }
    let is_own = |device: &&String| holders.get(device.as_str()) == Some(&1);
    here().map(|(id, known)| (id.clone(), Arc::new(known.devices.iter().filter(is_own).cloned().collect()))).collect()
}
