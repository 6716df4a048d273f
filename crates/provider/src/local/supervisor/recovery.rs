//! What happens when a node is lost, or did not come: the part that ParallelCluster's daemons play.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trainyard_plan::local::HEAD;
use trainyard_run::Command;

use super::processes;
use super::roster::Roster;
use crate::Failure;

/// A node that ended this often in a row is given up.
const FAILURES_MAX: u32 = 3;
/// How long Slurm may put a lost node's jobs away before the node starts again all the same.
const CLEANUP_PATIENCE: Duration = Duration::from_secs(25);
/// How long a starting slurmctld is waited for.
const CONTROLLER_PATIENCE: Duration = Duration::from_secs(30);

/// Reports lost nodes to Slurm at once, so that their jobs are requeued, and replaces the static ones.
pub(super) fn lost(roster: &Arc<Roster>, names: &[String], log: &dyn Fn(&str)) {
    log(&format!("lost: {}", names.join(",")));
    end_orphans(roster);
    if names.iter().any(|name| name == HEAD) {
        return restart_all(roster, names, log);
    }
    report(roster, names, log);
    let (fixed, given_up): (Vec<&String>, Vec<&String>) =
        names.iter().filter(|name| roster.is_static(name)).partition(|name| roster.failures(name) < FAILURES_MAX);
    for name in given_up {
        log(&format!("node {name} does not stay up; it is given up"));
        let reason = format!("reason=trainyard: given up after {FAILURES_MAX} losses; try again with trainyard up");
        update(roster, name, &[&reason], log);
    }
    // A node that is back before its job has been put away would be taken for the one that was lost.
    std::thread::sleep(Duration::from_secs(1));
    let until = Instant::now() + CLEANUP_PATIENCE;
    while Instant::now() < until && is_completing(roster, names) {
        std::thread::sleep(Duration::from_millis(500));
    }
    for name in fixed {
        if roster.claim(name) {
            start(roster, name, log);
        }
    }
}

/// Whether Slurm still puts jobs away on these nodes.
fn is_completing(roster: &Roster, names: &[String]) -> bool {
    let Some(squeue) = slurm(roster, "squeue") else { return false };
    let output = squeue.args(["-a", "-h", "-t", "CG", "-o", "%i", "-w", &names.join(",")]).run();
    output.is_ok_and(|output| !output.stdout.trim().is_empty())
}

/// The head carries the switch: without it no node has a network, so all start again.
fn restart_all(roster: &Arc<Roster>, lost: &[String], log: &dyn Fn(&str)) {
    // What was lost together with the head starts again with the rest.
    let all = roster.running().into_iter().chain(lost.iter().cloned());
    let nodes: BTreeSet<String> = all.filter(|name| name != HEAD).collect();
    for name in &nodes {
        let _ = roster.stop(name);
    }
    if roster.failures(HEAD) >= FAILURES_MAX {
        log("the head node does not stay up; it is given up");
        return;
    }
    std::thread::sleep(Duration::from_millis(500));
    if !roster.claim(HEAD) {
        return;
    }
    start(roster, HEAD, log);
    if let Err(failure) = settle(roster, log) {
        log(&format!("the head node is not well: {failure}"));
    }
    // Dynamic nodes come back when a job asks.
    for name in nodes.iter().filter(|name| roster.is_static(name)) {
        if roster.want(name) {
            start(roster, name, log);
        }
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
    let mut gone = Vec::new();
    let mut lines: Vec<&str> = known.lines().collect();
    lines.dedup();
    for (name, state) in lines.iter().filter_map(|line| line.split_once(' ')) {
        // Off, about to be resumed, or never heard of: nothing is remembered wrongly.
        let is_off =
            state.ends_with(['~', '%']) && ["idle", "down", "mix", "alloc"].iter().any(|s| state.starts_with(s));
        let is_fresh = is_off || state.starts_with("unk");
        // One that is wanted runs, starts, or is being seen to already.
        if is_fresh || roster.is_wanted(name) {
            continue;
        }
        log(&format!("Slurm remembers node {name} as {state}, but it does not run"));
        gone.push(name.to_owned());
    }
    report(roster, &gone, log);
    Ok(())
}

/// Tells Slurm in one word that nodes are gone: their jobs are requeued. Dynamic ones come back when a
/// job asks.
fn report(roster: &Roster, names: &[String], log: &dyn Fn(&str)) {
    if names.is_empty() {
        return;
    }
    update(roster, &names.join(","), &["state=down", "reason=trainyard: the node was lost"], log);
    let dynamic: Vec<&str> = names.iter().map(String::as_str).filter(|name| !roster.is_static(name)).collect();
    if !dynamic.is_empty() {
        update(roster, &dynamic.join(","), &["state=power_down"], log);
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
    if roster.cluster.facts.isolation == trainyard_plan::Isolation::Namespaces {
        return;
    }
    let me = nix::unistd::Pid::this().as_raw();
    let boxes = roster.folder.join("bin/trainyard");
    for child in processes::children(me) {
        let is_box = processes::program(child).is_some_and(|program| program == boxes);
        if !is_box && !processes::has_variable(child, HELPER) {
            processes::end_descendants(child);
            processes::end(child);
        }
    }
}

/// Marks the supervisor's own short-lived programs, which are its children as well.
const HELPER: &str = "TRAINYARD_HELPER";

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
    Some(command.env("SLURM_CONF", roster.cluster.layout.at("etc/slurm.conf")).env(HELPER, "1"))
}
