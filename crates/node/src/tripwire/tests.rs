//! Intervals in, alarms out: one line is one node's ten seconds.

use super::*;

const MB: u64 = 1_000_000;

/// What moved in ten seconds, in MB: received and sent over the ordinary network, and over EFA.
struct Case {
    about: &'static str,
    moved: (u64, u64, u64),
    nodes: u32,
    is_silent: bool,
}

const fn case(about: &'static str, moved: (u64, u64, u64), nodes: u32, is_silent: bool) -> Case {
    Case { about, moved, nodes, is_silent }
}

const CASES: &[Case] = &[
    case("gradients over TCP", (12_000, 12_000, 0), 2, true),
    case("gradients over TCP, while EFA sends keep-alives", (12_000, 12_000, 3), 8, true),
    case("just enough", (500, 500, 0), 2, true),
    case("just too little", (499, 500, 0), 2, false),
    case("idle", (0, 0, 0), 2, false),
    case("a start: rendezvous and logs", (40, 30, 0), 2, false),
    case("training data come in over the ordinary network", (20_000, 300, 0), 2, false),
    case("a checkpoint goes out over the ordinary network", (200, 20_000, 0), 2, false),
    case("gradients over EFA, while data come in", (8_000, 9_000, 100_000), 2, false),
    case("EFA moves a hundredth", (5_000, 5_000, 100), 2, false),
    case("EFA moves less than a hundredth", (5_000, 5_000, 99), 2, true),
    case("a job of one node that copies files", (12_000, 12_000, 0), 1, false),
];

fn job(id: &str, node_count: u32) -> Job {
    Job { id: id.into(), node_count, ..Job::default() }
}

/// A node whose counters go on.
#[derive(Default)]
struct Node {
    tripwire: Tripwire,
    /// Milliseconds, received, sent, over EFA.
    now: (u64, u64, u64, u64),
}

impl Node {
    fn after(&mut self, milliseconds: u64, moved: (u64, u64, u64), jobs: &[Job]) -> Option<Alarm> {
        let (at, received, sent, fabric) = &mut self.now;
        *at += milliseconds;
        *received += moved.0 * MB;
        *sent += moved.1 * MB;
        *fabric += moved.2 * MB;
        let ordinary = Traffic { received: *received, sent: *sent };
        self.tripwire.see(Reading { at: Duration::from_millis(*at), fabric: *fabric, ordinary }, jobs)
    }

    fn watched(&self) -> Vec<(&str, bool)> {
        self.tripwire.watched().collect()
    }
}

#[test]
fn only_a_job_of_several_nodes_that_leaves_efa_aside_is_told_of() {
    for Case { about, moved, nodes, is_silent } in CASES {
        let mut node = Node::default();
        let jobs = [job("7", *nodes)];
        assert_eq!(node.after(0, (900, 900, 9), &jobs), None, "{about}");
        let alarm = node.after(10_000, *moved, &jobs);
        assert_eq!(alarm.is_some(), *is_silent, "{about}");
        assert_eq!(node.tripwire.intervals(), u64::from(*is_silent), "{about}");
        let expected: &[(&str, bool)] = if *nodes > 1 { &[("7", *is_silent)] } else { &[] };
        assert_eq!(node.watched(), expected, "{about}");
    }
}

#[test]
fn a_job_is_told_of_once_however_often_it_pauses() {
    let mut node = Node::default();
    let jobs = [job("7", 2)];
    node.after(0, (0, 0, 0), &jobs);
    let told = [12_000, 12_000, 0, 12_000].map(|mb| node.after(10_000, (mb, mb, 0), &jobs).is_some());
    assert_eq!(told, [true, false, false, false]);
    assert_eq!(node.tripwire.intervals(), 3);
    // It ends, and another one with its number begins.
    assert_eq!(node.after(10_000, (0, 0, 0), &[]), None);
    assert_eq!(node.watched(), []);
    assert!(node.after(10_000, (12_000, 12_000, 0), &jobs).is_some());
}

#[test]
fn collections_a_moment_apart_are_judged_together() {
    let mut node = Node::default();
    let jobs = [job("7", 2)];
    node.after(0, (0, 0, 0), &jobs);
    let told: Vec<bool> = (0..12).map(|_| node.after(500, (600, 600, 0), &jobs).is_some()).collect();
    assert_eq!(told.iter().position(|told| *told), Some(9), "{told:?}");
    assert_eq!(told.iter().filter(|told| **told).count(), 1);
    // One burst of a moment is no training.
    let mut node = Node::default();
    node.after(0, (0, 0, 0), &jobs);
    assert!(node.after(500, (200, 200, 0), &jobs).is_none());
    assert!(node.after(9_500, (0, 0, 0), &jobs).is_none());
}

#[test]
fn what_the_job_before_moved_is_not_laid_to_the_next_one() {
    let mut node = Node::default();
    node.after(0, (0, 0, 0), &[job("1", 2)]);
    let alarm = node.after(10_000, (12_000, 12_000, 0), &[job("1", 2), job("2", 4)]).unwrap();
    assert_eq!((alarm.job.id.as_str(), alarm.others.len()), ("1", 0));
    assert_eq!(node.watched(), [("1", true), ("2", false)]);
    // Where nothing ran before, a job that came in the interval is found within it.
    let mut node = Node::default();
    node.after(0, (0, 0, 0), &[]);
    assert_eq!(node.after(10_000, (6_000, 6_000, 0), &[job("2", 4)]).map(|alarm| alarm.job.id), Some("2".into()));
}

#[test]
fn nothing_is_judged_over_a_time_in_which_efa_was_not_seen() {
    let mut node = Node::default();
    let jobs = [job("7", 2)];
    node.after(0, (0, 0, 0), &jobs);
    node.tripwire.rest();
    assert!(node.after(10_000, (12_000, 12_000, 0), &jobs).is_none());
    assert_eq!(node.watched(), []);
    assert!(node.after(10_000, (12_000, 12_000, 0), &jobs).is_some());
}

#[test]
fn counters_and_clocks_that_go_back_are_survived() {
    let mut tripwire = Tripwire::default();
    let jobs = [job("7", 2)];
    let huge = Reading {
        at: Duration::from_secs(100),
        fabric: u64::MAX,
        ordinary: Traffic { received: u64::MAX, sent: u64::MAX },
    };
    let small = Reading { at: Duration::from_secs(1), fabric: 0, ordinary: Traffic::default() };
    for reading in [small, huge, small, Reading { at: Duration::from_mins(15), ..small }, huge] {
        tripwire.see(reading, &jobs);
    }
    assert!(tripwire.intervals() <= 1);
}

#[test]
fn an_alarm_says_which_job_and_what_to_look_at() {
    let ordinary = Traffic { received: 1_210_000_000, sent: 1_190_000_000 };
    let event =
        alarm(&Alarm { job: Job { user: "ana".into(), ..job("77", 4) }, others: vec![], bytes_per_second: ordinary });
    assert_eq!((event.kind, event.severity), ("silent_tcp", Severity::Warning));
    assert_eq!((&event.fields["jobid"], &event.fields["user"]), (&json!("77"), &json!("ana")));
    insta::assert_snapshot!(event.text, @"job 77 runs on 4 nodes and sends 1190 MB/s and receives 1210 MB/s over the ordinary network while EFA stands still: see in its log (NCCL_DEBUG=INFO) whether NCCL chose Socket, that NCCL_NET is not set to Socket and FI_PROVIDER is efa or not set, that the aws-ofi-nccl plugin is on LD_LIBRARY_PATH, and that `fi_info -p efa` finds libfabric's provider.");
}

/// The traffic is the node's.
#[test]
fn where_several_jobs_run_one_alarm_says_that_it_may_be_any_of_them() {
    let mut node = Node::default();
    let jobs = [job("70", 2), job("71", 2), job("72", 1)];
    node.after(0, (0, 0, 0), &jobs);
    let alarmed = node.after(10_000, (12_000, 12_000, 0), &jobs).unwrap();
    assert_eq!((alarmed.job.id.as_str(), alarmed.others.as_slice()), ("70", ["71".to_owned()].as_slice()));
    let text = alarm(&alarmed).text;
    assert!(text.starts_with("job 70 or 71, which share this node, sends 1200 MB/s"), "{text}");
    assert!(node.after(10_000, (12_000, 12_000, 0), &jobs).is_none(), "each is told once");
}
