//! `trainyard run`: a command on the cluster.

use trainyard_provider::Failure;
use trainyard_provider::head::{Order, Said};

use crate::session::{Session, Target};

/// Run a command on the cluster: on its nodes with -N or -n, otherwise on the head.
///
/// Returns the command's own exit code; 125 when trainyard itself failed. Every word arrives as it is typed: spaces,
/// quotes, `$` and newlines are not read again on the way.
///
/// On AWS it goes through Systems Manager, as the cluster's own user (ec2-user, ubuntu or rocky): no SSH key, no open
/// port, no aws CLI. It has no input there, and what it says comes when it has ended: the first 23,000 bytes, the rest
/// stays in files on the head. Ctrl-C cancels it, and with it the job that it waits for.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    /// On this many nodes, one task each, through srun.
    #[arg(short = 'N', long, value_name = "COUNT")]
    nodes: Option<u32>,
    /// As this many tasks, through srun.
    #[arg(short = 'n', long, value_name = "COUNT")]
    tasks: Option<u32>,
    /// In this queue.
    #[arg(short, long, value_name = "NAME")]
    queue: Option<String>,
    /// GPUs on each node.
    #[arg(long, value_name = "COUNT")]
    gpus_per_node: Option<u32>,
    /// End it after this long, with code 124. On AWS 3600 unless said, at most 172740; in a rehearsal it may take any
    /// time.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
    #[command(flatten)]
    target: Target,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  trainyard run -- sinfo                                  what Slurm says, on the head
  trainyard run -N 2 -- hostname                          on two nodes, one task each
  trainyard run -N 1 -q train --gpus-per-node 8 -- nvidia-smi
  trainyard run -- bash -c 'ls /fsx/jobs | wc -l'         pipes need a shell of their own
  trainyard run --timeout 7200 -N 1 -- python3 /fsx/prepare.py";

impl Run {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let made = session.made(&self.target)?;
        let options = [
            self.nodes.map(|count| format!("--nodes={count}")),
            self.tasks.map(|count| format!("--ntasks={count}")),
            self.queue.map(|name| format!("--partition={name}")),
            self.gpus_per_node.map(|count| format!("--gpus-per-node={count}")),
        ];
        let srun = options.into_iter().flatten().collect();
        let order = Order { srun, command: self.command, seconds: self.timeout };
        let ui = &session.ui;
        let code = made.provider.head(&made.plan)?.run(&order, &mut |said| match said {
            Said::Out(text) => ui.bytes(text.as_bytes()),
            Said::Err(text) => ui.error_bytes(text.as_bytes()),
            Said::Note(text) => ui.say(&format!("trainyard: {text}")),
        })?;
        Ok(u8::try_from(code).unwrap_or(1))
    }
}
