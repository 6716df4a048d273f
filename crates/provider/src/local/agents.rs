//! Asking the agents of a rehearsal's nodes what these do.

use std::collections::BTreeMap;
use std::time::Duration;

use trainyard_plan::local::{AGENT, Node};
use trainyard_plan::usage::Answer;
use trainyard_run::RunError;

use super::Access;
use super::supervisor::{Status, are_made};
use crate::{Failure, Usage};

/// All are asked at the same time, and one that does not answer is given up after two seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// What nodes do that run now; the head too.
pub(super) fn usage(access: &Access, status: &Status) -> Result<Usage, Failure> {
    let rehearsed = access.rehearsed();
    let runs = |node: &&Node| status.nodes.iter().any(|one| one.name == node.name && one.pid.is_some());
    let agents: Vec<(&str, &str)> = rehearsed
        .nodes
        .iter()
        .filter(runs)
        .filter_map(|node| Some((node.name.as_str(), node.agent.as_ref()?.listen.as_str())))
        .collect();
    if agents.is_empty() {
        return Ok(Usage::default());
    }
    // From the head: where nodes have a network of their own, it is the only one that reaches them.
    let program = rehearsed.layout.at(&format!("bin/{AGENT}"));
    let command = access.command(&program).arg("ask").args(agents.iter().map(|(_, agent)| agent)).deadline(PATIENCE);
    let said = command.run().map_err(unasked)?.stdout;
    let limit = (!are_made(access.store().folder())).then(|| {
        "nodes' processors and memory are not told apart: no control groups could be made for them; root can, where \
         /sys/fs/cgroup is not read-only"
            .to_owned()
    });
    Ok(Usage { nodes: answers(&agents, &said), limit })
}

/// The command line has all agents in it, and says nothing to anybody.
fn unasked(error: RunError) -> Failure {
    let why = match error {
        RunError::NotFound { program } => format!("`{program}` was not found"),
        RunError::Start { source, .. } => source.to_string(),
        RunError::Deadline { seconds, .. } => format!("no answer came within {seconds} s"),
        RunError::Failed { code, said, .. } => format!("the question ended with code {code}{said}"),
        RunError::Flood { mib, .. } => format!("the answer had more than {mib} MiB"),
        RunError::Cancelled { .. } => return Failure::interrupted("stopped while the nodes' agents were asked"),
    };
    Failure::refused("the nodes' agents could not be asked")
        .caused_by(std::io::Error::other(why))
        .hint("see log/node-head.log: the head asks them")
}

/// A line for each agent, in the order in which they were asked.
fn answers(agents: &[(&str, &str)], said: &str) -> BTreeMap<String, Answer> {
    let mut lines = said.lines();
    let answer = |(name, agent): &(&str, &str)| {
        let read = lines.next().and_then(|line| serde_json::from_str::<Answer>(line).ok());
        let none = || Answer { agent: (*agent).to_owned(), usage: None, problem: Some("no answer".to_owned()) };
        ((*name).to_owned(), read.filter(|answer| answer.agent == *agent).unwrap_or_else(none))
    };
    agents.iter().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agent_that_was_asked_has_an_answer_of_its_own() {
        let agents = [("head", "10.77.0.1:9400"), ("q-st-n-1", "10.77.1.1:9400"), ("q-st-n-2", "10.77.1.2:9400")];
        let said = "{\"agent\":\"10.77.0.1:9400\",\"usage\":{\"cpus\":0.5}}\n\
                    {\"agent\":\"10.77.1.1:9400\",\"problem\":\"not reached\"}\nno JSON\n";
        let answers = answers(&agents, said);
        assert_eq!(answers["head"].usage.as_ref().and_then(|usage| usage.cpus), Some(0.5));
        assert_eq!(answers["q-st-n-1"].problem.as_deref(), Some("not reached"));
        assert_eq!(answers["q-st-n-2"].problem.as_deref(), Some("no answer"));
    }

    #[test]
    fn agents_that_cannot_be_asked_are_a_sentence_without_a_command_line() {
        let command = || "/usr/bin/nsenter --target 7 -- /trainyard/bin/trainyard-agent ask 10.77.0.1:9400".to_owned();
        for (error, why) in [
            (
                RunError::Failed { command: command(), code: 1, said: ": cannot open /proc/7/ns/net".into() },
                "the question ended with code 1: cannot open /proc/7/ns/net",
            ),
            (RunError::Deadline { command: command(), seconds: 5, said: String::new() }, "no answer came within 5 s"),
            (RunError::Start { command: command(), source: std::io::Error::other("no memory") }, "no memory"),
        ] {
            let failure = unasked(error);
            assert_eq!(failure.chain(), ["the nodes' agents could not be asked", why]);
            assert!(failure.hints[0].contains("log/node-head.log"));
        }
    }
}
