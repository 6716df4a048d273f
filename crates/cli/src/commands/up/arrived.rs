//! What `up` ended with, by queue: how many nodes were asked for, how many run, how many are idle.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use trainyard_plan::{Plan, Target};
use trainyard_provider::{NodeState, Observed};

use crate::ui::table;

/// A queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Arrived {
    queue: String,
    /// Static nodes that it is to have.
    asked: usize,
    /// Nodes that run: instances where EC2 is asked, nodes that take jobs elsewhere.
    running: usize,
    /// Nodes without a job; `None` where Slurm cannot be asked.
    idle: Option<usize>,
    /// Nodes that come when a job asks.
    off: Option<usize>,
    /// The Capacity Block that has not started.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<String>,
}

/// Every queue, by name.
pub fn arrived(plan: &Plan, observed: &Observed) -> Vec<Arrived> {
    let fixed: BTreeSet<&str> = match &plan.target {
        Target::Local(rehearsed) => {
            rehearsed.nodes.iter().filter(|node| node.is_static).map(|node| node.name.as_str()).collect()
        }
        Target::Aws(_) => BTreeSet::new(),
    };
    let mut queues: BTreeMap<&str, Arrived> = BTreeMap::new();
    for (node, name) in observed.nodes.iter().flat_map(|node| node.queues.iter().map(move |name| (node, name))) {
        let queue = queues.entry(name).or_insert_with(|| Arrived {
            queue: name.clone(),
            idle: Some(0),
            off: Some(0),
            ..Arrived::default()
        });
        count(queue, node, fixed.contains(node.name.as_str()));
    }
    #[cfg(feature = "aws")]
    for known in observed.cloud.iter().flat_map(|cloud| &cloud.queues) {
        let queue = queues
            .entry(&known.queue)
            .or_insert_with(|| Arrived { queue: known.queue.clone(), ..Arrived::default() });
        queue.asked = known.asked as usize;
        queue.running = known.running as usize;
        queue.waits_for.clone_from(&known.waits_for);
    }
    queues.into_values().collect()
}

fn count(queue: &mut Arrived, node: &NodeState, is_fixed: bool) {
    queue.asked += usize::from(is_fixed);
    queue.running += usize::from(node.is_up());
    queue.idle = queue.idle.map(|idle| idle + usize::from(node.is_idle()));
    queue.off = queue.off.map(|off| off + usize::from(node.is_off()));
}

/// As a table.
pub fn shown(queues: &[Arrived]) -> String {
    let numbers = |queue: &Arrived| {
        let known = |number: Option<usize>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
        let (asked, running) = (queue.asked.to_string(), queue.running.to_string());
        [queue.queue.clone(), asked, running, known(queue.idle), known(queue.off)]
    };
    if queues.iter().all(|queue| queue.waits_for.is_none()) {
        return table(["queue", "asked", "running", "idle", "off"], queues.iter().map(numbers));
    }
    let rows = queues.iter().map(|queue| {
        let [name, asked, running, idle, off] = numbers(queue);
        [name, asked, running, idle, off, queue.waits_for.clone().unwrap_or_default()]
    });
    table(["queue", "asked", "running", "idle", "off", "waits for"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str, [asked, running]: [usize; 2], known: Option<[usize; 2]>) -> Arrived {
        let (idle, off) = (known.map(|[idle, _]| idle), known.map(|[_, off]| off));
        Arrived { queue: name.to_owned(), asked, running, idle, off, waits_for: None }
    }

    #[test]
    fn what_slurm_cannot_be_asked_is_not_made_up() {
        let mut queues = vec![queue("cpu", [0, 0], Some([0, 4])), queue("train", [8, 8], None)];
        assert_eq!(
            shown(&queues),
            "queue   asked   running   idle   off\ncpu     0       0         0      4\ntrain   8       8         ?      ?"
        );
        queues[1].waits_for = Some("Capacity Block cr-1 until tomorrow".to_owned());
        assert!(shown(&queues).ends_with("?      ?     Capacity Block cr-1 until tomorrow"), "{}", shown(&queues));
    }

    #[test]
    fn a_node_counts_for_what_it_is() {
        let node = |state: &str| NodeState {
            name: format!("q-{state}"),
            queues: vec!["q".to_owned()],
            state: state.to_owned(),
            cpus: 1,
            memory_mib: 1,
            gres: String::new(),
            reason: String::new(),
        };
        let mut counted = queue("q", [0, 0], Some([0, 0]));
        for (state, is_fixed) in
            [("idle", true), ("mixed", true), ("idle~", false), ("idle#", false), ("down*", true), ("idle", false)]
        {
            count(&mut counted, &node(state), is_fixed);
        }
        assert_eq!(counted, queue("q", [3, 3], Some([2, 1])));
    }
}
