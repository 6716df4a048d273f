//! The node supervisor's own processes, started by trainyard itself.

use std::path::PathBuf;

use trainyard_provider::Failure;
use trainyard_provider::local::supervisor::{self, Ask, Client, Verb};

use crate::session::Session;

/// Internal: the processes behind a rehearsed cluster.
#[derive(Debug, clap::Args)]
pub struct Supervisor {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, clap::Subcommand)]
enum Part {
    /// The supervisor itself.
    Run {
        #[arg(long)]
        folder: PathBuf,
    },
    /// A node's outermost process.
    Enter {
        #[arg(long)]
        folder: PathBuf,
        #[arg(long)]
        node: String,
    },
    /// A node's first process inside.
    Inside {
        #[arg(long)]
        folder: PathBuf,
        #[arg(long)]
        node: String,
    },
    /// Hand a list of nodes from Slurm to the supervisor.
    Ask {
        #[arg(long)]
        socket: PathBuf,
        verb: HookVerb,
        hosts: String,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum HookVerb {
    Resume,
    Suspend,
    ResumeFailed,
}

impl Supervisor {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        match self.part {
            Part::Run { folder } => supervisor::run(&folder, log)?,
            Part::Enter { folder, node } => supervisor::enter(&folder, &node, &mut std::io::stdout())?,
            Part::Inside { folder, node } => supervisor::inside(&folder, &node)?,
            Part::Ask { socket, verb, hosts } => {
                let verb = match verb {
                    HookVerb::Resume => Verb::Resume,
                    HookVerb::Suspend => Verb::Suspend,
                    HookVerb::ResumeFailed => Verb::ResumeFailed,
                };
                Client::at(&socket).ask(&Ask::Hook { verb, hosts })?;
            }
        }
        let _ = session;
        Ok(0)
    }
}

/// The supervisor's standard error is its log file.
fn log(line: &str) {
    crate::ui::log(line);
}
