//! The whole way on real Slurm. `./test` installs what this needs and runs it (`cargo test -- --ignored`).

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use harness::{Place, examples, wait_for};
use trainyard_run::Command;

const SMALL: &str = "version: 1\nname: live\nprovider: local\nqueues:\n  - { name: q, compute: [{ name: n, min: 2, max: 4 }] }\nrehearsal: { idle_seconds: 600 }\n";

fn up(place: &Place, spec: &str) {
    place.write("trainyard.yaml", spec);
    place.ok(&["up"]);
}

/// States of all nodes by name.
fn nodes(place: &Place) -> BTreeMap<String, String> {
    let found = place.json(&["nodes"]);
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    found.as_array().expect("a list").iter().map(|node| (text(&node["name"]), text(&node["state"]))).collect()
}

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

fn job_state(place: &Place, id: &str) -> String {
    let shown = place.ok(&["run", "--", "scontrol", "-o", "show", "job", id]).stdout;
    let state = shown.split_whitespace().find_map(|word| word.strip_prefix("JobState="));
    state.unwrap_or_default().to_owned()
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
    wait_for("the end", 200, || job_state(&place, &id) == "COMPLETED");
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
    wait_for("the end", 200, || job_state(&place, &id) == "COMPLETED");
    each_step_once(&job, 4);
    let runs: BTreeSet<u64> = events(&job, "checkpoint").iter().filter_map(|line| line["run"].as_u64()).collect();
    assert_eq!(runs.into_iter().collect::<Vec<_>>(), [0, 1]);
    let order: Vec<u64> = events(&job, "checkpoint").iter().filter_map(|line| line["run"].as_u64()).collect();
    assert!(order.is_sorted(), "a writer of the first run wrote after the second began: {order:?}");
}

/// Every process below the cluster's supervisor.
fn processes_of(folder: &Path) -> Vec<i32> {
    let mut parents: BTreeMap<i32, i32> = BTreeMap::new();
    let mut root = None;
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let (Some(state), Some(Ok(parent))) = (fields.first(), fields.get(1).map(|field| field.parse())) else {
            continue;
        };
        if *state == "Z" {
            continue;
        }
        parents.insert(pid, parent);
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&format!("supervisor run --folder {}", folder.display())) {
            root = Some(pid);
        }
    }
    let below = |mut pid: i32| {
        while let Some(parent) = parents.get(&pid) {
            if Some(*parent) == root {
                return true;
            }
            pid = *parent;
        }
        false
    };
    parents.keys().copied().filter(|pid| below(*pid)).collect()
}

#[test]
#[ignore = "needs Slurm: run ./test"]
fn a_p5en_file_rehearses_with_its_gpus() {
    let place = Place::new();
    let spec = examples().join("p5en-capacity-block.yaml");
    std::fs::copy(spec, place.path("trainyard.yaml")).expect("copied");
    place.ok(&["up", "--rehearse", "--max-nodes", "2"]);
    let shown = place.json(&["nodes"]);
    let gpu_node =
        shown.as_array().expect("a list").iter().find(|node| node["name"] == "train-st-p5en-1").expect("the node");
    assert_eq!(gpu_node["cpus"], 192);
    assert_eq!(gpu_node["gres"], "gpu:h200:8");
    let script = place.write(
        "gpus.sbatch",
        "#!/bin/bash\n#SBATCH --nodes=2 --gpus-per-node=8 --ntasks-per-node=8 --gpus-per-task=1\necho batch $CUDA_VISIBLE_DEVICES\nsrun sh -c 'echo task $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES'\nsrun --ntasks-per-node=1 --ntasks=2 --gpus-per-task=8 sh -c 'echo step $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES'\n",
    );
    let said = place.ok(&["submit", "--wait", &script.to_string_lossy()]).stdout;
    assert!(said.contains("batch 0,1,2,3,4,5,6,7"), "{said}");
    for node in ["train-st-p5en-1", "train-st-p5en-2"] {
        assert!(said.contains(&format!("step {node} 0,1,2,3,4,5,6,7")), "{said}");
        let mut devices: Vec<&str> =
            said.lines().filter_map(|line| line.strip_prefix(&format!("task {node} "))).collect();
        devices.sort_unstable();
        assert_eq!(devices, ["0", "1", "2", "3", "4", "5", "6", "7"], "each task has a GPU of its own");
    }
    let asked = place.run(&["run", "-N", "1", "--gpus-per-node", "9", "--", "true"]);
    assert_ne!(asked.code, 0, "a node has no ninth GPU");
}

#[test]
#[ignore = "needs Slurm: run ./test"]
fn slurmctld_takes_the_configuration_of_any_accepted_spec() {
    let count = std::env::var("TRAINYARD_TEST_SPECS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let specs = testing_specs::fixed("local", count / 2, 7).into_iter().chain(testing_specs::fixed(
        "aws",
        count - count / 2,
        8,
    ));
    for (number, spec) in specs.enumerate() {
        let place = Place::new();
        place.write("trainyard.yaml", &spec);
        let output = place.run(&["up", "--rehearse", "--max-nodes", "3"]);
        assert_eq!(output.code, 0, "spec {number}:\n{spec}\n{}", output.stderr);
        let ping = place.ok(&["run", "--", "scontrol", "ping"]).stdout;
        assert!(ping.contains("is UP"), "{ping}");
        let known = nodes(&place).len();
        let planned = place.json(&["plan", "--rehearse", "--max-nodes", "3"]);
        assert_eq!(known, planned["rehearsed"]["nodes"].as_array().expect("nodes").len() - 1, "all but the head");
    }
}

/// What a machine shows of a cluster: processes, sockets, addresses, links, mounts, ports, name spaces.
fn traces() -> BTreeMap<&'static str, BTreeSet<String>> {
    let lines = |program: &str, args: &[&str]| -> BTreeSet<String> {
        let output = Command::new(program).args(args).output().expect(program);
        output.stdout.lines().map(str::to_owned).collect()
    };
    let processes = lines("ps", &["-eo", "stat=,args="])
        .into_iter()
        .filter(|line| {
            !line.starts_with('Z') && ["slurm", "munged", "trainyard "].iter().any(|name| line.contains(name))
        })
        .filter(|line| !line.contains("cargo") && !line.contains("live-"))
        .collect();
    let listening =
        lines("ss", &["-Hlntu"]).iter().map(|l| l.split_whitespace().nth(4).unwrap_or("").to_owned()).collect();
    let sockets = lines("ss", &["-Hlx"])
        .into_iter()
        .filter(|line| line.contains("munge") || line.contains("supervisor"))
        .collect();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let mounts = mounts.lines().map(|line| line.split(' ').nth(4).unwrap_or("").to_owned()).collect();
    let interfaces =
        lines("ip", &["-br", "link"]).iter().map(|l| l.split_whitespace().next().unwrap_or("").to_owned()).collect();
    BTreeMap::from([
        ("processes", processes),
        ("listening", listening),
        ("sockets", sockets),
        ("addresses", lines("ip", &["-br", "addr"])),
        ("links", interfaces),
        ("mounts", mounts),
        ("top folders", lines("ls", &["/"])),
    ])
}

fn leaves_nothing(place: &Place, isolation: &str) {
    let before = traces();
    let rehearsal = format!("{{ isolation: {isolation}, idle_seconds");
    up(place, &SMALL.replace("name: live", "name: trace").replace("{ idle_seconds", &rehearsal));
    place.ok(&["run", "-N", "4", "--", "true"]);
    assert_ne!(traces()["processes"], before["processes"], "the test must see a running cluster");
    place.ok(&["down"]);
    let after = traces();
    for (kind, before) in &before {
        let left: Vec<&String> = after[kind].difference(before).collect();
        assert!(left.is_empty(), "{kind} left: {left:?}");
    }
    let kept: BTreeSet<String> = std::fs::read_dir(place.cluster("trace"))
        .expect("the cluster's folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(kept.into_iter().collect::<Vec<_>>(), ["journal.jsonl", "lock", "log", "plan.json", "shared"]);
    place.ok(&["down", "--cluster", "trace", "--delete-data", "trace", "--yes"]);
    assert!(!place.cluster("trace").exists());
}

#[test]
#[ignore = "needs Slurm: run ./test"]
fn down_leaves_nothing_behind() {
    leaves_nothing(&Place::alone(), "namespaces");
}

#[test]
#[ignore = "needs Slurm: run ./test"]
fn an_ordinary_user_rehearses_too_and_leaves_nothing() {
    leaves_nothing(&Place::alone().of("nobody"), "auto");
}

#[test]
#[ignore = "needs Slurm: run ./test"]
fn root_without_name_spaces_rehearses_too_and_leaves_nothing() {
    leaves_nothing(&Place::alone(), "shared");
}

#[test]
#[ignore = "needs Slurm: run ./test"]
fn jobs_bring_their_own_code_and_running_ones_hold_the_cluster() {
    let place = Place::new();
    up(&place, SMALL);
    assert_eq!(place.run(&["run", "--", "sh", "-c", "exit 7"]).code, 7);
    assert_eq!(place.run(&["run", "-N", "2", "--", "sh", "-c", "exit 9"]).code, 9);
    // D-A20: the folder of the output does not exist yet; slurmd opens it before the script runs.
    let script = place.write(
        "code.sbatch",
        "#!/bin/sh\n#SBATCH --output=/fsx/logs/new/folder/%j.out\necho said: $1 $(cat data.txt)\nexit 5\n",
    );
    place.write("data.txt", "data");
    let output = place.run(&["submit", &script.to_string_lossy(), "--copy", "data.txt", "--wait", "--", "hello"]);
    assert_eq!(output.code, 5, "{}", output.stderr);
    assert!(output.stdout.contains("said: hello data"), "{}", output.stdout);
    let killed = place.write("killed.sbatch", "#!/bin/sh\nkill -9 $$\n");
    assert_eq!(place.run(&["submit", "--wait", &killed.to_string_lossy()]).code, 137);
    let refused = place.write("refused.sbatch", "#!/bin/sh\n#SBATCH --nodes=99\ntrue\n");
    let output = place.run(&["submit", "--wait", &refused.to_string_lossy()]);
    assert_eq!(output.code, 125);
    assert!(output.stderr.contains("Slurm did not take the job"), "{}", output.stderr);

    let long = place.write("long.sbatch", "#!/bin/sh\nsleep 300\n");
    let id = place.ok(&["submit", &long.to_string_lossy()]).stdout.trim().to_owned();
    let output = place.run(&["down"]);
    assert_eq!(output.code, 3);
    assert!(output.stderr.contains(&id) && output.stderr.contains("--force"), "{}", output.stderr);
    wait_for("the job", 30, || job_state(&place, &id) == "RUNNING");
    place.ok(&["down", "--force"]);
    // What people made is still there, and the next cluster finds it.
    place.ok(&["up"]);
    let found = place.ok(&["run", "-N", "1", "--", "sh", "-c", "cat /fsx/logs/new/folder/*.out"]).stdout;
    assert!(found.contains("said: hello data"), "{found}");
}

/// Killed with SIGKILL after every record of the journal; the same command finishes the work.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn up_survives_kill_9_after_every_record() {
    let place = Place::new();
    place.write("trainyard.yaml", SMALL);
    let journal = place.cluster("live").join("journal.jsonl");
    let records = || std::fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    for target in 1..=18 {
        let log = place.path("up.log");
        let mut child = place.command(&["up"]).daemon(&log).expect("started");
        let base = records();
        wait_for("a record", 60, || records() >= base + target || child.try_wait().expect("a state").is_some());
        let _ = child.kill();
        let _ = child.wait();
        place.ok(&["up"]);
        assert_eq!(nodes(&place).len(), 4);
        place.ok(&["down"]);
    }
    assert!(processes_of(&place.cluster("live")).is_empty());
}

#[test]
#[ignore = "needs Slurm: run ./test"]
fn a_supervisor_that_dies_takes_everything_along_and_up_mends_it() {
    for user in [None, Some("nobody")] {
        let place = Place::new();
        let place = if let Some(user) = user { place.of(user) } else { place };
        up(&place, SMALL);
        let script =
            "#!/bin/sh\n#SBATCH --nodes=4 --requeue\n[ -n \"$SLURM_RESTART_COUNT\" ] && exit 0\nsrun sleep 600\n";
        let script = place.write("long.sbatch", script);
        let id = place.ok(&["submit", &script.to_string_lossy()]).stdout.trim().to_owned();
        wait_for("the job", 60, || job_state(&place, &id) == "RUNNING");
        let folder = place.cluster("live");
        // slurmctld saves its memory every few seconds: only what it saved can come back.
        let saved = folder.join("state/job_state");
        let running = std::time::SystemTime::now();
        wait_for("slurmctld's memory on disk", 30, || {
            saved.metadata().and_then(|meta| meta.modified()).is_ok_and(|time| time > running)
        });
        let all = processes_of(&folder);
        assert!(all.len() > 5);
        let line = format!("supervisor run --folder {}", folder.display());
        Command::new("pkill").args(["-KILL", "-f", &line]).run().expect("killed");
        let is_gone = |pid: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        wait_for("the end of everything", 10, || all.iter().all(is_gone));
        assert_eq!(place.run(&["status"]).code, 1);
        place.ok(&["up"]);
        // slurmctld remembers nodes and the job as running; both are put right.
        wait_for("the job's second run", 120, || job_state(&place, &id) == "COMPLETED");
        place.ok(&["run", "-N", "4", "--", "true"]);
    }
}

/// Jobs run as root here, and must not change the machine that carries the rehearsal. A lost node's
/// own disks are empty when it comes back.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn a_node_sees_the_machine_but_cannot_change_it() {
    let place = Place::new();
    up(&place, SMALL);
    let on_node = |line: &str| place.run(&["run", "--", "srun", "-w", "q-st-n-1", "sh", "-c", line]);
    for path in ["/etc", "/usr", "/var", "/opt"] {
        let output = on_node(&format!("touch {path}/trainyard-was-here"));
        assert_ne!(output.code, 0, "{path} can be written to");
        assert!(output.stderr.contains("Read-only"), "{}", output.stderr);
    }
    for path in ["/fsx/x", "/home/x", "/root/x", "/scratch/x", "/tmp/x", "/var/tmp/y", "/dev/shm/x", "/run/x"] {
        assert_eq!(on_node(&format!("touch {path}")).code, 0, "{path} cannot be written to");
    }
    let first = on_node("echo $SLURMD_NODENAME; ls /tmp /scratch").stdout;
    assert_eq!(first, "q-st-n-1\n/scratch:\nx\n\n/tmp:\nx\ny\n");
    place.ok(&["nodes", "crash", "q-st-n-1"]);
    wait_for("the node's return", 60, || nodes(&place)["q-st-n-1"] == "idle");
    assert_eq!(on_node("echo $SLURMD_NODENAME; ls /tmp /scratch").stdout, "q-st-n-1\n/scratch:\n\n/tmp:\n");
    assert_eq!(on_node("ls /fsx/x /root/x").code, 0, "what is shared stays");
}

/// D-A11: a setting that cannot have its effect is an error.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn exposed_folders_are_seen_read_only_and_must_exist() {
    let place = Place::new();
    let spec = |path: &str| SMALL.replace("{ idle_seconds", &format!("{{ expose: [{path}], idle_seconds"));
    place.write("trainyard.yaml", &spec("/tmp/no-such-folder-here"));
    let output = place.run(&["up"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("is not a folder"), "{}", output.stderr);
    std::fs::create_dir(place.path("env")).expect("made");
    place.write("env/data", "seen");
    let env = place.path("env").to_string_lossy().into_owned();
    up(&place, &spec(&env));
    let output = place.run(&["run", "-N", "1", "--", "sh", "-c", &format!("cat {env}/data; touch {env}/x")]);
    assert_eq!(output.stdout, "seen");
    assert_ne!(output.code, 0);
}

/// After a failed resume Slurm leaves a node down; here it is offered again, as on AWS.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn a_node_that_never_comes_is_offered_again() {
    let place = Place::new();
    up(&place, &(SMALL.to_owned() + "timeouts: { head_seconds: 60, compute_seconds: 15 }\n"));
    let hook = place.cluster("live").join("etc/hooks/resume");
    let works = std::fs::read_to_string(&hook).expect("the hook");
    std::fs::write(&hook, "#!/bin/sh\nexit 0\n").expect("written");
    let script = place.write("three.sbatch", "#!/bin/sh\n#SBATCH --nodes=3\nsrun hostname\n");
    let id = place.ok(&["submit", &script.to_string_lossy()]).stdout.trim().to_owned();
    let log = place.cluster("live").join("log/supervisor.log");
    wait_for("the failed resume", 60, || {
        std::fs::read_to_string(&log).unwrap_or_default().contains("did not come in time")
    });
    std::fs::write(&hook, works).expect("written");
    wait_for("the job's end", 120, || job_state(&place, &id) == "COMPLETED");
}

/// Two runs never work on one cluster; the second is told who does.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn a_second_run_waits_its_turn() {
    let place = Place::new();
    place.write("trainyard.yaml", &(SMALL.replace("idle_seconds: 600", "boot_seconds: 3")));
    let mut first = place.command(&["up"]).daemon(&place.path("first.log")).expect("started");
    let journal = place.cluster("live").join("journal.jsonl");
    wait_for("the first run", 30, || journal.exists());
    let second = place.run(&["up"]);
    assert_eq!(second.code, 3);
    assert!(second.stderr.contains("trainyard up, process"), "{}", second.stderr);
    assert!(first.wait().expect("ended").success());
    // The cluster stands: nothing is done twice, and another plan is refused while it stands.
    let again = place.ok(&["up"]);
    assert!(again.stderr.contains("is up after"), "{}", again.stderr);
    place.write("trainyard.yaml", &SMALL.replace("max: 4", "max: 5"));
    let other = place.run(&["up"]);
    assert_eq!(other.code, 3);
    assert!(other.stderr.contains("etc/slurm.conf") && other.stderr.contains("trainyard down"), "{}", other.stderr);
}

/// Many nodes that come at once all come: one that registers too soon after it was asked for would be
/// ignored by slurmctld until it times out.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn many_nodes_come_when_one_job_asks() {
    let place = Place::new();
    up(&place, &SMALL.replace("min: 2, max: 4", "min: 8, max: 40"));
    for _ in 0..2 {
        let said = place.ok(&["run", "-N", "40", "--", "hostname"]).stdout;
        assert_eq!(said.lines().collect::<BTreeSet<_>>().len(), 40);
        let dynamic: Vec<String> = nodes(&place).into_keys().filter(|name| name.contains("-dy-")).collect();
        place.ok(&["run", "--", "scontrol", "update", &format!("nodename={}", dynamic.join(",")), "state=power_down"]);
        wait_for("all dynamic nodes to be off", 120, || {
            nodes(&place).iter().filter(|(name, _)| name.contains("-dy-")).all(|(_, state)| state == "idle~")
        });
    }
}

/// `up` is safe at any time: also while nodes boot because a job asked.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn up_while_nodes_boot_harms_nothing() {
    let place = Place::new();
    up(&place, &SMALL.replace("{ idle_seconds", "{ boot_seconds: 6, idle_seconds"));
    let script = place.write("four.sbatch", "#!/bin/sh\n#SBATCH --nodes=4\nsrun hostname\n");
    let id = place.ok(&["submit", &script.to_string_lossy()]).stdout.trim().to_owned();
    wait_for("the resume", 30, || nodes(&place)["q-dy-n-1"].contains('#'));
    place.ok(&["up"]);
    wait_for("the job's end", 60, || job_state(&place, &id) == "COMPLETED");
    let log = std::fs::read_to_string(place.cluster("live").join("log/supervisor.log")).expect("the log");
    assert!(!log.contains("remembers"), "{log}");
}

/// A node that was lost again and again is given another chance by `up`.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn a_node_lost_many_times_comes_back() {
    let place = Place::new();
    up(&place, SMALL);
    for _ in 0..4 {
        place.ok(&["nodes", "crash", "q-st-n-1"]);
        wait_for("the node's return", 60, || nodes(&place)["q-st-n-1"] == "idle");
    }
    place.ok(&["up"]);
}

/// `down` says "down" only when it is: not without looking, and not for lack of a journal.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn down_never_says_so_without_having_done_it() {
    let place = Place::new();
    up(&place, SMALL);
    let folder = place.cluster("live");
    let pid = std::fs::read_to_string(folder.join("run/supervisor.pid")).expect("its process");
    Command::new("kill").args(["-STOP", pid.trim()]).run().expect("stopped");
    let output = place.run(&["down"]);
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(output.stderr.contains(&format!("kill -9 {}", pid.trim())), "{}", output.stderr);
    Command::new("kill").args(["-CONT", pid.trim()]).run().expect("continued");
    std::fs::remove_file(folder.join("journal.jsonl")).expect("removed");
    place.ok(&["down", "--force"]);
    assert!(processes_of(&folder).is_empty());
    assert!(!folder.join("run").exists());
}

/// An array's code is its worst task's, also when Slurm has forgotten that task; every task is heard.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn an_array_brings_its_worst_code_and_all_its_output() {
    let place = Place::new();
    up(&place, &(SMALL.to_owned() + "slurm: { settings: { MinJobAge: 2 } }\n"));
    let script = "#!/bin/sh\n#SBATCH --array=1-3 --job-name=\"x JobState=COMPLETED ExitCode=0:0\"\n#SBATCH --output=\"a b %a.out\"\necho task $SLURM_ARRAY_TASK_ID\n[ $SLURM_ARRAY_TASK_ID = 1 ] && exit 3\nsleep 15\n";
    let script = place.write("array.sbatch", script);
    let output = place.run(&["submit", "--wait", &script.to_string_lossy()]);
    assert_eq!(output.code, 3, "{}", output.stderr);
    for task in 1..=3 {
        assert!(output.stdout.contains(&format!("task {task}\n")), "{}", output.stdout);
    }
}

/// The head is lost while a job runs and is followed: the job is requeued, and following goes on.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn a_lost_head_comes_back_and_following_goes_on() {
    let place = Place::new();
    up(&place, SMALL);
    let script = "#!/bin/sh\n#SBATCH --nodes=2 --requeue\n[ -n \"$SLURM_RESTART_COUNT\" ] && exit 6\nsrun sleep 600\n";
    let script = place.write("long.sbatch", script);
    let log = place.path("follow.log");
    let mut follow = place.command(&["submit", "--wait", &script.to_string_lossy()]).daemon(&log).expect("started");
    wait_for("the job", 60, || job_state(&place, "1") == "RUNNING");
    let saved = place.cluster("live").join("state/job_state");
    let running = std::time::SystemTime::now();
    wait_for("slurmctld's memory on disk", 30, || {
        saved.metadata().and_then(|meta| meta.modified()).is_ok_and(|time| time > running)
    });
    let head = processes_of(&place.cluster("live")).into_iter().find(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains("--node head")
    });
    Command::new("kill").args(["-KILL", &head.expect("the head").to_string()]).run().expect("killed");
    let status = follow.wait().expect("ended");
    assert_eq!(status.code(), Some(6), "{}", std::fs::read_to_string(log).unwrap_or_default());
}
