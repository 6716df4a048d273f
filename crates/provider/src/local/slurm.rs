//! Asking Slurm on the head of a rehearsal.

use crate::local::Access;
use crate::slurm::{JOB_COLUMNS, NODE_COLUMNS, parse_jobs, parse_nodes};
use crate::{Failure, JobState, NodeState, Observed};

/// Asks Slurm for nodes and jobs.
pub(super) fn observe(access: &Access) -> Result<Observed, Failure> {
    if !answers(access) {
        return Ok(Observed::here(false, Vec::new(), Vec::new()));
    }
    Ok(Observed::here(true, nodes(access)?, jobs(access)?))
}

/// Whether slurmctld answers.
pub(super) fn answers(access: &Access) -> bool {
    access.command("scontrol").arg("ping").run().is_ok_and(|output| output.stdout.contains("is UP"))
}

/// All nodes; one in several queues is listed once (D-A39).
pub(super) fn nodes(access: &Access) -> Result<Vec<NodeState>, Failure> {
    // -a -N shows powered-down CLOUD nodes too.
    let output = access.command("sinfo").args(["-a", "-h", "-N", "-o", NODE_COLUMNS]).run()?;
    Ok(parse_nodes(&output.stdout))
}

/// All jobs that are not over.
pub(super) fn jobs(access: &Access) -> Result<Vec<JobState>, Failure> {
    let output = access.command("squeue").args(["-a", "-h", "-o", JOB_COLUMNS]).run()?;
    Ok(parse_jobs(&output.stdout))
}
