//! What happens when a node is lost, or did not come: the part that ParallelCluster's daemons play.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trainyard_plan::local::HEAD;
use trainyard_run::Command;

use super::processes;
use super::roster::Roster;
use crate::Failure;

/// A node that ended this often in a row is given up.
const FAILURES_MAX: u32 = 3;
/// How long a starting slurmctld is waited for.
const CONTROLLER_PATIENCE: Duration = Duration::from_secs(30);

/// Reports a lost node to Slurm at once, so that its jobs are requeued, and replaces it if it is static.
pub(super) fn lost(roster: &Arc<Roster>, name: &str, log: &dyn Fn(&str)) {
    log(&format!("node {name} was lost"));
    end_orphans(roster);
    if name == HEAD {
        return restart_all(roster, log);
    }
    report(roster, name, log);
    if !roster.is_static(name) {
        return;
    }
    if roster.failures(name) >= FAILURES_MAX {
        log(&format!("node {name} does not stay up; it is given up"));
        return;
    }
    std::thread::sleep(Duration::from_secs(1));
    start(roster, name, log);
}

/// The head carries the switch: without it no node has a network, so all start again.
fn restart_all(roster: &Arc<Roster>, log: &dyn Fn(&str)) {
    let nodes: Vec<String> = roster.running().into_iter().filter(|name| name != HEAD).collect();
    for name in &nodes {
        let _ = roster.stop(name);
    }
    if roster.failures(HEAD) >= FAILURES_MAX {
        log("the head node does not stay up; it is given up");
        return;
    }
    std::thread::sleep(Duration::from_millis(500));
    start(roster, HEAD, log);
    if let Err(failure) = settle(roster, log) {
        log(&format!("the head node is not well: {failure}"));
    }
    // Dynamic nodes come back when a job asks.
    for name in nodes.iter().filter(|name| roster.is_static(name)) {
        roster.want(name);
        start(roster, name, log);
    }
}

/// Starts a node; tries again a few times, since a machine under load can be late.
pub(super) fn start(roster: &Arc<Roster>, name: &str, log: &dyn Fn(&str)) {
    while roster.is_wanted(name) {
        match roster.start(name) {
            Ok(()) => {
                log(&format!("node {name} runs"));
                break;
            }
            Err(failure) => log(&format!("node {name} did not start: {}", failure.chain().join(": "))),
        }
        if roster.failures(name) >= FAILURES_MAX {
            log(&format!("node {name} is given up"));
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    roster.settled(name);
}

/// Brings slurmctld's memory in line with what runs. After an unclean end it remembers nodes as up and
/// jobs as running on them, and would wait for them for ever.
pub(super) fn settle(roster: &Roster, log: &dyn Fn(&str)) -> Result<(), Failure> {
    let until = Instant::now() + CONTROLLER_PATIENCE;
    let known = loop {
        match slurm(roster, "sinfo").map(|c| c.args(["-a", "-h", "-N", "-o", "%N %t"]).run()) {
            Some(Ok(output)) => break output.stdout,
            _ if Instant::now() > until => return Err(Failure::refused("slurmctld does not answer")),
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    let mut lines: Vec<&str> = known.lines().collect();
    lines.dedup();
    for (name, state) in lines.iter().filter_map(|line| line.split_once(' ')) {
        // Powered down, or never heard of: nothing is remembered wrongly.
        let is_fresh = state.ends_with(['~', '%']) || state.starts_with("unk");
        if is_fresh || roster.pid(name).is_some() {
            continue;
        }
        log(&format!("Slurm remembers node {name} as {state}, but it does not run"));
        report(roster, name, log);
    }
    Ok(())
}

/// Tells Slurm that a node is gone: its jobs are requeued. A dynamic node comes back when a job asks.
fn report(roster: &Roster, name: &str, log: &dyn Fn(&str)) {
    update(roster, name, &["state=down", "reason=trainyard: the node was lost"], log);
    if !roster.is_static(name) {
        update(roster, name, &["state=power_down"], log);
    }
}

/// Nodes that did not come in time: they are stopped and offered again. Slurm leaves them down.
pub(super) fn resume_failed(roster: &Arc<Roster>, names: &[String], log: &dyn Fn(&str)) {
    for name in names {
        log(&format!("node {name} did not come in time"));
        let _ = roster.stop(name);
    }
    for name in names {
        for _ in 0..15 {
            std::thread::sleep(Duration::from_secs(2));
            if update(roster, name, &["state=resume"], log) {
                break;
            }
        }
    }
}

/// Where nodes share this machine's processes, a lost box leaves its processes to the supervisor.
fn end_orphans(roster: &Roster) {
    let boxes: Vec<i32> = roster.status().nodes.iter().filter_map(|node| node.pid).collect();
    let me = i32::try_from(std::process::id()).unwrap_or(0);
    if boxes.is_empty() || roster.cluster.facts.isolation == trainyard_plan::Isolation::Namespaces {
        return;
    }
    for child in processes::children(me) {
        let is_ours = processes::command(child).contains("trainyard");
        if !boxes.contains(&child) && !is_ours {
            processes::end_descendants(child);
            processes::end(child);
        }
    }
}

fn update(roster: &Roster, name: &str, changes: &[&str], log: &dyn Fn(&str)) -> bool {
    let Some(scontrol) = slurm(roster, "scontrol") else { return false };
    let result = scontrol.args(["update", &format!("nodename={name}")]).args(changes).run();
    if let Err(error) = &result {
        log(&format!("Slurm was not told about node {name}: {error}"));
    }
    result.is_ok()
}

/// One of Slurm's programs, on the head node; `None` while there is none.
fn slurm(roster: &Roster, program: &str) -> Option<Command> {
    let head = roster.pid(HEAD)?;
    let facts = &roster.cluster.facts;
    let program = facts.programs.get(program).map_or(program, String::as_str);
    let command = if facts.isolation == trainyard_plan::Isolation::Shared {
        Command::new(program)
    } else {
        let nsenter = facts.programs.get("nsenter").map_or("nsenter", String::as_str);
        let target = head.to_string();
        Command::new(nsenter).args(["--target", &target, "--mount", "--net", "--uts", "--", program])
    };
    Some(command.env("SLURM_CONF", roster.cluster.layout.at("etc/slurm.conf")))
}
