//! `trainyard`: the only crate that prints.

mod commands;
mod facts;
mod jobs;
mod local_files;
mod session;
mod ui;

use std::process::ExitCode;

use clap::Parser;

/// One file to a running, monitored, proven GPU training cluster.
///
/// Start with `trainyard init`, see what is wrong with `trainyard check`, what would be made with
/// `trainyard plan`, and make it with `trainyard up`. Any AWS file can be rehearsed on this machine,
/// on real Slurm: `trainyard up --rehearse`.
#[derive(Debug, Parser)]
#[command(name = "trainyard", version, propagate_version = true, after_help = AFTER)]
struct Arguments {
    #[command(flatten)]
    session: session::Options,
    #[command(subcommand)]
    command: commands::Command,
}

const AFTER: &str = "\
Exit codes: 0 done, 1 the checked thing is bad, 2 usage, 3 the machine or the cloud refused, \
4 interrupted (the same command resumes), 5 a defect of trainyard. `submit --wait` and `run` return \
the job's own code; 125 when trainyard itself failed.";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let session = session::Session::new(arguments.session);
    // The supervisor's processes have signals of their own.
    if !arguments.command.is_internal() {
        session.listen();
    }
    let own_codes = arguments.command.returns_the_jobs_code();
    match arguments.command.run(&session) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            let code = session.ui.failure(&failure);
            ExitCode::from(if own_codes { 125 } else { code })
        }
    }
}
