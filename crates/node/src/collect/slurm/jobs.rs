//! Jobs, as `squeue` has them: a line each, of which only sums are kept.

use trainyard_plan::metrics::slurm as m;

use super::job_state::{PENDING, RUNNING, STATES, SUSPENDED, read};
use super::names::{OTHER, Shown, Sums, Tally};
use super::nodes::is_empty;
use super::put_unread;
use crate::sheet::Sheet;

/// What `squeue -O` is asked for. A separator behind each field also lets it be as long as it is. The reason is last: it
/// may hold anything.
pub(super) const FORMAT: &str = "StateCompact:|,Partition:|,UserName:|,Account:|,NumCPUs:|,tres-alloc:|,Reason:|";

/// Reasons with series of their own. Slurm has some hundred; a cluster shows ten.
const REASONS_MAX: usize = 50;
/// The longest of Slurm's own reasons has some 40 characters; anything longer was made up.
const REASON_BYTES_MAX: usize = 48;

/// What is summed over jobs.
pub(super) struct Jobs {
    states: [u64; STATES.len()],
    dependent: u64,
    running: Held,
    pending: Held,
    reasons: Tally<u64>,
    partitions: Tally<Sum>,
    users: Tally<Sum>,
    accounts: Tally<Sum>,
    tracks_gpus: bool,
    unread: u64,
}

#[derive(Default, Clone, Copy)]
struct Held {
    cpus: u64,
    gpus: u64,
}

impl Held {
    fn add(&mut self, other: Self) {
        self.cpus = self.cpus.saturating_add(other.cpus);
        self.gpus = self.gpus.saturating_add(other.gpus);
    }
}

#[derive(Default, Clone)]
struct Sum {
    running: u64,
    pending: u64,
    suspended: u64,
    held: Held,
}

impl Sums for Sum {
    fn add(&mut self, other: &Self) {
        self.running += other.running;
        self.pending += other.pending;
        self.suspended += other.suspended;
        self.held.add(other.held);
    }

    fn weight(&self) -> u64 {
        // Who holds CPUs comes before who waits.
        self.held.cpus.saturating_mul(1 << 20).saturating_add(self.running + self.pending + self.suspended)
    }
}

impl Jobs {
    /// `tracks_gpus`: whether a job without GPUs in its line has none.
    pub(super) fn new(tracks_gpus: bool) -> Self {
        Self {
            states: [0; STATES.len()],
            dependent: 0,
            running: Held::default(),
            pending: Held::default(),
            reasons: Tally::default(),
            partitions: Tally::default(),
            users: Tally::default(),
            accounts: Tally::default(),
            tracks_gpus,
            unread: 0,
        }
    }

    /// One line.
    pub(super) fn line(&mut self, line: &str) {
        let mut fields = line.splitn(7, '|').map(str::trim);
        let mut next = || fields.next();
        let (Some(state), Some(partitions), Some(user), Some(account), Some(cpus), Some(tres), Some(reason)) =
            (next(), next(), next(), next(), next(), next(), next())
        else {
            self.unread += u64::from(!is_empty(line, "No jobs"));
            return;
        };
        let state = read(state);
        if let Some(count) = self.states.get_mut(state) {
            *count += 1;
        }
        let gpus = tres.split(',').find_map(|part| part.strip_prefix("gres/gpu=")?.parse().ok());
        self.tracks_gpus |= gpus.is_some();
        let held = Held { cpus: cpus.parse().unwrap_or(0), gpus: gpus.unwrap_or(0) };
        let sum = match state {
            PENDING => Sum { pending: 1, ..Sum::default() },
            RUNNING => Sum { running: 1, held, ..Sum::default() },
            SUSPENDED => Sum { suspended: 1, ..Sum::default() },
            _ => return,
        };
        match state {
            PENDING => self.waits(held, reason.trim_end_matches('|')),
            RUNNING => self.running.add(held),
            _ => {}
        }
        let named = |name: &&str| !name.is_empty() && *name != "(null)";
        partitions.split(',').filter(named).for_each(|partition| self.partitions.of(partition).add(&sum));
        [user].into_iter().filter(named).for_each(|user| self.users.of(user).add(&sum));
        [account].into_iter().filter(named).for_each(|account| self.accounts.of(account).add(&sum));
    }

    fn waits(&mut self, held: Held, reason: &str) {
        self.pending.add(held);
        // `ReqNodeNotAvail, UnavailableNodes:…`: what follows differs from job to job.
        let reason = reason.split(',').next().unwrap_or_default();
        self.dependent += u64::from(reason == "Dependency");
        // Spaces: `Nodes required for job are DOWN, DRAINED or reserved …` is a reason of Slurm's too.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b' ';
        let is_slurms = !reason.is_empty() && reason.len() <= REASON_BYTES_MAX && reason.bytes().all(is_plain);
        *self.reasons.of(if is_slurms { reason } else { OTHER }) += 1;
    }

    /// All of it.
    pub(super) fn put(&self, sheet: &mut Sheet, names: usize) {
        put_unread(sheet, "jobs", self.unread);
        for ((metric, _), count) in STATES.iter().zip(self.states) {
            sheet.put(metric, &[], count);
        }
        sheet.put(&m::slurm_queue_pending_dependency, &[], self.dependent);
        sheet.put(&m::slurm_jobs_cores_running, &[], self.running.cpus);
        sheet.put(&m::slurm_jobs_cores_pending, &[], self.pending.cpus);
        if self.tracks_gpus {
            sheet.put(&m::slurm_jobs_gpus_running, &[], self.running.gpus);
            sheet.put(&m::slurm_jobs_gpus_pending, &[], self.pending.gpus);
        }
        let reasons = self.reasons.shown(REASONS_MAX);
        sheet.put(&m::slurm_names_merged, &["reason"], reasons.merged);
        for (reason, count) in reasons.all() {
            sheet.put(&m::slurm_pending_reason_total, &[reason], *count);
        }
        for (partition, sum) in self.partitions.shown(names).all() {
            sheet.put(&m::slurm_partition_jobs_pending, &[partition], sum.pending);
            sheet.put(&m::slurm_partition_jobs_running, &[partition], sum.running);
        }
        self.put_users(sheet, &self.users.shown(names));
        self.put_accounts(sheet, &self.accounts.shown(names));
    }

    fn put_users(&self, sheet: &mut Sheet, users: &Shown<'_, Sum>) {
        sheet.put(&m::slurm_names_merged, &["user"], users.merged);
        for (user, sum) in users.all() {
            sheet.put(&m::slurm_user_jobs_running, &[user], sum.running);
            sheet.put(&m::slurm_user_jobs_pending, &[user], sum.pending);
            sheet.put(&m::slurm_user_jobs_suspended, &[user], sum.suspended);
            sheet.put(&m::slurm_user_cpus_running, &[user], sum.held.cpus);
            if self.tracks_gpus {
                sheet.put(&m::slurm_user_gpus_running, &[user], sum.held.gpus);
            }
        }
    }

    fn put_accounts(&self, sheet: &mut Sheet, accounts: &Shown<'_, Sum>) {
        sheet.put(&m::slurm_names_merged, &["account"], accounts.merged);
        for (account, sum) in accounts.all() {
            sheet.put(&m::slurm_account_jobs_running, &[account], sum.running);
            sheet.put(&m::slurm_account_jobs_pending, &[account], sum.pending);
            sheet.put(&m::slurm_account_jobs_suspended, &[account], sum.suspended);
            sheet.put(&m::slurm_account_cpus_running, &[account], sum.held.cpus);
            if self.tracks_gpus {
                sheet.put(&m::slurm_account_gpus_running, &[account], sum.held.gpus);
            }
        }
    }
}
