//! Slurm, asked through its own programs: a fixed handful of requests each time, however many nodes, partitions, users
//! and scrapers there are.
//!
//! `scontrol show node` and not `sinfo -N`: it names each node once with all of its partitions, and takes 0.1 s for 10,000
//! nodes, where `sinfo -N` compares each node with each other and takes 20 s. Output is read while it comes, and of a job
//! nothing is kept but its part of the sums.

mod controllers;
mod diag;
mod job_state;
mod jobs;
mod names;
mod native;
mod node_state;
mod nodes;
pub mod output;
mod partitions;
mod reservations;
mod shares;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use trainyard_plan::metrics::slurm as m;
use trainyard_run::Command;

use super::{Collector, Kind, Lane, Problem, Scope};
use crate::sheet::Sheet;

pub(super) use native::COLLECTOR as NATIVE;

pub(super) static COLLECTOR: Kind = Kind {
    name: "slurm",
    about: "Slurm's nodes, jobs, partitions, shares and scheduler, from its controller",
    lane: Lane::Paced(Duration::from_secs(30)),
    scope: Scope::Node,
    make: |setting| setting.slurm.clone().map(|access| Box::new(Slurm { access, configuration: None }) as _),
};

/// A program that takes longer is stopped. Slurm's own patience with a controller that is away is about as long.
const DEADLINE: Duration = Duration::from_secs(20);

/// Beginnings of variables that change what Slurm's programs write.
const CHANGING: &[&str] = &["SLURM_", "SINFO_", "SQUEUE_", "SCONTROL_", "SSHARE", "SDIAG"];

/// How Slurm is asked.
#[derive(Debug, Clone)]
pub struct Access {
    /// Between two times.
    pub interval: Duration,
    /// What is started.
    pub programs: Programs,
    /// The slurm.conf, where the programs do not find it.
    pub conf: Option<PathBuf>,
    /// The most names of a kind that have series of their own.
    pub names: usize,
}

impl Access {
    /// One program's output, line by line.
    fn ask(&self, what: &str, program: &Path, arguments: &[&str], take: &mut dyn FnMut(&str)) -> Result<(), Problem> {
        let mut command = Command::new(program).args(arguments).forget(CHANGING).env("LC_ALL", "C").deadline(DEADLINE);
        if let Some(conf) = &self.conf {
            command = command.env("SLURM_CONF", conf);
        }
        command.lines(take).map_err(|error| Problem::new(format!("Slurm does not give its {what}")).because(error))
    }
}

/// Paths of Slurm's programs.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Nodes, partitions, reservations, controllers.
    pub scontrol: PathBuf,
    /// Jobs.
    pub squeue: PathBuf,
    /// The scheduler's statistics.
    pub sdiag: PathBuf,
    /// Shares; used where there is an accounting daemon.
    pub sshare: PathBuf,
}

struct Slurm {
    access: Access,
    /// Forgotten when the controller goes away: it may come back with another.
    configuration: Option<controllers::Configuration>,
}

impl Collector for Slurm {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let mut round = Round { access: &self.access, sheet, problem: None };
        let controllers = round.controllers().inspect_err(|_| self.configuration = None)?;
        controllers.put(round.sheet);
        if self.configuration.is_none() {
            self.configuration = round.configuration();
        }
        let configuration = self.configuration.clone().unwrap_or_default();
        configuration.put(round.sheet);
        round.nodes();
        round.partitions();
        round.jobs(configuration.tracks_gpus());
        round.reservations();
        round.diag();
        if configuration.has_accounting() {
            round.shares();
        }
        if let Some(problem) = round.problem {
            return Err(problem);
        }
        sheet.put(&m::slurm_last_success_timestamp_seconds, &[], Timestamp::now().as_second());
        Ok(())
    }

    fn pace(&self) -> Option<Duration> {
        Some(self.access.interval)
    }
}

/// Asking once for everything.
struct Round<'a> {
    access: &'a Access,
    sheet: &'a mut Sheet,
    /// The first that came up.
    problem: Option<Problem>,
}

impl Round<'_> {
    /// One program's output, line by line. Whether it gave all; if not, why is kept.
    fn ask(&mut self, what: &str, program: &Path, arguments: &[&str], take: &mut dyn FnMut(&str)) -> bool {
        let started = Instant::now();
        let result = self.access.ask(what, program, arguments, take);
        self.sheet.put(&m::slurm_command_duration_seconds, &[what], started.elapsed().as_secs_f64());
        result.map_err(|problem| _ = self.problem.get_or_insert(problem)).is_ok()
    }

    /// Which controllers answer. Where none does, nothing else is asked: each program would wait for it in vain.
    fn controllers(&mut self) -> Result<controllers::Controllers, Problem> {
        let mut controllers = controllers::Controllers::default();
        let result = self
            .access
            .ask("controllers", &self.access.programs.scontrol, &["ping"], &mut |line| controllers.line(line));
        match result {
            _ if controllers.any_is_up() => Ok(controllers),
            Ok(()) => Err(Problem::new("no controller of Slurm answers")),
            Err(problem) => Err(problem),
        }
    }

    fn configuration(&mut self) -> Option<controllers::Configuration> {
        let mut read = controllers::Configuration::default();
        let access = self.access;
        let is_whole =
            self.ask("configuration", &access.programs.scontrol, &["show", "config"], &mut |line| read.line(line));
        is_whole.then_some(read)
    }

    fn nodes(&mut self) {
        let mut read = nodes::Nodes::default();
        let access = self.access;
        // -d: what is used of GPUs too.
        let arguments = ["-a", "-d", "-o", "show", "node"];
        if self.ask("nodes", &access.programs.scontrol, &arguments, &mut |line| read.line(line)) {
            read.put(self.sheet, access.names);
        }
    }

    fn partitions(&mut self) {
        let mut read = partitions::Partitions::default();
        let access = self.access;
        let arguments = ["-a", "-o", "show", "partition"];
        if self.ask("partitions", &access.programs.scontrol, &arguments, &mut |line| read.line(line)) {
            read.put(self.sheet, access.names);
        }
    }

    fn jobs(&mut self, tracks_gpus: bool) {
        let mut read = jobs::Jobs::new(tracks_gpus);
        let access = self.access;
        let arguments = ["--noheader", "-a", "-r", "-t", "all", "-O", jobs::FORMAT];
        if self.ask("jobs", &access.programs.squeue, &arguments, &mut |line| read.line(line)) {
            read.put(self.sheet, access.names);
        }
    }

    fn reservations(&mut self) {
        let mut read = reservations::Reservations::default();
        let access = self.access;
        let arguments = ["-a", "-o", "show", "reservation"];
        if self.ask("reservations", &access.programs.scontrol, &arguments, &mut |line| read.line(line)) {
            read.put(self.sheet);
        }
    }

    fn diag(&mut self) {
        let mut read = diag::Diag::default();
        let access = self.access;
        if self.ask("statistics", &access.programs.sdiag, &[], &mut |line| read.line(line)) {
            read.put(self.sheet, access.names);
        }
    }

    fn shares(&mut self) {
        let mut read = shares::Shares::default();
        let access = self.access;
        let arguments = ["--noheader", "-a", "-P", "-o", shares::FORMAT];
        if self.ask("shares", &access.programs.sshare, &arguments, &mut |line| read.line(line)) {
            read.put(self.sheet, access.names);
        }
    }
}

/// The values of `Key=value` words of a line, for these keys. The first of each counts: what people write, a reason or a
/// comment, stands at the line's end.
fn values<'a, const N: usize>(line: &'a str, keys: &[&str; N]) -> [Option<&'a str>; N] {
    let mut values = [None; N];
    for word in line.split_ascii_whitespace() {
        let Some((key, value)) = word.split_once('=') else { continue };
        if let Some((_, place)) = keys.iter().zip(&mut values).find(|(wanted, _)| **wanted == key)
            && place.is_none()
        {
            *place = Some(value);
        }
    }
    values
}

/// How many lines of a program could not be understood.
fn put_unread(sheet: &mut Sheet, what: &str, unread: u64) {
    sheet.put(&m::slurm_lines_unread, &[what], unread);
}
