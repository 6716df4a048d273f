//! The rehearsal's actions. Each may be done twice.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use fs_err as fs;
use trainyard_plan::Plan;
use trainyard_plan::local::{AGENT, HEAD, LocalAction, Rehearsed};
use trainyard_run::Command;

use super::supervisor::{Ask, Client, NodeStatus, clean_up, is_alive};
use super::{Local, slurm};
use crate::{Failure, NodeState, Progress, QueueNodes, StepContext};

/// Device files of declared GPUs: as many as any known instance type has devices.
const GPU_FILES: u32 = 64;

pub(super) fn execute(
    local: &Local,
    plan: &Plan,
    action: &LocalAction,
    context: &StepContext<'_>,
) -> Result<(), Failure> {
    match action {
        LocalAction::MakeFolders(folders) => make_folders(local, plan, folders),
        LocalAction::RemoveFolders(folders) => remove_folders(local, folders),
        LocalAction::InstallProgram => install_program(local, plan),
        LocalAction::MakeKey(path) => make_key(local, path),
        LocalAction::WriteArtifacts { .. } => write_artifacts(local, plan),
        LocalAction::StartSupervisor { .. } => start_supervisor(local, plan, context),
        LocalAction::StopSupervisor => stop_supervisor(local, context),
        LocalAction::StartNodes(names) => start_nodes(local, plan, names, context),
        LocalAction::StopNodes(names) => stop_nodes(local, names),
        LocalAction::AwaitController => await_controller(local, plan, context),
        LocalAction::AwaitIdle(names) => await_idle(local, plan, names, context),
    }
}

/// Only what lives in processes can be lost without a journal record; files are checked cheaply too.
pub(super) fn holds(local: &Local, plan: &Plan, action: &LocalAction) -> bool {
    let store = &local.store;
    match action {
        LocalAction::MakeFolders(folders) => folders.iter().all(|(path, _)| store.at(path).is_dir()),
        LocalAction::InstallProgram => {
            let Ok(rehearsed) = plan.rehearsed() else { return false };
            programs(rehearsed).all(|(from, name)| {
                let (ours, theirs) = (fs::read(from), fs::read(store.at("bin").join(name)));
                matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours == theirs)
            })
        }
        LocalAction::MakeKey(path) => store.at(path).is_file(),
        LocalAction::WriteArtifacts { .. } => {
            plan.artifacts.iter().all(|a| fs::read_to_string(store.at(&a.path)).is_ok_and(|text| text == a.text))
        }
        LocalAction::StartSupervisor { .. } => matches!(Client::new(store).status(), Ok(Some(_))),
        LocalAction::StartNodes(names) => {
            let running = running(local);
            names.iter().all(|name| running.iter().any(|node| node.name == *name && node.pid.is_some()))
        }
        // Waiting is cheap to do again, and nodes may have been lost since; undoing is never skipped.
        LocalAction::AwaitController
        | LocalAction::AwaitIdle(_)
        | LocalAction::RemoveFolders(_)
        | LocalAction::StopSupervisor
        | LocalAction::StopNodes(_) => false,
    }
}

fn running(local: &Local) -> Vec<NodeStatus> {
    Client::new(&local.store).ask(&Ask::Status).map(|status| status.nodes).unwrap_or_default()
}

fn make_folders(local: &Local, plan: &Plan, folders: &[(String, u32)]) -> Result<(), Failure> {
    for (path, mode) in folders {
        let path = local.store.at(path);
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, std::fs::Permissions::from_mode(*mode))?;
    }
    if !folders.iter().any(|(path, _)| path == "nodes") {
        return Ok(());
    }
    for node in &plan.rehearsed()?.nodes {
        let spool = local.store.at(format!("nodes/{}/spool", node.name));
        fs::create_dir_all(spool)?;
    }
    let gpus = local.store.at("run/gpus");
    fs::create_dir_all(&gpus)?;
    for number in 0..GPU_FILES {
        let link = gpus.join(format!("gpu{number}"));
        if link.symlink_metadata().is_err() {
            symlink("/dev/null", link)?;
        }
    }
    Ok(())
}

fn remove_folders(local: &Local, folders: &[String]) -> Result<(), Failure> {
    for folder in folders {
        let path = local.store.at(folder);
        if path.exists() {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

/// What nodes run of ours, and how it is called there.
fn programs(rehearsed: &Rehearsed) -> impl Iterator<Item = (&str, &'static str)> {
    let agent = rehearsed.facts.programs.get(AGENT).map(|path| (path.as_str(), AGENT));
    [(rehearsed.facts.program.as_str(), "trainyard")].into_iter().chain(agent)
}

/// The nodes' copies stay as they are while these programs are rebuilt or upgraded.
fn install_program(local: &Local, plan: &Plan) -> Result<(), Failure> {
    for (from, name) in programs(plan.rehearsed()?) {
        let part = local.store.at(format!("bin/{name}.part"));
        fs::copy(from, &part)?;
        fs::set_permissions(&part, std::fs::Permissions::from_mode(0o755))?;
        fs::rename(part, local.store.at("bin").join(name))?;
    }
    Ok(())
}

/// A key that exists is kept: daemons that run already use it.
fn make_key(local: &Local, path: &str) -> Result<(), Failure> {
    use std::io::Read as _;
    if local.store.at(path).is_file() {
        return Ok(());
    }
    let mut key = [0_u8; 128];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    local.store.write(path, &key, 0o600)
}

fn write_artifacts(local: &Local, plan: &Plan) -> Result<(), Failure> {
    for artifact in &plan.artifacts {
        local.store.write(&artifact.path, artifact.text.as_bytes(), artifact.mode)?;
    }
    Ok(())
}

fn start_supervisor(local: &Local, plan: &Plan, context: &StepContext<'_>) -> Result<(), Failure> {
    let client = Client::new(&local.store);
    if client.status()?.is_some() {
        return Ok(());
    }
    let log = local.store.at("log/supervisor.log");
    let program = local.store.at("bin/trainyard");
    // It leaves this process and its session at once: the cluster outlives the command that made it.
    Command::new(program).args(["supervisor", "run", "--folder"]).arg(local.store.folder()).detached(&log)?;
    context
        .wait_for("the node supervisor", || Ok(client.ask(&Ask::Status).map(|_| ()).map_err(|f| f.chain().join(": "))))
        .map_err(|failure| {
            failure
                .hint(format!("its log: {}", log.display()))
                .within(format!("the supervisor of `{}` did not start", plan.cluster))
        })
}

fn stop_supervisor(local: &Local, context: &StepContext<'_>) -> Result<(), Failure> {
    let client = Client::new(&local.store);
    let Some(status) = client.status()? else {
        return clean_up_groups(local);
    };
    // It may be gone before it has answered.
    let _ = client.ask(&Ask::Shutdown);
    context.wait_for("the end of the node supervisor", || {
        Ok(if is_alive(status.pid) { Err(format!("process {} runs", status.pid)) } else { Ok(()) })
    })?;
    clean_up_groups(local)
}

/// Where they are is said in a folder that goes next, so nobody could remove them later.
fn clean_up_groups(local: &Local) -> Result<(), Failure> {
    let stay = clean_up(local.store.folder());
    let Some(first) = stay.first() else { return Ok(()) };
    let held = first.join("cgroup.procs");
    Err(Failure::refused(format!("{} of the nodes' control groups cannot be removed", stay.len()))
        .caused_by(std::io::Error::other(format!("there is still something in {}", first.display())))
        .hint(format!("processes that are in it, by number: cat {}; end them, or move them elsewhere", held.display())))
}

fn start_nodes(local: &Local, plan: &Plan, names: &[String], context: &StepContext<'_>) -> Result<(), Failure> {
    let client = Client::new(&local.store);
    client.ask(&Ask::Start { nodes: names.to_vec() })?;
    let boot = plan.rehearsed()?.boot_seconds;
    let what = if boot > 0 { format!("{} nodes to boot", names.len()) } else { "the nodes' daemons".to_owned() };
    context.wait_for(&what, || {
        let status = client.ask(&Ask::Status)?;
        if let Some(lost) = status.nodes.iter().find(|node| names.contains(&node.name) && node.failures > 2) {
            return Err(node_failure(local, &lost.name));
        }
        let up = status.nodes.iter().filter(|node| names.contains(&node.name) && node.pid.is_some()).count();
        Ok(if up == names.len() { Ok(()) } else { Err(format!("{up} of {} are up", names.len())) })
    })
}

fn node_failure(local: &Local, name: &str) -> Failure {
    let log = local.store.at(format!("log/node-{name}.log"));
    let text = fs::read_to_string(&log).unwrap_or_default();
    let last = text.lines().rev().take(5).collect::<Vec<_>>();
    let said = last.into_iter().rev().collect::<Vec<_>>().join("\n  ");
    Failure::refused(format!("node `{name}` does not stay up"))
        .caused_by(std::io::Error::other(format!("it said:\n  {said}")))
        .hint(format!("its log: {}", log.display()))
}

fn stop_nodes(local: &Local, names: &[String]) -> Result<(), Failure> {
    let client = Client::new(&local.store);
    if client.status()?.is_none() {
        return Ok(());
    }
    client.ask(&Ask::Stop { nodes: names.to_vec() }).map(|_| ())
}

fn await_controller(local: &Local, plan: &Plan, context: &StepContext<'_>) -> Result<(), Failure> {
    let log = local.store.at("log/slurmctld.log");
    context
        .wait_for("slurmctld", || {
            let is_lost = |node: &&NodeStatus| node.name == HEAD && node.failures > 2;
            if let Some(head) = running(local).iter().find(is_lost) {
                return Err(node_failure(local, &head.name));
            }
            let answers = local.access(plan).is_ok_and(|access| slurm::answers(&access));
            Ok(if answers { Ok(()) } else { Err("it does not answer yet".to_owned()) })
        })
        .map_err(|failure| failure.hint(format!("its log: {}", log.display())))?;
    Client::new(&local.store).ask(&Ask::Settle).map(|_| ())
}

fn await_idle(local: &Local, plan: &Plan, names: &[String], context: &StepContext<'_>) -> Result<(), Failure> {
    let access = local.access(plan)?;
    context
        .wait_for(&format!("{} nodes to take jobs", names.len()), || {
            let started = running(local);
            if let Some(lost) = started.iter().find(|node| names.contains(&node.name) && node.failures > 2) {
                return Err(node_failure(local, &lost.name));
            }
            let nodes = slurm::nodes(&access)?;
            let mine: Vec<_> = nodes.iter().filter(|node| names.contains(&node.name)).collect();
            let waiting: Vec<_> = mine.iter().filter(|node| !node.is_up()).collect();
            let text = match waiting.first() {
                None if mine.len() == names.len() => return Ok(Ok(())),
                None => format!("Slurm knows {} of {}", mine.len(), names.len()),
                Some(node) => {
                    let ready = mine.len() - waiting.len();
                    format!("{ready} of {} ready; {} is {}", names.len(), node.name, node.state)
                }
            };
            Ok(Err(Progress::from(text).with_queues(by_queue(&mine, &started))))
        })
        .map_err(|failure| failure.hint(format!("their logs: {}", local.store.at("log").display())))
}

/// Nodes that are awaited, by queue.
fn by_queue(nodes: &[&NodeState], started: &[NodeStatus]) -> Vec<QueueNodes> {
    let runs = |name: &str| started.iter().any(|node| node.name == name && node.pid.is_some());
    let mut queues: BTreeMap<&str, QueueNodes> = BTreeMap::new();
    for (node, name) in nodes.iter().flat_map(|node| node.queues.iter().map(move |name| (node, name))) {
        let queue = queues.entry(name).or_insert_with(|| QueueNodes {
            name: name.clone(),
            ready: Some(0),
            idle: Some(0),
            ..QueueNodes::default()
        });
        queue.asked += 1;
        queue.running += u32::from(runs(&node.name));
        queue.ready = queue.ready.map(|ready| ready + u32::from(node.is_up()));
        queue.idle = queue.idle.map(|idle| idle + u32::from(node.is_idle()));
    }
    queues.into_values().collect()
}
