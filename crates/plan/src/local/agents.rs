//! The agent of each node: where it listens, and what it tells of.
//!
//! Nodes of a rehearsal share this machine. What is the machine's is told once, by the head's agent.

use trainyard_spec::facts::LocalFacts;

use super::nodes::loopback;
use crate::rehearsed::{AGENT, HEAD, Layout, Node, NodeAgent, own_network};

/// The agent's own port, where nodes have a network of their own.
const AGENT_PORT: u16 = 9400;

pub(super) fn with_agents(facts: &LocalFacts, layout: &Layout, mut nodes: Vec<Node>) -> Vec<Node> {
    if facts.programs.contains_key(AGENT) {
        // Where ports are shared, the agents' follow those of Slurm's daemons.
        let beyond_slurm = u16::try_from(nodes.len()).unwrap_or(u16::MAX);
        for node in &mut nodes {
            node.agent = Some(agent(facts, layout, node, beyond_slurm));
        }
    }
    nodes
}

fn agent(facts: &LocalFacts, layout: &Layout, node: &Node, beyond_slurm: u16) -> NodeAgent {
    let is_apart = own_network(facts);
    let listen = if is_apart {
        format!("{}:{AGENT_PORT}", node.address)
    } else {
        // The head's port is the first of the range, a node's is beyond it.
        let number = if node.name == HEAD { 0 } else { node.port.saturating_sub(facts.first_port) };
        let port = facts.first_port.saturating_add(beyond_slurm).saturating_add(number);
        format!("{}:{port}", loopback(facts))
    };
    let (scope, also) = if node.name == HEAD { ("host", &["--slurm"][..]) } else { ("node", &[][..]) };
    let state = layout.at(&format!("nodes/{}/agent", node.name));
    let mut arguments: Vec<String> =
        ["serve", "--listen", &listen, "--host", &node.name, "--state", &state, "--scope", scope]
            .map(str::to_owned)
            .into();
    arguments.extend(also.iter().map(|word: &&str| (*word).to_owned()));
    if !is_apart {
        arguments.push("--shares-namespaces".into());
    }
    NodeAgent { listen, arguments }
}
