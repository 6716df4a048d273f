//! What goes wrong on real Slurm, and how it is mended. `./test` runs it.

mod harness;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use harness::{Place, SMALL, job_state, nodes, processes_of, up, wait_for};
use trainyard_run::Command;

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
        wait_for("the loss", 20, || nodes(&place)["q-st-n-1"].starts_with("down"));
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

/// Where nodes share this machine's processes, what left its parent on a lost node ends with it too.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn nothing_of_a_lost_node_goes_on_without_it() {
    let place = Place::new();
    // The folder's name must not make a stranger look like one of ours.
    place.write("trainyard.yaml", &SMALL.replace("{ idle_seconds", "{ isolation: shared, idle_seconds"));
    place.ok(&["up"]);
    let script = "#!/bin/sh\n#SBATCH --nodelist=q-st-n-2 --no-requeue\nsetsid sleep 54321 &\nsleep 600\n";
    let script = place.write("stray.sbatch", script);
    place.ok(&["submit", &script.to_string_lossy()]);
    let strays = || Command::new("pgrep").args(["-f", "^sleep 54321"]).output().expect("pgrep").stdout;
    wait_for("the stray", 60, || !strays().is_empty());
    let boxed = processes_of(&place.cluster("live")).into_iter().find(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains("enter --folder") && line.ends_with(b"q-st-n-2\0")
    });
    // Not through the supervisor: the box itself dies, and leaves its processes behind.
    Command::new("kill").args(["-KILL", &boxed.expect("the box").to_string()]).run().expect("killed");
    wait_for("the stray's end", 10, || strays().is_empty());
}

/// What only shows something must not keep a node from work, and comes back when it ends.
#[test]
#[ignore = "needs Slurm: run ./test"]
fn a_replay_begins_anew_with_its_node_and_what_shows_it_starts_again_when_it_ends() {
    let place = Place::new().of("root");
    // Stands for the agent: its player takes its time in a folder that must be new, and fails once on the second node.
    let agent = "#!/bin/sh\n\
        for last; do :; done\n\
        case \"$*\" in 'replay play'*q-st-n-2*) [ -e \"$last.tried\" ] || { : >\"$last.tried\"; exit 2; } ;; esac\n\
        case \"$*\" in\n\
        'replay play --profile'*) mkdir \"$last\" || echo 'an old one is in the way'\n\
        sleep 0.3; echo complete >\"$last/replay.json\" ;;\n\
        'replay play'*) echo 'a player goes on' ;;\n\
        *) if [ -f \"$last/replay.json\" ]; then echo 'a replay is there'; else echo 'no replay is there'; fi ;;\n\
        esac\n\
        sleep 600\n";
    let agent = place.write("trainyard-agent", agent);
    std::fs::set_permissions(agent, std::fs::Permissions::from_mode(0o755)).expect("a program");
    up(&place, &SMALL.replace("idle_seconds: 600", "idle_seconds: 600, replay: [{ profile: p5 }]"));
    let log = |node: &str| {
        let path = place.cluster("live").join(format!("log/node-{node}.log"));
        std::fs::read_to_string(path).unwrap_or_default()
    };
    let times = |node: &str, what: &str| log(node).matches(what).count();
    wait_for("the agents look for their replays", 20, || {
        ["q-st-n-1", "q-st-n-2"].iter().all(|node| times(node, "a replay is there") == 1)
    });
    let ended = |node: &str, how: &str| times(node, &format!("ended: {how}; the node goes on, and it starts again"));
    assert_eq!(ended("q-st-n-2", "exit status 2"), 1, "{}", log("q-st-n-2"));
    for (part, again) in [("replay play", "a player goes on"), ("serve --listen", "a replay is there")] {
        let before = (ended("q-st-n-1", "killed by SIGKILL"), times("q-st-n-1", again));
        let running = processes_of(&place.cluster("live")).into_iter().find(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains("q-st-n-1") && line.contains(&format!("trainyard-agent {part}"))
        });
        Command::new("kill").args(["-KILL", &running.expect("it runs").to_string()]).run().expect("killed");
        wait_for(again, 10, || {
            (ended("q-st-n-1", "killed by SIGKILL"), times("q-st-n-1", again)) == (before.0 + 1, before.1 + 1)
        });
    }
    let states = nodes(&place);
    assert!(["q-st-n-1", "q-st-n-2"].iter().all(|node| states[*node].starts_with("idle")), "{states:?}");
    place.ok(&["nodes", "crash", "q-st-n-1"]);
    wait_for("the new node has a replay", 30, || times("q-st-n-1", "a replay is there") == 3);
    for wrong in ["no replay is there", "in the way"] {
        assert_eq!(times("q-st-n-1", wrong) + times("q-st-n-2", wrong), 0, "{}{}", log("q-st-n-1"), log("q-st-n-2"));
    }
}
