//! What is collected. A collector is one file and one line of [`COLLECTORS`], and its metrics stand in the table
//! (`trainyard_plan::metrics`). It reads one thing, and knows nothing of other collectors, scrapes or deadlines.

mod arp;
mod cgroup;
mod conntrack;
mod cpu;
mod cpufreq;
pub mod dcgm;
mod diskstats;
mod efa;
mod entropy;
mod filefd;
mod filesystem;
mod gpu;
mod hwmon;
mod jobs;
mod loadavg;
mod lustre;
mod meminfo;
mod meminfo_numa;
mod mountstats;
mod netclass;
mod netdev;
mod netstat;
mod neuron;
mod nfs;
mod nfsd;
mod os;
mod powersupply;
mod pressure;
mod process;
mod processes;
mod schedstat;
mod selinux;
pub mod slurm;
mod sockstat;
mod softnet;
mod stat;
mod tcpstat;
mod textfile;
mod thermal_zone;
mod time;
mod timex;
mod training;
mod udp_queues;
mod uname;
mod vmstat;
mod xid;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::events::Events;
use crate::files::Roots;
use crate::foreign::claims::Claims;
use crate::gpus;
use crate::gpus::dcgm::Profiles;
use crate::jobs::Jobs;
use crate::meters::Meters;
use crate::sheet::{Labels, Sheet};
use crate::xid::Inbox;

pub use crate::problem::Problem;
pub(crate) use crate::problem::{misread, unread};

/// Every collector, in the order of the exposition.
pub static COLLECTORS: &[&Kind] = &[
    &arp::COLLECTOR,
    &cgroup::COLLECTOR,
    &conntrack::COLLECTOR,
    &cpu::COLLECTOR,
    &cpufreq::COLLECTOR,
    &dcgm::COLLECTOR,
    &diskstats::COLLECTOR,
    &efa::COLLECTOR,
    &entropy::COLLECTOR,
    &filefd::COLLECTOR,
    &filesystem::COLLECTOR,
    &gpu::COLLECTOR,
    &hwmon::COLLECTOR,
    &jobs::COLLECTOR,
    &loadavg::COLLECTOR,
    &lustre::COLLECTOR,
    &meminfo::COLLECTOR,
    &meminfo_numa::COLLECTOR,
    &mountstats::COLLECTOR,
    &netclass::COLLECTOR,
    &netdev::COLLECTOR,
    &netstat::COLLECTOR,
    &neuron::COLLECTOR,
    &nfs::COLLECTOR,
    &nfsd::COLLECTOR,
    &os::COLLECTOR,
    &powersupply::COLLECTOR,
    &pressure::COLLECTOR,
    &process::COLLECTOR,
    &processes::COLLECTOR,
    &schedstat::COLLECTOR,
    &selinux::COLLECTOR,
    &slurm::COLLECTOR,
    &slurm::NATIVE,
    &sockstat::COLLECTOR,
    &softnet::COLLECTOR,
    &stat::COLLECTOR,
    &tcpstat::COLLECTOR,
    &textfile::COLLECTOR,
    &thermal_zone::COLLECTOR,
    &time::COLLECTOR,
    &timex::COLLECTOR,
    &training::COLLECTOR,
    &udp_queues::COLLECTOR,
    &uname::COLLECTOR,
    &vmstat::COLLECTOR,
    &xid::COLLECTOR,
];

/// One collector: what it is called, and how it is run.
pub struct Kind {
    /// Its name, in the table and on the command line.
    pub name: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// How it is run beside others.
    pub lane: Lane,
    /// Whose values these are.
    pub scope: Scope,
    /// The collector, or nothing where this machine has nothing for it.
    pub make: fn(&Setting) -> Option<Box<dyn Collector>>,
}

/// A collector that was made.
pub struct Made {
    /// What it is.
    pub kind: &'static Kind,
    /// It.
    pub collector: Box<dyn Collector>,
    /// Labels that all of its samples have, beside those that it gives itself.
    pub labels: Labels,
}

/// How a collector is run beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// In turn with others, on one thread: it reads memory of the kernel's.
    Shared,
    /// On a thread of its own: it waits for devices.
    Own,
    /// On a thread of its own, at its own pace: it asks a program or a service, whose time is not ours to spend. No scrape
    /// makes it run more often than this.
    Paced(Duration),
}

/// Whose values a collector reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The kernel's or the machine's: all nodes that share the machine would show the same.
    Machine,
    /// Those of the namespaces that the agent is in: a node's own where nodes that share a machine are kept apart, the
    /// machine's where they are not.
    Namespace,
    /// The node's own in any case.
    Node,
    /// The machine's, or the node's own where it is replayed: every node can be given a folder of its own.
    MachineUnlessReplayed,
    /// Those of a folder that the agent was given: the node's where it tells of a node, the machine's where it tells of that.
    Given,
}

/// What collectors are made with.
#[derive(Clone, Default)]
pub struct Setting {
    /// Where the kernel's file systems are.
    pub roots: Roots,
    /// A folder with what is replayed in place of accelerators, fabric, Lustre and kernel log.
    pub replay: Option<PathBuf>,
    /// NVML, if it is not where the system's loader finds it.
    pub nvml: Option<PathBuf>,
    /// Where counts are kept over a restart; nothing is kept without it.
    pub state: Option<PathBuf>,
    /// Where what is noticed is told.
    pub events: Events,
    /// The node's name.
    pub host: String,
    /// Whose values are collected.
    pub scope: ScopeChoice,
    /// Nodes that share the machine share its network and processes too.
    pub shares_namespaces: bool,
    /// A DCGM exporter to ask; none is without this.
    pub dcgm_exporter: Option<dcgm::Exporter>,
    /// What it told last, for the collector of GPUs.
    pub profiles: Profiles,
    /// AWS's neuron-monitor, if it is not where it is looked for.
    pub neuron_monitor: Option<PathBuf>,
    /// Where jobs tell of their training, if not where it is looked for.
    pub training: Option<PathBuf>,
    /// How Slurm is asked; it is not without this.
    pub slurm: Option<slurm::Access>,
    /// Where other programs leave files with metrics of theirs.
    pub textfile: Option<PathBuf>,
    /// Which collector shows which metrics of other programs.
    pub claims: Claims,
    /// What runs on the node, as the collector of jobs found it last.
    pub jobs: Jobs,
    /// What collectors count, for the sums of jobs.
    pub meters: Meters,
    /// Where Xids are handed in that NVML tells of.
    pub xids: Inbox,
}

/// Whose values an agent collects, where several agents share a machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ScopeChoice {
    /// The node's and the machine's: they are one.
    #[default]
    All,
    /// The node's own only, and folders that are given; another agent tells of the machine.
    Node,
    /// Both, for the one agent that tells of a machine which nodes share: the machine's are labelled scope="host".
    Host,
}

impl Setting {
    /// Makes a collector, where it runs and this machine has something for it.
    pub fn make(&self, kind: &'static Kind) -> Option<Made> {
        let labels = self.labels(kind.scope)?;
        Some(Made { kind, collector: (kind.make)(self)?, labels })
    }

    /// Labels of the samples of a collector, or nothing where it does not run.
    fn labels(&self, scope: Scope) -> Option<Labels> {
        let is_shared = match scope {
            Scope::Machine => true,
            Scope::Namespace => self.shares_namespaces,
            Scope::MachineUnlessReplayed => self.replay.is_none(),
            Scope::Given => self.scope == ScopeChoice::Host,
            Scope::Node => false,
        };
        match self.scope {
            ScopeChoice::Node if is_shared => None,
            ScopeChoice::Host if is_shared => Some(Labels::new(&[("scope", "host")])),
            _ => Some(Labels::default()),
        }
    }

    /// The labels of everything that is replayed: with them nobody takes it for a machine's. None without a replay.
    pub fn replay_labels(&self) -> Labels {
        match &self.replay {
            Some(folder) => Labels::new(&[("replay", &replay_profile(folder))]),
            None => Labels::default(),
        }
    }
}

/// What a replay says that it is. One that does not say is a replay all the same.
pub(crate) fn replay_profile(folder: &Path) -> String {
    gpus::tree(folder).map_or_else(|| "unknown".to_owned(), |tree| tree.profile)
}

/// Reads one thing, again and again.
pub trait Collector: Send {
    /// Puts what is there now onto the sheet.
    ///
    /// What could be read before a problem came up stays on the sheet, and is shown.
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem>;

    /// Labels of every sample, for example that they are replayed.
    fn constant_labels(&self) -> Labels {
        Labels::default()
    }

    /// Its own pace, in place of its kind's, where that is paced.
    fn pace(&self) -> Option<Duration> {
        None
    }

    /// Whether it may be asked sooner than its pace after it failed: services of a machine that starts come one by one.
    fn retries_soon(&self) -> bool {
        true
    }

    /// What it found last is shown no more; another may show the same from now on.
    fn forget(&mut self) {}

    /// The agent ends: so does what this keeps running.
    fn stop(&mut self) {}
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_collector_has_metrics_and_every_metric_a_collector() {
        // `agent` is what the conductor says of itself.
        let collectors: BTreeSet<&str> = COLLECTORS.iter().map(|kind| kind.name).chain(["agent"]).collect();
        let in_table: BTreeSet<&str> = trainyard_plan::metrics::all().map(|metric| metric.collector).collect();
        assert_eq!(collectors, in_table);
    }

    #[test]
    fn what_is_replayed_says_so_and_of_which_profile() {
        let folder = tempfile::tempdir().unwrap();
        let labels = |text: Option<&str>| {
            if let Some(text) = text {
                fs_err::write(folder.path().join("replay.json"), text).unwrap();
            }
            Setting { replay: Some(folder.path().to_owned()), ..Setting::default() }.replay_labels()
        };
        let unknown = Labels::new(&[("replay", "unknown")]);
        assert_eq!(labels(None), unknown);
        assert_eq!(labels(Some("{\"profile\": \"p5\"}")), Labels::new(&[("replay", "p5")]));
        assert_eq!(labels(Some("{\"profile\": 5}")), unknown);
        assert_eq!(labels(Some("no JSON")), unknown);
        assert_eq!(Setting::default().replay_labels(), Labels::default());
    }

    #[test]
    fn what_all_nodes_of_a_machine_would_show_is_left_to_one_of_them() {
        for (scope, is_replayed, shares_namespaces, is_shared) in [
            (Scope::Machine, true, false, true),
            (Scope::Node, false, true, false),
            (Scope::Namespace, false, false, false),
            (Scope::Namespace, false, true, true),
            (Scope::MachineUnlessReplayed, false, false, true),
            (Scope::MachineUnlessReplayed, true, true, false),
        ] {
            let replay = is_replayed.then(|| "replay".into());
            let setting =
                |choice| Setting { scope: choice, replay: replay.clone(), shares_namespaces, ..Setting::default() };
            let none = Some(Labels::default());
            let labels = |choice| setting(choice).labels(scope);
            assert_eq!(labels(ScopeChoice::All), none, "{scope:?}");
            assert_eq!(labels(ScopeChoice::Node), if is_shared { None } else { none.clone() }, "{scope:?}");
            let host = Some(Labels::new(&[("scope", "host")]));
            assert_eq!(labels(ScopeChoice::Host), if is_shared { host } else { none.clone() }, "{scope:?}");
        }
    }

    /// Who gives a node's agent a folder means that node's; where nobody does, the machine's is left to one agent.
    #[test]
    fn a_folder_that_was_given_is_read_whatever_the_agent_tells_of() {
        let folder = tempfile::tempdir().unwrap();
        let given = || Some(folder.path().to_owned());
        let host = Labels::new(&[("scope", "host")]);
        for (scope, labels) in [(ScopeChoice::Node, Labels::default()), (ScopeChoice::Host, host)] {
            let setting = Setting { scope, training: given(), textfile: given(), ..Setting::default() };
            for kind in [&training::COLLECTOR, &textfile::COLLECTOR] {
                assert_eq!(setting.make(kind).map(|made| made.labels), Some(labels.clone()), "{scope:?} {}", kind.name);
            }
            let made = Setting { scope, ..Setting::default() }.make(&training::COLLECTOR);
            assert_eq!(made.is_some(), scope == ScopeChoice::Host);
        }
    }
}
