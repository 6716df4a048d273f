//! The scheduler's statistics, as `sdiag` has them. A line that a version lacks is a value that is not known.

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::slurm as m;

use super::names::{Sums, Tally};
use super::put_unread;
use crate::sheet::Sheet;

/// Types of requests with series of their own. Slurm has some three hundred; a cluster sees thirty.
const OPERATIONS_MAX: usize = 100;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Section {
    #[default]
    Head,
    Main,
    Backfill,
    Types,
    Users,
    /// One that is not read.
    Else,
}

/// How a section's first line begins.
const SECTIONS: &[(&str, Section)] = &[
    ("Main schedule statistics", Section::Main),
    ("Main scheduler exit", Section::Else),
    ("Backfilling stats", Section::Backfill),
    ("Backfill exit", Section::Else),
    ("Remote Procedure Call statistics by message type", Section::Types),
    ("Remote Procedure Call statistics by user", Section::Users),
    ("Pending RPC statistics", Section::Else),
];

/// The lines that are read. A line's name is in more than one section.
const LINES: [(Section, &str, &Metric); 25] = [
    (Section::Head, "Server thread count", &m::slurm_scheduler_threads),
    (Section::Head, "Agent queue size", &m::slurm_scheduler_queue_size),
    (Section::Head, "Agent count", &m::slurm_scheduler_agents),
    (Section::Head, "Agent thread count", &m::slurm_scheduler_agent_threads),
    (Section::Head, "DBD Agent queue size", &m::slurm_scheduler_dbd_queue_size),
    (Section::Head, "Jobs submitted", &m::slurm_scheduler_jobs_submitted),
    (Section::Head, "Jobs started", &m::slurm_scheduler_jobs_started),
    (Section::Head, "Jobs completed", &m::slurm_scheduler_jobs_completed),
    (Section::Head, "Jobs canceled", &m::slurm_scheduler_jobs_canceled),
    (Section::Head, "Jobs failed", &m::slurm_scheduler_jobs_failed),
    (Section::Head, "Data since", &m::slurm_scheduler_statistics_start_timestamp_seconds),
    (Section::Main, "Last cycle", &m::slurm_scheduler_last_cycle),
    (Section::Main, "Max cycle", &m::slurm_scheduler_max_cycle),
    (Section::Main, "Mean cycle", &m::slurm_scheduler_mean_cycle),
    (Section::Main, "Cycles per minute", &m::slurm_scheduler_cycle_per_minute),
    (Section::Main, "Last queue length", &m::slurm_scheduler_queue_length),
    (
        Section::Backfill,
        "Total backfilled jobs (since last slurm start)",
        &m::slurm_scheduler_backfilled_jobs_since_start_total,
    ),
    (
        Section::Backfill,
        "Total backfilled jobs (since last stats cycle start)",
        &m::slurm_scheduler_backfilled_jobs_since_cycle_total,
    ),
    (
        Section::Backfill,
        "Total backfilled heterogeneous job components",
        &m::slurm_scheduler_backfilled_heterogeneous_total,
    ),
    (Section::Backfill, "Last cycle", &m::slurm_scheduler_backfill_last_cycle),
    (Section::Backfill, "Max cycle", &m::slurm_scheduler_backfill_max_cycle),
    (Section::Backfill, "Mean cycle", &m::slurm_scheduler_backfill_mean_cycle),
    (Section::Backfill, "Depth Mean", &m::slurm_scheduler_backfill_depth_mean),
    (Section::Backfill, "Last queue length", &m::slurm_scheduler_backfill_queue_length),
    (Section::Backfill, "Last table size", &m::slurm_scheduler_backfill_table_size),
];

/// What was read.
#[derive(Default)]
pub(super) struct Diag {
    section: Section,
    values: [Option<u64>; LINES.len()],
    operations: Tally<Requests>,
    users: Tally<Requests>,
    unread: u64,
}

#[derive(Default, Clone)]
struct Requests {
    count: u64,
    total: u64,
}

impl Sums for Requests {
    fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.total = self.total.saturating_add(other.total);
    }

    fn weight(&self) -> u64 {
        self.count
    }
}

impl Diag {
    /// One line.
    pub(super) fn line(&mut self, line: &str) {
        let line = line.trim();
        if let Some((_, section)) = SECTIONS.iter().find(|(beginning, _)| line.starts_with(beginning)) {
            self.section = *section;
            return;
        }
        match self.section {
            Section::Types | Section::Users => self.requests(line),
            Section::Else => {}
            Section::Head | Section::Main | Section::Backfill => self.value(line),
        }
    }

    fn value(&mut self, line: &str) {
        let places = LINES.iter().zip(&mut self.values);
        for ((section, name, _), place) in places {
            let Some(rest) = line.strip_prefix(name).filter(|_| *section == self.section) else { continue };
            // A date has seconds since the epoch behind it.
            let number = match (rest.strip_prefix(':'), *name) {
                (Some(number), _) => number,
                (None, "Data since") => rest.rsplit_once('(').map_or("", |(_, epoch)| epoch.trim_end_matches(')')),
                (None, _) => continue,
            };
            *place = number.trim().parse().ok();
            self.unread += u64::from(place.is_none());
            return;
        }
    }

    /// `REQUEST_JOB_INFO  ( 2003) count:4  ave_time:507  total_time:2030`
    fn requests(&mut self, line: &str) {
        let number = |word: &str| {
            let (_, rest) = line.split_once(word)?;
            rest.split_ascii_whitespace().next()?.parse().ok()
        };
        let name = line.split(['(', ' ']).next().unwrap_or_default();
        match (number(" count:"), number(" total_time:")) {
            (Some(count), Some(total)) if !name.is_empty() => {
                let tally = if self.section == Section::Users { &mut self.users } else { &mut self.operations };
                tally.of(name).add(&Requests { count, total });
            }
            _ => self.unread += u64::from(!line.is_empty()),
        }
    }

    /// All of it.
    pub(super) fn put(&self, sheet: &mut Sheet, names: usize) {
        put_unread(sheet, "statistics", self.unread);
        for ((_, _, metric), value) in LINES.iter().zip(self.values) {
            if let Some(value) = value {
                sheet.put(metric, &[], value);
            }
        }
        let metrics = [&m::slurm_rpc_stats, &m::slurm_rpc_stats_avg_time, &m::slurm_rpc_stats_total_time];
        put_requests(sheet, &self.operations, OPERATIONS_MAX, "operation", metrics);
        let metrics =
            [&m::slurm_user_rpc_stats, &m::slurm_user_rpc_stats_avg_time, &m::slurm_user_rpc_stats_total_time];
        put_requests(sheet, &self.users, names, "requester", metrics);
    }
}

fn put_requests(sheet: &mut Sheet, tally: &Tally<Requests>, limit: usize, kind: &str, metrics: [&'static Metric; 3]) {
    let [count, mean, total] = metrics;
    let shown = tally.shown(limit);
    sheet.put(&m::slurm_names_merged, &[kind], shown.merged);
    for (name, requests) in shown.all() {
        sheet.put(count, &[name], requests.count);
        if let Some(time) = requests.total.checked_div(requests.count) {
            sheet.put(mean, &[name], time);
        }
        sheet.put(total, &[name], requests.total);
    }
}
