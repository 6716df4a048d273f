//! Clusters on real Slurm: what they are, what jobs get, what they leave behind. `./test` runs it.

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness::{Place, SMALL, examples, job_state, nodes, up, wait_for};
use trainyard_run::Command;

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
fn a_rehearsals_commands_have_their_own_codes_and_its_logs_are_shown() {
    let place = Place::new();
    up(&place, SMALL);
    assert_eq!(place.ok(&["run", "-N", "1", "--", "printf", "[%s]", "a  b", "$HOME"]).stdout, "[a  b][$HOME]");
    assert_eq!(place.run(&["run", "--", "sh", "-c", "exit 9"]).code, 9);
    assert_eq!(place.run(&["run", "--timeout", "1", "-N", "1", "--", "sleep", "60"]).code, 124);
    let listed = place.json(&["logs", "list", "--node", "q-st-n-1"]);
    let logs: Vec<&str> =
        listed["streams"].as_array().expect("a list").iter().filter_map(|one| one["log"].as_str()).collect();
    assert_eq!(logs, ["node", "slurmd"]);
    assert!(place.ok(&["logs", "tail", "slurmctld", "--lines", "200"]).stdout.contains("JobId="));
    let unknown = place.run(&["logs", "tail", "clustermgtd"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("slurmctld"), "{}", unknown.stderr);
    place.ok(&["down"]);
    let after = place.ok(&["logs", "tail", "slurmd", "--node", "q-st-n-1", "--lines", "1"]).stdout;
    assert_eq!(after.lines().count(), 1, "logs outlive the cluster: {after}");
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
        assert_eq!(known, planned["target"]["local"]["nodes"].as_array().expect("nodes").len() - 1, "all but the head");
    }
}

/// What a machine shows of a cluster: processes, sockets, addresses, links, mounts, ports, name spaces, control groups.
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
    // Other programs of the machine come and go.
    let is_ours = |line: &&String| {
        // One whose program is not told may be ours.
        !line.contains("users:") || ["slurm", "srun", "munged", "trainyard"].iter().any(|name| line.contains(name))
    };
    let listening = lines("ss", &["-Hlntup"])
        .iter()
        .filter(is_ours)
        .map(|l| l.split_whitespace().nth(4).unwrap_or("").to_owned())
        .collect();
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
        ("control groups", lines("find", &["/sys/fs/cgroup", "-type", "d", "-path", "*trainyard*"])),
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
    wait_for("the loss", 20, || nodes(&place)["q-st-n-1"].starts_with("down"));
    wait_for("the node's return", 60, || nodes(&place)["q-st-n-1"] == "idle");
    assert_eq!(on_node("echo $SLURMD_NODENAME; ls /tmp /scratch").stdout, "q-st-n-1\n/scratch:\n\n/tmp:\n");
    assert_eq!(on_node("ls /fsx/x /root/x").code, 0, "what is shared stays");
}

/// What a node uses is its own: nodes of a machine are told apart by their control groups.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn nodes_show_what_each_of_them_uses_now() {
    let place = Place::new();
    up(&place, SMALL);
    // Bounded: it ends by itself, should nobody end it.
    let script = place.write(
        "busy.sbatch",
        "#!/bin/bash\n#SBATCH --nodes=1 --nodelist=q-st-n-1\ntimeout 90 sh -c 'while :; do :; done'\n",
    );
    place.ok(&["submit", &script.to_string_lossy()]);
    let live = || -> BTreeMap<String, serde_json::Value> {
        let shown = place.json(&["status"]);
        shown["live"].as_object().expect("what nodes do").clone().into_iter().collect()
    };
    let processors = |node: &str| live().get(node).and_then(|answer| answer["usage"]["cpus"].as_f64());
    wait_for("the job's use to be seen", 60, || processors("q-st-n-1").is_some_and(|cpus| cpus > 0.3));
    let (busy, idle) = (processors("q-st-n-1"), processors("q-st-n-2"));
    assert!(idle.is_some_and(|idle| idle * 3.0 < busy.unwrap_or_default()), "{busy:?} {idle:?}");
    let now = live();
    assert!(now.contains_key("head"));
    for (node, answer) in &now {
        assert!(answer["usage"]["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{node}: {answer}");
    }
    let table = place.ok(&["nodes"]).stdout;
    assert!(table.contains("CPUs used") && table.contains("MiB"), "{table}");
    let log = std::fs::read_to_string(place.cluster("live").join("log/supervisor.log")).expect("the log");
    assert!(!log.contains("could not be answered"), "looking at a cluster is no problem: {log}");
    // Jobs of root may make groups below their node's; these must not keep the next node from its own.
    let places = std::fs::read_to_string(place.cluster("live").join("run/control-groups")).expect("the groups");
    let places: Vec<&str> = places.lines().collect();
    assert!(!places.is_empty());
    for group in &places {
        std::fs::create_dir_all(format!("{group}/q-st-n-2/made/by-a-job")).expect("made");
    }
    place.ok(&["nodes", "crash", "q-st-n-2"]);
    wait_for("the new node's agent", 60, || processors("q-st-n-2").is_some());
    for group in &places {
        assert!(!Path::new(group).join("q-st-n-2/made").exists());
        std::fs::create_dir_all(format!("{group}/q-st-n-1/made/by-a-job")).expect("made");
    }
    place.ok(&["down", "--force"]);
    assert!(places.iter().all(|group| !Path::new(group).exists()), "{places:?}");
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
