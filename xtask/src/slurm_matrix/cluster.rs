//! A small cluster within a root: munged, slurmctld and one slurmd, with jobs of several states.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use super::Compared;
use super::programs::{daemon, said, within};
use super::roots::{Distribution, Root};

/// The folder within the root.
const FOLDER: &str = "/run/trainyard-matrix";

pub(super) struct Cluster<'a> {
    root: &'a Path,
    distribution: &'static Distribution,
    daemons: Vec<Child>,
}

impl<'a> Cluster<'a> {
    /// Starts it, and waits until its controller answers.
    pub(super) fn start(root: &'a Root, distribution: &'static Distribution) -> Result<Self, String> {
        let mut cluster = Self { root: &root.path, distribution, daemons: Vec::new() };
        cluster.write().map_err(|error| format!("{}: {error}", cluster.path("").display()))?;
        let file = |option: &str, name: &str| format!("--{option}={FOLDER}/{name}");
        let keys =
            [file("key-file", "key"), file("socket", "munge"), file("pid-file", "pid"), file("seed-file", "seed")];
        let mut munged = vec!["munged", "--foreground", "--force"];
        munged.extend(keys.iter().map(String::as_str));
        let conf = format!("{FOLDER}/slurm.conf");
        cluster.daemon(&munged)?;
        let socket = cluster.path("munge");
        cluster.wait_for("munged", || socket.exists())?;
        cluster.daemon(&["slurmctld", "-D", "-c", "-f", &conf])?;
        cluster.wait_for("slurmctld", || cluster.ask(&["scontrol", "ping"]).is_ok_and(|ping| ping.contains("UP")))?;
        cluster.daemon(&["slurmd", "-D", "-N", "n1", "-f", &conf])?;
        cluster.wait_for("slurmd", || {
            cluster.ask(&["sinfo", "-h", "-n", "n1", "-o", "%t"]).is_ok_and(|state| state.starts_with("idle"))
        })?;
        Ok(cluster)
    }

    /// A place in the folder, as seen from outside of the root.
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(FOLDER.trim_start_matches('/')).join(name)
    }

    fn write(&self) -> std::io::Result<()> {
        let folder = self.path("");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(self.path("state"))?;
        fs::create_dir_all(self.path("programs"))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        // It guards nothing: the cluster listens on loopback for a minute.
        fs::write(self.path("key"), [7_u8; 1024])?;
        fs::set_permissions(self.path("key"), fs::Permissions::from_mode(0o400))?;
        fs::write(self.path("plugstack.conf"), "")?;
        fs::write(self.path("cgroup.conf"), format!("CgroupPlugin={}\n", self.distribution.cgroups))?;
        fs::write(self.path("gres.conf"), "NodeName=c[1-5] Name=gpu Type=h100 Count=8\n")?;
        let [controller, node] = free_ports()?;
        let host = fs::read_to_string("/proc/sys/kernel/hostname")?;
        let host = host.trim().split('.').next().unwrap_or_default();
        let native = if self.distribution.native { "MetricsType=metrics/openmetrics\n" } else { "" };
        let conf = format!(
            "{native}ClusterName=matrix\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={controller}\nSlurmUser=root\nSlurmdUser=root\n\
             AuthType=auth/munge\nAuthInfo=socket={FOLDER}/munge\nStateSaveLocation={FOLDER}/state\n\
             SlurmdSpoolDir={FOLDER}/spool\nSlurmctldPidFile={FOLDER}/slurmctld.pid\nSlurmdPidFile={FOLDER}/slurmd.pid\n\
             PlugStackConfig={FOLDER}/plugstack.conf\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
             SelectType=select/cons_tres\nMpiDefault=none\nReturnToService=2\nSlurmdParameters=config_overrides\n\
             GresTypes=gpu\nMailProg=/bin/true\nPrivateData=cloud\nSuspendTime=INFINITE\nResumeTimeout=600\n\
             SuspendProgram=/bin/true\nResumeProgram=/bin/true\nSuspendExcNodes=n1\n\
             NodeName=n1 NodeAddr=127.0.0.1 Port={node} CPUs=4 RealMemory=100\n\
             NodeName=c[1-5] CPUs=8 RealMemory=100 State=CLOUD Gres=gpu:h100:8\n\
             PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE\nPartitionName=gpu Nodes=c[1-5]\n"
        );
        fs::write(self.path("slurm.conf"), conf)?;
        for program in ["scontrol", "squeue", "sdiag", "sshare"] {
            let script = format!("#!/bin/sh\nexec chroot '{}' {program} \"$@\"\n", self.root.display());
            let path = self.path("programs").join(program);
            fs::write(&path, script)?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    fn daemon(&mut self, arguments: &[&str]) -> Result<(), String> {
        let name = arguments.first().unwrap_or(&"daemon");
        self.daemons.push(daemon(self.root, arguments, &self.path(&format!("{name}.log")))?);
        Ok(())
    }

    /// What a program within the root says.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let conf = format!("{FOLDER}/slurm.conf");
        said(within(30, "chroot").arg(self.root).args(arguments).env("SLURM_CONF", conf))
    }

    fn wait_for(&self, what: &str, is_there: impl Fn() -> bool) -> Result<(), String> {
        let until = Instant::now() + Duration::from_mins(1);
        while !is_there() {
            if Instant::now() > until {
                let log = fs::read_to_string(self.path(&format!("{what}.log"))).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(3).collect();
                return Err(format!("{what} did not come within 60 s, saying: {}", last.join("; ")));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Jobs and nodes of several states.
    pub(super) fn fill(&self) -> Result<String, String> {
        let submit = |arguments: &[&str]| {
            self.ask(&[&["sbatch", "--parsable", "-D", "/", "-o", "/dev/null"], arguments].concat())
        };
        let first = submit(&["-w", "n1", "-n", "3", "--wrap", "sleep 60"])?;
        submit(&["-w", "n1", "-n", "4", "--wrap", "true"])?;
        submit(&["-p", "main,gpu", "-H", "-a", "1-30", "--wrap", "true"])?;
        submit(&["-d", &format!("afterok:{}", first.trim()), "--wrap", "true"])?;
        submit(&["-p", "gpu", "-w", "c1", "--gres=gpu:h100:3", "--wrap", "true"])?;
        self.ask(&["scontrol", "update", "nodename=c2", "state=drain", "reason=State=IDLE CPUTot=99"])?;
        self.ask(&["scontrol", "update", "nodename=c3", "state=down", "reason=x"])?;
        let active =
            || self.ask(&["squeue", "-h", "-t", "R,CF", "-o", "%i"]).is_ok_and(|jobs| jobs.lines().count() == 2);
        self.wait_for("the jobs", active)?;
        Ok("34 jobs, 6 nodes in 2 partitions".to_owned())
    }

    /// What the agent says, beside what Slurm's own programs say.
    pub(super) fn compare(&self, agent: &Path) -> Result<Vec<Compared>, String> {
        let nodes = self.ask(&["sinfo", "-N", "-h", "-p", "main", "-o", "%t"])?;
        let jobs = self.ask(&["squeue", "-a", "-r", "-h", "-t", "all", "-o", "%t %r"])?;
        let cpus = self.ask(&["sinfo", "-h", "-p", "main", "-o", "%C"])?;
        let cpus: Vec<f64> = cpus.trim().split('/').filter_map(|number| number.parse().ok()).collect();
        let [allocated, _, _, total] = cpus.as_slice() else { return Err("sinfo says nothing of CPUs".to_owned()) };
        let mut command = within(60, agent.to_str().ok_or("the agent's path is no text")?);
        command.args([
            "print",
            "--only",
            "slurm,slurm_native",
            "--slurm",
            "--slurm-conf",
            &format!("{FOLDER}/slurm.conf"),
        ]);
        let text = said(command.arg("--slurm-programs").arg(self.path("programs")))?;
        let values = values(&text);
        let node = |beginning: &str| count(&nodes, |state| state.trim().starts_with(beginning));
        let job = |beginning: &str| count(&jobs, |job| job.starts_with(beginning));
        let unread =
            values.iter().filter(|(series, _)| series.starts_with("slurm_lines_unread")).map(|(_, value)| value);
        let unread: f64 = unread.sum();
        let expected = [
            ("node_scrape_collector_success{collector=\"slurm\"}", 1.0),
            ("slurm_nodes_total", count(&nodes, |_| true)),
            ("slurm_nodes_powered_down", node("idle~")),
            ("slurm_nodes_idle", count(&nodes, |state| state.trim() == "idle")),
            ("slurm_nodes_mix", node("mix")),
            ("slurm_nodes_drain", node("drain")),
            ("slurm_nodes_down", node("down")),
            ("slurm_queue_pending", job("PD")),
            ("slurm_queue_running", job("R ")),
            ("slurm_queue_configuring", job("CF")),
            ("slurm_queue_pending_dependency", job("PD Dependency")),
            ("slurm_pending_reason_total{reason=\"JobHeldUser\"}", job("PD JobHeldUser")),
            ("slurm_cpus_alloc", *allocated),
            ("slurm_cpus_total", *total),
            // Known without Slurm: five nodes of eight, and a job that has three.
            ("slurm_gpus_total", 40.0),
            ("slurm_gpus_alloc", 3.0),
            ("slurm_partition_jobs_pending{partition=\"gpu\"}", 30.0),
            ("slurm_scheduler_dbd_queue_size", 0.0),
            ("slurm_scheduler_jobs_submitted", 34.0),
        ];
        let mut compared: Vec<Compared> = expected
            .into_iter()
            .map(|(series, slurm)| Compared { series, agent: values.get(series).copied(), slurm })
            .collect();
        compared.push(Compared { series: "all of slurm_lines_unread", agent: Some(unread), slurm: 0.0 });
        // What the controller tells by itself.
        let native = [
            ("slurm_native_up{page=\"scheduler\"}", 1.0),
            ("slurm_native_up{page=\"jobs-users-accts\"}", 1.0),
            ("slurm_jobs", count(&jobs, |_| true)),
            ("slurm_jobs_hold", job("PD JobHeldUser")),
            ("slurm_nodes", count(&nodes, |_| true)),
            ("slurm_partition_jobs_hold{partition=\"main\"}", job("PD JobHeldUser")),
            ("slurm_node_cpus_alloc{node=\"n1\"}", 3.0),
        ];
        let native = native.into_iter().filter(|_| self.distribution.native);
        compared.extend(native.map(|(series, slurm)| Compared { series, agent: values.get(series).copied(), slurm }));
        Ok(compared)
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        // What a job started outlives slurmd, and would look for its controller for ever.
        let _ = self.ask(&["scancel", "-t", "RUNNING"]);
        let until = Instant::now() + Duration::from_secs(10);
        while self.ask(&["squeue", "-h", "-t", "R,CG"]).is_ok_and(|jobs| !jobs.is_empty()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(100));
        }
        // slurmd and slurmctld speak through munged.
        for daemon in self.daemons.iter_mut().rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// The samples of an exposition.
fn values(text: &str) -> BTreeMap<&str, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(series, value)| Some((series, value.parse().ok()?)))
        .collect()
}

fn count(text: &str, is_meant: impl Fn(&str) -> bool) -> f64 {
    text.lines().filter(|line| !line.is_empty() && is_meant(line)).map(|_| 1.0).sum()
}

fn free_ports() -> std::io::Result<[u16; 2]> {
    let [one, other] = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}
