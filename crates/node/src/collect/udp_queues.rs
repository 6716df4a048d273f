//! Bytes that wait in the queues of UDP sockets. At a pace of its own: the kernel walks a table with a place for each of
//! up to 65,536 sockets, twice, however few there are.

use std::time::Duration;

use trainyard_plan::metrics::udp_queues::node_udp_queues;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "udp_queues",
    about: "queues of UDP sockets",
    lane: Lane::Paced(Duration::from_secs(30)),
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(UdpQueues::new(setting))),
};

struct UdpQueues([(&'static str, Text); 2]);

impl UdpQueues {
    fn new(setting: &Setting) -> Self {
        let at = |name: &str| Text::new(setting.roots.proc.join("net").join(name));
        Self([("v4", at("udp")), ("v6", at("udp6"))])
    }
}

impl Collector for UdpQueues {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for (version, file) in &mut self.0 {
            let Some(text) = file.read_if_there()? else { continue };
            let (mut sent, mut received) = (0_u64, 0_u64);
            for line in text.lines().skip(1) {
                // `tx_queue:rx_queue`, in hexadecimal.
                let Some((tx, rx)) = line.split_ascii_whitespace().nth(4).and_then(|queues| queues.split_once(':'))
                else {
                    continue;
                };
                sent = sent.saturating_add(u64::from_str_radix(tx, 16).unwrap_or_default());
                received = received.saturating_add(u64::from_str_radix(rx, 16).unwrap_or_default());
            }
            sheet.put(&node_udp_queues, &[version, "tx"], sent);
            sheet.put(&node_udp_queues, &[version, "rx"], received);
        }
        Ok(())
    }
}
