//! The programs that Slurm calls: power saving, prolog, epilog.

use askama::Template;

use super::{Context, Kind};
use crate::Artifact;

pub(super) static KIND: Kind =
    Kind { name: "hooks", about: "what Slurm calls: resume, suspend, prolog, epilog", render };

/// Hands a node list to the supervisor. Slurm's own children inherit blocked signals, so no daemon
/// may ever be started from here.
#[derive(Template)]
#[template(path = "power-hook.sh", escape = "none")]
struct PowerHook<'a> {
    verb: &'a str,
    program: String,
    socket: String,
    log: String,
}

/// Writes one line for each job and node: what the status page and the reports read.
#[derive(Template)]
#[template(path = "job-hook.sh", escape = "none")]
struct JobHook<'a> {
    event: &'a str,
    log: String,
}

fn render(context: &Context<'_>) -> Vec<Artifact> {
    let at = |below: &str| context.rehearsed.layout.at(below);
    let power = |verb: &str| {
        let hook = PowerHook {
            verb,
            program: at("bin/trainyard"),
            socket: at("run/supervisor.socket"),
            log: at("log/hooks.log"),
        };
        Artifact::script(format!("etc/hooks/{verb}"), hook.to_string())
    };
    let job = |folder: &str, event: &str| {
        let hook = JobHook { event, log: at("log/jobs.jsonl") };
        Artifact::script(format!("etc/{folder}/10-record"), hook.to_string())
    };
    vec![power("resume"), power("suspend"), power("resume-failed"), job("prolog.d", "start"), job("epilog.d", "end")]
}
