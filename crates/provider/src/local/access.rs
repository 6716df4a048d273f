//! Running programs on the head node.

use std::path::Path;

use trainyard_plan::local::Rehearsed;
use trainyard_plan::{Isolation, Plan};
use trainyard_run::{Cancel, Command};

use super::Store;
use super::supervisor::{Ask, Client};
use crate::Failure;

/// The way onto the head node of a running cluster.
#[derive(Debug, Clone)]
pub struct Access {
    /// Put before every command: enters the head's namespaces.
    enter: Vec<String>,
    conf: String,
    cancel: Cancel,
    plan: Plan,
    rehearsed: Rehearsed,
    store: Store,
}

impl Access {
    pub(super) fn open(store: &Store, plan: &Plan, cancel: &Cancel) -> Result<Self, Failure> {
        let status = Client::new(store).ask(&Ask::Status).map_err(|failure| {
            failure.within(format!("cluster `{}` is not running", plan.cluster)).hint("start it with: trainyard up")
        })?;
        let head = status.nodes.iter().find(|node| node.name == trainyard_plan::local::HEAD).and_then(|node| node.pid);
        let Some(pid) = head else {
            return Err(Failure::refused(format!("cluster `{}` has no running head node", plan.cluster))
                .hint("start it again with: trainyard up"));
        };
        let rehearsed = plan.rehearsed()?.clone();
        let facts = &rehearsed.facts;
        let enter = match facts.isolation {
            Isolation::Shared => Vec::new(),
            Isolation::Namespaces => {
                let nsenter = facts.programs.get("nsenter").cloned().unwrap_or_else(|| "nsenter".to_owned());
                let pid = pid.to_string();
                let flags = ["--target", &pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--wd=/", "--"];
                [nsenter].into_iter().chain(flags.map(str::to_owned)).collect()
            }
        };
        let conf = rehearsed.layout.at("etc/slurm.conf");
        Ok(Self { enter, conf, cancel: cancel.clone(), plan: plan.clone(), rehearsed, store: store.clone() })
    }

    /// The same way again, for a head that was lost and is back.
    pub(super) fn again(&self) -> Result<Self, Failure> {
        Self::open(&self.store, &self.plan, &self.cancel)
    }

    /// A program of Slurm's, or any other, on the head node.
    pub fn command(&self, program: &str) -> Command {
        let path = self.rehearsed.facts.programs.get(program).map_or(program, String::as_str);
        let mut argv = self.enter.iter().map(String::as_str).chain([path]);
        let first = argv.next().unwrap_or(path);
        // Inside somebody else's allocation, these would be about that one.
        let outside = ["SLURM", "SBATCH", "SALLOC", "SINFO", "SQUEUE"];
        Command::new(first).args(argv).forget(&outside).env("SLURM_CONF", &self.conf).cancel(&self.cancel)
    }

    /// A program on the head node, in a folder that the cluster shares (as nodes see it).
    pub fn command_in(&self, folder: &str, program: &str) -> Command {
        // The folder exists on the far side only, so it is entered there.
        self.command("env").args(["-C", folder, program])
    }

    /// The plan of the cluster.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The cluster's nodes, and where things lie.
    pub fn rehearsed(&self) -> &Rehearsed {
        &self.rehearsed
    }

    /// The cluster's files.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where a path of the nodes' lies on this machine, if the cluster's folder has it.
    pub fn here(&self, path: &str) -> Option<std::path::PathBuf> {
        let layout = &self.rehearsed.layout;
        for (seen, below) in [(&layout.fsx, "shared/fsx"), (&layout.home, "shared/home"), (&layout.root, "")] {
            if let Ok(rest) = Path::new(path).strip_prefix(seen) {
                return Some(self.store.at(below).join(rest));
            }
        }
        None
    }
}
