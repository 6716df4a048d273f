//! TCP connections by state. At a pace of its own: the kernel walks a table of all places for connections, which takes
//! it milliseconds.

use std::time::Duration;

use trainyard_plan::metrics::tcpstat::node_tcp_connection_states;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "tcpstat",
    about: "TCP connections by state",
    lane: Lane::Paced(Duration::from_secs(30)),
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Tcpstat::new(setting))),
};

/// As the kernel numbers them, from 1.
const STATES: [&str; 12] = [
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
    "new_syn_recv",
];

/// The state's number.
const LISTEN: usize = 10;

struct Tcpstat([Text; 2]);

impl Tcpstat {
    fn new(setting: &Setting) -> Self {
        Self(["tcp", "tcp6"].map(|name| Text::new(setting.roots.proc.join("net").join(name))))
    }
}

impl Collector for Tcpstat {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let mut states = [0_u64; STATES.len()];
        let (mut sent, mut received) = (0_u64, 0_u64);
        for file in &mut self.0 {
            for line in file.read_if_there()?.unwrap_or_default().lines().skip(1) {
                let mut words = line.split_ascii_whitespace().skip(3);
                let state = words.next().and_then(|word| usize::from_str_radix(word, 16).ok());
                let Some(count) = state.and_then(|state| states.get_mut(state.checked_sub(1)?)) else { continue };
                *count += 1;
                // What a socket that listens has in its queues are connections, not bytes.
                if state == Some(LISTEN) {
                    continue;
                }
                let Some((tx, rx)) = words.next().and_then(|queues| queues.split_once(':')) else { continue };
                sent = sent.saturating_add(u64::from_str_radix(tx, 16).unwrap_or_default());
                received = received.saturating_add(u64::from_str_radix(rx, 16).unwrap_or_default());
            }
        }
        for (state, count) in STATES.iter().zip(states).filter(|(_, count)| *count > 0) {
            sheet.put(&node_tcp_connection_states, &[state], count);
        }
        sheet.put(&node_tcp_connection_states, &["rx_queued_bytes"], received);
        sheet.put(&node_tcp_connection_states, &["tx_queued_bytes"], sent);
        Ok(())
    }
}
