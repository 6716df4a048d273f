//! The one table of metrics: name, type, unit, help, labels, collector and source of every series that an agent exposes.
//!
//! The agent writes only what stands here, but for what other programs leave in files for it and what Slurm's controller
//! tells by itself. Alert rules, dashboards and
//! the reference cite it. Names are the field's: those of node_exporter and dcgm-exporter where they have one,
//! `trainyard_*` otherwise. A metric is a static of its own name, so that code and table are found by one search.

use std::collections::HashMap;

/// Makes the statics of one collector's metrics, and its part of the table.
///
/// `KIND NAME [LABELS] parts [LABELS] in UNIT from KEY: HELP;` where all but kind, name and help may be left out. The unit
/// then follows from the name's ending; the key is what the value is called in the collector's source. Where most metrics of a collector have
/// the same labels, `each [LABELS]` behind the source gives them to those that name none.
macro_rules! metrics {
    ($collector:literal from $source:literal { $($metrics:tt)* }) => {
        metrics! { $collector from $source each [] { $($metrics)* } }
    };
    ($collector:literal from $source:literal each $each:tt {
        $( $kind:ident $name:ident $([$($label:literal),* $(,)?])? $(parts [$($part:literal),*])? $(in $unit:literal)? $(from $key:literal)? : $help:literal; )*
    }) => {
        $(
            #[doc = $help]
            #[allow(non_upper_case_globals, reason = "a metric is found by its name")]
            pub static $name: $crate::metrics::Metric = $crate::metrics::Metric {
                name: stringify!($name),
                kind: $crate::metrics::MetricKind::$kind,
                declared_unit: metrics!(@text $($unit)?),
                help: $help,
                labels: metrics!(@labels $([$($label),*])? $each),
                part_labels: &[$($($part),*)?],
                collector: $collector,
                source: $source,
                key: metrics!(@text $($key)?),
            };
        )*
        /// What this collector has.
        pub static TABLE: $crate::metrics::Table = $crate::metrics::Table { collector: $collector, metrics: &[$(&$name),*] };
    };
    (@labels [$($own:literal),*] $each:tt) => { &[$($own),*] };
    (@labels $each:tt) => { &$each };
    (@text) => { "" };
    (@text $text:literal) => { $text };
}

pub mod agent;
pub mod arp;
pub mod cgroup;
pub mod conntrack;
pub mod cpu;
pub mod cpufreq;
pub mod dcgm;
pub mod diskstats;
pub mod efa;
pub mod entropy;
pub mod filefd;
pub mod filesystem;
pub mod gpu;
pub mod hwmon;
pub mod jobs;
pub mod loadavg;
pub mod lustre;
pub mod meminfo;
pub mod meminfo_numa;
pub mod mountstats;
pub mod netclass;
pub mod netdev;
pub mod netstat;
pub mod neuron;
pub mod nfs;
pub mod nfsd;
pub mod os;
pub mod powersupply;
pub mod pressure;
pub mod process;
pub mod processes;
pub mod schedstat;
pub mod selinux;
pub mod slurm;
pub mod slurm_native;
pub mod sockstat;
pub mod softnet;
pub mod stat;
pub mod tcpstat;
pub mod textfile;
pub mod thermal_zone;
pub mod time;
pub mod timex;
pub mod training;
pub mod udp_queues;
pub mod uname;
pub mod vmstat;
pub mod xid;

/// Every collector's part, in the order of the exposition.
static TABLES: &[&Table] = &[
    &agent::TABLE,
    &arp::TABLE,
    &cgroup::TABLE,
    &conntrack::TABLE,
    &cpu::TABLE,
    &cpufreq::TABLE,
    &dcgm::TABLE,
    &diskstats::TABLE,
    &efa::TABLE,
    &entropy::TABLE,
    &filefd::TABLE,
    &filesystem::TABLE,
    &gpu::TABLE,
    &hwmon::TABLE,
    &jobs::TABLE,
    &loadavg::TABLE,
    &lustre::TABLE,
    &meminfo::TABLE,
    &meminfo_numa::TABLE,
    &mountstats::TABLE,
    &netclass::TABLE,
    &netdev::TABLE,
    &netstat::TABLE,
    &neuron::TABLE,
    &nfs::TABLE,
    &nfsd::TABLE,
    &os::TABLE,
    &powersupply::TABLE,
    &pressure::TABLE,
    &process::TABLE,
    &processes::TABLE,
    &schedstat::TABLE,
    &selinux::TABLE,
    &slurm::TABLE,
    &slurm_native::TABLE,
    &sockstat::TABLE,
    &softnet::TABLE,
    &stat::TABLE,
    &tcpstat::TABLE,
    &textfile::TABLE,
    &thermal_zone::TABLE,
    &time::TABLE,
    &timex::TABLE,
    &training::TABLE,
    &udp_queues::TABLE,
    &uname::TABLE,
    &vmstat::TABLE,
    &xid::TABLE,
];

/// One collector's metrics.
#[derive(Debug)]
pub struct Table {
    /// The collector.
    pub collector: &'static str,
    /// Its metrics, in the order of the exposition.
    pub metrics: &'static [&'static Metric],
}

impl Table {
    /// The metrics by what their source calls their values, for collectors that look up hundreds of keys a run.
    pub fn by_key(&self) -> HashMap<&'static str, &'static Metric> {
        self.metrics.iter().filter(|metric| !metric.key.is_empty()).map(|metric| (metric.key, *metric)).collect()
    }

    /// The metric whose value its source calls by this key.
    pub fn with_key(&self, key: &str) -> Option<&'static Metric> {
        self.metrics.iter().copied().find(|metric| metric.key == key)
    }
}

/// What one name stands for, wherever it is read.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name of its series.
    pub name: &'static str,
    /// Whether it only grows.
    pub kind: MetricKind,
    declared_unit: &'static str,
    /// One sentence for people.
    pub help: &'static str,
    /// The names of its labels, in the order in which values are given.
    pub labels: &'static [&'static str],
    /// What series of a partition of a GPU have beside them.
    pub part_labels: &'static [&'static str],
    /// The collector that writes it.
    pub collector: &'static str,
    /// Where the value comes from: a file of the kernel's, a call of NVML's, a program.
    pub source: &'static str,
    /// What the value is called in there; empty where the collector's own code knows.
    pub key: &'static str,
}

/// What a value does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "as they stand in the table and in an exposition")]
pub enum MetricKind {
    /// Only grows, but for a restart of what counts.
    counter,
    /// Goes up and down.
    gauge,
    /// Not said. The field's name for it says no type, and a type of ours would make a second metric of it.
    untyped,
    /// Always 1: what is told is in the labels.
    info,
}

impl Metric {
    /// The unit in the field's spelling; empty for plain numbers.
    pub fn unit(&self) -> &'static str {
        if !self.declared_unit.is_empty() {
            return self.declared_unit;
        }
        let base = self.name.strip_suffix("_total").unwrap_or(self.name);
        UNITS.iter().find(|unit| base.ends_with(*unit) && base.len() > unit.len()).map_or("", |unit| &unit[1..])
    }

    /// Whether the name says the unit, as OpenMetrics wants before it lets a unit be declared.
    pub fn is_named_after_its_unit(&self) -> bool {
        let base = self.name.strip_suffix("_total").unwrap_or(self.name);
        let unit = self.unit();
        !unit.is_empty() && base.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'))
    }
}

/// Endings of names that are units.
const UNITS: &[&str] = &[
    "_seconds", "_bytes", "_celsius", "_hertz", "_ratio", "_volts", "_amperes", "_joules", "_watts", "_bits",
    "_sectors", "_percent",
];

/// Every collector's part, in the order of the exposition.
pub fn tables() -> &'static [&'static Table] {
    TABLES
}

/// Every metric, a collector's together.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    TABLES.iter().flat_map(|table| table.metrics.iter().copied())
}

/// The metric of that name.
pub fn find(name: &str) -> Option<&'static Metric> {
    all().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_stands_for_one_thing() {
        let mut names = BTreeSet::new();
        let mut collectors = BTreeSet::new();
        for table in TABLES {
            assert!(collectors.insert(table.collector), "two tables of {}", table.collector);
            for metric in table.metrics {
                assert!(names.insert(metric.name), "{} is there twice", metric.name);
            }
        }
    }

    #[test]
    fn every_metric_says_what_it_is() {
        for metric in all() {
            let name = metric.name;
            assert!(metric.help.ends_with('.') && metric.help.len() >= 10, "{name} has no help sentence");
            assert!(!metric.source.is_empty(), "{name} has no source");
            let labels: BTreeSet<_> = metric.labels.iter().chain(metric.part_labels).collect();
            assert_eq!(labels.len(), metric.labels.len() + metric.part_labels.len(), "{name} has a label twice");
            let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            assert!(is_plain(name) && labels.iter().all(|label| is_plain(label)), "{name} is no name");
            if name.starts_with("trainyard_") && metric.kind == MetricKind::counter {
                assert!(name.ends_with("_total"), "{name} is a counter of ours, whose name must end with _total");
            }
        }
    }

    #[test]
    fn units_follow_from_names_unless_told() {
        assert_eq!(agent::node_scrape_collector_duration_seconds.unit(), "seconds");
        assert!(agent::node_scrape_collector_duration_seconds.is_named_after_its_unit());
        assert_eq!(loadavg::node_load1.unit(), "");
        for metric in all().filter(|metric| metric.help.contains("in bytes") && !metric.help.contains("per second")) {
            assert_eq!(metric.unit(), "bytes", "{}", metric.name);
        }
    }
}
