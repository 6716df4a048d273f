//! Processor time by processor and mode.

use trainyard_plan::metrics::cpu::{node_cpu_guest_seconds_total, node_cpu_seconds_total};

use super::{Collector, Kind, Lane, Problem, Scope, Setting, misread};
use crate::files::Text;
use crate::sheet::{Labels, Sheet};

pub(super) static COLLECTOR: Kind = Kind {
    name: "cpu",
    about: "processor time by mode",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Cpu::new(setting))),
};

/// In the order of the file.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
/// They follow the modes.
const GUEST_MODES: [&str; 2] = ["user", "nice"];

struct Cpu {
    file: Text,
    ticks_per_second: f64,
    /// Labels of each processor that was seen, made once: a large node has 192 processors with ten series each.
    labels: Vec<[Labels; 10]>,
}

impl Cpu {
    fn new(setting: &Setting) -> Self {
        let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten();
        let ticks = ticks.and_then(|ticks| u32::try_from(ticks).ok()).map_or(100.0, f64::from);
        Self { file: Text::new(setting.roots.proc.join("stat")), ticks_per_second: ticks, labels: Vec::new() }
    }
}

/// More processors than a machine has; a number beyond is no processor's.
const PROCESSORS_MAX: usize = 4096;

impl Collector for Cpu {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let path = self.file.path();
        let ticks_per_second = self.ticks_per_second;
        for line in self.file.read()?.lines() {
            let mut words = line.split_ascii_whitespace();
            let Some(number) = words.next().and_then(|word| word.strip_prefix("cpu")) else { break };
            // The first line is the sum of all.
            let Ok(number) = number.parse::<usize>() else { continue };
            if number >= PROCESSORS_MAX {
                continue;
            }
            while self.labels.len() <= number {
                self.labels.push(labels(self.labels.len()));
            }
            let Some(labels) = self.labels.get(number) else { continue };
            let values = words.map(|word| word.parse::<u64>().map_err(|_| misread(&path, "whole numbers of ticks")));
            for (at, (labels, value)) in labels.iter().zip(values).enumerate() {
                let metric = if at < MODES.len() { &node_cpu_seconds_total } else { &node_cpu_guest_seconds_total };
                #[allow(clippy::cast_precision_loss, reason = "2^53 ticks are three million years")]
                sheet.put_with(metric, labels, value? as f64 / ticks_per_second);
            }
        }
        Ok(())
    }
}

fn labels(number: usize) -> [Labels; 10] {
    let number = number.to_string();
    let mut modes = MODES.iter().chain(&GUEST_MODES);
    std::array::from_fn(|_| Labels::new(&[("cpu", &number), ("mode", modes.next().copied().unwrap_or_default())]))
}
