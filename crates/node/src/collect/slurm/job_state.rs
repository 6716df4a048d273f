//! A job's state in Slurm's words, short and long, of all versions.

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::slurm as m;

/// The states that other code asks for; the others are only counted.
pub(super) const PENDING: usize = 0;
pub(super) const RUNNING: usize = 1;
pub(super) const SUSPENDED: usize = 2;
/// What is in none of the lists.
pub(super) const OTHER: usize = STATES.len() - 1;

/// Each metric of a state, and Slurm's words for it. A state's number is its place.
pub(super) const STATES: [(&Metric, &[&str]); 16] = [
    (&m::slurm_queue_pending, &["PD", "PENDING"]),
    (&m::slurm_queue_running, &["R", "RUNNING"]),
    (&m::slurm_queue_suspended, &["S", "SUSPENDED", "ST", "STOPPED"]),
    (&m::slurm_queue_configuring, &["CF", "CONFIGURING"]),
    (&m::slurm_queue_completing, &["CG", "COMPLETING", "SO", "STAGE_OUT", "SI", "SIGNALING"]),
    (&m::slurm_queue_completed, &["CD", "COMPLETED"]),
    (&m::slurm_queue_cancelled, &["CA", "CANCELLED"]),
    (&m::slurm_queue_failed, &["F", "FAILED"]),
    (&m::slurm_queue_timeout, &["TO", "TIMEOUT"]),
    (&m::slurm_queue_preempted, &["PR", "PREEMPTED"]),
    (&m::slurm_queue_node_fail, &["NF", "NODE_FAIL"]),
    (&m::slurm_queue_out_of_memory, &["OOM", "OUT_OF_MEMORY"]),
    (&m::slurm_queue_deadline, &["DL", "DEADLINE"]),
    (&m::slurm_queue_boot_fail, &["BF", "BOOT_FAIL"]),
    (&m::slurm_queue_requeued, &["RQ", "REQUEUED", "RH", "REQUEUE_HOLD", "RD", "RESV_DEL_HOLD", "SE", "SPECIAL_EXIT"]),
    (&m::slurm_queue_other, &[]),
];

/// The number of the state.
pub(super) fn read(word: &str) -> usize {
    STATES.iter().position(|(_, words)| words.contains(&word)).unwrap_or(OTHER)
}
