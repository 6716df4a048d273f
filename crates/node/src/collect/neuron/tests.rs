//! A program that stands for neuron-monitor, and lines as it writes them and as it should not.

use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::replay::{Wanted, write};

fn replayed_line() -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    let wanted = Wanted { profile: "trn1".into(), seconds: 60, ..Wanted::default() };
    write(&wanted, folder.path()).unwrap();
    let text = fs_err::read_to_string(folder.path().join("neuron/monitor.json")).unwrap();
    (folder, serde_json::from_str(&text).unwrap())
}

fn shown(reports: &Reports) -> String {
    let mut sheet = Sheet::default();
    reports.show(&mut sheet);
    sheet.into_page().text()
}

/// The values of a name, by a part of its labels.
fn values<'a>(text: &'a str, name: &str, labels: &str) -> Vec<&'a str> {
    let lines = text.lines().filter(|line| line.split('{').next() == Some(name) && line.contains(labels));
    lines.filter_map(|line| line.rsplit(' ').next()).collect()
}

#[test]
fn counts_of_periods_add_up_and_the_rest_is_as_told_last() {
    let (_folder, mut line) = replayed_line();
    line["neuron_runtime_data"][0]["report"]["execution_stats"]["error_summary"]["hardware"] = 2.into();
    line["system_data"]["neuron_hw_counters"]["neuron_devices"][3]["mem_ecc_corrected"] = 5.into();
    let mut reports = Reports::default();
    for _ in 0..3 {
        assert!(reports.take(&line.to_string()));
    }
    let text = shown(&reports);
    assert_eq!(values(&text, "execution_errors_total", "error_type=\"hardware\""), ["6"]);
    assert_eq!(values(&text, "execution_status_total", "status_type=\"completed\""), ["36"]);
    let ecc = "event_type=\"mem_ecc_corrected\",neuron_device_index=\"3\"";
    assert_eq!(values(&text, "hardware_ecc_events_total", ecc), ["15"]);
    assert_eq!(values(&text, "neuroncore_utilization_ratio", "neuroncore=\"0\""), ["0.88"]);
    assert_eq!(values(&text, "execution_latency_seconds", "percentile=\"p50\""), ["0.085"]);
    assert_eq!(values(&text, "neuroncore_memory_usage_constants", "").len(), 32);
    assert!(text.contains("availability_zone=\"us-east-1a\",region=\"us-east-1\""), "{text}");
    // A group that could not be read shows no value, and takes no count back.
    line["neuron_runtime_data"][0]["report"]["execution_stats"]["error"] = "busy".into();
    assert!(reports.take(&line.to_string()));
    let text = shown(&reports);
    assert_eq!(values(&text, "execution_errors_total", "error_type=\"hardware\""), ["6"]);
    assert_eq!(values(&text, "execution_latency_seconds", ""), Vec::<&str>::new());
    // A runtime that ended is shown no more.
    line["neuron_runtime_data"] = json!([]);
    assert!(reports.take(&line.to_string()));
    let text = shown(&reports);
    assert!(!text.contains("runtime_tag") && text.contains("hardware_ecc_events_total"), "{text}");
}

#[test]
fn what_is_missing_or_of_another_kind_is_left_out() {
    let mut reports = Reports::default();
    for line in ["", "neuron-monitor: no devices", "[]", "7", "{\"a\":"] {
        assert!(!reports.take(line), "{line}");
    }
    let long: String = "t".repeat(5000);
    for line in [
        json!({}),
        json!({"neuron_runtime_data": {}, "system_data": [], "instance_info": 7, "neuron_hardware_info": null}),
        json!({"neuron_runtime_data": [null, {"error": "gone", "neuron_runtime_tag": "x"}, {"report": 7}]}),
        json!({"neuron_runtime_data": [{"neuron_runtime_tag": long, "report": {
            "neuroncore_counters": {"neuroncores_in_use": {"0\"}": {"neuroncore_utilization": 1}, "1": {"neuroncore_utilization": "9"}}},
            "execution_stats": {"error_summary": {"a b\n": 1, "ok": -1}, "latency_stats": {"total_latency": null}},
            "memory_used": {"neuron_runtime_used_bytes": {"host": 1.5}}}}]}),
    ] {
        assert!(reports.take(&line.to_string()));
        let text = shown(&reports);
        assert!(values(&text, "neuroncore_utilization_ratio", "").is_empty(), "{text}");
        assert!(values(&text, "neuron_runtime_memory_used_bytes", "").is_empty(), "{text}");
        assert!(text.lines().all(|line| line.len() < 2000), "{text}");
    }
    let many: Vec<Value> = (0..1000)
        .map(|tag| {
            json!({"neuron_runtime_tag": tag, "report": {"execution_stats": {
        "error_summary": (0..100).map(|kind| (format!("k{kind}"), json!(1))).collect::<serde_json::Map<_, _>>() }}})
        })
        .collect();
    assert!(reports.take(&json!({"neuron_runtime_data": many}).to_string()));
    assert_eq!(values(&shown(&reports), "execution_errors_total", "").len(), 128 * 32);
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(text in ".{0,200}", key in "[a-z_]{0,30}", number in any::<f64>()) {
        let mut reports = Reports::default();
        reports.take(&text);
        let odd = json!({"neuron_runtime_data": [{"report": {"execution_stats": {"error_summary": {key: number}}}}]});
        prop_assert!(reports.take(&odd.to_string()));
        shown(&reports);
    }
}

fn program(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("neuron-monitor");
    fs_err::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Collects until it is so, and says how it went at last.
fn until(neuron: &mut Neuron, is_so: impl Fn(&str) -> bool) -> (String, Result<(), Problem>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut sheet = Sheet::default();
        let result = neuron.collect(&mut sheet);
        let text = sheet.into_page().text();
        if is_so(&text) {
            return (text, result);
        }
        assert!(Instant::now() < deadline, "{text}\n{result:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_program_is_read_while_it_runs_and_started_again_when_it_ends() {
    let (folder, line) = replayed_line();
    let lines = folder.path().join("lines");
    fs_err::write(&lines, format!("starting\n{line}\n{line}\n")).unwrap();
    let path = program(folder.path(), &format!("cat {}; exec sleep 60", lines.display()));
    let mut neuron = Neuron::start(&Setting { neuron_monitor: Some(path.clone()), ..Setting::default() }).unwrap();
    let has_two = |text: &str| values(text, "execution_status_total", "status_type=\"completed\"") == ["24"];
    let (text, result) = until(&mut neuron, has_two);
    assert!(result.is_ok() && text.contains("trainyard_neuron_monitor_lines_unread_total 1"), "{text}");
    drop(neuron);

    program(folder.path(), "echo no devices >&2; exit 3");
    let mut neuron = Neuron::start(&Setting { neuron_monitor: Some(path), ..Setting::default() }).unwrap();
    let (_, result) = until(&mut neuron, |text| text.contains("trainyard_neuron_monitor_starts_total 2"));
    let told = result.unwrap_err().told();
    assert!(told.starts_with("neuron-monitor does not run: ") && told.contains("no devices"), "{told}");
}

#[test]
fn a_machine_without_devices_has_no_monitor_and_a_replay_reads_each_line_once() {
    let (folder, _) = replayed_line();
    let roots = crate::files::Roots { root: folder.path().to_owned(), ..crate::files::Roots::default() };
    assert!(Neuron::start(&Setting { roots, ..Setting::default() }).is_none());
    let mut replayed = Replayed::open(folder.path(), Labels::default()).unwrap();
    let mut completed = || {
        let mut sheet = Sheet::default();
        let result = replayed.collect(&mut sheet);
        (sheet.into_page().text(), result.map_err(|problem| problem.told()))
    };
    assert!(completed().1.is_ok());
    assert_eq!(values(&completed().0, "execution_status_total", "\"completed\""), ["12"]);
    fs_err::write(folder.path().join("neuron/monitor.json"), "nothing").unwrap();
    assert!(completed().1.unwrap_err().contains("has no report of neuron-monitor"));
}
