//! What `neuron-monitor` told: its last report, and the counts of all of them. Never panics on any text.
//!
//! A report counts what happened in its period, so each one is added up when it comes, however rarely somebody asks.

use std::collections::BTreeMap;

use serde_json::Value;
use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::neuron as m;

use crate::format::label;
use crate::sheet::{Labels, Sheet};

/// Processes that use the devices. A machine has at most 128 cores, and a process at least one.
const RUNTIMES_MAX: usize = 128;

/// Cores of a runtime: a trn2.48xlarge has 64 that are used as one, of 128.
const CORES_MAX: usize = 256;

/// Devices of a machine: four times what the largest has.
const DEVICES_MAX: usize = 64;

/// Kinds of errors, ends and percentiles. There are some seven of each.
const KINDS_MAX: usize = 32;

const ECC: [&str; 4] = ["mem_ecc_corrected", "mem_ecc_uncorrected", "sram_ecc_corrected", "sram_ecc_uncorrected"];

/// Labels, and where they stand in `instance_info`.
const INSTANCE: [(&str, &str); 6] = [
    ("instance_name", "instance_name"),
    ("instance_id", "instance_id"),
    ("instance_type", "instance_type"),
    ("availability_zone", "instance_availability_zone"),
    ("region", "instance_region"),
    ("subnet_id", "subnet_id"),
];

const HARDWARE: [&str; 7] = [
    "neuron_device_count",
    "neuroncore_per_device_count",
    "neuron_device_type",
    "neuron_device_version",
    "neuroncore_version",
    "neuron_device_memory_size",
    "logical_neuroncore_config",
];

/// All that was told.
#[derive(Debug, Default)]
pub(super) struct Reports {
    last: Value,
    /// By runtime, then by kind. Those of a runtime go with it.
    errors: BTreeMap<String, BTreeMap<String, u64>>,
    ends: BTreeMap<String, BTreeMap<String, u64>>,
    /// By device and kind.
    ecc: BTreeMap<(u64, &'static str), u64>,
}

impl Reports {
    /// Takes a line. Whether it is a report.
    pub(super) fn take(&mut self, line: &str) -> bool {
        let Ok(report @ Value::Object(_)) = serde_json::from_str(line) else { return false };
        self.last = report;
        let (mut errors, mut ends) = (BTreeMap::new(), BTreeMap::new());
        for (tag, runtime) in runtimes(&self.last) {
            let Some(stats) = group(runtime, "execution_stats") else {
                // It could not be asked this time: what is known of it stays.
                keep(&mut errors, &mut self.errors, &tag);
                keep(&mut ends, &mut self.ends, &tag);
                continue;
            };
            errors.insert(tag.clone(), added(self.errors.remove(&tag), stats.get("error_summary")));
            ends.insert(tag.clone(), added(self.ends.remove(&tag), stats.get("execution_summary")));
        }
        (self.errors, self.ends) = (errors, ends);
        for (index, device) in devices(&self.last) {
            for kind in ECC {
                if let Some(more) = device.get(kind).and_then(count) {
                    let sum = self.ecc.entry((index, kind)).or_default();
                    *sum = sum.saturating_add(more);
                }
            }
        }
        true
    }

    /// Shows the last report, and the sums.
    pub(super) fn show(&self, sheet: &mut Sheet) {
        let known = |from: &Value, key: &str| from.get(key).map(word).unwrap_or_default();
        let instance = self.last.get("instance_info").unwrap_or(&Value::Null);
        let mut labels = Labels::default();
        for (label, key) in INSTANCE {
            labels.add(label, &known(instance, key));
        }
        sheet.put_with(&m::instance_info, &labels, 1_u32);
        if let Some(hardware) = self.last.get("neuron_hardware_info").filter(|hardware| is_good(hardware)) {
            let mut labels = labels.clone();
            for key in HARDWARE {
                labels.add(key, &known(hardware, key));
            }
            sheet.put_with(&m::neuron_hardware_info, &labels, 1_u32);
        }
        for (tag, runtime) in runtimes(&self.last) {
            let with_tag = with(&labels, "runtime_tag", &tag);
            let flops = Labels::new(&[("instance_id", &known(instance, "instance_id")), ("runtime_tag", &tag)]);
            show_cores(sheet, runtime, &with_tag, &flops);
            show_memory(sheet, runtime, &with_tag);
            show_time(sheet, runtime, &with_tag);
            show_counts(sheet, &m::execution_errors_total, "error_type", self.errors.get(&tag), &with_tag);
            show_counts(sheet, &m::execution_status_total, "status_type", self.ends.get(&tag), &with_tag);
        }
        for ((device, kind), sum) in &self.ecc {
            let labels = with(&with(&labels, "event_type", kind), "neuron_device_index", &device.to_string());
            sheet.put_with(&m::hardware_ecc_events_total, &labels, *sum);
        }
    }
}

fn show_cores(sheet: &mut Sheet, runtime: &Value, labels: &Labels, flops: &Labels) {
    let Some(counters) = group(runtime, "neuroncore_counters") else { return };
    for (core, values) in cores(counters.get("neuroncores_in_use")) {
        let ratio = number(values.get("neuroncore_utilization")).map(|percent| percent / 100.0);
        sheet.put_known(&m::neuroncore_utilization_ratio, &with(labels, "neuroncore", &core), ratio);
        let flops = with(flops, "neuroncore", &core);
        sheet.put_known(&m::trainyard_neuroncore_flops_per_second, &flops, number(values.get("flops")));
    }
}

fn show_memory(sheet: &mut Sheet, runtime: &Value, labels: &Labels) {
    let Some(used) = group(runtime, "memory_used").and_then(|group| group.get("neuron_runtime_used_bytes")) else {
        return;
    };
    for place in ["host", "neuron_device"] {
        let labels = with(labels, "memory_location", place);
        sheet.put_known(&m::neuron_runtime_memory_used_bytes, &labels, used.get(place).and_then(count));
    }
    for (core, values) in cores(used.pointer("/usage_breakdown/neuroncore_memory_usage")) {
        let labels = with(labels, "neuroncore", &core);
        for metric in [
            &m::neuroncore_memory_usage_constants,
            &m::neuroncore_memory_usage_model_code,
            &m::neuroncore_memory_usage_model_shared_scratchpad,
            &m::neuroncore_memory_usage_runtime_memory,
            &m::neuroncore_memory_usage_tensors,
        ] {
            sheet.put_known(metric, &labels, values.get(metric.key).and_then(count));
        }
    }
}

fn show_time(sheet: &mut Sheet, runtime: &Value, labels: &Labels) {
    let usage = group(runtime, "neuron_runtime_vcpu_usage").and_then(|group| group.get("vcpu_usage"));
    for kind in ["user", "system"] {
        let ratio = number(usage.and_then(|usage| usage.get(kind))).map(|percent| percent / 100.0);
        sheet.put_known(&m::neuron_runtime_vcpu_usage_ratio, &with(labels, "usage_type", kind), ratio);
    }
    let latency = group(runtime, "execution_stats").and_then(|stats| stats.pointer("/latency_stats/total_latency"));
    for (percentile, seconds) in kinds(latency) {
        let labels = with(labels, "percentile", percentile);
        sheet.put_known(&m::execution_latency_seconds, &labels, number(Some(seconds)));
    }
}

fn show_counts(
    sheet: &mut Sheet,
    metric: &'static Metric,
    label: &str,
    counts: Option<&BTreeMap<String, u64>>,
    labels: &Labels,
) {
    for (kind, sum) in counts.into_iter().flatten() {
        sheet.put_with(metric, &with(labels, label, kind), *sum);
    }
}

fn with(labels: &Labels, name: &str, value: &str) -> Labels {
    let mut labels = labels.clone();
    labels.add(name, value);
    labels
}

/// The runtimes that could be asked, by tag. Two of one tag would be one series twice, so the first counts.
fn runtimes(report: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    let all = report.get("neuron_runtime_data").and_then(Value::as_array);
    for runtime in all.into_iter().flatten().filter(|runtime| is_good(runtime)).take(RUNTIMES_MAX) {
        let mut tag = runtime.get("neuron_runtime_tag").map(word).unwrap_or_default();
        tag.truncate(label(&tag).len());
        found.entry(tag).or_insert(runtime);
    }
    found
}

fn devices(report: &Value) -> impl Iterator<Item = (u64, &Value)> {
    let group = report.pointer("/system_data/neuron_hw_counters").filter(|group| is_good(group));
    let all = group.and_then(|group| group.get("neuron_devices")).and_then(Value::as_array);
    let index =
        |device: &Value| device.get("neuron_device_index")?.as_u64().filter(|index| *index < DEVICES_MAX as u64);
    all.into_iter().flatten().take(DEVICES_MAX).filter_map(move |device| Some((index(device)?, device)))
}

/// A group of a runtime's values, if it could be read.
fn group<'a>(runtime: &'a Value, name: &str) -> Option<&'a Value> {
    runtime.get("report")?.get(name).filter(|group| is_good(group))
}

fn is_good(part: &Value) -> bool {
    part.get("error").and_then(Value::as_str).is_none_or(str::is_empty)
}

fn cores(map: Option<&Value>) -> impl Iterator<Item = (String, &Value)> {
    let all = map.and_then(Value::as_object).into_iter().flatten().take(CORES_MAX);
    all.filter_map(|(core, values)| Some((core.parse::<u32>().ok()?.to_string(), values)))
}

fn kinds(map: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let is_plain =
        |kind: &str| kind.len() <= 64 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let all = map.and_then(Value::as_object).into_iter().flatten();
    all.map(|(kind, value)| (kind.as_str(), value)).filter(move |(kind, _)| is_plain(kind)).take(KINDS_MAX)
}

fn added(before: Option<BTreeMap<String, u64>>, more: Option<&Value>) -> BTreeMap<String, u64> {
    let mut sums = before.unwrap_or_default();
    for (kind, more) in kinds(more) {
        if sums.len() < KINDS_MAX || sums.contains_key(kind) {
            let sum = sums.entry(kind.to_owned()).or_default();
            *sum = sum.saturating_add(count(more).unwrap_or(0));
        }
    }
    sums
}

fn keep<T>(now: &mut BTreeMap<String, T>, before: &mut BTreeMap<String, T>, tag: &str) {
    if let Some(known) = before.remove(tag) {
        now.insert(tag.to_owned(), known);
    }
}

/// A text, or a number as text.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn number(value: Option<&Value>) -> Option<f64> {
    value?.as_f64().filter(|number| number.is_finite() && *number >= 0.0)
}

fn count(value: &Value) -> Option<u64> {
    value.as_u64()
}
