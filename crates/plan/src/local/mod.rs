//! The rehearsal's plan: the same queues, nodes and Slurm settings, on this machine.

mod actions;
mod agents;
mod layout;
mod nodes;
mod notes;
mod replays;

use trainyard_spec::{Diagnostic, Spec, facts::LocalFacts, path};

use self::replays::Replays;
use crate::artifacts::{self, Context};
pub use crate::rehearsed::{AGENT, HEAD, Layout, LocalAction, Node, NodeAgent, NodeReplay, PartitionNodes, Rehearsed};
use crate::{Options, Plan, Target};

/// A rehearsal starts this many static nodes at most: each is some ten processes of this machine.
pub const STATIC_NODES_MAX: usize = 256;
/// A rehearsal declares this many nodes at most: its network has room for them.
pub const NODES_MAX: usize = 4096;

pub(crate) fn build(spec: &Spec, facts: &LocalFacts, options: Options) -> Result<Plan, Vec<Diagnostic>> {
    let layout = Layout::new(facts);
    let partitions = nodes::derive(spec, facts, options);
    check(&partitions)?;
    let scratch = &spec.storage.scratch;
    let replays = Replays::asked(spec);
    let rehearsed = Rehearsed {
        facts: facts.clone(),
        nodes: agents::with_agents(facts, &layout, &replays, nodes::all(facts, &partitions)),
        expose: spec.rehearsal.expose.iter().map(ToString::to_string).collect(),
        scratch: if scratch.enabled { scratch.path.to_string() } else { String::new() },
        boot_seconds: spec.rehearsal.boot_seconds,
        layout,
    };
    let context = Context { spec, facts, rehearsed: &rehearsed, partitions: &partitions };
    let artifacts = artifacts::all(&context);
    let steps = actions::steps(spec, &rehearsed, &artifacts);
    let mut notes = notes::notes(spec, facts, options, &partitions);
    notes.extend(replays.notes(spec, facts.programs.contains_key(AGENT), &rehearsed.nodes));
    Ok(Plan { version: 1, cluster: spec.name.to_string(), artifacts, steps, notes, target: Target::Local(rehearsed) })
}

fn check(partitions: &[PartitionNodes]) -> Result<(), Vec<Diagnostic>> {
    let all: usize = partitions.iter().map(|p| p.nodes.len()).sum();
    let fixed = partitions.iter().flat_map(|p| &p.nodes).filter(|node| node.is_static).count();
    let too_many = |what: String| {
        Err(vec![
            Diagnostic::error("rehearsal-too-large", path!["queues"], what)
                .why("every node is a set of real processes on this machine")
                .fix("rehearse fewer: --max-nodes 4 caps each queue"),
        ])
    };
    if fixed > STATIC_NODES_MAX {
        return too_many(format!("{fixed} static nodes are more than a rehearsal starts ({STATIC_NODES_MAX})"));
    }
    if all > NODES_MAX {
        return too_many(format!("{all} nodes are more than a rehearsal declares ({NODES_MAX})"));
    }
    Ok(())
}
