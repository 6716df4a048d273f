//! Which nodes of a rehearsal show a replay.

use std::collections::HashMap;

use trainyard_spec::model::Replayed;
use trainyard_spec::{Spec, hostlist};

use crate::Note;
use crate::rehearsed::{HEAD, Node};

/// The replays that a spec asks for, by node.
pub(super) struct Replays<'a> {
    /// Of an entry that names no nodes.
    everywhere: Option<&'a Replayed>,
    named: HashMap<String, &'a Replayed>,
}

impl<'a> Replays<'a> {
    pub(super) fn asked(spec: &'a Spec) -> Self {
        let mut replays = Self { everywhere: None, named: HashMap::new() };
        for replay in &spec.rehearsal.replay {
            match &replay.nodes {
                None => replays.everywhere = replays.everywhere.or(Some(replay)),
                Some(names) => {
                    let names = hostlist::expand(names.as_str()).unwrap_or_default();
                    replays.named.extend(names.into_iter().map(|name| (name, replay)));
                }
            }
        }
        replays
    }

    /// That of this node. The head is no compute node, and has none.
    pub(super) fn of(&self, node: &str) -> Option<&'a Replayed> {
        self.named.get(node).copied().or(self.everywhere).filter(|_| node != HEAD)
    }

    /// What is shown, and what of it cannot be.
    pub(super) fn notes(&self, spec: &Spec, has_agent: bool, made: &[Node]) -> Vec<Note> {
        let note = |text: String| Note { about: "rehearsal.replay".to_owned(), text };
        if !spec.rehearsal.replay.is_empty() && !has_agent {
            return vec![note("trainyard-agent plays replays, and it was not found: nodes show none".to_owned())];
        }
        let mut notes = Vec::new();
        for replay in &spec.rehearsal.replay {
            let which = replay.nodes.as_ref().map_or("every compute node", |names| names.as_str());
            let profile = replay.profile.name();
            let faults: Vec<&str> = replay.faults.iter().map(|fault| fault.name()).collect();
            let with = if faults.is_empty() { String::new() } else { format!(" with {}", faults.join(", ")) };
            notes.push(note(format!(
                "{which}: {profile}{with}, shown in metrics alone, with the label replay=\"{profile}\""
            )));
        }
        let missing = self.named.len() - made.iter().filter(|node| self.named.contains_key(&node.name)).count();
        if missing > 0 {
            notes.push(note(format!("{missing} of {} named nodes are not there, by --max-nodes", self.named.len())));
        }
        notes
    }
}
