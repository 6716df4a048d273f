//! Neighbours on each interface.

use std::collections::BTreeMap;

use trainyard_plan::metrics::arp::node_arp_entries;

use super::{Collector, Kind, Lane, Problem, Scope};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "arp",
    about: "neighbours on each interface",
    lane: Lane::Shared,
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Arp(Text::new(setting.roots.proc.join("net/arp"))))),
};

struct Arp(Text);

impl Collector for Arp {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let mut entries: BTreeMap<&str, u64> = BTreeMap::new();
        for line in self.0.read()?.lines().skip(1) {
            // The sixth column is the interface.
            if let Some(device) = line.split_ascii_whitespace().nth(5) {
                *entries.entry(device).or_default() += 1;
            }
        }
        for (device, count) in entries {
            sheet.put(&node_arp_entries, &[device], count);
        }
        Ok(())
    }
}
