//! Properties of network interfaces: the node's own, where nodes have networks of their own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::netclass::{TABLE, node_network_info, node_network_up};

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{Attributes, names};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "netclass",
    about: "properties of network interfaces",
    lane: Lane::Shared,
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Netclass::new(setting))),
};

/// A p6-b300 has 17 interfaces, a container host some hundred.
const INTERFACES_MAX: usize = 512;

/// What seldom changes is read again after so long: each attribute costs the kernel a lock of its network, and a node may
/// have 32 interfaces with 20 of them.
const STANDS_FOR: Duration = Duration::from_mins(1);

/// Attributes that may change from one moment to the next.
const QUICK: &[&str] = &["carrier", "carrier_changes", "carrier_up_count", "carrier_down_count", "flags", "speed"];

struct Netclass {
    folder: PathBuf,
    attributes: Attributes,
    standing: HashMap<String, Standing>,
}

/// What seldom changes of one interface.
struct Standing {
    read: Instant,
    /// Number of the interface: another one of the same name has another.
    index: Option<i64>,
    words: [String; 4],
    numbers: Vec<(&'static Metric, i64)>,
}

impl Netclass {
    fn new(setting: &Setting) -> Self {
        Self {
            folder: setting.roots.sys.join("class/net"),
            attributes: Attributes::default(),
            standing: HashMap::new(),
        }
    }
}

impl Standing {
    fn read(attributes: &mut Attributes, folder: &Path, index: Option<i64>) -> Self {
        let words = ["address", "broadcast", "duplex", "ifalias"]
            .map(|name| attributes.word(folder, name).unwrap_or_default().to_owned());
        let slow = TABLE.metrics.iter().copied().skip(2).filter(|metric| !QUICK.contains(&metric.key));
        let numbers = slow.filter_map(|metric| Some((metric, attributes.number(folder, metric.key)?))).collect();
        Self { read: Instant::now(), index, words, numbers }
    }
}

impl Collector for Netclass {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let Self { folder, attributes, standing } = self;
        let devices = names(folder, INTERFACES_MAX);
        standing.retain(|device, _| devices.binary_search(device).is_ok());
        for device in devices {
            let folder = folder.join(&device);
            // Bonding keeps files of its own beside the interfaces.
            let Some(state) = attributes.word(&folder, "operstate").map(str::to_owned) else { continue };
            let index = attributes.number(&folder, "ifindex");
            let is_good = |standing: &Standing| standing.index == index && standing.read.elapsed() < STANDS_FOR;
            if !standing.get(&device).is_some_and(is_good) {
                standing.insert(device.clone(), Standing::read(attributes, &folder, index));
            }
            let Some(known) = standing.get(&device) else { continue };
            let [address, broadcast, duplex, alias] = &known.words;
            sheet.put(&node_network_up, &[&device], state == "up");
            sheet.put(&node_network_info, &[&device, address, broadcast, duplex, &state, alias], 1_u32);
            for (metric, value) in &known.numbers {
                sheet.put(metric, &[&device], *value);
            }
            for metric in TABLE.metrics.iter().filter(|metric| QUICK.contains(&metric.key)) {
                let Some(value) = attributes.number(&folder, metric.key) else { continue };
                if metric.key != "speed" {
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
