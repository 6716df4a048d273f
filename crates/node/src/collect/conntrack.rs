//! Tracked connections.

use std::path::PathBuf;

use trainyard_plan::metrics::conntrack::{TABLE, node_nf_conntrack_entries, node_nf_conntrack_entries_limit};

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{Attributes, Text};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "conntrack",
    about: "tracked connections",
    lane: Lane::Shared,
    scope: Scope::Namespace,
    make: |setting| Conntrack::new(setting).map(|conntrack| Box::new(conntrack) as Box<dyn Collector>),
};

struct Conntrack {
    folder: PathBuf,
    attributes: Attributes,
    statistics: Text,
}

impl Conntrack {
    /// `None` where the kernel tracks no connections.
    fn new(setting: &Setting) -> Option<Self> {
        let folder = setting.roots.proc.join("sys/net/netfilter");
        let statistics = Text::new(setting.roots.proc.join("net/stat/nf_conntrack"));
        folder.join("nf_conntrack_count").exists().then(|| Self {
            folder,
            attributes: Attributes::default(),
            statistics,
        })
    }
}

impl Collector for Conntrack {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for metric in [&node_nf_conntrack_entries, &node_nf_conntrack_entries_limit] {
            if let Some(value) = self.attributes.number(&self.folder, metric.key) {
                sheet.put(metric, &[], value);
            }
        }
        let Some(text) = self.statistics.read_if_there()? else { return Ok(()) };
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap_or_default().split_ascii_whitespace().collect();
        // A line for each processor; the statistics are their sums.
        let mut sums = vec![0_u64; names.len()];
        for line in lines {
            for (sum, word) in sums.iter_mut().zip(line.split_ascii_whitespace()) {
                *sum = sum.wrapping_add(u64::from_str_radix(word, 16).unwrap_or_default());
            }
        }
        for (name, sum) in names.iter().zip(sums) {
            if let Some(metric) = TABLE.with_key(name) {
                sheet.put(metric, &[], sum);
            }
        }
        Ok(())
    }
}
