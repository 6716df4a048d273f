//! What the agent is told on its command line.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::collect::dcgm::Exporter;
use crate::collect::slurm::{Access, Programs};
use crate::collect::{COLLECTORS, Kind, Made, ScopeChoice, Setting, replay_profile};
use crate::events::Events;
use crate::files::Roots;
use crate::replay::SECONDS_MAX;

/// What runs on a node of a training cluster: metrics of GPUs, NVLink, EFA, the machine, Slurm and jobs on one port.
#[derive(Debug, Parser)]
#[command(name = "trainyard-agent", version, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the agent does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve metrics until it is told to end.
    ///
    /// `/metrics` gives what was collected last; values older than half an interval are collected first. `/metrics?fresh`
    /// collects in any case. `/healthz` says how each collector fares, `/api/v1/snapshot` gives all values as JSON,
    /// `/api/v1/usage` what the node does now in a few figures.
    Serve(Serve),
    /// List every metric: what it is, its type, unit and labels, and where it comes from.
    Metrics(Metrics),
    /// Ask running agents what their nodes do now: processors, memory, GPUs, fabric. A line of JSON each.
    ///
    /// Rates are means over the time between an agent's last two collections.
    Ask(Ask),
    /// Collect once and print the metrics, as /metrics would give them.
    Print(Collecting),
    /// List the jobs of this node, those that run and those that ended last, from what the agent keeps in its --state.
    Jobs(ListJobs),
    /// Make folders for --replay: nodes with GPUs and fabric for machines that have none.
    #[command(subcommand)]
    Replay(Replay),
}

/// `replay`.
#[derive(Debug, Subcommand)]
pub enum Replay {
    /// Write a folder, or bring one up to date: with a later second its counters move on.
    Write(WriteReplay),
    /// Let the time of a folder go on: its counters move as those of a node at work.
    Play(PlayReplay),
    /// Show which profiles and faults there are.
    List,
}

/// `replay write`.
#[derive(Debug, Args)]
pub struct WriteReplay {
    /// The machine; `replay list` shows all.
    #[arg(long, value_name = "NAME")]
    pub profile: String,
    /// What is wrong with it; may be given more than once.
    #[arg(long = "fault", value_name = "NAME")]
    pub faults: Vec<String>,
    /// For how long the node has been at work. Counters grow with it.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(0..=SECONDS_MAX))]
    pub seconds: u64,
    /// The node's name: nodes of different names have different serial numbers.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub node: String,
    /// The folder. It must be empty, or a replay already.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// `metrics`.
#[derive(Debug, Args)]
pub struct Metrics {
    /// Only names with this in them.
    pub part: Option<String>,
    /// How.
    #[arg(long, value_enum, default_value_t)]
    pub format: ListFormat,
}

/// `jobs`.
#[derive(Debug, Args)]
pub struct ListJobs {
    /// The folder that the agent was given with --state.
    #[arg(long, value_name = "FOLDER")]
    pub state: PathBuf,
    /// Of those that ended, so many.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub last: usize,
    /// How.
    #[arg(long, value_enum, default_value_t)]
    pub format: ListFormat,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ListFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// `ask`.
#[derive(Debug, Args)]
pub struct Ask {
    /// Where they listen, without TLS and users.
    #[arg(value_name = "ADDRESS:PORT", required = true, num_args = 1..=4096)]
    pub agents: Vec<SocketAddr>,
}

/// `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen. Give a private address of the node; all addresses need --web-config with TLS and users.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9400")]
    pub listen: SocketAddr,
    /// Listen here too, with node_exporter's metrics only, and leave dcgm-exporter's to --listen: the classic two ports.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen_machine: Option<SocketAddr>,
    /// TLS and users, in the format of Prometheus's exporters: tls_server_config and basic_auth_users.
    #[arg(long, value_name = "FILE")]
    pub web_config: Option<PathBuf>,
    /// Seconds between collections that nobody asks for.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: u64,
    /// What is collected.
    #[command(flatten)]
    pub collecting: Collecting,
}

/// `replay play`.
#[derive(Debug, Args)]
pub struct PlayReplay {
    /// Seconds between two writings.
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub every: u64,
    /// When to stop.
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    pub played_seconds: u64,
    /// Write the folder first, with this machine; `replay list` shows all.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// With --profile: what is wrong with it; may be given more than once.
    #[arg(long = "fault", value_name = "NAME", requires = "profile")]
    pub faults: Vec<String>,
    /// With --profile: for how long the node has been at work.
    #[arg(long, value_name = "SECONDS", requires = "profile", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(0..=SECONDS_MAX))]
    pub seconds: u64,
    /// With --profile: the node's name.
    #[arg(long, value_name = "NAME", requires = "profile", default_value = "")]
    pub node: String,
    /// The folder. Without --profile, one that `replay write` made.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// What is collected, and from where.
#[derive(Debug, Args)]
pub struct Collecting {
    /// Only these collectors, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub only: Vec<String>,
    /// All but these.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "only")]
    pub without: Vec<String>,
    /// Where /proc is mounted.
    #[arg(long, value_name = "FOLDER", default_value = "/proc")]
    pub proc: PathBuf,
    /// Where /sys is mounted.
    #[arg(long, value_name = "FOLDER", default_value = "/sys")]
    pub sys: PathBuf,
    /// Where the machine's own file system is mounted.
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    pub root: PathBuf,
    /// Show what this folder holds in place of accelerators, fabric, Lustre and kernel log. All of it is labelled as a replay.
    #[arg(long, value_name = "FOLDER")]
    pub replay: Option<PathBuf>,
    /// Whose values: where nodes share a machine, `node` on each of them and `host` on one.
    #[arg(long, value_enum, default_value_t)]
    pub scope: ScopeChoice,
    /// With --scope: the nodes share the machine's network and processes too.
    #[arg(long)]
    pub shares_namespaces: bool,
    /// NVIDIA's library, if the system's loader does not find it.
    #[arg(long, value_name = "FILE")]
    pub nvml: Option<PathBuf>,
    /// Keep counts (Xids, sums of jobs) here over a restart.
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// Show the metrics that other programs leave in this folder too, in files NAME.prom of the classic text format.
    #[arg(long, value_name = "FOLDER")]
    pub textfile: Option<PathBuf>,
    /// The node's name, if it is not the host's.
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// Where jobs tell of their training: lines of JSON in FOLDER/JOB/RANK.jsonl. /run/trainyard/training, if it is there.
    #[arg(long, value_name = "FOLDER")]
    pub training: Option<PathBuf>,
    /// A DCGM exporter on this machine, for the DCGM_FI_PROF_* of GPUs before Hopper: http://127.0.0.1:9401/metrics.
    #[arg(long, value_name = "URL")]
    pub dcgm_exporter: Option<Exporter>,
    /// AWS's neuron-monitor, if it is neither in /opt/aws/neuron/bin nor on the search path.
    #[arg(long, value_name = "FILE")]
    pub neuron_monitor: Option<PathBuf>,
    /// Slurm.
    #[command(flatten)]
    pub slurm: Slurm,
}

/// How Slurm is asked.
#[derive(Debug, Clone, Args)]
pub struct Slurm {
    /// Ask Slurm's controller for nodes, jobs, partitions, shares and the scheduler. One agent of a cluster does, the head's.
    #[arg(long = "slurm")]
    pub is_asked: bool,
    /// Seconds between two times that Slurm is asked, however many scrape.
    #[arg(id = "slurm_interval", long = "slurm-interval", value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub interval: u64,
    /// Where Slurm's programs are, if not on the search path or in /opt/slurm/bin.
    #[arg(id = "slurm_programs", long = "slurm-programs", value_name = "FOLDER")]
    pub programs: Option<PathBuf>,
    /// The slurm.conf, if Slurm's programs do not find it by themselves.
    #[arg(id = "slurm_conf", long = "slurm-conf", value_name = "FILE")]
    pub conf: Option<PathBuf>,
    /// The most partitions, and users, and accounts, that have series of their own; the rest of each is shown as one.
    #[arg(id = "slurm_names", long = "slurm-names", value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub names: u32,
}

impl Slurm {
    fn access(&self) -> Option<Access> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let find = |program: &str| match &self.programs {
            Some(folder) => folder.join(program),
            None => find_program(&path, Path::new(PARALLELCLUSTER), program),
        };
        self.is_asked.then(|| Access {
            interval: Duration::from_secs(self.interval),
            programs: Programs {
                scontrol: find("scontrol"),
                squeue: find("squeue"),
                sdiag: find("sdiag"),
                sshare: find("sshare"),
            },
            // The collector gives the programs no variable of Slurm's but this.
            conf: self.conf.clone().or_else(|| std::env::var_os("SLURM_CONF").map(PathBuf::from)),
            names: self.names as usize,
        })
    }
}

/// Where ParallelCluster has Slurm. A service's search path does not have it.
const PARALLELCLUSTER: &str = "/opt/slurm/bin";

/// A path for the program, or its name for whoever starts it to search, and to say that it is missing.
fn find_program(path: &OsStr, elsewhere: &Path, program: &str) -> PathBuf {
    let is_on_path = std::env::split_paths(path).any(|folder| folder.join(program).is_file());
    let elsewhere = elsewhere.join(program);
    if !is_on_path && elsewhere.is_file() { elsewhere } else { PathBuf::from(program) }
}

impl Collecting {
    /// The collectors that are asked for and that this machine has something for. An error names what there is none of.
    pub fn collectors(&self, events: &Events) -> Result<Vec<Made>, String> {
        for name in self.only.iter().chain(&self.without) {
            if !COLLECTORS.iter().any(|kind| kind.name == name) {
                let names: Vec<&str> = COLLECTORS.iter().map(|kind| kind.name).collect();
                return Err(format!("there is no collector `{name}`; there are: {}", names.join(", ")));
            }
        }
        let is_asked = |kind: &&&'static Kind| {
            let is_in = |names: &[String]| names.iter().any(|name| name == kind.name);
            (self.only.is_empty() || is_in(&self.only)) && !is_in(&self.without)
        };
        let setting = self.setting(events);
        let made = |kind: &&'static Kind| setting.make(kind);
        Ok(COLLECTORS.iter().filter(is_asked).filter_map(made).collect())
    }

    fn setting(&self, events: &Events) -> Setting {
        let (proc, sys, root) = (self.proc.clone(), self.sys.clone(), self.root.clone());
        let fabric_sys = self.replay.as_ref().map(|folder| folder.join("sys"));
        if let Some(folder) = &self.replay {
            events.are_replayed(&replay_profile(folder));
        }
        let own_name = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
        Setting {
            roots: Roots { proc, sys, root, fabric_sys },
            replay: self.replay.clone(),
            nvml: self.nvml.clone(),
            state: self.state.clone(),
            textfile: self.textfile.clone(),
            events: events.clone(),
            host: self.host.clone().unwrap_or_else(own_name),
            scope: self.scope,
            shares_namespaces: self.shares_namespaces,
            training: self.training.clone(),
            dcgm_exporter: self.dcgm_exporter.clone(),
            neuron_monitor: self.neuron_monitor.clone(),
            slurm: self.slurm.access(),
            ..Setting::default()
        }
    }
}

impl Serve {
    /// The interval.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_whole() {
        Arguments::command().debug_assert();
    }

    /// D-A39: a service's search path has no /opt/slurm/bin.
    #[test]
    fn slurms_programs_are_found_off_the_search_path_d_a39() {
        let (on_path, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let found = || find_program(on_path.path().as_os_str(), elsewhere.path(), "squeue");
        assert_eq!(found(), PathBuf::from("squeue"));
        fs_err::write(elsewhere.path().join("squeue"), "").unwrap();
        assert_eq!(found(), elsewhere.path().join("squeue"));
        fs_err::write(on_path.path().join("squeue"), "").unwrap();
        assert_eq!(found(), PathBuf::from("squeue"));
    }

    #[test]
    fn slurms_programs_are_where_they_are_said_to_be() {
        let told = ["trainyard-agent", "serve", "--slurm", "--slurm-interval", "60", "--slurm-programs", "/opt/x"];
        let Command::Serve(serve) = Arguments::try_parse_from(told).unwrap().command else { panic!("not serve") };
        let access = serve.collecting.slurm.access().unwrap();
        assert_eq!(access.interval, Duration::from_mins(1));
        assert_eq!(access.programs.squeue, PathBuf::from("/opt/x/squeue"));
        assert_eq!(serve.interval(), Duration::from_secs(10));
        let Command::Print(collecting) = Arguments::try_parse_from(["trainyard-agent", "print"]).unwrap().command
        else {
            panic!("not print")
        };
        assert!(collecting.slurm.access().is_none());
        assert!(Arguments::try_parse_from(["trainyard-agent", "serve", "--slurm-interval", "4"]).is_err());
    }
}
