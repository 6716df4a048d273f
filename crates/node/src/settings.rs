//! What the agent is told on its command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::collect::{COLLECTORS, Kind, Made, Setting};
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
    /// collects in any case. `/healthz` says how each collector fares, `/api/v1/snapshot` gives all values as JSON.
    Serve(Serve),
    /// Collect once and print the metrics, as /metrics would give them.
    Print(Collecting),
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

/// `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen. Give a private address of the node; all addresses need --web-config with TLS and users.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9400")]
    pub listen: SocketAddr,
    /// Listen here too, with node_exporter's metrics only, and leave dcgm-exporter's to --listen: the classic two ports.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen_machine: Option<SocketAddr>,
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
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub every: u64,
    /// When to stop.
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    pub seconds: u64,
    /// The folder, which `replay write` made.
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
    /// Show what this folder holds in place of accelerators, fabric and kernel log. All of it is labelled as a replay.
    #[arg(long, value_name = "FOLDER")]
    pub replay: Option<PathBuf>,
    /// NVIDIA's library, if the system's loader does not find it.
    #[arg(long, value_name = "FILE")]
    pub nvml: Option<PathBuf>,
    /// Keep counts (Xids) here over a restart.
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// The node's name, if it is not the host's.
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
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
        Ok(COLLECTORS.iter().filter(is_asked).filter_map(|kind| Some((*kind, (kind.make)(&setting)?))).collect())
    }

    fn setting(&self, events: &Events) -> Setting {
        let (proc, sys, root) = (self.proc.clone(), self.sys.clone(), self.root.clone());
        let fabric_sys = self.replay.as_ref().map(|folder| folder.join("sys"));
        let own_name = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
        Setting {
            roots: Roots { proc, sys, root, fabric_sys },
            replay: self.replay.clone(),
            nvml: self.nvml.clone(),
            state: self.state.clone(),
            events: events.clone(),
            host: self.host.clone().unwrap_or_else(own_name),
        }
    }
}

impl Serve {
    /// The interval.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.interval)
    }
}
