//! Packets as processors handle them.

use trainyard_plan::metrics::softnet as m;

use super::{Collector, Kind, Lane, Problem, Scope};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "softnet",
    about: "packets as processors handle them",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Softnet(Text::new(setting.roots.proc.join("net/softnet_stat"))))),
};

struct Softnet(Text);

impl Collector for Softnet {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for (line, text) in self.0.read()?.lines().enumerate() {
            let words: Vec<u64> =
                text.split_ascii_whitespace().map_while(|word| u64::from_str_radix(word, 16).ok()).collect();
            // Processors that are off have no line; newer kernels say whose line it is.
            let cpu = words.get(12).copied().unwrap_or(line as u64).to_string();
            let columns = [
                (&m::node_softnet_processed_total, 0),
                (&m::node_softnet_dropped_total, 1),
                (&m::node_softnet_times_squeezed_total, 2),
                (&m::node_softnet_received_rps_total, 9),
                (&m::node_softnet_flow_limit_count_total, 10),
            ];
            for (metric, column) in columns {
                if let Some(value) = words.get(column) {
                    sheet.put(metric, &[&cpu], *value);
                }
            }
        }
        Ok(())
    }
}
