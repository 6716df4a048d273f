//! Real jobs of a real Slurm on two nodes, each with processes and a network of its own: what the agent of one of them says
//! of a job while it runs and when it has ended, and the wire that a job trips which talks past its EFA. `./test` runs it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;
use trainyard_node::exposition::read_line;
use trainyard_run::Command;

/// They stand in the names of control groups.
const NODES: [&str; 2] = ["live1", "live2"];

/// Where the nodes' networks are: nobody else's, and not reachable from outside them.
const ADDRESSES: [&str; 2] = ["10.213.77.1", "10.213.77.2"];

/// Both ways over the ordinary network, some 100 MB/s each, for as long as it is told.
const TALK: &str = r#"
import os, socket, sys, threading, time
address, seconds = sys.argv[1], float(sys.argv[2])
if os.environ["SLURM_PROCID"] == "0":
    listener = socket.create_server((address, 7777))
    peer = listener.accept()[0]
else:
    until = time.time() + 20
    while True:
        try:
            peer = socket.create_connection((address, 7777))
            break
        except OSError:
            if time.time() > until: raise
            time.sleep(0.1)
begin = time.time()
def read():
    while peer.recv(1 << 20): pass
reader = threading.Thread(target=read)
reader.start()
block = b"x" * 1_000_000
while time.time() < begin + seconds:
    peer.sendall(block)
    time.sleep(0.008)
peer.shutdown(socket.SHUT_WR)
reader.join()
"#;

/// Version 1, where the machine has it.
const CGROUP: &str = "CgroupPlugin=cgroup/v1\nCgroupMountpoint=/sys/fs/cgroup\nConstrainRAMSpace=yes\n";

/// How Slurm follows its jobs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Groups {
    /// By their processes.
    None,
    /// In control groups of version 1.
    First,
}

/// A node: namespaces that end with this, and all that runs in them.
struct Node {
    child: Child,
    /// The first process in it, by its number out here.
    init: u32,
}

impl Node {
    fn start(cluster: &Cluster, name: &str) -> Self {
        let command = Command::new("unshare").args(["--net", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        let child = command.args(["sleep", "600"]).daemon(&cluster.path(&format!("{name}.log"))).unwrap();
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let init = || std::fs::read_to_string(&children).ok()?.trim().parse::<u32>().ok();
        wait_for("a node's namespaces", || init().is_some());
        Self { init: init().unwrap(), child }
    }

    /// A program that runs in it.
    fn command(&self, program: &str) -> Command {
        let command = Command::new("nsenter").args(["--target", &self.init.to_string(), "--net", "--pid", "--mount"]);
        command.arg(program)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two nodes, the first of which has the controller too.
struct Cluster {
    folder: tempfile::TempDir,
    /// They go before the folder.
    daemons: Vec<Child>,
    nodes: Vec<Node>,
    groups: Groups,
}

impl Cluster {
    fn start(groups: Groups) -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let mut cluster = Self { folder, daemons: Vec::new(), nodes: Vec::new(), groups };
        cluster.write();
        for name in NODES {
            cluster.nodes.push(Node::start(&cluster, name));
        }
        let [first, second] = [0, 1].map(|at| cluster.nodes[at].init.to_string());
        let cable = ["link", "add", "eth0", "netns", &first, "type", "veth", "peer", "name", "eth0", "netns", &second];
        output(Command::new("ip").args(cable));
        for (node, address) in cluster.nodes.iter().zip(ADDRESSES) {
            output(node.command("ip").args(["address", "add", &format!("{address}/24"), "dev", "eth0"]));
            for device in ["eth0", "lo"] {
                output(node.command("ip").args(["link", "set", device, "up"]));
            }
        }
        let file = |option: &str, name: &str| format!("--{option}={}", cluster.path(name).display());
        let munged = Command::new("munged").args(["--foreground", "--force"]).args([
            file("key-file", "key"),
            file("socket", "munge"),
            file("pid-file", "munge.pid"),
            file("seed-file", "munge.seed"),
        ]);
        cluster.daemon(munged, "munged");
        wait_for("munged", || cluster.path("munge").exists());
        let conf = cluster.path("slurm.conf").display().to_string();
        let slurmctld = cluster.nodes[0].command("slurmctld").args(["-D", "-c", "-f", &conf]);
        cluster.daemon(slurmctld, "slurmctld");
        wait_for("slurmctld", || {
            cluster.command("scontrol", &["ping"]).output().is_ok_and(|ping| ping.stdout.contains("UP"))
        });
        for (at, name) in NODES.into_iter().enumerate() {
            let slurmd = cluster.nodes[at].command("slurmd").args(["-D", "-N", name, "-f", &conf]);
            cluster.daemon(slurmd, &format!("slurmd-{name}"));
        }
        wait_for("two nodes", || cluster.ask("sinfo", &["-h", "-o", "%D %t"]) == "2 idle");
        cluster
    }

    fn write(&self) {
        let path = |name: &str| self.path(name);
        for name in ["state", "spool-live1", "spool-live2", "dev", "out"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        for gpu in 0..8 {
            // Slurm wants devices. These swallow what is written, as /dev/null does.
            let device = path(&format!("dev/nvidia{gpu}")).display().to_string();
            output(Command::new("mknod").args([&device, "c", "1", "3"]));
        }
        let key: Vec<u8> = (0..1024_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13 & 0xff) as u8).collect();
        for (name, text) in
            [("plugstack.conf", Vec::new()), ("key", key), ("talk.py", TALK.into()), ("cgroup.conf", CGROUP.into())]
        {
            std::fs::write(path(name), text).unwrap();
        }
        for (name, mode) in [("key", 0o400), (".", 0o755), ("out", 0o777)] {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let folder = self.folder.path().display();
        let host = output(Command::new("hostname").arg("-s"));
        let [first, second] = ADDRESSES;
        let plugins = match self.groups {
            Groups::None => "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none",
            Groups::First => {
                "ProctrackType=proctrack/cgroup\nTaskPlugin=task/cgroup\nJobAcctGatherType=jobacct_gather/cgroup"
            }
        };
        let conf = format!(
            "ClusterName=live\nSlurmctldHost={host}({first})\nSlurmUser=root\nSlurmdUser=root\n\
             AuthType=auth/munge\nCryptoType=crypto/munge\nAuthInfo=socket={folder}/munge\nStateSaveLocation={folder}/state\n\
             SlurmdSpoolDir={folder}/spool-%n\nSlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd-%n.pid\n\
             PlugStackConfig={folder}/plugstack.conf\n{plugins}\n\
             SelectType=select/cons_tres\nMpiDefault=none\nSwitchType=switch/none\nReturnToService=2\n\
             SlurmdParameters=config_overrides\nGresTypes=gpu\nMailProg=/bin/true\n\
             NodeName=live1 NodeAddr={first} NodeHostname={host} Port=6818 CPUs=4 RealMemory=1000 Gres=gpu:8\n\
             NodeName=live2 NodeAddr={second} NodeHostname={host} Port=6818 CPUs=4 RealMemory=1000 Gres=gpu:8\n\
             PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE\n"
        );
        std::fs::write(path("slurm.conf"), conf).unwrap();
        std::fs::write(path("gres.conf"), format!("NodeName=live[1-2] Name=gpu File={folder}/dev/nvidia[0-7]\n"))
            .unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn daemon(&mut self, command: Command, name: &str) {
        let command = command.env("SLURM_CONF", self.path("slurm.conf"));
        self.daemons.push(command.daemon(&self.path(&format!("{name}.log"))).unwrap());
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        self.nodes[0].command(program).args(arguments).env("SLURM_CONF", self.path("slurm.conf"))
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> String {
        output(self.command(program, arguments))
    }

    /// Sends a script off as somebody who is not root, and gives the job's number.
    fn submit(&self, arguments: &[&str], script: &str) -> String {
        let out = self.path("out/job").display().to_string();
        let fixed = ["--parsable", "--uid=nobody", "-A", "ml", "-D", "/tmp", "-o", &out, "--wrap", script];
        self.ask("sbatch", &[arguments, &fixed].concat())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What runs in a node ends with its namespaces; munged runs outside them.
        self.nodes.clear();
        let until = Instant::now() + Duration::from_secs(5);
        while self.groups == Groups::First && !remove_groups() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(100));
        }
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// The agent of the first node, with replayed GPUs and EFA, the latter without any traffic.
struct Agent<'a> {
    cluster: &'a Cluster,
    child: Child,
}

impl<'a> Agent<'a> {
    fn start(cluster: &'a Cluster) -> Self {
        let replay = cluster.path("replay").display().to_string();
        let binary = env!("CARGO_BIN_EXE_trainyard-agent");
        if !cluster.path("replay").exists() {
            let write = ["replay", "write", "--profile", "p5", "--fault", "efa-idle", &replay];
            Command::new(binary).args(write).run().unwrap();
        }
        let state = cluster.path("agent-state").display().to_string();
        let serve = ["serve", "--interval", "5", "--only", "gpu,efa,jobs", "--replay", &replay, "--state", &state];
        let child = cluster.nodes[0].command(binary).args(serve).daemon(&cluster.path("agent.log")).unwrap();
        let agent = Self { cluster, child };
        wait_for("the agent", || !agent.scrape().is_empty());
        agent
    }

    fn scrape(&self) -> String {
        let curl = self.cluster.nodes[0].command("curl").args(["-s", "http://127.0.0.1:9400/metrics"]);
        curl.output().map(|output| output.stdout).unwrap_or_default()
    }

    /// The samples of a metric: their labels, and their values.
    fn samples(&self, name: &str) -> Vec<(BTreeMap<String, String>, f64)> {
        let sample = |line: &str| {
            let (of, labels, value) = read_line(line)?;
            (of == name).then_some((labels, value))
        };
        self.scrape().lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect()
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        let log = std::fs::read_to_string(self.cluster.path("agent.log")).unwrap();
        let event = |line: &str| serde_json::from_str::<Value>(line).ok().filter(|event| event["kind"] == kind);
        log.lines().filter_map(event).collect()
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        // The child is nsenter, which waits for the agent.
        let pids = format!("/proc/{0}/task/{0}/children", self.child.id());
        if let Some(pid) = std::fs::read_to_string(pids).ok().and_then(|pid| pid.trim().parse().ok()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Slurm leaves its own when it is killed. Whether none is left.
fn remove_groups() -> bool {
    fn remove(folder: &Path) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                remove(&entry.path());
            }
        }
        let _ = std::fs::remove_dir(folder); // a group with a process in it stays for the next time
    }
    let hierarchies = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let groups = hierarchies.flat_map(|hierarchy| NODES.map(|node| hierarchy.path().join(format!("slurm_{node}"))));
    let left = groups.filter(|group| {
        remove(group);
        group.exists()
    });
    left.count() == 0
}

fn output(command: Command) -> String {
    command.run().unwrap().stdout.trim().to_owned()
}

#[track_caller]
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !is_there() {
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs Slurm, and root: run ./test"]
fn a_real_job_is_known_with_user_account_and_gpus_and_summed_up_when_it_ends() {
    let cluster = Cluster::start(Groups::None);
    let agent = Agent::start(&cluster);
    assert!(agent.scrape().contains("trainyard_jobs 0\n"));
    let id = cluster.submit(&["-w", NODES[0], "--gres=gpu:2", "-J", "train", "-a", "3"], "sleep 9 & sleep 9; wait");
    wait_for("the job", || agent.samples("trainyard_job_info").iter().any(|(labels, _)| !labels["user"].is_empty()));
    let info = agent.samples("trainyard_job_info").remove(0).0;
    let raw = cluster.ask("squeue", &["-h", "-o", "%A"]);
    let expected = [
        ("jobid", raw.as_str()),
        ("user", "nobody"),
        ("account", "ml"),
        ("partition", "main"),
        ("name", "train"),
        ("nodes", "1"),
        ("array_job_id", id.as_str()),
        ("array_task_id", "3"),
        ("measured", "processes"),
    ];
    for (label, value) in expected {
        assert_eq!(info[label], value, "{label}");
    }
    let gpus: Vec<_> =
        agent.samples("trainyard_job_gpu_info").into_iter().map(|(mut of, _)| of.remove("gpu")).collect();
    assert_eq!(gpus, [Some("0".to_owned()), Some("1".to_owned())]);
    let processes = agent.samples("trainyard_job_processes")[0].1;
    assert!((3.0..=4.0).contains(&processes), "{processes} processes: a shell or two, and two sleeps");
    wait_for("its end", || !agent.events("job_ended").is_empty());
    let ended = agent.events("job_ended").remove(0);
    assert_eq!(
        (&ended["jobid"], &ended["user"], &ended["account"]),
        (&raw.as_str().into(), &"nobody".into(), &"ml".into())
    );
    assert!(ended["gpus"].as_array().is_some_and(|gpus| gpus.len() == 2 && gpus[0]["seconds"].as_f64() > Some(3.0)));
    assert!(ended["memory_peak_bytes"].as_u64() > Some(100_000), "{ended}");
    assert_eq!(ended["replay"], "p5");
    let state = cluster.path("agent-state").display().to_string();
    let list =
        Command::new(env!("CARGO_BIN_EXE_trainyard-agent")).args(["jobs", "--state", &state, "--format", "json"]);
    let list: Value = serde_json::from_str(&output(list)).unwrap();
    assert_eq!((&list["ended"][0]["jobid"], list["running"].as_array().map(Vec::len)), (&ended["jobid"], Some(0)));
    assert!(agent.scrape().contains("trainyard_jobs_ended_total 1\n"));
}

#[test]
#[ignore = "needs Slurm, and root: run ./test"]
fn a_job_that_talks_over_tcp_while_efa_stands_still_trips_the_wire_within_one_interval() {
    let cluster = Cluster::start(Groups::None);
    let agent = Agent::start(&cluster);
    let talk = format!("srun /usr/bin/python3 {} {} 20", cluster.path("talk.py").display(), ADDRESSES[0]);
    let id = cluster.submit(&["-N", "2", "-n", "2", "--gres=gpu:8"], &talk);
    let moved = || {
        let table = output(cluster.nodes[0].command("cat").arg("/proc/net/dev"));
        let line = table.lines().find_map(|line| line.trim().strip_prefix("eth0:")).unwrap();
        line.split_ascii_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    wait_for("traffic", || moved() > 50_000_000);
    let begin = Instant::now();
    wait_for("the alarm", || !agent.events("silent_tcp").is_empty());
    // An interval that is wholly of it ends two intervals after its begin at the latest.
    assert!(begin.elapsed() < Duration::from_secs(11), "{:?}", begin.elapsed());
    let (labels, value) = agent.samples("trainyard_silent_tcp").remove(0);
    assert_eq!((labels["jobid"].as_str(), value), (id.as_str(), 1.0));
    let alarm = agent.events("silent_tcp").remove(0);
    assert_eq!((&alarm["user"], &alarm["account"], &alarm["nodes"]), (&"nobody".into(), &"ml".into(), &2.into()));
    // An agent that is started anew in the midst of a job goes on with its sums.
    drop(agent);
    let agent = Agent::start(&cluster);
    wait_for("the end", || !agent.events("job_ended").is_empty());
    let ended = agent.events("job_ended").remove(0);
    assert_eq!(ended["jobid"].as_str(), Some(id.as_str()));
    assert!(ended["ordinary_bytes"].as_u64() > Some(500_000_000), "{ended}");
    assert!(ended["efa_bytes"].as_u64() == Some(0) && ended["gpus"].as_array().map(Vec::len) == Some(8), "{ended}");
    assert!(ended["unseen_seconds"].as_f64() > Some(0.0), "{ended}");
}

#[test]
#[ignore = "needs Slurm, and root: run ./test"]
fn a_job_in_a_control_group_has_the_groups_figures() {
    if !Path::new("/sys/fs/cgroup/memory/cgroup.procs").exists() {
        let _ = writeln!(std::io::stderr(), "no verdict: this machine has no control groups of version 1");
        return;
    }
    let cluster = Cluster::start(Groups::First);
    let agent = Agent::start(&cluster);
    let script = "/usr/bin/python3 -c \"import time; x = bytearray(100 << 20); time.sleep(8)\"";
    let id = cluster.submit(&["-w", NODES[0], "--mem=300"], script);
    wait_for("the job", || agent.samples("trainyard_job_info").iter().any(|(labels, _)| !labels["user"].is_empty()));
    let info = agent.samples("trainyard_job_info").remove(0).0;
    assert_eq!((info["jobid"].as_str(), info["user"].as_str(), info["measured"].as_str()), (&*id, "nobody", "cgroup"));
    let memory = || agent.samples("trainyard_job_memory_bytes").first().map(|(_, bytes)| *bytes);
    wait_for("its memory", || memory() >= Some(1e8));
    for (metric, least, most) in [
        ("trainyard_job_memory_bytes", 100 << 20, 200 << 20),
        ("trainyard_job_memory_peak_bytes", 100 << 20, 200 << 20),
        ("trainyard_job_memory_limit_bytes", 300 << 20, 300 << 20),
    ] {
        let value = agent.samples(metric)[0].1;
        assert!((f64::from(least)..=f64::from(most)).contains(&value), "{metric} {value}");
    }
    assert!(agent.samples("trainyard_job_cpu_seconds_total")[0].1 > 0.01);
    wait_for("its end", || agent.scrape().contains("trainyard_jobs_ended_total 1\n"));
    let list = Command::new(env!("CARGO_BIN_EXE_trainyard-agent"));
    let list = output(list.args(["jobs", "--state", &cluster.path("agent-state").display().to_string()]));
    assert!(list.contains("\nended:\n") && list.contains("nobody  ml"), "{list}");
    // It was short, and had no GPU.
    assert!(agent.events("job_ended").is_empty());
}
