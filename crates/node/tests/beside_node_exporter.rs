//! Beside the distribution's node_exporter on one machine: what both export has the same labels and values.

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use harness::{Server, series};

/// Beginnings of series that are not compared.
const NOT_COMPARED: &[&str] = &[
    // What each says of itself.
    "node_scrape_collector_",
    "process_",
    // They move with the test's own connections, and are held to a file in the collector's own test. Of the queues,
    // node_exporter counts the backlog of sockets that listen, in connections, as bytes that wait.
    "node_tcp_connection_states",
];

/// What reading itself moves, and by how much at most.
fn moved_by_reading(series: &str) -> f64 {
    match name(series) {
        // Files that the reader opens, and connections to it.
        "node_filefd_allocated" => 128.0,
        // Who reads is running, or is not, and has threads that come and go.
        "node_processes_state" | "node_processes_threads" | "node_processes_pids" | "node_procs_running" => 16.0,
        _ => 0.0,
    }
}

/// Series that only we have. node_exporter 1.5.0 leaves loopback out where netlink gives it no statistics.
fn is_only_ours(series: &str) -> bool {
    (series.starts_with("node_network_receive_") || series.starts_with("node_network_transmit_"))
        && series.ends_with("{\"device\": \"lo\"}")
}

/// Rounds until a value that moves has been met between two reads of the peer's.
const ROUNDS: usize = 40;

fn name(series: &str) -> &str {
    series.split('{').next().unwrap_or(series)
}

#[test]
#[ignore = "needs prometheus-node-exporter"]
fn every_name_that_both_export_has_equal_values() {
    let peer = Server::node_exporter();
    let mut differing: BTreeMap<String, String> = BTreeMap::new();
    let mut compared = BTreeSet::new();
    for round in 0..ROUNDS {
        // A new one each time: some collectors run at a pace of their own, and at the start.
        let agent = Server::agent(&[]);
        let until = Instant::now() + Duration::from_secs(10);
        while !agent.get("/metrics").contains("node_tcp_connection_states") {
            assert!(Instant::now() < until, "the paced collectors do not run");
        }
        let before = series(&peer.get("/metrics"));
        let ours = series(&agent.get("/metrics?fresh"));
        let after = series(&peer.get("/metrics"));
        let names: BTreeSet<&str> = ours.keys().map(|key| name(key)).collect();
        let is_compared =
            |key: &str| names.contains(name(key)) && !NOT_COMPARED.iter().any(|left| key.starts_with(left));
        let theirs: BTreeSet<&str> = before.keys().map(|key| name(key)).collect();
        let mut keys: BTreeSet<&String> = before.keys().filter(|key| is_compared(key)).collect();
        keys.extend(ours.keys().filter(|key| is_compared(key) && theirs.contains(name(key)) && !is_only_ours(key)));
        for key in keys {
            let is_new = compared.insert(key.clone());
            if !is_new && !differing.contains_key(key) {
                continue;
            }
            let moved = moved_by_reading(key);
            let told = match (before.get(key), ours.get(key), after.get(key)) {
                (Some(first), Some(value), Some(last)) => {
                    let (low, high) = (first.min(*last), first.max(*last));
                    // The peer's and our readings of one number differ in the last digit of a float.
                    let slack = high.abs() * 1e-9 + moved;
                    let is_between = *value >= low - slack && *value <= high + slack;
                    (!is_between).then(|| format!("{value}, and node_exporter {first} before and {last} after"))
                }
                (first, value, last) => [first, value, last]
                    .into_iter()
                    .flatten()
                    .any(|value| moved == 0.0 || *value > moved)
                    .then(|| format!("ours {value:?}, and node_exporter {first:?} before and {last:?} after")),
            };
            match told {
                Some(told) => differing.insert(key.clone(), told),
                None => differing.remove(key),
            };
        }
        if round > 0 && differing.is_empty() {
            break;
        }
    }
    let told: Vec<String> = differing.iter().map(|(key, told)| format!("{key}: {told}")).collect();
    assert!(told.is_empty(), "{} of {} series differ:\n{}", told.len(), compared.len(), told.join("\n"));
    assert!(compared.len() > 300, "only {} series were compared", compared.len());
    let peers: BTreeSet<String> = compared.iter().map(|key| name(key).to_owned()).collect();
    assert!(peers.len() > 200, "only {} names were compared", peers.len());
}
