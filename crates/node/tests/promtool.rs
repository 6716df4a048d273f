//! Prometheus's own linter, on what the agent exposes.

mod harness;

use std::collections::{BTreeMap, BTreeSet};

use harness::Server;
use trainyard_plan::metrics;

/// What promtool says of names that are the field's, and that we keep: beginnings of names, what it says, and why they
/// stay. Anything else that it says is a defect.
const DE_FACTO: &[(&str, &str, &str)] = &[
    (
        "node_memory_",
        "metric names should be written in 'snake_case' not 'camelCase'",
        "the kernel's, in node_exporter",
    ),
    (
        "node_netstat_",
        "metric names should be written in 'snake_case' not 'camelCase'",
        "the kernel's, in node_exporter",
    ),
    ("node_entropy_", "use base unit \"bytes\" instead of \"bits\"", "node_exporter's; the kernel counts bits"),
    ("node_hwmon_", "", "node_exporter's; this machine may have any sensor"),
    (
        "DCGM_FI_",
        "counter metrics should have \"_total\" suffix",
        "dcgm-exporter's, which every GPU dashboard asks for",
    ),
    ("DCGM_FI_", "label names should be written in 'snake_case' not 'camelCase'", "dcgm-exporter's: UUID, modelName"),
    ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "metric name should not include type 'counter'", "dcgm-exporter's"),
    ("node_amazonefa_", "counter metrics should have \"_total\" suffix", "the EFA node exporter's"),
];

#[test]
#[ignore = "needs promtool"]
fn promtool_finds_nothing_but_the_fields_own_names() {
    let folder = tempfile::tempdir().unwrap();
    let replay = folder.path().join("p5");
    let replay = replay.to_str().unwrap();
    let agent = env!("CARGO_BIN_EXE_trainyard-agent");
    trainyard_run::Command::new(agent).args(["replay", "write", "--profile", "p5", replay]).run().unwrap();
    let server = Server::agent(&["--replay", replay]);
    let text = server.get("/metrics?fresh");
    let output =
        trainyard_run::Command::new("promtool").args(["check", "metrics"]).input(text.clone()).output().unwrap();
    let said = format!("{}{}", output.stdout, output.stderr);
    let mut defects = Vec::new();
    let mut used = BTreeSet::new();
    for line in said.lines().filter(|line| !line.is_empty()) {
        let is_known =
            |(beginning, words, _): &&(&str, &str, &str)| line.starts_with(beginning) && line.contains(words);
        match DE_FACTO.iter().find(is_known) {
            Some(known) => drop(used.insert(known.0)),
            None => defects.push(line.to_owned()),
        }
    }
    assert!(defects.is_empty(), "promtool finds:\n{}", defects.join("\n"));
    assert!(text.lines().count() > 2000, "only {} lines were checked", text.lines().count());
    assert!(!used.is_empty(), "promtool said nothing at all: {said}");
}

#[test]
fn everything_that_is_exposed_stands_in_the_table() {
    let server = Server::agent(&[]);
    let mut types = BTreeMap::new();
    let text = server.get("/metrics");
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(types.insert(name, kind).is_none(), "{name} is exposed twice");
        assert!(metrics::find(name).is_some(), "{name} is not in the table");
    }
    assert!(types.len() > 200);
}
