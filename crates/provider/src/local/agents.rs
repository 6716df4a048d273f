//! Asking the agents of a rehearsal's nodes what these do.

use std::collections::BTreeMap;
use std::time::Duration;

use trainyard_plan::local::{AGENT, Node};
use trainyard_plan::usage::Answer;

use super::Access;
use super::supervisor::Status;
use crate::Failure;

/// All are asked at the same time, and one that does not answer is given up after two seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// What nodes do that run now, by their names; the head too.
pub(super) fn usage(access: &Access, status: &Status) -> Result<BTreeMap<String, Answer>, Failure> {
    let rehearsed = access.rehearsed();
    let runs = |node: &&Node| status.nodes.iter().any(|one| one.name == node.name && one.pid.is_some());
    let agents: Vec<(&str, &str)> = rehearsed
        .nodes
        .iter()
        .filter(runs)
        .filter_map(|node| Some((node.name.as_str(), node.agent.as_ref()?.listen.as_str())))
        .collect();
    if agents.is_empty() {
        return Ok(BTreeMap::new());
    }
    // From the head: where nodes have a network of their own, it is the only one that reaches them.
    let program = rehearsed.layout.at(&format!("bin/{AGENT}"));
    let command = access.command(&program).arg("ask").args(agents.iter().map(|(_, agent)| agent)).deadline(PATIENCE);
    Ok(answers(&agents, &command.run()?.stdout))
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
}
