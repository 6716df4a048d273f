//! How fast a spec becomes everything that AWS needs, as whole processes, beside what people use today.
//!
//! Each round runs every contender once, so that a machine that slows down slows all of them; medians are told, and
//! ratios of medians. Never part of the tests: a figure is measured, not asserted.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::scratch::Scratch;

/// Rounds that are counted, after one that is not.
const ROUNDS: usize = 7;
/// The spec that is timed against ParallelCluster.
const SPEC: &str = "examples/p5en-capacity-block.yaml";

/// Measures, and returns the table as text. `python` is that of the judges' environment; `trainyard` a release build.
pub fn run(root: &Path, trainyard: &Path, python: &Path) -> Result<String, String> {
    let work = Scratch::new("bench")?;
    measure(root, trainyard, python, work.path())
}

fn measure(root: &Path, trainyard: &Path, python: &Path, work: &Path) -> Result<String, String> {
    let largest = work.join("largest.yaml");
    std::fs::write(&largest, largest_spec()).map_err(|error| error.to_string())?;
    let plan = |spec: &Path, out: &str| -> Vec<String> {
        let words = [trainyard.display(), spec.display()].map(|path| path.to_string());
        let out = work.join(out).display().to_string();
        vec![words[0].clone(), "plan".into(), words[1].clone(), "--out".into(), out]
    };
    let ours = plan(&root.join(SPEC), "plan");
    let whole = plan(&largest, "largest");
    once(&ours, None)?;
    once(&whole, None)?;
    let peers = Peers::start(root, python, &work.join("plan"))?;
    let mut contenders = vec![("trainyard plan --out".to_owned(), ours, None)];
    for (name, argv) in &peers.commands {
        contenders.push((name.clone(), argv.clone(), Some(&peers.environment)));
    }
    contenders.push(("trainyard, the largest legal spec".to_owned(), whole, None));
    let mut times = vec![Vec::new(); contenders.len()];
    for round in 0..=ROUNDS {
        for (index, (_, argv, environment)) in contenders.iter().enumerate() {
            let time = once(argv, *environment)?;
            if round > 0 {
                times[index].push(time);
            }
        }
    }
    let names: Vec<&str> = contenders.iter().map(|(name, _, _)| name.as_str()).collect();
    Ok(table(&names, &mut times))
}

fn table(names: &[&str], times: &mut [Vec<Duration>]) -> String {
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort_unstable();
            times[times.len() / 2].as_secs_f64() * 1000.0
        })
        .collect();
    let mut text =
        format!("{:<36} {:>10} {:>10} {:>10} {:>8}\n", "whole process", "min ms", "median ms", "max ms", "ratio");
    for ((name, times), median) in names.iter().zip(times.iter()).zip(&medians) {
        let edge = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1000.0);
        let (least, most) = (edge(times.first()), edge(times.last()));
        let ratio = median / medians[0];
        let _ = writeln!(text, "{name:<36} {least:>10.1} {median:>10.1} {most:>10.1} {ratio:>7.1}x");
    }
    let _ = write!(text, "{ROUNDS} rounds, each runs all in turn; the ratio is of medians, to the first row");
    text
}

/// Runs a command and says how long it took. What ParallelCluster's dry run ends with (1) is no failure.
#[allow(clippy::disallowed_methods, reason = "a chore must not depend on crates/run, which it also checks")]
fn once(argv: &[String], environment: Option<&Vec<(String, String)>>) -> Result<Duration, String> {
    let (program, arguments) = argv.split_first().ok_or("an empty command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(environment) = environment {
        command.env_clear().envs(environment.iter().map(|(key, value)| (key, value)));
    }
    let begun = Instant::now();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() || said.contains("Request would have succeeded") {
        return Ok(took);
    }
    Err(format!("{}: {}\n{said}{}", argv.join(" "), output.status, String::from_utf8_lossy(&output.stderr)))
}

/// The emulator with what the plan names, and the commands to run against it.
struct Peers {
    process: Child,
    environment: Vec<(String, String)>,
    commands: Vec<(String, Vec<String>)>,
}

impl Peers {
    #[allow(clippy::disallowed_methods, reason = "a chore must not depend on crates/run, which it also checks")]
    fn start(root: &Path, python: &Path, plan: &Path) -> Result<Self, String> {
        let script = root.join("testing/aws/bench_peers.py");
        let mut command = Command::new(python);
        command.arg(&script).arg(plan).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(|error| format!("{}: {error}", python.display()))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let ready: Value =
            serde_json::from_str(&line).map_err(|error| format!("{} said no JSON: {error}", script.display()))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let pairs = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let environment = pairs(&ready["environment"]).iter().map(|(key, value)| (key.clone(), text(value))).collect();
        let words = |value: &Value| value.as_array().map(|words| words.iter().map(text).collect()).unwrap_or_default();
        let commands = pairs(&ready["peers"]).iter().map(|(name, argv)| (name.clone(), words(argv))).collect();
        Ok(Self { process, environment, commands })
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        // It ends when its input closes.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// As much as ParallelCluster takes: 50 queues, 50 compute resources, 10 login pools, every optional part.
fn largest_spec() -> String {
    let mut text = String::from(
        "version: 1\nname: largest\nprovider: aws\nregion: us-east-1\nnetwork: { zone: us-east-1a, second_zone: us-east-1b }\n\
         access: { cidrs: [203.0.113.0/24, 198.51.100.7/32] }\naccounting: { kind: new }\n\
         storage:\n  data_bucket: { name: a-bucket-of-the-bench }\n  home: { kind: openzfs, multi_zone: true }\n  mounts:\n",
    );
    for number in 0..15 {
        let _ = writeln!(text, "    - {{ kind: efs, path: /shared/{number}, id: fs-0123456789abcd{number:03} }}");
    }
    text.push_str("login:\n");
    for number in 0..10 {
        let _ = writeln!(text, "  - {{ name: pool-{number}, count: 3 }}");
    }
    text.push_str("setup:\n  scripts:\n");
    for number in 0..30 {
        let _ = writeln!(
            text,
            "    - {{ nodes: compute, script: \"s3://scripts/{number}.sh\", args: [\"{number}\", b, c], seconds: 1 }}"
        );
    }
    text.push_str("tags:\n");
    for number in 0..30 {
        let _ = writeln!(text, "  tag-{number}: value {number}");
    }
    text.push_str("slurm:\n  settings:\n");
    for number in 0..40 {
        let _ = writeln!(text, "    Setting{number}: {number}");
    }
    text.push_str("queues:\n");
    for number in 0..50 {
        let _ = writeln!(
            text,
            "  - name: queue-{number}\n    exclusive: true\n    root_volume_speed: {{ iops: 6000, mb_s: 500 }}\n    \
             compute:\n      - {{ name: nodes-{number}, instance: p5.48xlarge, max: 4, settings: {{ Feature: fast }} }}"
        );
    }
    text
}
