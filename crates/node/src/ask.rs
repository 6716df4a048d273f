//! Asking agents what their nodes do: the other end of `/api/v1/usage`.

use std::net::SocketAddr;
use std::time::Duration;

use trainyard_plan::usage::Answer;

use crate::fetch::{Page, fetch};

/// For one agent. It answers from memory: one that takes longer does not answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// Some figures.
const BYTES_MAX: usize = 64 << 10;

/// Asks these agents at the same time; answers come in their order.
pub async fn ask(agents: &[SocketAddr]) -> Vec<Answer> {
    let asked: Vec<_> = agents.iter().map(|agent| tokio::spawn(one(*agent))).collect();
    let mut answers = Vec::with_capacity(asked.len());
    for (agent, answer) in agents.iter().zip(asked) {
        let lost = |_| Answer { agent: agent.to_string(), usage: None, problem: Some("the question was lost".into()) };
        answers.push(answer.await.unwrap_or_else(lost));
    }
    answers
}

async fn one(agent: SocketAddr) -> Answer {
    let host = agent.to_string();
    let page = Page { address: agent, host: &host, path: "/api/v1/usage", accept: "application/json" };
    let (usage, problem) = match tokio::time::timeout(DEADLINE, fetch(page, BYTES_MAX)).await {
        Err(_) => (None, Some(format!("no answer in {} s", DEADLINE.as_secs()))),
        Ok(Err(problem)) => (None, Some(problem.told())),
        Ok(Ok(text)) => match serde_json::from_str(&text) {
            Ok(usage) => (Some(usage), None),
            Err(error) => (None, Some(format!("its answer is none of an agent's: {error}"))),
        },
    };
    Answer { agent: host, usage, problem }
}
