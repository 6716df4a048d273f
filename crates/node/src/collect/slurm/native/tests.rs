//! What a controller says by itself, recorded and hostile, and what is made of it.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::collect::slurm::Programs;
use crate::exposition::write;
use crate::format::Format;

/// What a real controller said: of 25.11.2, with 34 jobs and six nodes.
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/slurm/25.11-ubuntu");

/// A controller that answers for ever, and its port.
fn controller(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).unwrap();
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            assert!(asked.contains("\r\nhost: 127.0.0."), "{asked}");
            let page = asked.strip_prefix("GET /metrics/").and_then(|rest| rest.split(' ').next()).unwrap();
            let _ = stream.write_all(&answer(page));
        }
    });
    port
}

/// As slurmctld frames a page.
fn framed(text: &str) -> Vec<u8> {
    let length = text.len();
    format!(
        "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: {length}\r\nContent-Type: text/plain\r\n\r\n{text}"
    )
    .into_bytes()
}

fn recorded(page: &str) -> Vec<u8> {
    framed(&fs_err::read_to_string(Path::new(RECORDED).join(format!("native-{page}"))).unwrap())
}

/// An agent's collector, and the folder with the `scontrol` that it asks.
struct Agent {
    native: Native,
    folder: tempfile::TempDir,
}

impl Agent {
    fn new(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let none = || PathBuf::from("/nowhere");
        let programs = Programs { scontrol: at("scontrol"), squeue: none(), sdiag: none(), sshare: none() };
        let access = Access { interval: Duration::from_secs(30), programs, conf: None, names: 200 };
        let native = Native { access, claims: Claims::default(), server: None };
        let agent = Self { native, folder };
        agent.configure(configuration);
        agent
    }

    /// One whose controllers are all on loopback, at the port.
    fn of(port: u16, hosts: &[&str]) -> Self {
        let mut configuration = format!("MetricsType = metrics/openmetrics\nSlurmctldPort = {port}\n");
        for (nth, host) in hosts.iter().enumerate() {
            writeln!(configuration, "SlurmctldHost[{nth}] = {host}").unwrap();
        }
        Self::new(&configuration)
    }

    fn configure(&self, configuration: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let script =
            format!("#!/bin/sh\necho asked >> {}/log\ncat <<END\n{configuration}\nEND\n", self.folder.path().display());
        // A new file each time: one that runs cannot be written to.
        let new = self.folder.path().join("new");
        fs_err::write(&new, script).unwrap();
        fs_err::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        fs_err::rename(new, self.folder.path().join("scontrol")).unwrap();
    }

    /// How often the configuration was asked for.
    fn asked(&self) -> usize {
        fs_err::read_to_string(self.folder.path().join("log")).unwrap_or_default().lines().count()
    }

    /// Lines that are shown, and what went wrong.
    fn collect(&mut self) -> (String, Option<String>) {
        let mut sheet = Sheet::default();
        let problem = self.native.collect(&mut sheet).err();
        let page = sheet.into_page();
        let mut text = page.text().clone();
        text.extend(page.foreign.iter().flat_map(crate::foreign::ForeignLines::lines).map(|(_, line)| line));
        (text, problem.map(|problem| problem.told()))
    }

    fn claim(&self, names: &[&str]) -> usize {
        let text: String = names.iter().map(|name| format!("{name} 1\n")).collect::<Vec<_>>().concat();
        self.native.claims.take("textfile", &mut parse(&text, 99).unwrap()).len()
    }
}

/// What one round of a controller with such pages shows.
fn shown(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (String, Option<String>) {
    Agent::of(controller(answer), &["head(127.0.0.1)"]).collect()
}

/// So many series of one name.
fn series(name: &str, count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        writeln!(text, "{name}{{node=\"n{number}\"}} 8").unwrap();
    }
    text
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|one| one == line), "{line} is not in {text}");
}

#[test]
fn what_a_controller_tells_by_itself_is_shown_but_for_what_is_ours_or_wrong() {
    let (text, problem) = shown(recorded);
    assert_eq!(problem, None);
    for page in PAGES {
        has(&text, &format!("slurm_native_up{{page=\"{page}\"}} 1"));
    }
    has(&text, "slurm_jobs_hold 30");
    has(&text, "slurm_partition_jobs_configuring{partition=\"gpu\"} 1");
    has(&text, "slurm_user_jobs_cpus_alloc{username=\"root\"} 4");
    has(&text, "slurm_node_cpus_idle{node=\"c1\"} 7");
    has(&text, "slurm_sched_exit_lic 0");
    // It says 3 idle nodes there, two of which are powered down; and 100 bytes of memory that are 100 MiB.
    assert!(!text.contains("\nslurm_nodes_idle ") && !text.contains("_memory"), "{text}");
    for (why, count) in [(OURS, 21), (UNIT, 12), (SERIES, 0), (TEXTFILE, 0), (UNREAD, 0)] {
        has(&text, &format!("slurm_native_left_out{{why=\"{why}\"}} {count}"));
    }
    let mut series: Vec<&str> = text.lines().filter_map(|line| line.rsplit_once(' ')).map(|(one, _)| one).collect();
    series.sort_unstable();
    let before = series.len();
    series.dedup();
    assert_eq!(series.len(), before);
}

#[test]
fn both_formats_have_the_same_series() {
    let mut agent = Agent::of(controller(recorded), &["head(127.0.0.1)"]);
    let mut sheet = Sheet::default();
    agent.native.collect(&mut sheet).unwrap();
    let page = std::sync::Arc::new(sheet.into_page());
    let samples = |format| {
        let text = write(&[std::sync::Arc::clone(&page)], format);
        let mut samples: Vec<String> = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        samples.sort();
        samples
    };
    let classic = samples(Format::Classic);
    assert!(classic.len() > 300);
    assert_eq!(classic, samples(Format::OpenMetrics));
}

#[test]
fn a_metric_with_too_many_series_or_of_a_file_is_left_out_whole() {
    let mut agent = Agent::of(controller(recorded), &["head(127.0.0.1)"]);
    agent.native.access.names = 2;
    assert_eq!(agent.claim(&["slurm_jobs_hold"]), 0);
    let (text, problem) = agent.collect();
    assert_eq!(problem, None);
    assert!(!text.contains("slurm_node_cpus{") && !text.contains("slurm_jobs_hold"), "{text}");
    has(&text, "slurm_partition_jobs_configuring{partition=\"gpu\"} 1");
    has(&text, "slurm_native_left_out{why=\"textfile\"} 1");
    has(&text, "slurm_native_left_out{why=\"series\"} 4");
    // What it shows is nobody else's now.
    assert_eq!(agent.claim(&["slurm_jobs_hold", "slurm_jobs_started"]), 1);
}

#[test]
fn ten_thousand_nodes_are_no_series_and_what_is_shown_has_a_limit() {
    let many = series("slurm_node_cpus", 10_000);
    let (text, problem) = shown(move |_| framed(&format!("{many}  slurm_node_cpus{{a=\"b\"}} 1\nslurm_nodes 10000\n")));
    assert_eq!(problem, None);
    assert!(text.contains("slurm_nodes 10000\n") && !text.contains("slurm_node_cpus"), "{text}");
    let page = |page: &str| {
        let page = page.replace('-', "_");
        (0..30).map(|n| series(&format!("slurm_x_{page}_{n}"), 200)).collect::<Vec<_>>().concat()
    };
    let (text, problem) = shown(move |name| framed(&page(name)));
    assert_eq!(problem, None);
    assert_eq!(text.lines().filter(|line| line.starts_with("slurm_x")).count(), SERIES_MAX);
    has(&text, "slurm_native_left_out{why=\"series\"} 100");
    let names: String = (0..NAMES_MAX + 7).map(|n| series(&format!("slurm_{n}"), 1)).collect::<Vec<_>>().concat();
    let (text, problem) = shown(move |page| if page == "nodes" { framed(&names) } else { recorded(page) });
    assert_eq!(problem, None);
    has(&text, "slurm_native_left_out{why=\"unread\"} 7");
    has(&text, "slurm_jobs_hold 30");
}

/// Slurm 25.11.2 writes an account as it is, and takes any from whoever submits a job.
#[test]
fn an_account_with_a_quotation_mark_or_a_line_end_takes_no_other_metric_along() {
    let page = "# HELP slurm_account_jobs Jobs\n# TYPE slurm_account_jobs gauge\nslurm_account_jobs{account=\"q\"r\"} 1\n\
                slurm_account_jobs_hold{account=\"evil\"} 1\nnode_load99{a=\"\"} 0\nup 0\nALERTS{alertname=\"x\"} 1\n\
                slurm_account_jobs_started{account=\"ml\"} 3\n";
    let (text, problem) = shown(move |name| if name == "jobs-users-accts" { framed(page) } else { recorded(name) });
    assert_eq!(problem, None);
    has(&text, "slurm_account_jobs_started{account=\"ml\"} 3");
    has(&text, "slurm_jobs_hold 30");
    // The account, and three lines that are not Slurm's.
    has(&text, "slurm_native_left_out{why=\"unread\"} 4");
    assert!(!text.contains("node_load99") && !text.contains("\nup ") && !text.contains("ALERTS"), "{text}");
}

#[test]
fn a_page_that_fails_takes_no_other_along_and_says_where() {
    for (bad, why) in [
        (&b"HTTP/1.1 401 UNAUTHORIZED\r\nConnection: Close\r\n\r\n"[..], "it says 401"),
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nslurm_nodes 1\n"[..], "ends early"),
        (&b""[..], "no HTTP"),
    ] {
        let answer = move |page: &str| if page == "nodes" { bad.to_vec() } else { recorded(page) };
        let (text, problem) = shown(answer);
        let problem = problem.unwrap();
        assert!(problem.contains("metrics of nodes: 127.0.0.1:") && problem.contains(why), "{problem}");
        has(&text, "slurm_native_up{page=\"nodes\"} 0");
        has(&text, "slurm_native_up{page=\"jobs\"} 1");
        has(&text, "slurm_jobs_hold 30");
    }
}

#[test]
fn the_next_controller_is_asked_and_the_first_ones_words_are_told() {
    let port = controller(recorded);
    let (text, problem) = Agent::of(port, &["a(127.0.0.9)", "b(127.0.0.1)"]).collect();
    assert_eq!(problem, None);
    has(&text, "slurm_native_up{page=\"scheduler\"} 1");
    let no = |_: &str| b"HTTP/1.1 401 UNAUTHORIZED\r\nConnection: Close\r\n\r\n".to_vec();
    for hosts in [["a(127.0.0.1)", "b(127.0.0.9)"], ["a(127.0.0.9)", "b(127.0.0.1)"]] {
        let (_, problem) = Agent::of(controller(no), &hosts).collect();
        let problem = problem.unwrap();
        assert!(problem.contains("it says 401") && problem.contains("127.0.0.9"), "{problem}");
    }
    let (text, problem) = Agent::of(controller(recorded), &["a(127.0.0.1)", "nowhere.invalid"]).collect();
    assert_eq!(problem, None);
    has(&text, "slurm_native_up{page=\"scheduler\"} 1");
    let (_, problem) = Agent::of(1, &["a(127.0.0.1)"]).collect();
    assert!(problem.clone().unwrap().contains("127.0.0.1:1: not reached: Connection refused"), "{problem:?}");
    let (_, problem) = Agent::of(1, &["nowhere.invalid"]).collect();
    assert!(problem.clone().unwrap().contains("nowhere.invalid has no address"), "{problem:?}");
}

#[test]
fn controllers_that_never_answer_cost_one_deadline_in_all() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let hosts: Vec<String> = (0..16).map(|n| format!("h{n}(127.0.0.1)")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let begun = Instant::now();
    let (text, problem) = Agent::of(port, &hosts).collect();
    assert!(begun.elapsed() < DEADLINE * 6, "{:?}", begun.elapsed());
    assert!(problem.clone().unwrap().contains("all pages together take more than 5 s"), "{problem:?}");
    has(&text, "slurm_native_up{page=\"scheduler\"} 0");
}

#[test]
fn what_fails_is_looked_for_anew_at_its_own_pace() {
    let mut agent = Agent::of(1, &["a(127.0.0.1)"]);
    assert!(agent.collect().1.is_some());
    agent.configure("MetricsType = (null)");
    assert_eq!(agent.collect(), (String::new(), None));
    assert_eq!(agent.collect(), (String::new(), None));
    assert_eq!(agent.asked(), 2);
    assert!(!agent.native.retries_soon());
}

#[test]
fn names_are_given_back_when_they_are_shown_no_more() {
    let mut agent = Agent::of(controller(recorded), &["head(127.0.0.1)"]);
    assert_eq!(agent.collect().1, None);
    fs_err::remove_file(agent.folder.path().join("scontrol")).unwrap();
    agent.native.server = None;
    assert!(agent.collect().1.unwrap().contains("scontrol"));
    // The last page is still shown.
    assert_eq!(agent.claim(&["slurm_jobs_hold"]), 1);
    agent.native.forget();
    assert_eq!(agent.claim(&["slurm_jobs_hold"]), 0);
}

/// `print` lets go of its collectors within a runtime of its own.
#[test]
fn it_may_end_within_another_runtime() {
    let mut agent = Agent::of(controller(recorded), &["head(127.0.0.1)"]);
    assert_eq!(agent.collect().1, None);
    waited(async move { drop(agent) }).unwrap();
}

#[test]
fn what_other_pages_show_stays_its_own_when_one_fails() {
    let answer = |page: &str| if page == "nodes" { Vec::new() } else { recorded(page) };
    let mut agent = Agent::of(controller(answer), &["head(127.0.0.1)"]);
    assert!(agent.collect().1.is_some());
    assert_eq!(agent.claim(&["slurm_jobs_hold", "slurm_nodes_drained"]), 1);
}

#[test]
fn it_is_asked_only_where_it_is_on_and_kept_from_nobody() {
    let read = |lines: &str| {
        let mut configuration = Configuration::default();
        lines.lines().for_each(|line| configuration.line(line));
        Server::of(&configuration)
    };
    let on = "MetricsType = metrics/openmetrics\nPrivateData = none\nSlurmctldHost[0] = a(10.0.0.1)\n\
              SlurmctldHost[1] = b\nSlurmctldPort = 6817\n";
    let server = |port| Some(Server { hosts: vec!["a(10.0.0.1)".to_owned(), "b".to_owned()], port });
    assert_eq!(read(on), server(6817));
    assert_eq!(read(&on.replace("6817", "7000-7003")), server(7000));
    // ParallelCluster's own setting hides nodes that are powered down, and Slurm still answers.
    assert_eq!(read(&on.replace("none", "cloud")), server(6817));
    assert_eq!(read(&format!("{on}TLSType = tls/none\nCommunicationParameters = (null)\n")), server(6817));
    for off in [
        on.replace("metrics/openmetrics", "(null)"),
        on.replace("none", "cloud,jobs"),
        on.replace("none", "usage"),
        on.replace("6817", "x"),
        format!("{on}TLSType = tls/s2n\n"),
        format!("{on}CommunicationParameters = block_null_hash,Disable_HTTP\n"),
        "MetricsType = metrics/openmetrics\nSlurmctldPort = 6817\n".to_owned(),
        String::new(),
    ] {
        assert_eq!(read(&off), None, "{off}");
    }
    let called = |host: &str| {
        let server = Server { hosts: vec![host.to_owned()], port: 1 };
        Asking::of(&server).hosts.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(called("a(10.0.0.1)"), ["10.0.0.1"]);
    assert_eq!(called("h(fd00::1)"), ["fd00::1"]);
    assert_eq!(called("head"), ["head"]);
}

proptest! {
    #[test]
    fn no_page_makes_it_panic(page in "(# (HELP|TYPE) )?(slurm_[a-z]{1,3}(\\{[a-z]=\"[a-z]\"\\})? [0-9.eNa]{1,3}\n|.{0,40}\n?){0,8}") {
        let mut shown = Shown { limit: 2, ..Shown::default() };
        shown.add(&page);
        shown.put(&Claims::default(), &mut Sheet::default());
    }
}
