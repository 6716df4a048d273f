//! Which nodes run, and starting and stopping one.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use trainyard_plan::Isolation;
use trainyard_plan::local::{HEAD, Rehearsed};
use trainyard_run::{Command, RunError};

use super::boxed::{GO, RUNNING, UNSHARED, ip};
use super::groups::Groups;
use super::processes;
use super::protocol::{NodeStatus, Status};
use crate::Failure;

/// A node that stayed up this long has come through: its failures are forgotten.
const PROVEN: Duration = Duration::from_mins(1);
/// How long a node may take to end when asked.
const STOP_PATIENCE: Duration = Duration::from_secs(12);

/// How long a node's first process may take to run.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// All nodes of the cluster.
pub(super) struct Roster {
    pub cluster: Rehearsed,
    pub folder: PathBuf,
    nodes: Mutex<BTreeMap<String, Entry>>,
    cables: AtomicU32,
    parent: mpsc::Sender<Birth>,
    groups: Groups,
    closing: AtomicBool,
}

/// Ends a process that does not say in time that it runs: others wait behind it.
struct Watchdog(mpsc::Sender<()>);

impl Watchdog {
    fn over(pid: u32) -> Self {
        let (sender, called_off) = mpsc::channel();
        std::thread::spawn(move || {
            if called_off.recv_timeout(START_PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX)), Signal::SIGKILL);
            }
        });
        Self(sender)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// A process to start, its log, and where to send it.
type Birth = (Command, PathBuf, mpsc::Sender<Result<Child, RunError>>);

/// The thread that starts all nodes and never ends: the kernel ties a node to the life of the very
/// thread that started it, not of its process.
fn parent() -> mpsc::Sender<Birth> {
    let (sender, births) = mpsc::channel::<Birth>();
    std::thread::spawn(move || {
        for (command, log, reply) in births {
            // Nobody waits for the answer any more: then nobody needs the node either.
            if let Err(mpsc::SendError(Ok(mut child))) = reply.send(command.piped(&log)) {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    });
    sender
}

#[derive(Default)]
struct Entry {
    /// The node's outermost process.
    child: Option<Child>,
    /// The node's first process inside.
    pid: Option<i32>,
    wanted: bool,
    starting: bool,
    stopping: bool,
    /// Made to crash: no failure of the node's.
    crashed: bool,
    failures: u32,
    since: Option<Instant>,
    /// The head's end of its last cable.
    cable: Option<String>,
}

impl Roster {
    pub fn new(cluster: Rehearsed, folder: &Path) -> Self {
        Self {
            cluster,
            folder: folder.to_owned(),
            nodes: Mutex::default(),
            cables: AtomicU32::new(0),
            parent: parent(),
            groups: Groups::make(folder),
            closing: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn status(&self) -> Status {
        let pid = nix::unistd::Pid::this().as_raw();
        let node = |(name, entry): (&String, &Entry)| NodeStatus {
            name: name.clone(),
            pid: entry.pid,
            failures: entry.failures,
        };
        Status { pid, nodes: self.lock().iter().map(node).collect() }
    }

    /// Names of nodes that run.
    pub fn running(&self) -> Vec<String> {
        self.lock().iter().filter(|(_, entry)| entry.pid.is_some()).map(|(name, _)| name.clone()).collect()
    }

    pub fn pid(&self, name: &str) -> Option<i32> {
        self.lock().get(name).and_then(|entry| entry.pid)
    }

    pub fn is_static(&self, name: &str) -> bool {
        self.cluster.nodes.iter().any(|node| node.name == name && node.is_static)
    }

    pub fn knows(&self, name: &str) -> bool {
        self.cluster.nodes.iter().any(|node| node.name == name)
    }

    /// Says that a node is wanted; returns whether it has to be started. One that was given up gets
    /// another chance.
    pub fn want(&self, name: &str) -> bool {
        let mut nodes = self.lock();
        if self.closing.load(Ordering::SeqCst) {
            return false;
        }
        let entry = nodes.entry(name.to_owned()).or_default();
        let has_to_start = !entry.starting && entry.child.is_none();
        if has_to_start {
            entry.failures = 0;
            entry.starting = true;
        }
        entry.wanted = true;
        has_to_start
    }

    /// Takes on the start of a lost node; `false` when somebody else has, or it is no longer wanted.
    pub fn claim(&self, name: &str) -> bool {
        let mut nodes = self.lock();
        let is_free = !self.closing.load(Ordering::SeqCst);
        let Some(entry) = nodes.get_mut(name) else { return false };
        let may_start = is_free && entry.wanted && !entry.starting && entry.child.is_none();
        entry.starting |= may_start;
        may_start
    }

    /// All nodes have ended: lets go of what counted them. Returns what cannot be let go of.
    pub fn ended(&self) -> Vec<PathBuf> {
        self.groups.remove()
    }

    /// From now on nothing starts.
    pub fn close(&self) {
        let _nodes = self.lock();
        self.closing.store(true, Ordering::SeqCst);
    }

    /// The attempts to start a node are over, one way or the other.
    pub fn settled(&self, name: &str) {
        if let Some(entry) = self.lock().get_mut(name) {
            entry.starting = false;
        }
    }

    pub fn is_wanted(&self, name: &str) -> bool {
        self.lock().get(name).is_some_and(|entry| entry.wanted)
    }

    /// Starts a node's processes and waits until its first one runs.
    pub fn start(&self, name: &str) -> Result<(), Failure> {
        // Its last run may still be ending.
        while self.lock().get(name).is_some_and(|entry| entry.stopping) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if self.pid(name).is_some() || !self.is_wanted(name) {
            return Ok(());
        }
        let log = self.folder.join(format!("log/node-{name}.log"));
        let command = Command::new(self.folder.join("bin/trainyard"))
            .args(["supervisor", "enter", "--folder"])
            .arg(&self.folder)
            .args(["--node", name]);
        let mut child = self.bear(command, log)?;
        let watchdog = Watchdog::over(child.id());
        let greeted = self.greet(name, &mut child);
        drop(watchdog);
        let pid = match greeted {
            Ok(pid) => pid,
            Err(failure) => {
                let _ = child.kill();
                let _ = child.wait();
                self.failed(name);
                return Err(failure);
            }
        };
        let mut nodes = self.lock();
        let entry = nodes.entry(name.to_owned()).or_default();
        entry.child = Some(child);
        entry.pid = Some(pid);
        entry.since = Some(Instant::now());
        let wanted = entry.wanted;
        drop(nodes);
        // It may have been told to stop while it started.
        if wanted { Ok(()) } else { self.stop(name) }
    }

    fn bear(&self, command: Command, log: PathBuf) -> Result<Child, Failure> {
        let gone = || Failure::internal("the supervisor's parent thread is gone");
        let (reply, born) = mpsc::channel();
        self.parent.send((command, log, reply)).map_err(|_| gone())?;
        Ok(born.recv().map_err(|_| gone())??)
    }

    /// Follows a starting node until it runs; plugs its cable in between.
    fn greet(&self, name: &str, child: &mut Child) -> Result<i32, Failure> {
        let silent = || Failure::refused(format!("node {name} ended while it started"));
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(silent)?).lines();
        if self.cluster.facts.isolation == Isolation::Namespaces {
            let said = lines.next().ok_or_else(silent)??;
            if said != UNSHARED {
                return Err(silent());
            }
            if name != HEAD {
                self.plug_cable(name, child.id())?;
            }
            writeln!(child.stdin.take().ok_or_else(silent)?, "{GO}")?;
        }
        let said = lines.next().ok_or_else(silent)??;
        said.strip_prefix(RUNNING).and_then(|pid| pid.trim().parse().ok()).ok_or_else(silent)
    }

    /// A cable from the head's switch to the node. It goes with either end.
    fn plug_cable(&self, name: &str, node: u32) -> Result<(), Failure> {
        let cable = format!("v{}", self.cables.fetch_add(1, Ordering::Relaxed));
        let last = self.lock().entry(name.to_owned()).or_default().cable.replace(cable.clone());
        if let Some(last) = last {
            // A lost node's connections to nodes that were lost with it wait for a minute to be acknowledged, and hold
            // its network until then: two machines of one address on one switch. Mostly it has gone by itself. Not any
            // sooner: while the node ends, it lets go of its connections to those that live, and these see it at once.
            let _ = self.on_the_switch(format!("link delete {last}\n"));
        }
        self.on_the_switch(format!(
            "link add {cable} type veth peer name eth0 netns {node}\nlink set {cable} master br0 up\n"
        ))
    }

    /// Lines for `ip`, in the head's network.
    fn on_the_switch(&self, batch: String) -> Result<(), Failure> {
        let head = self.pid(HEAD).ok_or_else(|| Failure::refused("the head node does not run"))?;
        let nsenter = self.cluster.facts.programs.get("nsenter").map_or("nsenter", String::as_str);
        let line = ip(&self.cluster);
        let command = Command::new(nsenter).arg(format!("--net=/proc/{head}/ns/net")).arg("--");
        command.args(line.argv()).input(batch).run()?;
        Ok(())
    }

    /// Asks a node to end and waits until it has.
    pub fn stop(&self, name: &str) -> Result<(), Failure> {
        let child = {
            let mut nodes = self.lock();
            let Some(entry) = nodes.get_mut(name) else { return Ok(()) };
            entry.wanted = false;
            entry.failures = 0;
            entry.stopping = entry.child.is_some();
            entry.child.take()
        };
        let ended = child.map_or(Ok(()), |child| self.end_gently(child));
        self.groups.remove_node(name);
        if let Some(entry) = self.lock().get_mut(name).filter(|entry| entry.child.is_none()) {
            entry.pid = None;
            entry.stopping = false;
        }
        ended
    }

    fn end_gently(&self, mut child: Child) -> Result<(), Failure> {
        let outer = i32::try_from(child.id()).unwrap_or(i32::MAX);
        let _ = kill(Pid::from_raw(outer), Signal::SIGTERM);
        let until = Instant::now() + STOP_PATIENCE;
        while child.try_wait()?.is_none() {
            if Instant::now() > until {
                self.end(outer);
                child.wait()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Loses a node: everything in it ends at once.
    pub fn crash(&self, name: &str) -> Result<(), Failure> {
        let outer = self.lock().get_mut(name).and_then(|entry| {
            entry.crashed = entry.child.is_some();
            entry.child.as_ref().map(Child::id)
        });
        let outer = outer.ok_or_else(|| Failure::refused(format!("node {name} does not run")))?;
        self.end(i32::try_from(outer).unwrap_or(i32::MAX));
        Ok(())
    }

    fn end(&self, outer: i32) {
        if self.cluster.facts.isolation == Isolation::Shared {
            // The box itself goes last: while it lives, its orphans stay below it.
            processes::end_descendants(outer);
        }
        // With a process namespace of its own, the kernel ends everything in the node at once.
        let _ = kill(Pid::from_raw(outer), Signal::SIGKILL);
    }

    /// Nodes that ended unasked since the last call.
    pub fn reap(&self) -> Vec<String> {
        let mut lost = Vec::new();
        for (name, entry) in self.lock().iter_mut() {
            let Some(child) = &mut entry.child else { continue };
            if entry.since.is_some_and(|since| since.elapsed() > PROVEN) {
                entry.failures = 0;
            }
            if matches!(child.try_wait(), Ok(Some(_))) {
                entry.child = None;
                entry.pid = None;
                entry.since = None;
                entry.failures += u32::from(!std::mem::take(&mut entry.crashed));
                if entry.wanted {
                    lost.push(name.clone());
                }
            }
        }
        lost
    }

    /// Counts a failure and returns how many there were.
    pub fn failed(&self, name: &str) -> u32 {
        let mut nodes = self.lock();
        let entry = nodes.entry(name.to_owned()).or_default();
        entry.failures += 1;
        entry.failures
    }

    pub fn failures(&self, name: &str) -> u32 {
        self.lock().get(name).map_or(0, |entry| entry.failures)
    }
}
