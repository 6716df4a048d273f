//! The agent of each node: where it listens, and what it tells of.
//!
//! Nodes of a rehearsal share this machine. What is the machine's is told once, by the head's agent.

use trainyard_spec::facts::LocalFacts;
use trainyard_spec::model::Replayed;

use super::nodes::loopback;
use super::replays::Replays;
use crate::rehearsed::{AGENT, HEAD, Layout, Node, NodeAgent, NodeReplay, own_network};

/// The agent's own port, where nodes have a network of their own.
const AGENT_PORT: u16 = 9400;

/// For how long a replay's time passes: longer than any rehearsal stands, and a node that starts again begins anew.
const PLAYED_SECONDS: u32 = 365 * 86_400;

pub(super) fn with_agents(
    facts: &LocalFacts,
    layout: &Layout,
    replays: &Replays<'_>,
    mut nodes: Vec<Node>,
) -> Vec<Node> {
    if facts.programs.contains_key(AGENT) {
        // Where ports are shared, the agents' follow those of Slurm's daemons.
        let beyond_slurm = u16::try_from(nodes.len()).unwrap_or(u16::MAX);
        for node in &mut nodes {
            let mut agent = agent(facts, layout, node, beyond_slurm);
            if let Some(wanted) = replays.of(&node.name) {
                let replay = replay(layout, &node.name, wanted);
                agent.arguments.extend(["--replay".to_owned(), replay.folder.clone()]);
                agent.replay = Some(replay);
            }
            node.agent = Some(agent);
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
    NodeAgent { listen, arguments, replay: None }
}

fn replay(layout: &Layout, node: &str, wanted: &Replayed) -> NodeReplay {
    let folder = layout.at(&format!("nodes/{node}/replay"));
    let seconds = PLAYED_SECONDS.to_string();
    // It reads from the folder what it shows, and which second that is.
    let arguments_to_go_on = ["replay", "play", "--for", &seconds, &folder].map(str::to_owned).into();
    let mut arguments: Vec<String> =
        ["replay", "play", "--profile", wanted.profile.name(), "--node", node, "--for", &seconds]
            .map(str::to_owned)
            .into();
    arguments.extend(wanted.faults.iter().flat_map(|fault| ["--fault".to_owned(), fault.name().to_owned()]));
    arguments.push(folder.clone());
    NodeReplay { complete: format!("{folder}/replay.json"), folder, arguments, arguments_to_go_on }
}
