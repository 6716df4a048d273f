//! What Slurm's programs write, recorded and hostile, and what is made of it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::collect::Setting;
use crate::exposition::read_line;

type Values = BTreeMap<String, f64>;

/// `name{label values,…}` of each sample.
fn samples(sheet: Sheet) -> Values {
    let page = sheet.into_page();
    let mut samples = Values::new();
    for line in page.text().lines() {
        let (name, labels, value) = read_line(line).unwrap();
        let labels: Vec<String> = labels.into_values().collect();
        let series = if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) };
        assert!(samples.insert(series.clone(), value).is_none(), "{series} is there twice");
    }
    samples
}

fn nodes(text: &str) -> Values {
    let mut read = nodes::Nodes::default();
    text.lines().for_each(|line| read.line(line));
    let mut sheet = Sheet::default();
    read.put(&mut sheet, 100);
    samples(sheet)
}

/// Programs that write what is in a folder, and a collector that starts them.
struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    fn new(version: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm").join(version);
        let fake = Self { folder };
        let recorded = recorded.display();
        let scontrol = format!(
            "case \"$*\" in ping) cat {recorded}/ping;; *config) cat {recorded}/config;; *node) cat {recorded}/nodes;; \
             *partition) cat {recorded}/partitions;; *reservation) cat {recorded}/reservations;; esac"
        );
        fake.program("scontrol", &scontrol);
        fake.program("squeue", &format!("cat {recorded}/jobs"));
        fake.program("sdiag", &format!("cat {recorded}/statistics"));
        fake.program("sshare", &format!("cat {recorded}/shares"));
        fake
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, script: &str) {
        // A new file each time: one that runs cannot be written to.
        let new = self.path("new");
        fs_err::write(&new, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs_err::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        fs_err::rename(new, self.path(name)).unwrap();
    }

    fn collector(&self) -> Box<dyn Collector> {
        let access = Access {
            interval: Duration::from_secs(30),
            programs: Programs {
                scontrol: self.path("scontrol"),
                squeue: self.path("squeue"),
                sdiag: self.path("sdiag"),
                sshare: self.path("sshare"),
            },
            conf: Some(self.path("slurm.conf")),
            names: 100,
        };
        (COLLECTOR.make)(&Setting { slurm: Some(access), ..Setting::default() }).unwrap()
    }

    fn collect(&self) -> (Values, Result<(), Problem>) {
        let mut sheet = Sheet::default();
        let result = self.collector().collect(&mut sheet);
        (samples(sheet), result)
    }
}

#[track_caller]
fn holds(samples: &Values, expected: &[(&str, f64)]) {
    for (series, value) in expected {
        assert_eq!(samples.get(*series), Some(value), "{series}");
    }
}

#[test]
fn nobody_asks_slurm_without_being_told() {
    assert!((COLLECTOR.make)(&Setting::default()).is_none());
    assert_eq!(Fake::new("22.05").collector().pace(), Some(Duration::from_secs(30)));
}

#[test]
fn what_slurm_22_05_wrote_is_understood() {
    let (samples, result) = Fake::new("22.05").collect();
    assert!(result.is_ok(), "{result:?}");
    let expected = [
        ("slurm_nodes_total", 9.0),
        ("slurm_nodes_mix", 1.0),
        ("slurm_nodes_alloc", 1.0),
        ("slurm_nodes_drain", 1.0),
        ("slurm_nodes_down", 1.0),
        ("slurm_nodes_powered_down", 1.0),
        ("slurm_nodes_maint", 1.0),
        ("slurm_nodes_inval", 2.0),
        ("slurm_nodes_other", 1.0),
        ("slurm_nodes_idle", 0.0),
        ("slurm_nodes_flag{powered_down}", 5.0),
        ("slurm_cpus_total", 44.0),
        ("slurm_cpus_alloc", 5.0),
        ("slurm_cpus_idle", 3.0),
        ("slurm_cpus_powered_down", 4.0),
        ("slurm_gpus_total", 56.0),
        ("slurm_gpus_alloc", 4.0),
        ("slurm_partition_nodes{gpu,inval}", 2.0),
        ("slurm_partition_cpus_total{main}", 44.0),
        ("slurm_partition_gpus_allocated{dyn}", 4.0),
        ("slurm_partition_nodes_configured{dyn}", 5.0),
        ("slurm_partition_info{main,up}", 1.0),
        ("slurm_queue_pending", 16.0),
        ("slurm_queue_pending_dependency", 1.0),
        ("slurm_queue_running", 1.0),
        ("slurm_queue_configuring", 1.0),
        ("slurm_pending_reason_total{ReqNodeNotAvail}", 3.0),
        ("slurm_pending_reason_total{Nodes required for job are DOWN}", 1.0),
        ("slurm_partition_jobs_pending{gpu}", 2.0),
        ("slurm_partition_jobs_pending{main}", 15.0),
        ("slurm_user_cpus_running{root}", 4.0),
        ("slurm_reservations{active}", 1.0),
        ("slurm_reservation_node_count{maint1}", 1.0),
        ("slurm_scheduler_threads", 3.0),
        ("slurm_scheduler_mean_cycle", 566.0),
        ("slurm_scheduler_statistics_start_timestamp_seconds", 1_795_720_793.0),
        ("slurm_rpc_stats{REQUEST_NODE_INFO}", 2.0),
        ("slurm_controller_up{primary}", 1.0),
    ];
    holds(&samples, &expected);
    assert!(samples.contains_key("slurm_info{trial,22.05.8}"), "{samples:?}");
    // Nothing is said of what is not known: no accounts, no GPUs of jobs, no mean of no backfill cycle.
    let unknown = [
        "slurm_account",
        "slurm_jobs_gpus",
        "slurm_user_gpus",
        "slurm_scheduler_backfill_mean_cycle",
        "slurm_user_fair",
    ];
    for beginning in unknown {
        assert!(!samples.keys().any(|series| series.starts_with(beginning)), "{beginning}");
    }
    assert!(samples.iter().all(|(series, value)| !series.starts_with("slurm_lines_unread") || *value == 0.0));
}

#[test]
fn what_the_slurm_of_newer_distributions_wrote_is_understood() {
    for (version, powered_down, alloc, running, configuring, submitted, depth) in [
        ("23.11-ubuntu", 1.0, 4.0, 1.0, 1.0, 35.0, 4.0),
        ("24.11-debian", 0.0, 2.0, 0.0, 2.0, 35.0, 2.0),
        ("25.11-ubuntu", 1.0, 4.0, 1.0, 1.0, 1.0, 1.0),
    ] {
        let (samples, result) = Fake::new(version).collect();
        assert!(result.is_ok(), "{version}: {result:?}");
        let expected = [
            ("slurm_nodes_total", 6.0),
            ("slurm_nodes_powered_down", powered_down),
            ("slurm_nodes_drain", 1.0),
            ("slurm_nodes_down", 1.0),
            ("slurm_nodes_maint", 1.0),
            ("slurm_nodes_mix", 2.0),
            ("slurm_nodes_flag{powered_down}", 5.0),
            ("slurm_cpus_total", 44.0),
            ("slurm_cpus_alloc", alloc),
            ("slurm_gpus_total", 40.0),
            ("slurm_gpus_alloc", 3.0),
            ("slurm_partition_gpus_allocated{gpu}", 3.0),
            ("slurm_queue_running", running),
            ("slurm_queue_configuring", configuring),
            ("slurm_pending_reason_total{JobHeldUser}", 30.0),
            ("slurm_reservation_node_count{maint1}", 1.0),
            ("slurm_scheduler_jobs_submitted", submitted),
            ("slurm_scheduler_backfill_depth_mean", depth),
        ];
        holds(&samples, &expected);
        let unread = samples.iter().filter(|(series, _)| series.starts_with("slurm_lines_unread"));
        assert!(unread.clone().count() == 5 && unread.into_iter().all(|(_, value)| *value == 0.0), "{version}");
    }
}

#[test]
fn newer_versions_are_understood_with_what_they_added() {
    for (version, state) in [("23.11", "powering_up"), ("24.11", "powering_up"), ("25.11", "blocked")] {
        let (samples, result) = Fake::new(version).collect();
        assert!(result.is_ok(), "{version}: {result:?}");
        let expected = [
            ("slurm_nodes_total", 4.0),
            ("slurm_nodes_alloc", 1.0),
            ("slurm_nodes_drain", 1.0),
            ("slurm_nodes_powering_down", 1.0),
            ("slurm_nodes_idle", 0.0),
            (&*format!("slurm_nodes_{state}"), 1.0),
            (&*format!("slurm_partition_nodes{{all,{state}}}"), 1.0),
            ("slurm_cpus_total", 376.0),
            ("slurm_gpus_total", 32.0),
            ("slurm_gpus_alloc", 11.0),
            ("slurm_partition_gpus_other{train}", 5.0),
            ("slurm_partition_info{all,drain}", 1.0),
            ("slurm_queue_pending", 3.0),
            ("slurm_queue_suspended", 1.0),
            ("slurm_queue_out_of_memory", 1.0),
            ("slurm_queue_other", 1.0),
            ("slurm_jobs_gpus_running", 11.0),
            ("slurm_jobs_gpus_pending", 32.0),
            ("slurm_user_gpus_running{bob}", 3.0),
            ("slurm_account_jobs_pending{language}", 3.0),
            ("slurm_partition_jobs_pending{all}", 2.0),
            ("slurm_pending_reason_total{QOSMaxGRESPerUser}", 1.0),
            ("slurm_pending_reason_total{_other}", 1.0),
            ("slurm_account_fairshare{vision}", 0.25),
            ("slurm_account_fairshare_raw_usage_cpu_seconds{language}", 1000.0),
            ("slurm_user_fairshare{language,cid}", 0.4),
            ("slurm_scheduler_queue_size", 7.0),
            ("slurm_scheduler_dbd_queue_size", 11.0),
            ("slurm_scheduler_last_cycle", 1500.0),
            ("slurm_scheduler_backfill_last_cycle", 700.0),
            ("slurm_scheduler_backfill_mean_cycle", 900.0),
            ("slurm_scheduler_backfill_depth_mean", 4.0),
            ("slurm_scheduler_backfilled_heterogeneous_total", 5.0),
            ("slurm_user_rpc_stats_avg_time{ann}", 322.0),
            ("slurm_controller_up{backup}", 1.0),
        ];
        holds(&samples, &expected);
        // An account without a factor of its own, and shares that are the parent's.
        assert!(!samples.contains_key("slurm_account_fairshare{language}"));
        assert!(
            samples.iter().all(|(series, value)| !series.starts_with("slurm_lines_unread") || *value == 0.0),
            "{version}"
        );
    }
}

/// D-A39: programs that the search path does not have must not become zeros.
#[test]
fn programs_that_are_missing_are_a_problem_and_no_zeros_d_a39() {
    let fake = Fake::new("22.05");
    for program in ["scontrol", "squeue"] {
        fs_err::remove_file(fake.path(program)).unwrap();
        let (samples, result) = fake.collect();
        let told = result.unwrap_err().told();
        assert!(told.contains(program) && told.contains("not found"), "{told}");
        assert!(!samples.keys().any(|series| series.starts_with("slurm_queue")), "{samples:?}");
        if program == "scontrol" {
            assert!(samples.is_empty(), "{samples:?}");
        }
        fake.program("scontrol", "case \"$*\" in ping) echo 'Slurmctld(primary) at x is UP';; esac");
    }
}

/// D-A39: a node in two partitions is one node, and one that is powered down is not idle.
#[test]
fn a_node_is_counted_once_and_is_not_idle_when_it_is_powered_down_d_a39() {
    let samples = nodes(
        "NodeName=a CPUTot=4 CPUAlloc=0 State=IDLE Partitions=one,two\n\
         NodeName=b CPUTot=4 CPUAlloc=0 State=IDLE+CLOUD+POWERED_DOWN Partitions=one,two,three\n",
    );
    let expected = [
        ("slurm_nodes_total", 2.0),
        ("slurm_nodes_idle", 1.0),
        ("slurm_nodes_powered_down", 1.0),
        ("slurm_cpus_total", 8.0),
        ("slurm_cpus_idle", 4.0),
        ("slurm_cpus_other", 4.0),
        ("slurm_partition_nodes{two,idle}", 1.0),
        ("slurm_partition_nodes{two,powered_down}", 1.0),
        ("slurm_partition_cpus_idle{two}", 4.0),
    ];
    holds(&samples, &expected);
    assert!(!samples.contains_key("slurm_partition_nodes{three,idle}"));
}

#[test]
fn a_controller_that_is_away_leaves_the_last_values_alone() {
    let fake = Fake::new("22.05");
    let mut collector = fake.collector();
    let mut sheet = Sheet::default();
    collector.collect(&mut sheet).unwrap();
    let away = [
        "echo 'Slurmctld(primary) at head is DOWN'; exit 1",
        "echo 'Slurmctld(primary) at head is DOWN'",
        "echo 'scontrol: error: no slurm.conf' >&2; exit 1",
    ];
    for script in away {
        fake.program("scontrol", script);
        let mut sheet = Sheet::default();
        let problem = collector.collect(&mut sheet).unwrap_err();
        assert!(sheet.is_empty(), "{script}");
        assert!(problem.told().contains("controller"), "{}", problem.told());
    }
}

#[test]
fn what_one_program_does_not_say_does_not_take_the_rest_along() {
    let fake = Fake::new("23.11");
    fake.program("sdiag", "echo 'slurm_get_statistics: Access denied' >&2; exit 1");
    let (samples, result) = fake.collect();
    assert!(result.unwrap_err().told().contains("Access denied"));
    holds(
        &samples,
        &[("slurm_nodes_total", 4.0), ("slurm_queue_running", 2.0), ("slurm_user_fairshare{language,bob}", 0.5)],
    );
    assert!(!samples.contains_key("slurm_scheduler_threads"));
    assert!(!samples.contains_key("slurm_last_success_timestamp_seconds"));
}

#[test]
fn programs_get_the_configuration_and_plain_words() {
    let fake = Fake::new("22.05");
    fake.program("sdiag", &format!("env > {0}; exit 0", fake.path("env").display()));
    fake.collect().1.unwrap();
    let environment = fs_err::read_to_string(fake.path("env")).unwrap();
    let conf = format!("SLURM_CONF={}", fake.path("slurm.conf").display());
    assert!(environment.lines().any(|line| line == conf) && environment.contains("LC_ALL=C\n"), "{environment}");
}

#[test]
fn every_spelling_of_a_state_is_one_state() {
    use node_state::read;
    let table = [
        ("IDLE", "idle"),
        ("idle~", "powered_down"),
        ("idle#", "powering_up"),
        ("idle%", "powering_down"),
        ("idle!", "powering_down"),
        ("idle*", "idle"),
        ("idle$", "maint"),
        ("idle@", "reboot"),
        ("idle^", "reboot"),
        ("idle-", "planned"),
        ("mix-", "mix"),
        ("alloc+", "alloc"),
        ("alloc#", "alloc"),
        ("mixed~", "mix"),
        ("drain~", "drain"),
        ("drng*", "drain"),
        ("down~", "down"),
        ("down*", "down"),
        ("DOWN*+CLOUD", "down"),
        ("DOWN+CLOUD+NOT_RESPONDING+POWERED_DOWN", "down"),
        ("IDLE+CLOUD+POWER", "powered_down"),
        ("IDLE+CLOUD+POWER_DOWN", "powering_down"),
        ("MIXED+PLANNED", "mix"),
        ("ALLOCATED+DRAIN", "drain"),
        ("ALLOCATED+COMPLETING", "alloc"),
        ("IDLE+COMPLETING", "comp"),
        ("IDLE+FAIL", "fail"),
        ("IDLE+MAINTENANCE+RESERVED", "maint"),
        ("IDLE+RESERVED", "resv"),
        ("resv", "resv"),
        ("IDLE+REBOOT_ISSUED", "reboot"),
        ("IDLE+BLOCKED", "blocked"),
        ("UNKNOWN+DRAIN+INVALID_REG", "inval"),
        ("inval", "inval"),
        ("FUTURE", "future"),
        ("ERROR", "err"),
        ("UNKNOWN", "other"),
        ("HIBERNATING", "other"),
        ("IDLE+SOMETHING_NEW", "idle"),
        ("", "other"),
        ("~", "other"),
        ("NOT_RESPONDING", "other"),
    ];
    for (text, expected) in table {
        let (state, _) = read(text);
        let (_, label, _) = node_state::STATES.iter().find(|(one, ..)| *one == state).unwrap();
        assert_eq!(*label, expected, "{text}");
    }
    let flags = |text| node_state::FLAGS.iter().enumerate().filter(|(bit, _)| read(text).1 >> bit & 1 == 1).count();
    assert_eq!((flags("down*~"), flags("IDLE+CLOUD+POWERED_DOWN+DRAIN"), flags("idle")), (2, 3, 0));
}

#[test]
fn gpus_are_counted_in_every_spelling() {
    let table = [
        ("gpu:8", 8),
        ("gpu:h100:8(S:0-1)", 8),
        ("gpu:h100:3(IDX:0,2-3)", 3),
        ("gpu:a:2(IDX:0,1),gpu:b:1(IDX:3),shard:9", 3),
        ("(null)", 0),
        ("N/A", 0),
        ("gpu:h100:0(IDX:N/A)", 0),
        ("craynetwork:4,gpu:tesla:2", 2),
        ("gpu:99999999999999999999", 0),
        ("gpu:18446744073709551615,gpu:2", u64::MAX),
    ];
    for (text, count) in table {
        assert_eq!(nodes::gpu_count(text), count, "{text}");
    }
}

#[test]
fn what_people_write_about_a_node_changes_nothing() {
    let samples = nodes(
        "NodeName=a CPUTot=4 CPUAlloc=1 State=MIXED Partitions=p Reason=State=IDLE CPUTot=99 Gres=gpu:8 | [root]\n",
    );
    holds(&samples, &[("slurm_nodes_mix", 1.0), ("slurm_cpus_total", 4.0), ("slurm_lines_unread{nodes}", 0.0)]);
}

#[test]
fn more_names_than_allowed_become_one_series_and_are_counted() {
    let mut read = jobs::Jobs::new(false);
    for number in 0..1000 {
        read.line(&format!("R|p{}|user{number}|acc{}|2|N/A|None|", number % 3, number % 7));
    }
    let mut sheet = Sheet::default();
    read.put(&mut sheet, 5);
    let samples = samples(sheet);
    let expected = [
        ("slurm_queue_running", 1000.0),
        ("slurm_user_jobs_running{_other}", 995.0),
        ("slurm_user_cpus_running{_other}", 1990.0),
        ("slurm_names_merged{user}", 995.0),
        ("slurm_names_merged{account}", 2.0),
    ];
    holds(&samples, &expected);
    assert_eq!(samples.keys().filter(|series| series.starts_with("slurm_user_jobs_running")).count(), 6);
    assert!(samples.len() < 100);
}

/// Lines like those of Slurm's programs, and some that are not.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,40}",
        ".{0,20}",
        "(NodeName|State|CPUTot|CPUAlloc|Gres|GresUsed|Partitions|PartitionName|TotalNodes|ReservationName|NodeCnt)=[A-Za-z0-9,:()+*~-]{0,30}",
        "(R|PD|S|CG|X)\\|[a-z,|]{0,12}\\|[a-z_]{0,6}\\|[a-z(]{0,6}\\|[0-9]{0,25}\\|(gres/gpu=)?[0-9]{0,25}\\|[A-Za-z, (]{0,60}",
        "(Last cycle|Data since|Backfilling stats|Main schedule statistics|Remote Procedure Call statistics by user)[: (]{0,2}[0-9)]{0,25}",
        "[A-Z_]{0,9} +\\( [0-9]{1,4}\\) count:[0-9]{0,25} ave_time:1 total_time:[0-9]{0,25}",
        "Slurmctld\\([a-z]{0,9}\\)? at x is (UP|DOWN)",
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn no_output_makes_it_panic_or_grow(lines in proptest::collection::vec(hostile(), 0..60)) {
        let mut sheet = Sheet::default();
        let (mut nodes, mut jobs) = (nodes::Nodes::default(), jobs::Jobs::new(true));
        let (mut partitions, mut reservations) = (partitions::Partitions::default(), reservations::Reservations::default());
        let (mut diag, mut shares) = (diag::Diag::default(), shares::Shares::default());
        let (mut controllers, mut configuration) = (controllers::Controllers::default(), controllers::Configuration::default());
        for line in &lines {
            nodes.line(line);
            jobs.line(line);
            partitions.line(line);
            reservations.line(line);
            diag.line(line);
            shares.line(line);
            controllers.line(line);
            configuration.line(line);
        }
        nodes.put(&mut sheet, 5);
        jobs.put(&mut sheet, 5);
        partitions.put(&mut sheet, 5);
        reservations.put(&mut sheet);
        diag.put(&mut sheet, 5);
        shares.put(&mut sheet, 5);
        controllers.put(&mut sheet);
        configuration.put(&mut sheet);
        let samples = samples(sheet);
        prop_assert!(samples.len() < 1000);
        // Each node is in one state.
        let states: f64 = node_state::STATES.iter().map(|(_, _, metric)| samples[metric.name]).sum();
        prop_assert!((states - samples["slurm_nodes_total"]).abs() < 0.5);
        let cpus = ["slurm_cpus_idle", "slurm_cpus_other"].map(|name| samples[name]);
        prop_assert!(cpus.iter().all(|cpus| *cpus <= samples["slurm_cpus_total"]));
    }
}
