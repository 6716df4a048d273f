//! Traffic of network interfaces: the node's own, where nodes have networks of their own.

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::netdev as m;

use super::{Collector, Kind, Lane, Problem, Scope};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "netdev",
    about: "traffic of network interfaces",
    lane: Lane::Shared,
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Netdev(Text::new(setting.roots.proc.join("net/dev"))))),
};

/// In the order of the file.
static FIELDS: [&Metric; 16] = [
    &m::node_network_receive_bytes_total,
    &m::node_network_receive_packets_total,
    &m::node_network_receive_errs_total,
    &m::node_network_receive_drop_total,
    &m::node_network_receive_fifo_total,
    &m::node_network_receive_frame_total,
    &m::node_network_receive_compressed_total,
    &m::node_network_receive_multicast_total,
    &m::node_network_transmit_bytes_total,
    &m::node_network_transmit_packets_total,
    &m::node_network_transmit_errs_total,
    &m::node_network_transmit_drop_total,
    &m::node_network_transmit_fifo_total,
    &m::node_network_transmit_colls_total,
    &m::node_network_transmit_carrier_total,
    &m::node_network_transmit_compressed_total,
];

struct Netdev(Text);

impl Collector for Netdev {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        // The first two lines are a heading.
        for line in self.0.read()?.lines().skip(2) {
            let Some((device, rest)) = line.rsplit_once(':') else { continue };
            for (metric, word) in FIELDS.iter().zip(rest.split_ascii_whitespace()) {
                if let Ok(value) = word.parse::<u64>() {
                    sheet.put(metric, &[device.trim()], value);
                }
            }
        }
        Ok(())
    }
}
