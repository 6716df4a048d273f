//! Nodes, as `scontrol -d -o show node` has them: a line each, with all partitions of the node.

use trainyard_plan::metrics::slurm as m;

use super::names::{Sums, Tally};
use super::node_state::{FLAGS, NodeState, STATES, read};
use super::{put_unread, values};
use crate::sheet::Sheet;

/// What is summed over nodes.
#[derive(Default)]
pub(super) struct Nodes {
    all: Sum,
    flags: [u64; FLAGS.len()],
    partitions: Tally<Sum>,
    unread: u64,
}

#[derive(Default, Clone)]
struct Sum {
    nodes: u64,
    states: [u64; STATES.len()],
    cpus: Capacity,
    gpus: Capacity,
}

#[derive(Default, Clone, Copy)]
struct Capacity {
    total: u64,
    alloc: u64,
    idle: u64,
    other: u64,
    powered_down: u64,
}

impl Capacity {
    fn of(total: u64, alloc: u64, state: NodeState) -> Self {
        let free = total.saturating_sub(alloc);
        let (idle, other) = if state.takes_jobs() { (free, 0) } else { (0, free) };
        let powered_down = if state == NodeState::PoweredDown { free } else { 0 };
        Self { total, alloc, idle, other, powered_down }
    }

    fn add(&mut self, other: &Self) {
        self.total = self.total.saturating_add(other.total);
        self.alloc = self.alloc.saturating_add(other.alloc);
        self.idle = self.idle.saturating_add(other.idle);
        self.other = self.other.saturating_add(other.other);
        self.powered_down = self.powered_down.saturating_add(other.powered_down);
    }
}

impl Sums for Sum {
    fn add(&mut self, other: &Self) {
        self.nodes += other.nodes;
        for (own, others) in self.states.iter_mut().zip(&other.states) {
            *own += others;
        }
        self.cpus.add(&other.cpus);
        self.gpus.add(&other.gpus);
    }

    fn weight(&self) -> u64 {
        self.nodes
    }
}

impl Nodes {
    /// One line.
    pub(super) fn line(&mut self, line: &str) {
        let keys = ["NodeName", "State", "CPUTot", "CPUEfctv", "CPUAlloc", "Gres", "GresUsed", "Partitions"];
        let [name, state, total, effective, alloc, gpus, gpus_used, partitions] = values(line, &keys);
        let (Some(_), Some(state)) = (name, state) else {
            self.unread += u64::from(!is_empty(line, "No nodes"));
            return;
        };
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
        let (state, flags) = read(state);
        // Without those that are kept for the system, as `sinfo` counts.
        let cpus = number(effective).or(number(total));
        self.unread += u64::from(cpus.is_none());
        let sum = Sum {
            nodes: 1,
            states: STATES.map(|(one, ..)| u64::from(one == state)),
            cpus: Capacity::of(cpus.unwrap_or(0), number(alloc).unwrap_or(0), state),
            gpus: Capacity::of(gpus.map_or(0, gpu_count), gpus_used.map_or(0, gpu_count), state),
        };
        self.all.add(&sum);
        for (bit, count) in self.flags.iter_mut().enumerate() {
            *count += u64::from(flags >> bit & 1);
        }
        for partition in partitions.into_iter().flat_map(|list| list.split(',')).filter(|name| !name.is_empty()) {
            self.partitions.of(partition).add(&sum);
        }
    }

    /// All of it.
    pub(super) fn put(&self, sheet: &mut Sheet, names: usize) {
        put_unread(sheet, "nodes", self.unread);
        sheet.put(&m::slurm_nodes_total, &[], self.all.nodes);
        for ((_, _, metric), count) in STATES.iter().zip(self.all.states) {
            sheet.put(metric, &[], count);
        }
        for (flag, count) in FLAGS.iter().zip(self.flags) {
            sheet.put(&m::slurm_nodes_flag, &[flag], count);
        }
        let Sum { cpus, gpus, .. } = &self.all;
        sheet.put(&m::slurm_cpus_total, &[], cpus.total);
        sheet.put(&m::slurm_cpus_alloc, &[], cpus.alloc);
        sheet.put(&m::slurm_cpus_idle, &[], cpus.idle);
        sheet.put(&m::slurm_cpus_other, &[], cpus.other);
        sheet.put(&m::slurm_cpus_powered_down, &[], cpus.powered_down);
        sheet.put(&m::slurm_gpus_total, &[], gpus.total);
        sheet.put(&m::slurm_gpus_alloc, &[], gpus.alloc);
        sheet.put(&m::slurm_gpus_idle, &[], gpus.idle);
        sheet.put(&m::slurm_gpus_other, &[], gpus.other);
        sheet.put(&m::slurm_gpus_powered_down, &[], gpus.powered_down);
        let shown = self.partitions.shown(names);
        sheet.put(&m::slurm_names_merged, &["partition"], shown.merged);
        for (partition, sum) in shown.all() {
            put_partition(sheet, partition, sum);
        }
    }
}

fn put_partition(sheet: &mut Sheet, partition: &str, sum: &Sum) {
    for ((_, state, _), count) in STATES.iter().zip(sum.states).filter(|(_, count)| *count > 0) {
        sheet.put(&m::slurm_partition_nodes, &[partition, state], count);
    }
    let Sum { cpus, gpus, .. } = sum;
    sheet.put(&m::slurm_partition_cpus_total, &[partition], cpus.total);
    sheet.put(&m::slurm_partition_cpus_allocated, &[partition], cpus.alloc);
    sheet.put(&m::slurm_partition_cpus_idle, &[partition], cpus.idle);
    sheet.put(&m::slurm_partition_cpus_other, &[partition], cpus.other);
    sheet.put(&m::slurm_partition_gpus_total, &[partition], gpus.total);
    sheet.put(&m::slurm_partition_gpus_allocated, &[partition], gpus.alloc);
    sheet.put(&m::slurm_partition_gpus_idle, &[partition], gpus.idle);
    sheet.put(&m::slurm_partition_gpus_other, &[partition], gpus.other);
}

/// GPUs in a list of generic resources: `gpu:h100:8(S:0-1),gpu:2(IDX:0,2),shard:4`. Commas within parentheses make parts
/// that begin with no resource's name.
pub(super) fn gpu_count(list: &str) -> u64 {
    let gpus = list.split(',').filter_map(|part| {
        let bare = part.split('(').next().unwrap_or_default();
        let count = bare.strip_prefix("gpu:")?.rsplit(':').next()?;
        count.parse::<u64>().ok()
    });
    gpus.fold(0, u64::saturating_add)
}

/// Whether a line only says that there is nothing.
pub(super) fn is_empty(line: &str, beginning: &str) -> bool {
    line.trim().is_empty() || line.starts_with(beginning)
}
