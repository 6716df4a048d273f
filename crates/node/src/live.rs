//! What the node does now, in a few figures, from what collectors read last and the time before.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use trainyard_plan::metrics::{Metric, cgroup, cpu, efa, gpu, meminfo, netdev, neuron};
use trainyard_plan::usage::{GpuUsage, NodeUsage, Traffic};

use crate::conductor::Told;
use crate::ordinary::is_inner;

/// Two readings closer than this make no rate: a processor's time is counted in hundredths of a second.
const APART: Duration = Duration::from_secs(1);

/// A rate is over at least this much time, however often anybody asks: what moves in jumps, as a replay or a counter that
/// its device tells of now and then, would be nothing at one look and all at the next.
const WINDOW: Duration = Duration::from_secs(10);

/// What the node does.
#[derive(Debug, Default)]
pub struct Live(Mutex<Kept>);

/// Readings that are at least [`APART`], the oldest of them at least [`WINDOW`] before the last.
#[derive(Debug, Default)]
struct Kept {
    stood: VecDeque<Stood>,
    usage: NodeUsage,
}

/// What counters stood at, and what gauges say.
#[derive(Debug)]
struct Reading {
    stood: Stood,
    usage: NodeUsage,
}

#[derive(Debug)]
struct Stood {
    at: Instant,
    cpu_seconds: Option<f64>,
    fabric: Option<[f64; 2]>,
    network: Option<[f64; 2]>,
}

impl Live {
    /// Takes in how collectors fare after a round.
    pub fn take(&self, told: &[Told]) {
        self.keep(Reading::of(told, Instant::now()));
    }

    fn keep(&self, reading: Reading) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Reading { stood, usage } = reading;
        kept.usage = usage;
        let since = |before: &Stood| stood.at.saturating_duration_since(before.at);
        while kept.stood.get(1).is_some_and(|second| since(second) >= WINDOW) {
            kept.stood.pop_front();
        }
        // A round that somebody asked for just after another takes its place: the time before stays far enough away.
        if kept.stood.len() > 1 && kept.stood.back().is_some_and(|last| since(last) < APART) {
            kept.stood.pop_back();
        }
        kept.stood.push_back(stood);
    }

    /// What the node does, as far as it is known; without rates until there were two rounds.
    pub fn usage(&self) -> NodeUsage {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut usage = kept.usage.clone();
        if let Some((before, last)) = kept.stood.front().zip(kept.stood.back()) {
            let span = last.at.saturating_duration_since(before.at);
            let seconds = span.as_secs_f64();
            // A counter that went back was begun anew.
            let rate = |from: f64, to: f64| (span >= APART && to >= from).then(|| (to - from) / seconds);
            let traffic = |from: Option<[f64; 2]>, to: Option<[f64; 2]>| {
                let ([from_received, from_sent], [received, sent]) = from.zip(to)?;
                let (received_per_second, sent_per_second) =
                    rate(from_received, received).zip(rate(from_sent, sent))?;
                Some(Traffic { received_per_second, sent_per_second })
            };
            usage.cpus = before.cpu_seconds.zip(last.cpu_seconds).and_then(|(from, to)| rate(from, to));
            usage.fabric = traffic(before.fabric, last.fabric);
            usage.network = traffic(before.network, last.network);
        }
        usage
    }
}

impl Reading {
    fn of(told: &[Told], at: Instant) -> Self {
        let samples = Samples(told);
        // A node that shares its machine has a control group; the machine's own figures are not the node's then.
        let busy = |samples: &Samples| {
            samples.sum(&cpu::node_cpu_seconds_total, &["mode=\"idle\"", "mode=\"iowait\"", "mode=\"steal\""])
        };
        let cpu_seconds = samples.sum(&cgroup::container_cpu_usage_seconds_total, &[]).or_else(|| busy(&samples));
        let memory = samples.sum(&cgroup::container_memory_working_set_bytes, &[]).or_else(|| {
            let total = samples.sum(&meminfo::node_memory_MemTotal_bytes, &[])?;
            Some(total - samples.sum(&meminfo::node_memory_MemAvailable_bytes, &[])?)
        });
        let both = |received: &Metric, sent: &Metric| {
            let sum = |metric| samples.lines(metric).filter(|line| !is_of_inner(line)).filter_map(value).reduce(add);
            Some([sum(received)?, sum(sent)?])
        };
        let usage = NodeUsage {
            memory_bytes: memory.map(whole),
            gpus: gpus(&samples).or_else(|| neuron_devices(&samples)),
            replay: samples.label(&gpu::trainyard_agent_replay, "profile"),
            failing: told
                .iter()
                .filter(|told| told.has_run && !told.is_good)
                .map(|told| told.name.to_owned())
                .collect(),
            ..NodeUsage::default()
        };
        let stood = Stood {
            at,
            cpu_seconds,
            fabric: both(&efa::node_amazonefa_rx_bytes, &efa::node_amazonefa_tx_bytes),
            network: both(&netdev::node_network_receive_bytes_total, &netdev::node_network_transmit_bytes_total),
        };
        Self { stood, usage }
    }
}

fn gpus(samples: &Samples<'_>) -> Option<GpuUsage> {
    let count = samples.sum(&gpu::trainyard_gpus, &[])?;
    let mean = samples.mean(&gpu::DCGM_FI_DEV_GPU_UTIL);
    let memory = samples.sum(&gpu::DCGM_FI_DEV_FB_USED, &["GPU_I_ID="]);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a machine has some GPUs")]
    let count = count as u32;
    (count > 0).then(|| GpuUsage {
        count,
        utilization_percent: mean,
        memory_bytes: memory.map(|mebibytes| whole(mebibytes * 1024.0 * 1024.0)),
        power_watts: samples.sum(&gpu::DCGM_FI_DEV_POWER_USAGE, &[]),
    })
}

/// The same of Trainium and Inferentia. A core that no runtime has is not told of, and does nothing.
fn neuron_devices(samples: &Samples<'_>) -> Option<GpuUsage> {
    let told = |name| samples.label(&neuron::neuron_hardware_info, name)?.parse::<u32>().ok();
    let count = told("neuron_device_count").filter(|count| *count > 0)?;
    let cores = f64::from(count) * f64::from(told("neuroncore_per_device_count")?);
    let busy = samples.sum(&neuron::neuroncore_utilization_ratio, &[]);
    let memory = samples.sum(&neuron::neuron_runtime_memory_used_bytes, &["memory_location=\"host\""]);
    Some(GpuUsage {
        count,
        utilization_percent: busy.filter(|_| cores > 0.0).map(|busy| busy / cores * 100.0),
        memory_bytes: memory.map(whole),
        power_watts: None,
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of memory, never below 0")]
fn whole(bytes: f64) -> u64 {
    bytes.max(0.0) as u64
}

/// Whether a line is of an interface whose traffic stays on the machine, or passes another that is counted.
fn is_of_inner(line: &str) -> bool {
    line.split_once("device=\"").and_then(|(_, rest)| rest.split_once('"')).is_some_and(|(name, _)| is_inner(name))
}

fn value(line: &str) -> Option<f64> {
    line.rsplit_once(' ')?.1.parse().ok()
}

fn add(sum: f64, value: f64) -> f64 {
    sum + value
}

/// What collectors gave in their last run, where that was good: an old value is not what the node does now.
struct Samples<'a>(&'a [Told]);

impl Samples<'_> {
    fn lines<'a>(&'a self, metric: &'a Metric) -> impl Iterator<Item = &'a str> {
        let pages = self.0.iter().filter(|told| told.is_good && told.is_shown).map(|told| &told.page);
        pages
            .flat_map(move |page| {
                let families = page.families.iter().filter(|family| family.metric.name == metric.name);
                families.flat_map(|family| page.lines(family)).flat_map(str::lines)
            })
            // The machine's, where several nodes share it.
            .filter(|line| !line.contains("scope=\"host\""))
    }

    /// The sum of the samples without these labels; none where there is no sample.
    fn sum(&self, metric: &Metric, without: &[&str]) -> Option<f64> {
        self.values(metric, without).reduce(add)
    }

    fn mean(&self, metric: &Metric) -> Option<f64> {
        let (sum, count) = self.values(metric, &[]).fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        (count > 0.0).then(|| sum / count)
    }

    fn values<'a>(&'a self, metric: &'a Metric, without: &'a [&str]) -> impl Iterator<Item = f64> + 'a {
        let is_meant = move |line: &&str| !without.iter().any(|label| line.contains(label));
        self.lines(metric).filter(is_meant).filter_map(value)
    }

    fn label(&self, metric: &Metric, name: &str) -> Option<String> {
        self.lines(metric).find_map(|line| crate::exposition::read_line(line)?.1.remove(name))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sheet::Sheet;

    fn told(name: &'static str, is_good: bool, put: impl FnOnce(&mut Sheet)) -> Told {
        let mut sheet = Sheet::default();
        put(&mut sheet);
        Told {
            name,
            has_run: true,
            took: Duration::ZERO,
            is_good,
            age: Some(Duration::ZERO),
            failures: 0,
            dropped: 0,
            problem: None,
            is_shown: true,
            page: Arc::new(sheet.into_page()),
        }
    }

    fn machine(busy: f64, received: u64, is_good: bool) -> Vec<Told> {
        vec![
            told("cpu", true, |sheet| {
                sheet.put(&cpu::node_cpu_seconds_total, &["0", "user"], busy);
                sheet.put(&cpu::node_cpu_seconds_total, &["1", "system"], busy);
                sheet.put(&cpu::node_cpu_seconds_total, &["0", "idle"], busy * 9.0);
            }),
            told("netdev", is_good, |sheet| {
                for (device, factor) in [("eth0", 1), ("eth1", 2), ("lo", 100), ("docker0", 100), ("veth1", 100)] {
                    sheet.put(&netdev::node_network_receive_bytes_total, &[device], received * factor);
                    sheet.put(&netdev::node_network_transmit_bytes_total, &[device], 7_u32);
                }
            }),
            told("meminfo", true, |sheet| {
                sheet.put(&meminfo::node_memory_MemTotal_bytes, &[], 1000_u32);
                sheet.put(&meminfo::node_memory_MemAvailable_bytes, &[], 400_u32);
            }),
        ]
    }

    #[test]
    fn a_node_does_what_changed_between_two_rounds() {
        let live = Live::default();
        assert_eq!(live.usage(), NodeUsage::default());
        let begun = Instant::now();
        let reading = |seconds: u64, told: &[Told]| Reading::of(told, begun + Duration::from_secs(seconds));
        live.keep(reading(0, &machine(10.0, 1000, true)));
        let first = live.usage();
        assert_eq!((first.cpus, first.network, first.memory_bytes), (None, None, Some(600)), "no rate of one reading");
        live.keep(reading(10, &machine(15.0, 2000, true)));
        let traffic = Traffic { received_per_second: 300.0, sent_per_second: 0.0 };
        assert_eq!((live.usage().cpus, live.usage().network), (Some(1.0), Some(traffic)));
        // A fresh scrape just after changes what is measured, and not over how long.
        live.keep(Reading::of(&machine(15.1, 2010, true), begun + Duration::from_millis(10_100)));
        assert!((live.usage().cpus.unwrap() - 10.2 / 10.1).abs() < 1e-9);
        // After a restart of what counts, and where a collector fails, nothing is known; it is not zero.
        live.keep(reading(20, &machine(1.0, 3000, false)));
        let last = live.usage();
        assert_eq!((last.cpus, last.network, last.failing), (None, None, vec!["netdev".to_owned()]));
    }

    /// Somebody asks every 1.2 s, and what is read moves once in 5 s.
    #[test]
    fn however_often_anybody_asks_a_rate_is_of_some_time() {
        let (live, begun) = (Live::default(), Instant::now());
        for look in 0..50_u32 {
            let at = Duration::from_millis(1200) * look;
            live.keep(Reading::of(&machine(0.0, at.as_secs() / 5 * 5 * 1000, true), begun + at));
            let received = live.usage().network.map(|traffic| traffic.received_per_second / 3.0);
            let is_near = received.is_some_and(|received| (500.0..=1500.0).contains(&received));
            assert_eq!(is_near, look > 8 || is_near, "{received:?} at look {look}");
            assert!(live.0.lock().unwrap().stood.len() <= 11);
        }
    }

    #[test]
    fn neuron_devices_are_a_nodes_accelerators_where_it_has_no_gpu() {
        let (info, busy, used) = (
            &neuron::neuron_hardware_info,
            &neuron::neuroncore_utilization_ratio,
            &neuron::neuron_runtime_memory_used_bytes,
        );
        let values = |metric: &Metric, known: &[(&str, &'static str)]| -> Vec<&'static str> {
            let of = |label: &&str| known.iter().find(|(name, _)| name == label).map_or("", |(_, value)| *value);
            metric.labels.iter().map(of).collect()
        };
        let hardware = |sheet: &mut Sheet| {
            let known = [("neuron_device_count", "2"), ("neuroncore_per_device_count", "2")];
            sheet.put(info, &values(info, &known), 1_u32);
        };
        let working = told("neuron", true, |sheet| {
            hardware(sheet);
            for (core, ratio) in [("0", 1.0), ("1", 0.5), ("2", 0.1)] {
                sheet.put(busy, &values(busy, &[("neuroncore", core)]), ratio);
            }
            for (place, bytes) in [("host", 5_u32), ("neuron_device", 70)] {
                sheet.put(used, &values(used, &[("memory_location", place)]), bytes);
            }
        });
        let usage = |told: &[Told]| Reading::of(told, Instant::now()).usage.gpus;
        // Of four cores three are told of: 160 % of 400 %.
        let expected =
            GpuUsage { count: 2, utilization_percent: Some(40.0), memory_bytes: Some(70), power_watts: None };
        assert_eq!(usage(std::slice::from_ref(&working)), Some(expected));
        let idle = GpuUsage { count: 2, ..GpuUsage::default() };
        assert_eq!(
            usage(&[told("neuron", true, hardware)]),
            Some(idle),
            "nothing is told of a core, and it is not zero"
        );
        assert_eq!(usage(&[told("neuron", false, hardware)]), None);
        let gpus = told("gpu", true, |sheet| sheet.put(&gpu::trainyard_gpus, &[], 8_u32));
        assert_eq!(usage(&[gpus, working]).map(|gpus| gpus.count), Some(8));
    }

    #[test]
    fn where_nodes_share_a_machine_its_figures_are_no_nodes() {
        let host = |sheet: &mut Sheet| {
            sheet.put(&meminfo::node_memory_MemTotal_bytes, &[], 1000_u32);
            sheet.put(&meminfo::node_memory_MemAvailable_bytes, &[], 400_u32);
        };
        let mut labelled = Sheet::with_constant(&crate::sheet::Labels::new(&[("scope", "host")]));
        host(&mut labelled);
        let mut shared = told("meminfo", true, |_| ());
        shared.page = Arc::new(labelled.into_page());
        assert_eq!(Reading::of(&[shared.clone()], Instant::now()).usage.memory_bytes, None);
        let group = told("cgroup", true, |sheet| sheet.put(&cgroup::container_memory_working_set_bytes, &[], 70_u32));
        assert_eq!(Reading::of(&[shared, group], Instant::now()).usage.memory_bytes, Some(70));
    }
}
