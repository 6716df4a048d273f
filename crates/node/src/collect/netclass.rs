//! Properties of network interfaces: the node's own, where nodes have networks of their own.

use std::path::PathBuf;

use trainyard_plan::metrics::netclass::{TABLE, node_network_info, node_network_speed_bytes, node_network_up};

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{Attributes, names};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "netclass",
    about: "properties of network interfaces",
    lane: Lane::Shared,
    scope: Scope::Node,
    make: |setting| Some(Box::new(Netclass::new(setting))),
};

/// A p6-b300 has 17 interfaces, a container host some hundred.
const INTERFACES_MAX: usize = 512;

struct Netclass {
    folder: PathBuf,
    attributes: Attributes,
}

impl Netclass {
    fn new(setting: &Setting) -> Self {
        Self { folder: setting.roots.sys.join("class/net"), attributes: Attributes::default() }
    }
}

impl Collector for Netclass {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for device in names(&self.folder, INTERFACES_MAX) {
            let folder = self.folder.join(&device);
            // Bonding keeps files of its own beside the interfaces.
            let Some(state) = self.attributes.word(&folder, "operstate").map(str::to_owned) else { continue };
            sheet.put(&node_network_up, &[&device], state == "up");
            let mut word = |name| self.attributes.word(&folder, name).unwrap_or_default().to_owned();
            let (address, broadcast) = (word("address"), word("broadcast"));
            let (duplex, alias) = (word("duplex"), word("ifalias"));
            sheet.put(&node_network_info, &[&device, &address, &broadcast, &duplex, &state, &alias], 1_u32);
            for metric in TABLE.metrics.iter().skip(2) {
                let Some(value) = self.attributes.number(&folder, metric.key) else { continue };
                if !std::ptr::eq(*metric, &raw const node_network_speed_bytes) {
                    sheet.put(metric, &[&device], value);
                } else if value >= 0 {
                    // Megabits a second; -1 where the driver does not know.
                    sheet.put(metric, &[&device], value.saturating_mul(125_000));
                }
            }
        }
        Ok(())
    }
}
