//! Finds jobs among the machine's processes. A process is a job's where its control group or the `slurmstepd` above it
//! says so. Slurm's controller is not asked: a thousand nodes that do so would be a load of their own.
//!
//! What a process is does not change while it lives, so that a look costs little more than the list of processes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::environment;
use super::marks::{self, Mark, Place};
use crate::files::{Buffer, KeptFile};
use crate::problem::{Problem, unread};

/// Beyond so many processes jobs are not looked for, and that is said.
const PROCESSES_MAX: usize = 100_000;

/// A process below so many others is taken for nobody's.
const DEPTH_MAX: usize = 64;

/// Of the processes that are known, one in so many is read again in each look: a number may have been given to another.
const SLICES: u64 = 32;

/// How often the control group of a job is looked for. Without Slurm's plugins there is none.
const PLACE_TRIES: u32 = 10;

/// A job as its processes show it.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Its steps, and the processes of each, without Slurm's own.
    pub steps: BTreeMap<String, Vec<u32>>,
    /// The `slurmstepd`s that watch them.
    pub daemons: Vec<u32>,
    /// Where its control groups are.
    pub place: Option<Arc<Place>>,
    /// When its oldest process began, in ticks since the machine's start.
    pub started: u64,
}

impl Found {
    /// All of its processes without Slurm's own.
    pub fn pids(&self) -> impl Iterator<Item = u32> + Clone {
        self.steps.values().flatten().copied()
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Look {
    /// The jobs, by their numbers.
    pub jobs: BTreeMap<String, Found>,
    /// Why these may not be all.
    pub problem: Option<Problem>,
}

/// What `/proc/PID/stat` tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stat {
    /// The one that started it.
    pub parent: u32,
    /// It has ended, and nobody took notice yet.
    pub is_over: bool,
    /// Its and its past children's time on processors, in ticks.
    pub ticks: u64,
    /// When it began, in ticks since the machine's start.
    pub started: u64,
    /// What it has in memory, in pages.
    pub pages: u64,
}

struct Process {
    parent: u32,
    started: u64,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// Nobody's, as far as itself says.
    Other,
    /// Of Slurm, and may become a daemon of a job.
    Unsure,
    Daemon(Arc<Mark>),
    Member(Arc<Mark>),
}

#[derive(Default)]
struct Known {
    place: Option<Arc<Place>>,
    tries: u32,
}

/// Finds jobs.
pub struct Finder {
    proc: PathBuf,
    own: u32,
    processes: HashMap<u32, Process>,
    jobs: BTreeMap<String, Known>,
    look: u64,
    buffer: Buffer,
}

impl Finder {
    /// Below this `/proc`.
    pub fn new(proc: &Path) -> Self {
        Self {
            proc: proc.to_owned(),
            own: nix::unistd::getuid().as_raw(),
            processes: HashMap::new(),
            jobs: BTreeMap::new(),
            look: 0,
            buffer: Buffer::default(),
        }
    }

    /// The jobs that have a process now, by their numbers.
    pub fn look(&mut self) -> Result<Look, Problem> {
        self.look += 1;
        let (pids, are_all) = self.pids()?;
        if self.processes.len() > pids.len() || pids.iter().any(|pid| !self.processes.contains_key(pid)) {
            self.processes.retain(|pid, _| pids.binary_search(pid).is_ok());
        }
        for pid in pids {
            let is_due = |process: &Process| match process.kind {
                Kind::Daemon(_) | Kind::Unsure => true,
                Kind::Other | Kind::Member(_) => u64::from(pid) % SLICES == self.look % SLICES,
            };
            if self.processes.get(&pid).is_none_or(is_due) {
                self.read(pid);
            }
        }
        self.read_orphans();
        self.follow();
        let sentence =
            || format!("there are more than {PROCESSES_MAX} processes; jobs were not looked for in the others");
        Ok(Look { jobs: self.gather(), problem: (!are_all).then(|| Problem::new(sentence())) })
    }

    /// Sorted, and whether these are all.
    fn pids(&self) -> Result<(Vec<u32>, bool), Problem> {
        let entries = std::fs::read_dir(&self.proc).map_err(unread(&self.proc))?;
        let mut pids = Vec::with_capacity(self.processes.len() + 16);
        for entry in entries {
            let entry = entry.map_err(unread(&self.proc))?;
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if pids.len() == PROCESSES_MAX {
                pids.sort_unstable();
                return Ok((pids, false));
            }
            pids.push(pid);
        }
        pids.sort_unstable();
        Ok((pids, true))
    }

    fn text(&mut self, pid: u32, file: &str) -> Option<&str> {
        let path = self.proc.join(pid.to_string()).join(file);
        KeptFile::new(path).read(&mut self.buffer).ok()
    }

    fn read(&mut self, pid: u32) {
        let Some((is_slurms, is_stepd, stat)) = self.text(pid, "stat").and_then(|text| {
            let command = command(text);
            let stat = stat(text).filter(|stat| !stat.is_over)?;
            Some((matches!(command, "slurmd" | "slurmstepd"), command == "slurmstepd", stat))
        }) else {
            // It ended in the meantime.
            self.processes.remove(&pid);
            return;
        };
        if let Some(process) = self.processes.get_mut(&pid).filter(|process| process.started == stat.started) {
            process.parent = stat.parent;
            let is_same = match process.kind {
                Kind::Member(_) => true,
                Kind::Daemon(_) => is_stepd,
                Kind::Unsure => false,
                Kind::Other => !is_slurms,
            };
            if is_same {
                return;
            }
        }
        let kind = self.kind(pid, &stat, is_slurms, is_stepd);
        self.processes.insert(pid, Process { parent: stat.parent, started: stat.started, kind });
    }

    fn kind(&mut self, pid: u32, stat: &Stat, is_slurms: bool, is_stepd: bool) -> Kind {
        // Threads of the kernel.
        if pid == 2 || stat.parent == 2 {
            return Kind::Other;
        }
        let title =
            if is_stepd && self.is_trusted(pid) { self.text(pid, "cmdline").and_then(marks::title) } else { None };
        let place = self.text(pid, "cgroup").and_then(marks::place);
        let mark = place.as_ref().and_then(|place| place.mark.clone());
        if let Some(job) = mark.as_ref().or(title.as_ref()).map(|mark| mark.job.clone())
            && let Some(place) = place
        {
            // Slurm's own processes are not in all hierarchies that the job's are in.
            let known = &mut self.jobs.entry(job).or_default().place;
            if known.as_ref().is_none_or(|known| known.folders.len() < place.folders.len()) {
                *known = Some(Arc::new(place));
            }
        }
        match (title, mark) {
            (Some(mark), _) => Kind::Daemon(Arc::new(mark)),
            // A child of slurmstepd that has yet to become the job's program is looked at again. A user who calls his
            // program so hides nothing by it.
            (None, _) if is_slurms && self.is_trusted(pid) => Kind::Unsure,
            (None, Some(mark)) => Kind::Member(Arc::new(mark)),
            (None, None) => Kind::Other,
        }
    }

    /// Without its `slurmstepd` a job is over or about to be: what is left of it is looked at again.
    fn read_orphans(&mut self) {
        let daemons: BTreeSet<String> = self
            .processes
            .values()
            .filter_map(|process| if let Kind::Daemon(mark) = &process.kind { Some(mark.job.clone()) } else { None })
            .collect();
        let is_orphan = |process: &Process| matches!(&process.kind, Kind::Member(mark) if !daemons.contains(&mark.job));
        let orphans = self.processes.iter().filter(|(_, process)| is_orphan(process)).map(|(pid, _)| *pid);
        for pid in orphans.collect::<Vec<_>>() {
            self.read(pid);
        }
    }

    /// Anybody can call his program slurmstepd and give it a title; Slurm's is started by root, or by whoever started the
    /// agent. A program that becomes root by its file's rights still has its user's number as the real one.
    fn is_trusted(&self, pid: u32) -> bool {
        // A link of that name to a program that takes root's number for itself, as sudo does, is still that program. Where
        // nothing is told of it, the agent is not root.
        let program = std::fs::read_link(self.proc.join(pid.to_string()).join("exe"));
        let is_slurms = program.map_or(true, |path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("slurm"))
        });
        is_slurms && environment::uid(&self.proc, pid).is_some_and(|uid| uid == 0 || uid == self.own)
    }

    /// Whoever was started by a job's process is the job's, and stays so when that one ends.
    fn follow(&mut self) {
        if !self.processes.values().any(|process| matches!(process.kind, Kind::Daemon(_) | Kind::Member(_))) {
            return;
        }
        let mark_above = |process: &Process| {
            let mut parent = process.parent;
            for _ in 0..DEPTH_MAX {
                let above = self.processes.get(&parent)?;
                match &above.kind {
                    Kind::Daemon(mark) | Kind::Member(mark) => return Some(Arc::clone(mark)),
                    Kind::Other | Kind::Unsure => parent = above.parent,
                }
            }
            None
        };
        let is_open = |process: &Process| matches!(process.kind, Kind::Other);
        let open = self.processes.iter().filter(|(_, process)| is_open(process));
        let new: Vec<(u32, Arc<Mark>)> = open.filter_map(|(pid, process)| Some((*pid, mark_above(process)?))).collect();
        for (pid, mark) in new {
            if let Some(process) = self.processes.get_mut(&pid) {
                process.kind = Kind::Member(mark);
            }
        }
    }

    fn gather(&mut self) -> BTreeMap<String, Found> {
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        for (pid, process) in &self.processes {
            let (mark, is_daemon) = match &process.kind {
                Kind::Daemon(mark) => (mark, true),
                Kind::Member(mark) => (mark, false),
                Kind::Other | Kind::Unsure => continue,
            };
            if !found.contains_key(&mark.job) {
                let started = process.started;
                found.insert(mark.job.clone(), Found { started, ..Found::default() });
            }
            let Some(job) = found.get_mut(&mark.job) else { continue };
            job.started = job.started.min(process.started);
            if is_daemon {
                job.daemons.push(*pid);
                job.steps.entry(mark.step.clone()).or_default();
            } else {
                job.steps.entry(mark.step.clone()).or_default().push(*pid);
            }
        }
        self.jobs.retain(|id, _| found.contains_key(id));
        for (id, job) in &mut found {
            job.steps.values_mut().for_each(|pids| pids.sort_unstable());
            job.place = self.place_of(id, job);
        }
        found
    }

    /// A process that was seen before Slurm put it into its control group did not tell it.
    fn place_of(&mut self, id: &str, job: &Found) -> Option<Arc<Place>> {
        let known = self.jobs.entry(id.to_owned()).or_default();
        if known.place.is_none() && known.tries < PLACE_TRIES {
            known.tries += 1;
            let first = job.pids().next().or_else(|| job.daemons.first().copied())?;
            let place = self.text(first, "cgroup").and_then(marks::place).map(Arc::new);
            if let Some(known) = self.jobs.get_mut(id) {
                known.place = place;
            }
        }
        self.jobs.get(id)?.place.clone()
    }
}

/// The program's name, which stands in parentheses and may have any in it.
fn command(text: &str) -> &str {
    text.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(command, _)| command)
}

/// From the text of `/proc/PID/stat`.
pub fn stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut words = rest.split_ascii_whitespace();
    let is_over = matches!(words.next()?, "Z" | "X");
    let parent = words.next()?.parse().ok()?;
    let mut words = words.skip(9);
    let mut ticks = 0_u64;
    for _ in 0..4 {
        // Those of children are signed.
        let more: i64 = words.next()?.parse().ok()?;
        ticks = ticks.saturating_add(u64::try_from(more).unwrap_or_default());
    }
    let started = words.nth(4)?.parse().ok()?;
    let pages = words.nth(1)?.parse().ok()?;
    Some(Stat { parent, is_over, ticks, started, pages })
}

#[cfg(test)]
mod tests;
