//! The agent beside a real slurmctld, its numbers beside those of Slurm's own programs, and what it costs the controller.
//! `./test` runs it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use trainyard_node::exposition::read_line;
use trainyard_run::Command;

/// A cluster of its own in a folder: munged, slurmctld, one slurmd, and as many nodes as asked that are switched off.
struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    fn start(cloud_nodes: usize) -> Self {
        let mut cluster = Self { folder: tempfile::tempdir_in("/tmp").unwrap(), daemons: Vec::new() };
        let (path, folder) = (|name: &str| cluster.path(name), cluster.folder.path().display().to_string());
        for name in ["state", "spool"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        std::fs::write(path("plugstack.conf"), "").unwrap();
        let key: Vec<u8> = (0..1024_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13 & 0xff) as u8).collect();
        std::fs::write(path("key"), key).unwrap();
        for (name, mode) in [("key", 0o400), (".", 0o755)] {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let user = output(Command::new("id").arg("-un"));
        let host = output(Command::new("hostname").arg("-s"));
        let [controller, daemon] = free_ports();
        let conf = format!(
            "ClusterName=live\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={controller}\nSlurmUser={user}\nSlurmdUser={user}\n\
             AuthType=auth/munge\nCryptoType=crypto/munge\nAuthInfo=socket={folder}/munge\nStateSaveLocation={folder}/state\n\
             SlurmdSpoolDir={folder}/spool\nSlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd.pid\n\
             PlugStackConfig={folder}/plugstack.conf\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
             SelectType=select/cons_tres\nMpiDefault=none\nSwitchType=switch/none\nReturnToService=2\n\
             SlurmdParameters=config_overrides\nGresTypes=gpu\nMailProg=/bin/true\nPrivateData=cloud\n\
             SuspendTime=INFINITE\nResumeTimeout=600\nSuspendProgram=/bin/true\nResumeProgram=/bin/true\nSuspendExcNodes=n1\n\
             NodeName=n1 NodeAddr=127.0.0.1 Port={daemon} CPUs=4 RealMemory=1000\n\
             NodeName=c[1-{cloud_nodes}] CPUs=8 RealMemory=1000 State=CLOUD Gres=gpu:h100:8\n\
             PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE\nPartitionName=gpu Nodes=c[1-{cloud_nodes}]\n"
        );
        std::fs::write(path("slurm.conf"), conf).unwrap();
        std::fs::write(path("gres.conf"), format!("NodeName=c[1-{cloud_nodes}] Name=gpu Type=h100 Count=8\n")).unwrap();
        let file = |option: &str, name: &str| format!("--{option}={folder}/{name}");
        let munged = Command::new("munged").args(["--foreground", "--force"]).args([
            file("key-file", "key"),
            file("socket", "munge"),
            file("pid-file", "munge.pid"),
            file("seed-file", "munge.seed"),
        ]);
        let conf = path("slurm.conf").display().to_string();
        let slurmctld = Command::new("slurmctld").args(["-D", "-c", "-f", &conf]);
        let slurmd = Command::new("slurmd").args(["-D", "-N", "n1", "-f", &conf]);
        cluster.daemon(munged, "munged");
        wait_for("munged", || cluster.path("munge").exists());
        cluster.daemon(slurmctld, "slurmctld");
        wait_for("slurmctld", || {
            cluster.command("scontrol", &["ping"]).output().is_ok_and(|ping| ping.stdout.contains("UP"))
        });
        cluster.daemon(slurmd, "slurmd");
        wait_for("a node", || cluster.ask("sinfo", &["-h", "-n", "n1", "-o", "%t"]).starts_with("idle"));
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn daemon(&mut self, command: Command, name: &str) {
        self.daemons.push(command.daemon(&self.path(&format!("{name}.log"))).unwrap());
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        Command::new(program).args(arguments).env("SLURM_CONF", self.path("slurm.conf"))
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> String {
        output(self.command(program, arguments))
    }

    /// The requests that the controller had since the last reset, but for those of its daemons.
    fn requests(&self) -> BTreeMap<String, u64> {
        let mut requests = BTreeMap::new();
        for line in self.ask("sdiag", &[]).lines() {
            let name = line.split_whitespace().next().unwrap_or_default();
            if name.ends_with("_INFO") || name == "REQUEST_PING" {
                let count = line.split_once("count:").unwrap().1.split_whitespace().next().unwrap();
                requests.insert(name.to_owned(), count.parse().unwrap());
            }
        }
        requests
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What a job started outlives slurmd, and would look for its controller for ever.
        let _ = self.command("scancel", &["-t", "RUNNING"]).output();
        let until = Instant::now() + Duration::from_secs(10);
        let ends = || self.command("squeue", &["-h", "-t", "R,CG"]).output().is_ok_and(|jobs| !jobs.stdout.is_empty());
        while ends() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(100));
        }
        // The newest first: slurmd and slurmctld speak through munged.
        for daemon in self.daemons.iter_mut().rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// An agent that serves Slurm's metrics.
struct Agent {
    child: Child,
    address: String,
}

impl Agent {
    fn start(cluster: &Cluster) -> Self {
        let [port, _] = free_ports();
        let address = format!("127.0.0.1:{port}");
        let conf = cluster.path("slurm.conf").display().to_string();
        let arguments = [
            "serve",
            "--listen",
            &address,
            "--only",
            "slurm",
            "--slurm",
            "--slurm-interval",
            "5",
            "--slurm-conf",
            &conf,
        ];
        let agent = Command::new(env!("CARGO_BIN_EXE_trainyard-agent")).args(arguments);
        let child = agent.daemon(&cluster.path("agent.log")).unwrap();
        let agent = Self { child, address };
        wait_for("the agent's first values", || agent.values().contains_key("slurm_last_success_timestamp_seconds"));
        agent
    }

    fn get(&self, path: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return String::new() };
        let request = format!("GET {path} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        let _ = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
        answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned())
    }

    fn values(&self) -> BTreeMap<String, f64> {
        let mut values = BTreeMap::new();
        for line in self.get("/metrics").lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, labels, value)) = read_line(line) {
                let labels: Vec<String> = labels.into_values().collect();
                let series =
                    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) };
                values.insert(series, value);
            }
        }
        values
    }

    /// Waits until Slurm was asked once more.
    fn next_cycle(&self) -> BTreeMap<String, f64> {
        let last = |values: &BTreeMap<String, f64>| values.get("slurm_last_success_timestamp_seconds").copied();
        let before = last(&self.values());
        wait_for("the next cycle", || last(&self.values()) > before);
        self.values()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn output(command: Command) -> String {
    command.run().unwrap().stdout.trim().to_owned()
}

fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

#[track_caller]
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !is_there() {
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn count(text: &str, is_meant: impl Fn(&str) -> bool) -> f64 {
    u32::try_from(text.lines().filter(|line| is_meant(line)).count()).unwrap().into()
}

/// D-A39, on a real controller: nodes in two partitions, most of them powered down.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn its_numbers_are_those_of_slurms_own_programs_d_a39() {
    let cluster = Cluster::start(6);
    let quiet = |arguments: &[&str]| cluster.ask("sbatch", &[&["-o", "/dev/null"], arguments].concat());
    let first = quiet(&["--parsable", "-w", "n1", "-n", "3", "--wrap", "sleep 60"]);
    quiet(&["-w", "n1", "-n", "4", "--wrap", "true"]);
    quiet(&["-p", "main,gpu", "-H", "-a", "1-30", "--wrap", "true"]);
    quiet(&["-d", &format!("afterok:{first}"), "--wrap", "true"]);
    quiet(&["-p", "gpu", "-w", "c1", "--gres=gpu:h100:3", "--wrap", "true"]);
    cluster.ask("scontrol", &["update", "nodename=c2", "state=drain", "reason=State=IDLE bad disk"]);
    cluster.ask("scontrol", &["update", "nodename=c3", "state=down", "reason=x"]);
    wait_for("the jobs", || cluster.ask("squeue", &["-h", "-t", "R,CF", "-o", "%i"]).lines().count() == 2);
    let agent = Agent::start(&cluster);
    let values = agent.next_cycle();
    let nodes = cluster.ask("sinfo", &["-N", "-h", "-p", "main", "-o", "%t"]);
    let is = |wanted: &'static str| move |state: &str| state.trim() == wanted;
    let jobs = cluster.ask("squeue", &["-a", "-r", "-h", "-t", "all", "-o", "%t %r"]);
    let cpus = cluster.ask("sinfo", &["-h", "-p", "main", "-o", "%C"]);
    let cpus: Vec<f64> = cpus.split('/').map(|number| number.parse().unwrap()).collect();
    let expected = [
        ("slurm_nodes_total", count(&nodes, |_| true)),
        ("slurm_nodes_powered_down", count(&nodes, is("idle~"))),
        ("slurm_nodes_idle", count(&nodes, is("idle"))),
        ("slurm_nodes_mix", count(&nodes, |state| state.starts_with("mix"))),
        ("slurm_nodes_drain", count(&nodes, is("drain~"))),
        ("slurm_nodes_down", count(&nodes, is("down~"))),
        ("slurm_queue_pending", count(&jobs, |job| job.starts_with("PD"))),
        ("slurm_queue_running", count(&jobs, |job| job.starts_with("R "))),
        ("slurm_queue_configuring", count(&jobs, |job| job.starts_with("CF"))),
        ("slurm_pending_reason_total{JobHeldUser}", count(&jobs, |job| job == "PD JobHeldUser")),
        ("slurm_queue_pending_dependency", count(&jobs, |job| job == "PD Dependency")),
        ("slurm_cpus_alloc", cpus[0]),
        ("slurm_cpus_total", cpus[3]),
        // Known without Slurm: six nodes of eight, of which the one with the job gave three.
        ("slurm_gpus_total", 48.0),
        ("slurm_gpus_alloc", 3.0),
        ("slurm_partition_gpus_allocated{gpu}", 3.0),
        ("slurm_partition_jobs_pending{gpu}", 30.0),
        ("slurm_nodes_powered_down", 3.0),
        ("slurm_cpus_powered_down", 24.0),
        ("node_scrape_collector_success{slurm}", 1.0),
    ];
    for (series, value) in expected {
        assert_eq!(values.get(series), Some(&value), "{series}");
    }
    let unread: f64 =
        values.iter().filter(|(series, _)| series.starts_with("slurm_lines_unread")).map(|(_, value)| value).sum();
    assert!(unread == 0.0, "{values:?}");
}

/// Requests of two cycles, while so many scrape as often as they can.
fn requests_with(cluster: &Cluster, scrapers: usize) -> (BTreeMap<String, u64>, u64) {
    let agent = Agent::start(cluster);
    agent.next_cycle();
    cluster.ask("sdiag", &["--reset"]);
    let (is_over, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    let requests = std::thread::scope(|scope| {
        for _ in 0..scrapers {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    agent.get("/metrics?fresh");
                    answers.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(50));
                }
            });
        }
        agent.next_cycle();
        agent.next_cycle();
        let requests = cluster.requests();
        is_over.store(true, Ordering::SeqCst);
        requests
    });
    (requests, answers.into_inner())
}

#[test]
#[ignore = "needs Slurm: run ./test"]
fn slurm_is_asked_as_often_by_twenty_scrapers_and_for_ten_times_as_many_nodes() {
    let small = Cluster::start(20);
    let (one, few) = requests_with(&small, 1);
    let (twenty, many) = requests_with(&small, 20);
    assert!(many > 5 * few, "{many} scrapes are not many more than {few}");
    drop(small);
    let (large, _) = requests_with(&Cluster::start(200), 1);
    assert_eq!(one["REQUEST_NODE_INFO"], 2, "{one:?}");
    assert_eq!(one["REQUEST_JOB_INFO"], 2, "{one:?}");
    assert!(one.values().sum::<u64>() <= 2 * 12, "{one:?}");
    assert_eq!(one, twenty);
    assert_eq!(one, large);
}

#[test]
#[ignore = "needs Slurm: run ./test"]
fn when_the_controller_goes_the_last_values_stay_and_are_called_stale() {
    let mut cluster = Cluster::start(3);
    let agent = Agent::start(&cluster);
    let before = agent.values();
    let slurmctld = cluster.daemons.get_mut(1).unwrap();
    slurmctld.kill().unwrap();
    slurmctld.wait().unwrap();
    wait_for("the problem", || agent.values().get("node_scrape_collector_success{slurm}") == Some(&0.0));
    let after = agent.values();
    for series in ["slurm_nodes_total", "slurm_nodes_powered_down", "slurm_queue_pending"] {
        assert_eq!(before.get(series), after.get(series), "{series}");
    }
    assert_eq!(after.get("trainyard_agent_collector_stale{slurm}"), Some(&1.0));
    let health = agent.get("/healthz");
    assert!(health.contains("slurm:") && health.contains("controller"), "{health}");
    let log = cluster.path("agent.log");
    wait_for("a line of it", || std::fs::read_to_string(&log).unwrap().contains("collector slurm: "));
}
