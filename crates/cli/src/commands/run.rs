//! `trainyard run`: a command on the cluster.

use trainyard_provider::Failure;

use crate::session::{Session, Target};

/// Run a command on the cluster: on its nodes with -N or -n, otherwise on the head.
#[derive(Debug, clap::Args)]
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
    #[command(flatten)]
    target: Target,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl Run {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let access = session.access(&self.target)?;
        let options = [
            self.nodes.map(|count| format!("--nodes={count}")),
            self.tasks.map(|count| format!("--ntasks={count}")),
            self.queue.map(|name| format!("--partition={name}")),
            self.gpus_per_node.map(|count| format!("--gpus-per-node={count}")),
        ];
        let options: Vec<String> = options.into_iter().flatten().collect();
        let home = access.rehearsed().layout.home.clone();
        let (program, rest) = self.command.split_first().ok_or_else(|| Failure::usage("no command"))?;
        let command = if options.is_empty() {
            access.command_in(&home, program)
        } else {
            access.command_in(&home, "srun").args(&options).arg(program)
        };
        let code = command.args(rest).attached()?;
        Ok(u8::try_from(code).unwrap_or(1))
    }
}
