//! A folder as jobs write it, well and badly, and what is shown of it.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::time::SystemTime;

use super::*;
use crate::exposition::read_line;
use crate::jobs::Job;

struct Node {
    folder: tempfile::TempDir,
    training: Training,
    events: Events,
}

impl Node {
    fn new() -> Self {
        let (folder, events) = (tempfile::tempdir().unwrap(), Events::default());
        let (path, jobs) = (folder.path().to_owned(), Jobs::default());
        Self {
            folder,
            training: Training {
                folder: path,
                may_be_missing: false,
                jobs,
                alarms: Alarms::new(events.clone()),
                told: BTreeMap::new(),
            },
            events,
        }
    }

    fn path(&self, job: &str, name: &str) -> PathBuf {
        let folder = self.folder.path().join(job);
        fs_err::create_dir_all(&folder).unwrap();
        folder.join(name)
    }

    fn append(&self, job: &str, rank: u32, text: &str) {
        use std::io::Write as _;
        let path = self.path(job, &format!("{rank}.jsonl"));
        fs_err::OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn scrape(&mut self) -> String {
        let mut sheet = Sheet::default();
        self.training.collect(&mut sheet).unwrap();
        sheet.into_page().text()
    }

    fn write_old(&self, job: &str, rank: u32) {
        self.append(job, rank, "{\"step\":1}\n");
        let file = fs_err::OpenOptions::new().append(true).open(self.path(job, &format!("{rank}.jsonl"))).unwrap();
        file.file().set_modified(SystemTime::now() - SHOWN_AT_MOST * 2).unwrap();
    }
}

/// The value of a series of job 7.
fn value(scrape: &str, name: &str, rank: u32) -> Option<f64> {
    let series = format!("trainyard_training_{name}{{jobid=\"7\",rank=\"{rank}\"}} ");
    scrape.lines().find(|line| line.starts_with(&series)).map(|line| read_line(line).unwrap().2)
}

fn total(scrape: &str, name: &str) -> Option<f64> {
    let line = scrape.lines().find_map(|line| line.strip_prefix(&format!("trainyard_training_{name} ")))?;
    line.parse().ok()
}

#[test]
fn a_rank_is_shown_as_it_told_last_and_its_times_add_up() {
    let mut node = Node::new();
    node.append("7", 3, "{\"step\":10,\"step_seconds\":0.5,\"loss\":2.5,\"tokens_per_second\":1e6}\n");
    node.append("7", 3, "{\"step\":12,\"step_seconds\":1.5,\"compute_seconds\":1,\"wait_seconds\":0.5,\"ra");
    let scrape = node.scrape();
    assert_eq!((value(&scrape, "step", 3), value(&scrape, "steps_total", 3)), (Some(10.0), Some(0.0)));
    assert_eq!(value(&scrape, "tokens_per_second", 3), Some(1e6));
    assert_eq!(value(&scrape, "samples_per_second", 3), None);
    assert_eq!(value(&scrape, "wait_seconds_total", 3), None);
    assert_eq!(value(&scrape, "straggler_ratio", 3), None);
    node.append("7", 3, "nk\":3}\n{\"step\":14,\"step_seconds\":2.5,\"loss\":NaN}\nhello\n");
    let scrape = node.scrape();
    for (name, expected) in [
        ("step", Some(14.0)),
        ("steps_total", Some(4.0)),
        ("last_step_seconds", Some(2.5)),
        ("mean_step_seconds", Some(2.0)),
        ("step_seconds_total", Some(4.5)),
        ("timed_steps_total", Some(3.0)),
        ("compute_seconds_total", Some(1.0)),
        ("wait_seconds_total", Some(0.5)),
        ("loss", None),
        ("not_finite_total", Some(1.0)),
        ("lines_unread_total", Some(1.0)),
        ("last_line_age_seconds", Some(0.0)),
    ] {
        assert_eq!(value(&scrape, name, 3), expected, "{name}");
    }
    // Nothing new: there is no mean of nothing. Back at a checkpoint, nothing is taken off.
    node.append("7", 3, "{\"step\":5}\n{\"step\":6}\n");
    let scrape = node.scrape();
    assert_eq!((value(&scrape, "mean_step_seconds", 3), value(&scrape, "steps_total", 3)), (None, Some(5.0)));
}

#[test]
fn a_file_that_is_cut_replaced_or_removed_is_read_on() {
    let mut node = Node::new();
    node.append("7", 0, "{\"step\":100}\n{\"step\":101}\n");
    node.append("7", 1, "{\"step\":100}\n");
    node.scrape();
    fs_err::write(node.path("7", "0.jsonl"), "{\"step\":105}\n").unwrap();
    assert_eq!(value(&node.scrape(), "steps_total", 0), Some(5.0));
    fs_err::write(node.path("7", "new"), "{\"step\":200}\n{\"step\":201}\n{\"step\":202}\n").unwrap();
    fs_err::rename(node.path("7", "new"), node.path("7", "0.jsonl")).unwrap();
    assert_eq!(value(&node.scrape(), "step", 0), Some(202.0));
    fs_err::remove_file(node.path("7", "0.jsonl")).unwrap();
    let scrape = node.scrape();
    assert_eq!((value(&scrape, "step", 0), value(&scrape, "step", 1)), (None, Some(100.0)));
    fs_err::remove_dir_all(node.folder.path().join("7")).unwrap();
    assert!(!node.scrape().contains("jobid"));
    fs_err::remove_dir_all(node.folder.path()).unwrap();
    assert!(node.training.collect(&mut Sheet::default()).is_err());
}

#[test]
fn what_is_no_plain_file_is_refused_and_nothing_waits_for_it() {
    let mut node = Node::new();
    let begun = Instant::now();
    let secret = node.folder.path().join("secret");
    fs_err::write(&secret, "{\"step\":666}\n").unwrap();
    symlink(&secret, node.path("7", "0.jsonl")).unwrap();
    nix::unistd::mkfifo(&node.path("7", "1.jsonl"), Mode::S_IRWXU).unwrap();
    fs_err::create_dir(node.path("7", "2.jsonl")).unwrap();
    symlink("/dev/zero", node.path("7", "3.jsonl")).unwrap();
    for name in ["04.jsonl", "-1.jsonl", "4.json", "4294967296.jsonl", "+4.jsonl", "x\"}\n.jsonl"] {
        fs_err::write(node.path("7", name), "{\"step\":666}\n").unwrap();
    }
    node.append("7", 9, "{\"step\":1}\n");
    symlink(node.folder.path().join("7"), node.folder.path().join("8")).unwrap();
    fs_err::write(node.folder.path().join("9"), "{\"step\":666}\n").unwrap();
    for name in ["07", "7_", "_7", "7_01", "a", "7 ", "99999999999"] {
        fs_err::create_dir(node.folder.path().join(name)).unwrap();
    }
    let scrape = node.scrape();
    assert!(!scrape.contains("666") && begun.elapsed() < Duration::from_secs(5), "{scrape}");
    // Ten in the job's folder, two that are no folder, seven that are no job, and the secret.
    assert_eq!((total(&scrape, "jobs"), total(&scrape, "entries_refused")), (Some(1.0), Some(20.0)), "{scrape}");
    assert_eq!(value(&scrape, "step", 9), Some(1.0));
}

#[test]
fn floods_long_lines_and_bytes_that_are_no_text_have_bounds() {
    let mut node = Node::new();
    node.append("7", 0, "{\"step\":1}\n");
    node.scrape();
    let long = "x".repeat(50_000);
    node.append("7", 0, &format!("{long}\n{{\"step\":2}}\n{long}"));
    let scrape = node.scrape();
    assert_eq!((value(&scrape, "step", 0), value(&scrape, "lines_unread_total", 0)), (Some(2.0), Some(0.0)));
    assert!(value(&scrape, "bytes_skipped_total", 0).unwrap() > 30_000.0);
    node.append("7", 0, "\n{\"step\":3}\n\n\r\n");
    assert_eq!(value(&node.scrape(), "step", 0), Some(3.0));
    node.append("7", 0, &format!("{}\n{{\"step\":4}}\n", "y".repeat(5000)));
    let scrape = node.scrape();
    assert_eq!((value(&scrape, "step", 0), value(&scrape, "lines_unread_total", 0)), (Some(4.0), Some(2.0)));
    fs_err::write(node.path("7", "1.jsonl"), [b"\xff\x00\xfe\n".repeat(10), b"{\"step\":5}\n".to_vec()].concat())
        .unwrap();
    let scrape = node.scrape();
    assert_eq!((value(&scrape, "step", 1), value(&scrape, "lines_unread_total", 1)), (Some(5.0), Some(10.0)));
    // A hole of a terabyte, and 100 MB of lines.
    fs_err::File::create(node.path("7", "2.jsonl")).unwrap().set_len(1 << 40).unwrap();
    fs_err::write(node.path("7", "3.jsonl"), "{\"step\":6}\n".repeat(9_000_000)).unwrap();
    let begun = Instant::now();
    let scrape = node.scrape();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!((value(&scrape, "step", 2), value(&scrape, "step", 3)), (None, Some(6.0)));
}

#[test]
fn jobs_and_ranks_have_limits_and_ended_jobs_take_no_room() {
    let mut node = Node::new();
    for job in 100..100 + JOBS_MAX {
        node.append(&job.to_string(), 0, "{\"step\":1}\n");
    }
    for job in 1000..1000 + JOBS_MAX {
        node.write_old(&job.to_string(), 0);
    }
    for rank in 0..100 {
        node.append("7", rank, "{\"step\":1}\n");
    }
    let scrape = node.scrape();
    assert_eq!(total(&scrape, "jobs"), Some(64.0));
    assert!(!scrape.contains("jobid=\"7\"") && !scrape.contains("jobid=\"1000\""));
    // One that the scheduler says runs here comes first.
    node.training.jobs.set(vec![Job { id: "7".into(), ..Job::default() }]);
    let scrape = node.scrape();
    assert_eq!(scrape.matches("training_step{jobid=\"7\"").count(), RANKS_MAX);
    assert_eq!(total(&scrape, "jobs"), Some(64.0));
}

fn steps(seconds: f64, compute: Option<f64>, count: usize) -> String {
    let mut text = String::new();
    for step in 0..count {
        let compute = compute.map(|seconds| format!(",\"compute_seconds\":{seconds}")).unwrap_or_default();
        let _ = writeln!(text, "{{\"step\":{step},\"step_seconds\":{seconds}{compute}}}");
    }
    text
}

#[test]
fn the_rank_that_others_wait_for_is_found_by_its_compute_time_and_told_once() {
    let mut node = Node::new();
    // All steps take as long, because all wait for rank 2.
    for rank in 0..4 {
        let compute = if rank == 2 { 0.9 } else { 0.6 };
        node.append("7", rank, &steps(1.0, Some(compute), STEPS - 1));
    }
    assert_eq!(value(&node.scrape(), "straggler_ratio", 2), None);
    for rank in 0..4 {
        // One slow step of another is chance.
        let compute = if rank == 2 { 0.9 } else { 0.6 } + if rank == 1 { 30.0 } else { 0.0 };
        node.append("7", rank, &steps(1.0, Some(compute), 1));
    }
    let scrape = node.scrape();
    let ratio = |scrape: &str, rank| value(scrape, "straggler_ratio", rank).map(|ratio| (ratio * 1000.0).round());
    assert_eq!([0, 1, 2, 3].map(|rank| ratio(&scrape, rank)), [1000.0, 1000.0, 1500.0, 1000.0].map(Some));
    node.scrape();
    let told = node.events.kept();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].text.starts_with("rank 2 of job 7 is 50 % slower than the median of its 4 ranks"),
        "{}",
        told[0].text
    );
    assert!(!told[0].text.contains("  "), "{}", told[0].text);
    assert_eq!((told[0].kind, &told[0].fields["rank"]), ("straggler", &json!(2)));
    // It catches up, and falls behind again.
    node.append("7", 2, &steps(1.0, Some(0.6), STEPS));
    assert_eq!(ratio(&node.scrape(), 2), Some(1000.0));
    node.append("7", 2, &steps(1.0, Some(0.7), STEPS));
    node.scrape();
    assert_eq!(node.events.kept().len(), 2);
    // A script that plays with its times drives nobody else's events out.
    for _ in 0..ALARMS_MAX {
        node.append("7", 2, &steps(1.0, Some(0.6), STEPS));
        node.scrape();
        node.append("7", 2, &steps(1.0, Some(0.7), STEPS));
        node.scrape();
    }
    assert_eq!(node.events.kept().len(), ALARMS_MAX);
}

#[test]
fn without_compute_times_steps_are_compared_and_a_rank_alone_is_not() {
    let mut node = Node::new();
    node.append("7", 0, &steps(1.0, Some(0.1), STEPS));
    assert_eq!(value(&node.scrape(), "straggler_ratio", 0), None);
    node.append("7", 1, &steps(1.4, None, STEPS));
    let scrape = node.scrape();
    assert_eq!(value(&scrape, "straggler_ratio", 1).map(|ratio| (ratio * 1000.0).round()), Some(1167.0));
    assert!(node.events.kept()[0].text.contains("step_seconds"));
}

#[test]
fn a_rank_that_falls_silent_says_for_how_long_and_a_job_that_is_silent_goes() {
    let mut node = Node::new();
    node.append("7", 0, "{\"step\":1}\n");
    let file = fs_err::OpenOptions::new().append(true).open(node.path("7", "0.jsonl")).unwrap();
    file.file().set_modified(SystemTime::now() - Duration::from_mins(20)).unwrap();
    let age = value(&node.scrape(), "last_line_age_seconds", 0).unwrap();
    assert!((1200.0..1210.0).contains(&age), "{age}");
    file.file().set_modified(SystemTime::now() + Duration::from_mins(20)).unwrap();
    node.append("7", 1, "{\"step\":1}\n");
    assert_eq!(value(&node.scrape(), "last_line_age_seconds", 1), Some(0.0));
    node.write_old("8", 0);
    assert!(!node.scrape().contains("jobid=\"8\""));
}
