//! `tool(args) → exit, stdout, stderr`: the commands that need no cluster.

mod harness;

use harness::{Place, examples};

const SMALLEST: &str =
    "version: 1\nname: demo\nprovider: local\nqueues:\n  - { name: cpu, compute: [{ name: node, max: 4 }] }\n";

#[test]
fn check_shows_every_problem_with_carets_and_fixes() {
    let place = Place::new();
    place.write("trainyard.yaml", "version: 1\nname: dëmo\nprovider: loca\nqueues:\n  - { name: cpu, compute: [{ name: node, max: 0 }] }\nhed: {}\n");
    let output = place.run(&["check"]);
    assert_eq!(output.code, 1);
    assert_eq!(output.stdout, "");
    insta::assert_snapshot!(output.stderr);
}

#[test]
fn check_is_data_for_programs() {
    let place = Place::new();
    place.write("trainyard.yaml", &SMALLEST.replace("local", "loca"));
    let output = place.run(&["check", "--format", "json"]);
    assert_eq!(output.code, 1);
    let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(report["errors"], 1);
    assert_eq!(report["diagnostics"][0]["code"], "not-one-of");
    assert_eq!(report["diagnostics"][0]["place"]["line"], 3);
    assert_eq!(report["diagnostics"][0]["fix"]["edits"][0]["text"], "local");
}

#[test]
fn check_fix_mends_what_is_certain() {
    let place = Place::new();
    let file = place.write("x.yaml", &SMALLEST.replace("local", "loca").replace("max: 4", "min: 9, max: 4"));
    assert_eq!(place.run(&["check", "x.yaml", "--fix"]).code, 0);
    assert_eq!(std::fs::read_to_string(file).expect("mended"), SMALLEST.replace("max: 4", "min: 4, max: 4"));
}

#[test]
fn every_preset_is_a_good_spec_and_is_never_written_over() {
    let place = Place::new();
    for preset in ["rehearsal", "p5en-capacity-block", "p5-odcr", "p4d-ondemand", "trn1", "cpu"] {
        let file = format!("{preset}.yaml");
        place.ok(&["init", "--preset", preset, &file]);
        place.ok(&["check", &file]);
        let again = place.run(&["init", "--preset", preset, &file]);
        assert_eq!(again.code, 2);
        assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    }
}

#[test]
fn plan_writes_the_same_bytes_twice() {
    let place = Place::new();
    place.write("trainyard.yaml", SMALLEST);
    place.ok(&["plan", "--out", "a"]);
    place.ok(&["plan", "--out", "b"]);
    let read = |folder: &str| std::fs::read_to_string(place.path(folder).join("plan.json")).expect("a plan");
    assert_eq!(read("a"), read("b"));
    assert!(place.path("a/etc/slurm.conf").is_file());
}

#[test]
fn every_job_script_is_valid_shell() {
    let place = Place::new();
    for file in ["rehearsal.yaml", "p5en-capacity-block.yaml"] {
        let spec = examples().join(file);
        for job in ["ddp", "single", "array", "container"] {
            let script = place.ok(&["render", "sbatch", "--job", job, &spec.to_string_lossy()]).stdout;
            assert!(script.starts_with("#!/bin/bash\n"), "{script}");
            trainyard_run::Command::new("bash").arg("-n").input(script).run().expect("valid shell");
        }
    }
}

#[test]
fn policies_are_files_of_their_own() {
    let place = Place::new();
    let spec = examples().join("p5-odcr.yaml");
    let said = place.ok(&["render", "iam", &spec.to_string_lossy(), "--out", "policies"]);
    assert_eq!(said.stdout, "");
    let text = std::fs::read_to_string(place.path("policies/iam/1.json")).expect("a policy");
    let policy: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(policy["Version"], "2012-10-17");
    assert!(place.ok(&["render", "iam", &spec.to_string_lossy()]).stdout.contains(&text));
    // They are for somebody else, so a plan's folder has none.
    place.ok(&["plan", &spec.to_string_lossy(), "--out", "plan"]);
    assert!(!place.path("plan/iam").exists());
}

#[test]
fn usage_errors_say_what_to_type_and_exit_with_2() {
    let place = Place::new();
    place.write("trainyard.yaml", SMALLEST);
    for (args, says) in [
        (&["check", "missing.yaml"][..], "trainyard init"),
        (&["render", "slurm.conf"], "trainyard render slurm"),
        (&["render", "slurm", "--job", "ddp"], "--job belongs to"),
        (&["explain", "no-such-code"], "trainyard explain"),
        (&["down", "--cluster", "demo", "--file", "x"], "cannot be used with"),
        (&["frobnicate"], "Usage"),
    ] {
        let output = place.run(args);
        assert_eq!(output.code, 2, "{args:?}: {}", output.stderr);
        assert!(output.stderr.contains(says), "{args:?}: {}", output.stderr);
    }
}

#[test]
fn what_is_not_there_is_refused_with_3_and_the_next_command() {
    let place = Place::new();
    place.write("trainyard.yaml", SMALLEST);
    for (args, says) in [
        (&["status"][..], "trainyard up"),
        (&["down"], "there is no cluster called `demo`"),
        (&["submit", "x.sbatch"], "trainyard up"),
    ] {
        let output = place.run(args);
        assert_eq!(output.code, 3, "{args:?}: {}", output.stderr);
        assert!(output.stderr.contains(says), "{args:?}: {}", output.stderr);
    }
    // A failure of ours is not the job's.
    assert_eq!(place.run(&["submit", "x.sbatch", "--wait"]).code, 125);
    assert_eq!(place.run(&["run", "--", "true"]).code, 125);
}

#[test]
fn logs_of_a_cluster_that_is_not_there_are_refused_and_odd_counts_are_usage() {
    let place = Place::new();
    place.write("trainyard.yaml", SMALLEST);
    for (args, code, says) in [
        (&["logs", "list"][..], 3, "there is no cluster called `demo`"),
        (&["logs", "tail", "slurmctld"], 3, "trainyard up"),
        (&["logs", "tail", "--lines", "0"], 2, "1..=10000"),
        (&["run", "--timeout", "0", "--", "true"], 2, "--timeout"),
    ] {
        let output = place.run(args);
        assert_eq!(output.code, code, "{args:?}: {}", output.stderr);
        assert!(output.stderr.contains(says), "{args:?}: {}", output.stderr);
    }
    let help = place.ok(&["logs", "tail", "--help"]).stdout;
    assert!(help.contains("trainyard logs tail cfn-init --node head"), "{help}");
}

/// A head that takes no commands is a refusal before AWS is asked; one of ours, so with 125.
#[test]
#[cfg(feature = "aws")]
fn run_on_a_head_without_systems_manager_is_refused_with_what_to_write() {
    let place = Place::new();
    let cpu = std::fs::read_to_string(examples().join("cpu.yaml")).expect("read");
    for (ssm, says) in [("false", "access: { ssm: true }"), ("true", "AWS_PROFILE")] {
        place.write("closed.yaml", &format!("{cpu}\naccess: {{ ssm: {ssm} }}\n"));
        place.ok(&["plan", "closed.yaml", "--out", "out"]);
        std::fs::create_dir_all(place.path("home/aws/cpu")).expect("made");
        std::fs::copy(place.path("out/plan.json"), place.path("home/aws/cpu/plan.json")).expect("copied");
        let output = place.run_with(&["run", "--file", "closed.yaml", "--", "hostname"], NO_CREDENTIALS);
        assert_eq!(output.code, 125, "{}", output.stderr);
        assert!(output.stderr.contains(says), "{}", output.stderr);
        std::fs::remove_dir_all(place.path("out")).expect("removed");
    }
}

/// Without credentials nothing is begun, and the way out is said. Nothing of this leaves the machine.
#[test]
#[cfg(feature = "aws")]
fn aws_without_credentials_says_what_to_do() {
    let place = Place::new();
    let spec = examples().join("p5en-capacity-block.yaml");
    for command in ["up", "check --online", "plan --online"] {
        let mut words: Vec<&str> = command.split(' ').collect();
        let file = spec.to_string_lossy();
        words.push(&file);
        let output = place.run_with(&words, NO_CREDENTIALS);
        assert_eq!(output.code, 3, "{command}: {}", output.stderr);
        assert!(output.stderr.contains("AWS_PROFILE"), "{command}: {}", output.stderr);
    }
}

/// No file, no instance, no environment: the chain ends.
#[cfg(feature = "aws")]
const NO_CREDENTIALS: &[(&str, &str)] = &[
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ("AWS_ACCESS_KEY_ID", ""),
    ("AWS_SECRET_ACCESS_KEY", ""),
    ("AWS_PROFILE", ""),
];

/// A spec can be planned where nothing is installed; what `up` then says of missing programs is tested
/// beside the survey (`missing_programs_come_with_the_distributions_command`).
#[test]
fn a_plan_needs_no_cluster_and_makes_none() {
    let place = Place::new();
    place.write("trainyard.yaml", SMALLEST);
    let output = place.ok(&["plan"]);
    assert!(output.stdout.contains("Start the head node"), "{}", output.stdout);
    assert!(!place.cluster("demo").exists(), "a plan makes nothing");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let place = Place::new();
    let line = format!("'{}' schema | head -n 1", harness::PROGRAM);
    let output = trainyard_run::Command::new("sh").args(["-c", &line]).dir(place.path("")).output().expect("runs");
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("{\n", ""));
}
