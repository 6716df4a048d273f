//! Real training on real Slurm, and what node losses do to it. `./test` installs what this needs and runs it.

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use harness::{Place, SMALL, examples, job_state, nodes, processes_of, up, wait_for};
use trainyard_run::Command;

/// What a training job logged: for each rank its step lines, in order.
fn steps(job: &Path) -> BTreeMap<String, Vec<u64>> {
    let mut ranks = BTreeMap::new();
    for entry in std::fs::read_dir(job.join("out/metrics")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_lines = Path::new(&name).extension().is_some_and(|extension| extension == "jsonl");
        if !is_lines || name.contains("dropped") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("metrics");
        let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let steps =
            lines.filter(|line| line.get("step_time_seconds").is_some()).filter_map(|line| line["step"].as_u64());
        ranks.insert(name, steps.collect());
    }
    ranks
}

fn each_step_once(job: &Path, ranks: usize) {
    let found = steps(job);
    assert_eq!(found.len(), ranks);
    for (rank, steps) in found {
        let expected: Vec<u64> = (1..=steps.len() as u64).collect();
        assert_eq!(steps, expected, "{rank}");
    }
}

fn events(job: &Path, event: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(job.join("out/metrics/rank0.jsonl")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter(|line| line["event"] == event).collect()
}

fn train(place: &Place, arguments: &[&str]) -> (String, std::path::PathBuf) {
    let script = examples().join("train/ddp.sbatch");
    let script = script.to_string_lossy();
    let job = place.json(&[&["submit", script.as_ref()], arguments].concat());
    (job["job"].as_str().expect("an id").to_owned(), job["here"].as_str().expect("a folder").into())
}

#[test]
#[ignore = "needs Slurm and PyTorch: run ./test"]
fn a_job_trains_on_four_nodes_of_which_two_were_off() {
    let place = Place::new();
    up(&place, SMALL);
    let before = nodes(&place);
    assert_eq!(before.values().filter(|state| state.as_str() == "idle~").count(), 2, "{before:?}");
    let script = examples().join("train/ddp.sbatch");
    let output = place.ok(&["submit", "--wait", &script.to_string_lossy(), "--", "--min-accuracy", "0.95"]);
    assert!(output.stdout.contains("held-out accuracy"), "{}", output.stdout);
    let job = place.cluster("live").join("shared/fsx/jobs/ddp-1");
    let accuracy = events(&job, "end")[0]["accuracy"].as_f64().expect("an accuracy");
    assert!(accuracy >= 0.95, "{accuracy}");
    let used: BTreeSet<String> =
        events(&job, "start")[0]["nodes"].as_array().expect("nodes").iter().map(ToString::to_string).collect();
    assert_eq!(used.len(), 4, "{used:?}");
    each_step_once(&job, 4);
}

/// Waits until a job has ended well. When it has not, what it said and what Slurm thought of it is the message.
fn completed(place: &Place, id: &str, job: &Path, seconds: u64) {
    let until = Instant::now() + Duration::from_secs(seconds);
    loop {
        let state = job_state(place, id);
        if state == "COMPLETED" {
            return;
        }
        let is_over = matches!(state.as_str(), "FAILED" | "CANCELLED" | "TIMEOUT" | "OUT_OF_MEMORY" | "BOOT_FAIL");
        if is_over || Instant::now() >= until {
            let shown = place.run(&["run", "--", "scontrol", "show", "job", id]).stdout;
            let said = std::fs::read_to_string(job.join(format!("slurm-{id}.out"))).unwrap_or_default();
            let head = std::fs::read_to_string(place.cluster("live").join("log/slurmctld.log")).unwrap_or_default();
            panic!("job {id} is {state}, not COMPLETED\n{:?}\n{shown}\n{said}\n{head}", nodes(place));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Every node has one cable: a lost one does not keep the address of the one in its place.
fn each_address_once(place: &Place) {
    let ports = place.ok(&["run", "--", "ip", "-o", "link", "show", "master", "br0"]).stdout;
    assert_eq!(ports.lines().count(), 4, "{ports}");
}

/// A lost node's job is requeued within 30 s and goes on from its last complete checkpoint.
fn losing(lost_nodes: &[&str]) {
    let place = Place::new();
    up(&place, SMALL);
    let (id, job) = train(&place, &["--", "--step-delay", "0.05", "--checkpoint-every", "20"]);
    wait_for("a checkpoint", 120, || events(&job, "checkpoint").len() >= 3);
    let lost = Instant::now();
    for node in lost_nodes {
        place.ok(&["nodes", "crash", node]);
    }
    wait_for("the requeue", 30, || job_state(&place, &id) == "PENDING");
    assert!(lost.elapsed() < Duration::from_secs(30));
    wait_for("the resumption", 120, || events(&job, "resume").len() == 1);
    each_address_once(&place);
    completed(&place, &id, &job, 200);
    let resumed = events(&job, "resume");
    assert_eq!(resumed.len(), 1);
    assert!(resumed[0]["from_step"].as_u64().expect("a step") >= 60);
    each_step_once(&job, 4);
    for node in lost_nodes {
        wait_for("the node's return", 60, || nodes(&place)[*node].starts_with("idle"));
    }
}

#[test]
#[ignore = "needs Slurm and PyTorch: run ./test"]
fn a_lost_static_node_costs_no_step() {
    losing(&["q-st-n-2"]);
}

#[test]
#[ignore = "needs Slurm and PyTorch: run ./test"]
fn all_nodes_lost_at_once_cost_no_step() {
    losing(&["q-st-n-1", "q-dy-n-2", "q-st-n-2", "q-dy-n-1"]);
}

#[test]
#[ignore = "needs Slurm and PyTorch: run ./test"]
fn a_lost_dynamic_node_that_ran_rank_0_costs_no_step() {
    losing(&["q-dy-n-1"]);
}

/// Killing slurmd alone must not leave its ranks running: they could write to a checkpoint that the
/// requeued job writes too.
#[test]
#[ignore = "needs Slurm and PyTorch: run ./test"]
fn killing_slurmd_alone_never_gives_two_writers() {
    let place = Place::new();
    up(&place, SMALL);
    let (id, job) = train(&place, &["--", "--step-delay", "0.05", "--checkpoint-every", "20"]);
    wait_for("a checkpoint", 120, || events(&job, "checkpoint").len() >= 2);
    let folder = place.cluster("live");
    let mine = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains("slurmd -D") && line.contains("q-dy-n-1")
    };
    let slurmd: Vec<i32> = processes_of(&folder).into_iter().filter(mine).collect();
    assert_eq!(slurmd.len(), 1, "one slurmd for one node");
    let ranks_before = processes_of(&folder).len();
    Command::new("kill").args(["-KILL", &slurmd[0].to_string()]).run().expect("killed");
    // Its step daemons and ranks go with it, long before Slurm could start the job again.
    wait_for("the end of the node's ranks", 5, || processes_of(&folder).len() < ranks_before - 2);
    completed(&place, &id, &job, 200);
    each_step_once(&job, 4);
    let runs: BTreeSet<u64> = events(&job, "checkpoint").iter().filter_map(|line| line["run"].as_u64()).collect();
    assert_eq!(runs.into_iter().collect::<Vec<_>>(), [0, 1]);
    let order: Vec<u64> = events(&job, "checkpoint").iter().filter_map(|line| line["run"].as_u64()).collect();
    assert!(order.is_sorted(), "a writer of the first run wrote after the second began: {order:?}");
}
