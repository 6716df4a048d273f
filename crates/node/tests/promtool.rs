//! Prometheus's own linter, on what the agent exposes.

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

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

/// A file of another program's with every type, and with text that has to be escaped.
const THEIRS: &str = "# HELP job_seconds_total Time of \\\\host \"x\"\\nand more.\n# TYPE job_seconds_total counter\n\
    job_seconds_total{job=\"a \\\"b\\\" \\\\ \\n\",} 12.5\n# TYPE runs counter\nruns 3\n# TYPE state gauge\nstate -1\n\
    # TYPE wait histogram\nwait_sum 3\nwait_bucket{le=\"1\"} 2\nwait_bucket{le=\"+Inf\"} 4\nwait_count 4\n\
    # TYPE pause summary\npause{quantile=\"0.5\"} NaN\npause_sum 1\npause_count 2\nplain 1\n";

#[test]
#[ignore = "needs promtool"]
fn prometheus_itself_reads_every_series_of_openmetrics() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let agent = env!("CARGO_BIN_EXE_trainyard-agent");
    trainyard_run::Command::new(agent).args(["replay", "write", "--profile", "p5", &at("p5")]).run().unwrap();
    fs_err::create_dir(at("theirs")).unwrap();
    fs_err::write(at("theirs/a.prom"), THEIRS).unwrap();
    let server = Server::agent(&["--replay", &at("p5"), "--textfile", &at("theirs")]);
    let answer = server.ask("/metrics?fresh", &[("Accept", "application/openmetrics-text")]);
    let mut series = 0;
    // A block of its database has a time for every sample.
    let timed = |line: &str| {
        if line.starts_with('#') {
            return format!("{line}\n");
        }
        series += 1;
        format!("{line} 1700000000\n")
    };
    let text: Vec<String> = String::from_utf8(answer.body).unwrap().lines().map(timed).collect();
    fs_err::write(at("text"), text.concat()).unwrap();
    let arguments = ["tsdb", "create-blocks-from", "openmetrics", &at("text"), &at("blocks")];
    let output = trainyard_run::Command::new("promtool").args(arguments).run().unwrap();
    // The head of the table, and one block: its first, last and length, samples, chunks, series, size.
    let words: Vec<&str> = output.stdout.lines().last().unwrap().split_ascii_whitespace().collect();
    assert!(series > 3000, "only {series} series were checked");
    assert!(text.iter().any(|line| line.starts_with("wait_bucket{")), "the file is not shown");
    assert_eq!(words.get(6), Some(&series.to_string().as_str()), "{}", output.stdout);
}

/// A node's processes as they stand in /proc: a script with two of the GPUs and one of the EFA devices, of job 7.
fn write_job(proc: &std::path::Path) {
    let variables = "SLURM_JOB_ID=7\0SLURM_JOB_ACCOUNT=ml\0SLURM_JOB_GPUS=2,3\0SLURM_JOB_NUM_NODES=1\0";
    for (pid, parent, command, title, environment) in
        [(20, 1, "slurmstepd", "slurmstepd: [7.batch]", ""), (21, 20, "python3", "python3", variables)]
    {
        let stat = format!("{pid} ({command}) S {parent} 1 1 0 -1 0 9 0 0 0 7 3 0 0 20 0 1 0 100 4096 256 0");
        let folder = proc.join(pid.to_string());
        fs_err::create_dir_all(&folder).unwrap();
        let status = "Uid:\t0\t0\t0\t0\n";
        for (file, text) in [("stat", &*stat), ("cmdline", title), ("environ", environment), ("status", status)] {
            fs_err::write(folder.join(file), text).unwrap();
        }
    }
    fs_err::write(proc.join("uptime"), "500.00 0\n").unwrap();
    fs_err::create_dir(proc.join("21/fd")).unwrap();
    std::os::unix::fs::symlink("/dev/infiniband/uverbs0", proc.join("21/fd/9")).unwrap();
}

/// Prometheus's own engine, on what an agent shows and with the queries as they stand in the documents.
#[test]
#[ignore = "needs promtool"]
fn the_documents_queries_join_what_gpus_and_fabric_do_with_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let agent = |arguments: &[&str]| {
        let command = trainyard_run::Command::new(env!("CARGO_BIN_EXE_trainyard-agent")).args(arguments);
        command.run().unwrap().stdout
    };
    agent(&["replay", "write", "--profile", "p5", &path("p5")]);
    write_job(&folder.path().join("proc"));
    let devices = folder.path().join("p5/sys/class/infiniband_verbs/uverbs0");
    fs_err::create_dir_all(&devices).unwrap();
    fs_err::write(devices.join("ibdev"), "rdmap79s0\n").unwrap();
    // The first collection of jobs may come before that of GPUs: what `serve` shows in its second has both.
    let server = Server::agent(&["--replay", &path("p5"), "--proc", &path("proc"), "--only", "gpu,efa,jobs"]);
    server.get("/metrics?fresh");
    let page = server.get("/metrics?fresh");
    let mut rules = "tests:\n- interval: 15s\n  input_series:\n".to_owned();
    let mut memory = String::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let Some((name, labels)) = series.split_once('{') else { continue };
        if name == "trainyard_job_memory_bytes" {
            value.clone_into(&mut memory);
        }
        let growth = if name == "node_amazonefa_tx_bytes" { "+1500x8" } else { "x8" };
        let (series, values) = (format!("{name}{{instance=\"n1\",{labels}"), format!("{value}{growth}"));
        let _ = write!(rules, "  - series: '{series}'\n    values: '{values}'\n");
    }
    let percent = |gpu: u32| {
        let mark = format!("DCGM_FI_DEV_GPU_UTIL{{gpu=\"{gpu}\"");
        let line = page.lines().find(|line| line.starts_with(&mark)).unwrap();
        line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    let mean = f64::midpoint(percent(2), percent(3)).to_string();
    let documents = fs_err::read_to_string("../../docs/agent.md").unwrap();
    let section = documents.split("\n## Jobs\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let queries = section.split("```promql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    // 1500 bytes in 15 s.
    let expected = [
        ("{user=\"root\"}", mean.as_str()),
        ("{jobid=\"7\"}", "100"),
        ("{jobid=\"7\", user=\"root\"}", memory.as_str()),
    ];
    rules += "  promql_expr_test:\n";
    assert_eq!(queries.clone().count(), expected.len());
    for (query, (labels, value)) in queries.zip(expected) {
        let _ = write!(rules, "  - expr: '{}'\n    eval_time: 2m\n", query.replace('\n', " "));
        let _ = write!(rules, "    exp_samples:\n    - labels: '{labels}'\n      value: {value}\n");
    }
    fs_err::write(folder.path().join("rules.yml"), rules).unwrap();
    let judged = trainyard_run::Command::new("promtool").args(["test", "rules", &path("rules.yml")]).output().unwrap();
    assert!(judged.stdout.contains("SUCCESS"), "{}{}", judged.stdout, judged.stderr);
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
