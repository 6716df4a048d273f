//! Memory of each NUMA node.

use std::path::PathBuf;

use trainyard_plan::metrics::meminfo_numa::TABLE;

use super::{Collector, Kind, Lane, Problem, Scope, Setting, meminfo};
use crate::files::{Text, names};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "meminfo_numa",
    about: "memory of each NUMA node",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| MeminfoNuma::new(setting).map(|nodes| Box::new(nodes) as Box<dyn Collector>),
};

/// More than the NUMA nodes of any machine.
const ENTRIES_MAX: usize = 1024;

struct MeminfoNuma(Vec<Node>);

struct Node {
    number: String,
    memory: Text,
    statistics: Text,
}

impl MeminfoNuma {
    /// `None` where the kernel knows no NUMA.
    fn new(setting: &Setting) -> Option<Self> {
        let folder: PathBuf = setting.roots.sys.join("devices/system/node");
        let node = |name: String| {
            let number = name.strip_prefix("node").filter(|rest| rest.parse::<u32>().is_ok())?.to_owned();
            let at = folder.join(&name);
            Some(Node { number, memory: Text::new(at.join("meminfo")), statistics: Text::new(at.join("numastat")) })
        };
        let nodes: Vec<Node> = names(&folder, ENTRIES_MAX).into_iter().filter_map(node).collect();
        (!nodes.is_empty()).then_some(Self(nodes))
    }
}

impl Collector for MeminfoNuma {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for node in &mut self.0 {
            // `Node 0 MemTotal: 123 kB`
            let text = node.memory.read()?;
            for line in text.lines() {
                let Some(rest) = line.trim_start().splitn(3, ' ').nth(2) else { continue };
                let Some((key, value)) = meminfo::fields(rest).next() else { continue };
                if let Some(metric) = TABLE.with_key(key) {
                    sheet.put(metric, &[&node.number], value);
                }
            }
            for line in node.statistics.read_if_there()?.unwrap_or_default().lines() {
                let Some((key, value)) = line.split_once(' ') else { continue };
                if let (Some(metric), Ok(value)) = (TABLE.with_key(key), value.trim().parse::<u64>()) {
                    sheet.put(metric, &[&node.number], value);
                }
            }
        }
        Ok(())
    }
}
