//! The programs that Slurm calls: power saving, prolog, epilog.

use askama::Template;

use super::{Context, Kind, Render};
use crate::Artifact;

pub(super) static KIND: Kind =
    Kind { name: "hooks", about: "what Slurm calls: resume, suspend, prolog, epilog", render: Render::Local(render) };

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

/// Lets a job start as soon as its nodes are up.
#[derive(Template)]
#[template(path = "await-nodes.sh", escape = "none")]
struct AwaitNodes {
    conf: String,
    sinfo: String,
    tries: u32,
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
    let await_nodes = AwaitNodes {
        conf: at("etc/slurm.conf"),
        sinfo: context.facts.programs.get("sinfo").cloned().unwrap_or_else(|| "sinfo".into()),
        // Five a second, for as long as a node may take to come.
        tries: 5 * (60 + context.rehearsed.boot_seconds),
    };
    let await_nodes = Artifact::script("etc/hooks/await-nodes", await_nodes.to_string());
    vec![
        await_nodes,
        power("resume"),
        power("suspend"),
        power("resume-failed"),
        job("prolog.d", "start"),
        job("epilog.d", "end"),
    ]
}
