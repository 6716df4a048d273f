//! Partitions, as `scontrol -o show partition` has them. What is in their nodes comes with the nodes.

use std::collections::BTreeMap;

use trainyard_plan::metrics::slurm as m;

use super::nodes::is_empty;
use super::{put_unread, values};
use crate::format::label;
use crate::sheet::Sheet;

/// The most that are kept.
const READ_MAX: usize = 20_000;

#[derive(Default)]
pub(super) struct Partitions {
    read: BTreeMap<Box<str>, Partition>,
    unread: u64,
}

struct Partition {
    state: Option<Box<str>>,
    nodes: Option<u64>,
}

impl Partitions {
    /// One line.
    pub(super) fn line(&mut self, line: &str) {
        let [name, state, nodes] = values(line, &["PartitionName", "State", "TotalNodes"]);
        let Some(name) = name.filter(|_| self.read.len() < READ_MAX) else {
            self.unread += u64::from(!is_empty(line, "No partitions"));
            return;
        };
        let state = state.map(|state| state.to_ascii_lowercase().into());
        let nodes = nodes.and_then(|nodes| nodes.parse().ok());
        self.read.insert(label(name).into(), Partition { state, nodes });
    }

    /// All of it.
    pub(super) fn put(&self, sheet: &mut Sheet, names: usize) {
        put_unread(sheet, "partitions", self.unread);
        // The largest, as with their nodes.
        let mut read: Vec<_> = self.read.iter().collect();
        read.sort_by_key(|(_, partition)| std::cmp::Reverse(partition.nodes));
        for (name, partition) in read.into_iter().take(names) {
            if let Some(state) = &partition.state {
                sheet.put(&m::slurm_partition_info, &[name, state], 1_u32);
            }
            if let Some(nodes) = partition.nodes {
                sheet.put(&m::slurm_partition_nodes_configured, &[name], nodes);
            }
        }
    }
}
