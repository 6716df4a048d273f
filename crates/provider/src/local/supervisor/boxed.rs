//! One node: a box of processes that live and die together.
//!
//! `enter` makes the box (its own network, host name, processes and file system view where nodes are
//! kept apart), `inside` is its first process: it starts the node's daemons and ends with those that it needs. A node
//! whose daemon ends is a lost node: what it started must not run on unseen and write to checkpoints.

use std::io::{BufRead, ErrorKind, Read as _, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fs_err as fs;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use trainyard_plan::Isolation;
use trainyard_plan::local::{AGENT, HEAD, Node, Rehearsed};
use trainyard_run::Command;

use super::daemons::{Beginning, Daemon, Daemons, Hands};
use super::groups::Groups;
use super::{processes, view};
use crate::Failure;
use crate::failure::system;

/// How long daemons may take to end when asked.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

/// The supervisor says this once the node's network cable is plugged in.
pub(super) const GO: &str = "go";
/// The node says this once its namespaces exist.
pub(super) const UNSHARED: &str = "unshared";
/// The node says this, and its first process, once that runs.
pub(super) const RUNNING: &str = "running";

/// Makes the box of node `name`, and stays as its outermost process. Returns when the node is gone.
pub fn enter(folder: &Path, name: &str, say: &mut dyn Write) -> Result<(), Failure> {
    let cluster = definition(folder)?;
    let node = node_of(&cluster, name)?;
    // Whatever happens to the supervisor, its nodes go with it. With a process namespace the kernel ends
    // everything in the node; without one, this process has to live long enough to do it.
    Groups::of(folder).join(name);
    let shared = cluster.facts.isolation == Isolation::Shared;
    let signal = if shared { Signal::SIGTERM } else { Signal::SIGKILL };
    system(prctl::set_pdeathsig(signal), "tie the node to its supervisor")?;
    if shared {
        tell(say, &format!("{RUNNING} {}", std::process::id()))?;
        return live(&cluster, node);
    }
    let flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWPID;
    system(unshare(flags), "give the node its own namespaces")?;
    tell(say, UNSHARED)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim() != GO {
        return Err(Failure::refused("the supervisor went away while the node started"));
    }
    // From here to the end nothing may start a thread: the kernel refuses threads to a process whose
    // children live in another process namespace.
    let mut signals = Signals::new([SIGTERM, SIGCHLD])?;
    let log = folder.join(format!("log/node-{name}.log"));
    let program = folder.join("bin/trainyard");
    let mut first = Command::new(program)
        .args(["supervisor", "inside", "--folder"])
        .arg(folder)
        .args(["--node", name])
        .daemon(&log)?;
    tell(say, &format!("{RUNNING} {}", first.id()))?;
    loop {
        for signal in signals.wait() {
            if signal == SIGTERM {
                let _ = kill(Pid::from_raw(i32::try_from(first.id()).unwrap_or(i32::MAX)), Signal::SIGTERM);
            } else if let Some(status) = first.try_wait()? {
                let ended = || Failure::refused(format!("node {name} ended: {status}"));
                return if status.success() { Ok(()) } else { Err(ended()) };
            }
        }
    }
}

/// The first process inside the box of node `name`.
pub fn inside(folder: &Path, name: &str) -> Result<(), Failure> {
    system(prctl::set_pdeathsig(Signal::SIGKILL), "tie the node to its box")?;
    let cluster = definition(folder)?;
    let node = node_of(&cluster, name)?.clone();
    plug_in(&cluster, &node)?;
    system(nix::unistd::sethostname(name), "name the node")?;
    view::build(&cluster, folder, &node)?;
    live(&cluster, &node)
}

/// Starts the daemons and lives as long as those do that the node needs, or until SIGTERM.
fn live(cluster: &Rehearsed, node: &Node) -> Result<(), Failure> {
    // Everything in the node is below this process, even what leaves its parent.
    system(prctl::set_child_subreaper(true), "adopt the node's orphans")?;
    let mut bell = Bell::new()?;
    let mut hands = Processes { log: PathBuf::from(cluster.layout.at(&format!("log/node-{}.log", node.name))) };
    let mut daemons = Daemons::new(daemons_of(cluster, node), Instant::now());
    let lost = |failure: Failure| {
        processes::end_descendants(nix::unistd::Pid::this().as_raw());
        Err(failure.within(format!("node {} is lost", node.name)))
    };
    loop {
        if let Err(failure) = daemons.tend(Instant::now(), &mut hands) {
            return lost(failure);
        }
        bell.wait(daemons.idle(Instant::now()))?;
        if bell.is_end() {
            stop(&daemons);
            return Ok(());
        }
        while let Ok(status) = waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            if status == WaitStatus::StillAlive {
                break;
            }
            if let Err(failure) = daemons.ended(status, Instant::now(), &mut hands) {
                return lost(failure);
            }
        }
    }
}

/// Rings when a child ends or this process is asked to end.
struct Bell {
    rings: UnixStream,
    end: Arc<AtomicBool>,
}

impl Bell {
    fn new() -> Result<Self, Failure> {
        // Handlers, not a mask: a mask would be inherited by the daemons, and they could not be stopped.
        let end = Arc::new(AtomicBool::new(false));
        let (rings, rope) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            signal_hook::flag::register(signal, Arc::clone(&end))?;
        }
        // After the flag: who hears the bell finds it set.
        for signal in [SIGTERM, SIGINT, SIGCHLD] {
            signal_hook::low_level::pipe::register(signal, rope.try_clone()?)?;
        }
        Ok(Self { rings, end })
    }

    /// Until it rings; no longer than that.
    fn wait(&mut self, most: Option<Duration>) -> Result<(), Failure> {
        if most.is_some_and(|most| most.is_zero()) {
            return Ok(());
        }
        self.rings.set_read_timeout(most)?;
        match self.rings.read(&mut [0; 64]) {
            Err(error)
                if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                Err(error.into())
            }
            _ => Ok(()),
        }
    }

    fn is_end(&self) -> bool {
        self.end.load(Ordering::SeqCst)
    }
}

/// The node's processes, and its log.
struct Processes {
    log: PathBuf,
}

impl Hands for Processes {
    fn start(&mut self, daemon: &Daemon, beginning: Beginning) -> Result<Pid, Failure> {
        let command = if let (Beginning::Again, Some(again)) = (beginning, &daemon.again) {
            again
        } else {
            daemon.replaces.as_deref().map_or(Ok(()), |stale| remove(Path::new(stale)))?;
            &daemon.command
        };
        let child = command.clone().daemon(&self.log)?;
        Ok(Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX)))
    }

    fn kill(&mut self, pid: Pid) {
        // It may have ended by itself.
        let _ = kill(pid, Signal::SIGKILL);
    }

    fn note(&mut self, line: &str) {
        note(&self.log, line);
    }
}

fn remove(stale: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(stale) {
        Ok(left) if left.is_dir() => fs::remove_dir_all(stale)?,
        Ok(_) => fs::remove_file(stale)?,
        Err(_) => {}
    }
    Ok(())
}

/// A line among what the node's processes print.
fn note(log: &Path, line: &str) {
    // Nobody can be told that the log cannot be written.
    let _ = fs::OpenOptions::new().create(true).append(true).open(log).and_then(|mut file| writeln!(file, "{line}"));
}

fn daemons_of(cluster: &Rehearsed, node: &Node) -> Vec<Daemon> {
    let at = |below: &str| cluster.layout.at(below);
    let conf = at("etc/slurm.conf");
    let program = |name: &str| {
        let path = cluster.facts.programs.get(name).map_or(name, String::as_str);
        Command::new(path)
            .env("SLURM_CONF", &conf)
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    };
    let of_agent = |arguments: &[String]| program(&at(&format!("bin/{AGENT}"))).args(arguments);
    let player = node.agent.as_ref().and_then(|agent| agent.replay.as_ref()).map(|replay| Daemon {
        again: Some(of_agent(&replay.arguments_to_go_on)),
        makes: Some(replay.complete.clone()),
        replaces: Some(replay.folder.clone()),
        ..Daemon::new("the replay's player", of_agent(&replay.arguments), false)
    });
    let agent = node.agent.as_ref().map(|agent| Daemon::new(AGENT, of_agent(&agent.arguments), false));
    let watching = player.into_iter().chain(agent);
    if node.name != HEAD {
        let slurmd = program("slurmd").args(["-D", "-N", &node.name, "-f", &conf]);
        // A CLOUD node must look freshly booted, or slurmctld ignores it.
        let slurmd = if node.is_static { slurmd } else { slurmd.arg("-b") };
        return [Daemon::new("slurmd", slurmd, true)].into_iter().chain(watching).collect();
    }
    let socket = at("run/munge.socket");
    let munged = program("munged").args(["--foreground", "--force"]).args([
        format!("--key-file={}", at("run/munge.key")),
        format!("--socket={socket}"),
        format!("--pid-file={}", at("run/munged.pid")),
        format!("--seed-file={}", at("run/munge.seed")),
        format!("--log-file={}", at("log/munged.log")),
    ]);
    let slurmctld = program("slurmctld").args(["-D", "-f", &conf]);
    let munged = Daemon { makes: Some(socket.clone()), replaces: Some(socket), ..Daemon::new("munged", munged, true) };
    [munged, Daemon::new("slurmctld", slurmctld, true)].into_iter().chain(watching).collect()
}

/// Asks the daemons to end, last started first, and ends what is left.
fn stop(daemons: &Daemons) {
    let until = Instant::now() + STOP_PATIENCE;
    for pid in daemons.running().rev() {
        let _ = kill(pid, Signal::SIGTERM);
        while Instant::now() < until && processes::is_alive(pid.as_raw()) {
            let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    processes::end_descendants(nix::unistd::Pid::this().as_raw());
    // Take note of every end: not every machine's first process does.
    while waitpid(Pid::from_raw(-1), None).is_ok() {}
}

/// Addresses and links of a node that has a network of its own.
fn plug_in(cluster: &Rehearsed, node: &Node) -> Result<(), Failure> {
    // The head carries the switch that all nodes are plugged into.
    let (link, first) = if node.name == HEAD { ("br0", "link add br0 type bridge\n") } else { ("eth0", "") };
    let address = &node.address;
    let batch = format!("link set lo up\n{first}addr add {address}/16 dev {link}\nlink set {link} up\n");
    ip(cluster).input(batch).run()?;
    Ok(())
}

/// `ip`, reading its commands from standard input.
pub(super) fn ip(cluster: &Rehearsed) -> Command {
    let ip = cluster.facts.programs.get("ip").map_or("ip", String::as_str);
    Command::new(ip).args(["-batch", "-"])
}

pub(super) fn definition(folder: &Path) -> Result<Rehearsed, Failure> {
    let path = folder.join("etc/cluster.json");
    let text = fs::read_to_string(&path)?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::refused(format!("{} cannot be read", path.display())).caused_by(error))
}

fn node_of<'a>(cluster: &'a Rehearsed, name: &str) -> Result<&'a Node, Failure> {
    let found = cluster.nodes.iter().find(|node| node.name == name);
    found.ok_or_else(|| Failure::usage(format!("this cluster has no node called `{name}`")))
}

fn tell(say: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(say, "{line}")?;
    Ok(say.flush()?)
}
