//! What Slurm's programs print, read carefully: columns are ours, values are theirs.

use std::collections::BTreeMap;

use trainyard_plan::hostlist;

use crate::{JobState, NodeState};

/// What `sinfo -h -o` is asked for.
pub const NODE_COLUMNS: &str = "%N|%R|%t|%c|%m|%G|%E";
/// What `squeue -h -o` is asked for.
pub const JOB_COLUMNS: &str = "%i|%u|%P|%T|%D|%M|%R|%j";

/// Nodes; one in several queues is listed once (D-A39). A line may stand for many nodes, as in `q-st-r-[1-8]`.
pub fn parse_nodes(text: &str) -> Vec<NodeState> {
    let mut nodes: BTreeMap<String, NodeState> = BTreeMap::new();
    let mut order = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(7, '|').map(str::trim);
        let mut next = || fields.next().unwrap_or_default().to_owned();
        let (name, queue, state, cpus, memory, gres, reason) = (next(), next(), next(), next(), next(), next(), next());
        if name.is_empty() {
            continue;
        }
        let plain = |text: String| if text == "(null)" || text == "none" { String::new() } else { text };
        let node = NodeState {
            name: String::new(),
            queues: vec![queue.clone()],
            state: long_state(&state),
            cpus: cpus.parse().unwrap_or(0),
            memory_mib: memory.parse().unwrap_or(0),
            gres: plain(gres),
            reason: plain(reason),
        };
        for name in hostlist::expand(&name).unwrap_or_else(|| vec![name]) {
            if let Some(known) = nodes.get_mut(&name) {
                known.queues.push(queue.clone());
            } else if nodes.len() < hostlist::HOSTS_MAX {
                order.push(name.clone());
                nodes.insert(name.clone(), NodeState { name, ..node.clone() });
            }
        }
    }
    order.into_iter().filter_map(|name| nodes.remove(&name)).collect()
}

/// sinfo's compact words, written out; the suffix that tells about power stays.
fn long_state(compact: &str) -> String {
    let word = compact.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
    let suffix = &compact[word.len()..];
    let long = match word {
        "alloc" => "allocated",
        "mix" => "mixed",
        "comp" => "completing",
        "drng" => "draining",
        "drain" => "drained",
        "maint" => "maintenance",
        "resv" => "reserved",
        "unk" => "unknown",
        other => other,
    };
    format!("{long}{suffix}")
}

/// Jobs.
pub fn parse_jobs(text: &str) -> Vec<JobState> {
    let job = |line: &str| {
        // The name comes last: it alone may hold a bar.
        let mut fields = line.splitn(8, '|').map(|field| field.trim().to_owned());
        Some(JobState {
            id: fields.next()?,
            user: fields.next()?,
            queue: fields.next()?,
            state: fields.next()?.to_ascii_lowercase(),
            nodes: fields.next()?.parse().unwrap_or(0),
            elapsed: fields.next()?,
            place: fields.next()?,
            name: fields.next()?,
        })
    };
    text.lines().filter_map(job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-A39: powered-down nodes are not idle ones, and a node in two queues is one node.
    #[test]
    fn nodes_are_counted_once_and_power_is_seen() {
        let text = "a-st-n-1|a|idle|192|1992294|gpu:h200:8|none\n\
                    a-st-n-1|b|idle|192|1992294|gpu:h200:8|none\n\
                    a-dy-n-1|a|idle~|4|1945|(null)|none\n\
                    a-dy-n-2|a|mix#|4|1945|(null)|none\n\
                    a-dy-n-3|a|down*|4|1945|(null)|Not responding | odd\n";
        let nodes = parse_nodes(text);
        let short: Vec<(&str, &str, bool, bool)> =
            nodes.iter().map(|n| (n.name.as_str(), n.state.as_str(), n.is_off(), n.is_up())).collect();
        assert_eq!(
            short,
            [
                ("a-st-n-1", "idle", false, true),
                ("a-dy-n-1", "idle~", true, false),
                ("a-dy-n-2", "mixed#", false, false),
                ("a-dy-n-3", "down*", false, false),
            ]
        );
        assert_eq!(nodes[0].queues, ["a", "b"]);
        assert_eq!(nodes[3].reason, "Not responding | odd");
    }

    #[test]
    fn a_line_may_stand_for_many_nodes() {
        let nodes = parse_nodes("q-st-r-[1-3],q-st-r-7|q|idle|4|1|(null)|none\nq-[1|q|idle|4|1|(null)|none\n");
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["q-st-r-1", "q-st-r-2", "q-st-r-3", "q-st-r-7", "q-[1"]);
    }

    #[test]
    fn a_jobs_name_may_hold_anything() {
        let jobs = parse_jobs("12|me|q|RUNNING|4|0:07|q-st-n-[1-2]|a|b\nnonsense\n");
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].name, "a|b");
        assert_eq!(jobs[0].state, "running");
    }
}
