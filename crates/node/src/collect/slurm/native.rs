//! What the controller of Slurm 25.11 and newer tells by itself, where `MetricsType=metrics/openmetrics` is set: five pages
//! over plain HTTP at its own port, without a password (slurm.schedmd.com/metrics.html).
//!
//! They are shown under Slurm's own names, behind what guards the agent's port, and are fetched once a cycle however many
//! scrape. Left out is what the agent counts itself under the same name: Slurm counts a powered-down node as idle there too.

use std::collections::{HashMap, HashSet};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::Builder;
use trainyard_plan::metrics::slurm as m;

use super::controllers::Configuration;
use crate::fetch::{Page, fetch};
use crate::foreign::ForeignFamily;
use crate::foreign::claims::{Claims, ours};
use crate::foreign::text::parse;
use crate::problem::Problem;
use crate::sheet::Sheet;

/// What the controller has, in the order in which it is kept where not all can be.
const PAGES: [&str; 5] = ["jobs", "nodes", "scheduler", "partitions", "jobs-users-accts"];

/// For one page. The controller makes it while it holds its locks.
const DEADLINE: Duration = Duration::from_secs(3);

/// 10,000 nodes have 4.5 MB.
const BYTES_MAX: usize = 16 << 20;

/// Of all pages together. They are kept as text between scrapes.
const SERIES_MAX: usize = 10_000;

/// Slurm writes MiB under names and helps that say bytes (25.11.2).
const WRONG_UNIT: &[&str] = &["_memory", "_mem_"];

/// Where the controllers serve them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Server {
    hosts: Vec<String>,
    port: u16,
}

impl Server {
    /// Where they are served at all: switched on, over HTTP that is neither off nor encrypted, and kept from nobody.
    pub(super) fn of(configuration: &Configuration) -> Option<Self> {
        let Configuration { metrics, private, communication, tls, hosts, port, .. } = configuration;
        // Slurm answers 401 where any but nodes in a cloud are hidden.
        let is_private = private.split(',').any(|what| !matches!(what, "" | "none" | "cloud" | "(null)"));
        let is_off = communication.split(',').any(|what| what == "disable_http");
        let is_plain = tls.is_empty() || tls.ends_with("none");
        let port = port.split('-').next().and_then(|port| port.parse().ok())?;
        let is_on = metrics.ends_with("openmetrics") && !is_private && !is_off && is_plain && !hosts.is_empty();
        is_on.then(|| Self { hosts: hosts.clone(), port })
    }

    /// The first controller that is reached. A backup serves nothing while it waits.
    fn page(&self, name: &str) -> Result<String, Problem> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Problem::new("no runtime").because(error))?;
        let path = format!("/metrics/{name}");
        let mut result = Err(Problem::new("no controller has an address"));
        for host in &self.hosts {
            for address in addresses(host, self.port) {
                let page = Page { address, host, path: &path, accept: "text/plain" };
                let fetched = async { tokio::time::timeout(DEADLINE, fetch(page, BYTES_MAX)).await };
                result = runtime.block_on(fetched).unwrap_or_else(|_| {
                    Err(Problem::new(format!("{address} gives no answer in {} s", DEADLINE.as_secs())))
                });
                if result.is_ok() {
                    return result;
                }
            }
        }
        result
    }

    /// Fetches all pages and shows what can be shown; what went wrong first.
    pub(super) fn show(&self, names: usize, claims: &Claims, sheet: &mut Sheet) -> Option<Problem> {
        let mut shown = Shown { limit: names, ..Shown::default() };
        let mut problem = None;
        for name in PAGES {
            let read = self.page(name).and_then(|text| shown.add(&text).map_err(Problem::new));
            sheet.put(&m::slurm_native_up, &[name], read.is_ok());
            if let Err(error) = read {
                let sentence = format!("Slurm does not give its own metrics of {name}");
                problem.get_or_insert(Problem::new(sentence).because(error));
            }
        }
        shown.put(claims, sheet);
        problem
    }
}

/// `SlurmctldHost` is a name, or `name(address)`.
fn addresses(host: &str, port: u16) -> Vec<SocketAddr> {
    let name = host.split_once('(').map_or(host, |(_, address)| address.trim_end_matches(')'));
    (name, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default()
}

/// Why one is left out: the agent counts it itself; a file of `--textfile` has it; it has more series than names are told
/// apart, or there are too many in all; it is not in the unit that it names.
const WHY: [&str; 4] = [OURS, TEXTFILE, SERIES, UNIT];
const OURS: &str = "ours";
const TEXTFILE: &str = "textfile";
const SERIES: &str = "series";
const UNIT: &str = "unit";

/// What is shown of all pages.
#[derive(Default)]
struct Shown {
    /// The most series of one name.
    limit: usize,
    families: Vec<ForeignFamily>,
    names: HashSet<String>,
    series: usize,
    left_out: HashMap<&'static str, usize>,
}

impl Shown {
    /// Adds a page; nothing of it where it makes no sense.
    fn add(&mut self, page: &str) -> Result<(), String> {
        // One that has too many series is never read: a page of 10,000 nodes would be 100 MB of series.
        let mut lines: HashMap<&str, usize> = HashMap::new();
        for name in page.lines().filter_map(name_of) {
            *lines.entry(name).or_default() += 1;
        }
        lines.retain(|_, count| *count > self.limit);
        let is_read = |line: &&str| name_of(line).is_none_or(|name| !lines.contains_key(name));
        let text: String = page.lines().filter(is_read).flat_map(|line| [line, "\n"]).collect();
        let families = parse(&text, 2 * SERIES_MAX)?;
        *self.left_out.entry(SERIES).or_default() += lines.len();
        for family in families {
            if let Some(why) = self.left_out(&family) {
                *self.left_out.entry(why).or_default() += 1;
                continue;
            }
            self.series += family.samples.len();
            self.names.extend(family.names().map(str::to_owned));
            self.families.push(family);
        }
        Ok(())
    }

    /// Why this one is, if it is.
    fn left_out(&self, family: &ForeignFamily) -> Option<&'static str> {
        static OF_OURS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| ours().collect());
        if family.names().any(|name| OF_OURS.contains(name)) {
            return Some(OURS);
        }
        if WRONG_UNIT.iter().any(|part| family.name.contains(part)) {
            return Some(UNIT);
        }
        let is_too_many = self.series + family.samples.len() > SERIES_MAX;
        (is_too_many || family.names().any(|name| self.names.contains(name))).then_some(SERIES)
    }

    fn put(mut self, claims: &Claims, sheet: &mut Sheet) {
        let taken = claims.take(super::COLLECTOR.name, self.families.iter().flat_map(ForeignFamily::names));
        for family in self.families {
            if family.names().any(|name| taken.contains(name)) {
                *self.left_out.entry(TEXTFILE).or_default() += 1;
                continue;
            }
            sheet.put_foreign(family);
        }
        for why in WHY {
            sheet.put(&m::slurm_native_left_out, &[why], self.left_out.get(why).copied().unwrap_or_default());
        }
    }
}

/// The name of a line's series.
fn name_of(line: &str) -> Option<&str> {
    let name = line.split(['{', ' ', '\t']).next()?;
    (!name.is_empty() && !name.starts_with('#')).then_some(name)
}

#[cfg(test)]
pub(super) mod tests {
    use std::fmt::Write as _;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::foreign::ForeignLines;

    /// What a real controller said: of 25.11.2, with 34 jobs and six nodes.
    const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/slurm/25.11-ubuntu");

    /// A controller that serves five pages once, and its port.
    pub(in super::super) fn controller(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for _ in PAGES {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 1024];
                let length = stream.read(&mut asked).unwrap();
                let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
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

    pub(in super::super) fn recorded(page: &str) -> Vec<u8> {
        framed(&fs_err::read_to_string(Path::new(RECORDED).join(format!("native-{page}"))).unwrap())
    }

    /// Lines that are shown, and what went wrong.
    fn shown(port: u16, names: usize, claims: &Claims) -> (String, Option<String>) {
        let server = Server { hosts: vec!["nobody(127.0.0.1)".to_owned()], port };
        let mut sheet = Sheet::default();
        let problem = server.show(names, claims, &mut sheet);
        let page = sheet.into_page();
        let mut text = page.text().clone();
        text.extend(page.foreign.iter().flat_map(ForeignLines::lines).map(|(_, line)| line));
        (text, problem.map(|problem| problem.told()))
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
        let (text, problem) = shown(controller(recorded), 200, &Claims::default());
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
        has(&text, "slurm_native_left_out{why=\"ours\"} 21");
        has(&text, "slurm_native_left_out{why=\"unit\"} 12");
        has(&text, "slurm_native_left_out{why=\"series\"} 0");
        let mut series: Vec<&str> = text.lines().filter_map(|line| line.rsplit_once(' ')).map(|(one, _)| one).collect();
        series.sort_unstable();
        let before = series.len();
        series.dedup();
        assert_eq!(series.len(), before);
    }

    #[test]
    fn a_metric_with_too_many_series_or_of_a_file_is_left_out_whole() {
        let claims = Claims::default();
        claims.take("textfile", ["slurm_jobs_hold"].into_iter());
        let (text, problem) = shown(controller(recorded), 2, &claims);
        assert_eq!(problem, None);
        assert!(!text.contains("slurm_node_cpus{") && !text.contains("slurm_jobs_hold"), "{text}");
        has(&text, "slurm_partition_jobs_configuring{partition=\"gpu\"} 1");
        has(&text, "slurm_native_left_out{why=\"textfile\"} 1");
        has(&text, "slurm_native_left_out{why=\"series\"} 8");
        // 10,000 nodes are not even read, and what they would have taken is left to others.
        let many = series("slurm_node_cpus", 10_000);
        let (text, problem) = shown(controller(move |_| framed(&format!("{many}slurm_nodes 10000\n"))), 200, &claims);
        assert_eq!(problem, None);
        has(&text, "slurm_nodes 10000");
        assert!(!text.contains("slurm_node_cpus"), "{text}");
        assert!(claims.of_others("textfile").iter().all(|name| name == "slurm_nodes"));
    }

    #[test]
    fn all_metrics_together_have_a_limit() {
        let page = |page: &str| {
            let page = page.replace('-', "_");
            (0..30).map(|n| series(&format!("slurm_x_{page}_{n}"), 200)).collect::<Vec<_>>().concat()
        };
        let (text, problem) = shown(controller(move |name| framed(&page(name))), 200, &Claims::default());
        assert_eq!(problem, None);
        assert_eq!(text.lines().filter(|line| line.starts_with("slurm_x")).count(), SERIES_MAX);
        has(&text, "slurm_native_left_out{why=\"series\"} 100");
    }

    #[test]
    fn a_page_that_fails_takes_no_other_along() {
        for (bad, why) in [
            (&b"HTTP/1.1 401 UNAUTHORIZED\r\nConnection: Close\r\n\r\n"[..], "it says 401"),
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nslurm_nodes 1\n"[..], "ends early"),
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nslurm_nodes {1\n"[..], "line 1"),
            (&b""[..], "no HTTP"),
        ] {
            let answer = move |page: &str| if page == "nodes" { bad.to_vec() } else { recorded(page) };
            let (text, problem) = shown(controller(answer), 200, &Claims::default());
            let problem = problem.unwrap();
            assert!(problem.contains("metrics of nodes") && problem.contains(why), "{problem}");
            has(&text, "slurm_native_up{page=\"nodes\"} 0");
            has(&text, "slurm_native_up{page=\"jobs\"} 1");
            has(&text, "slurm_jobs_hold 30");
        }
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
            format!("{on}CommunicationParameters = block_null_hash,disable_http\n"),
            "MetricsType = metrics/openmetrics\nSlurmctldPort = 6817\n".to_owned(),
            String::new(),
        ] {
            assert_eq!(read(&off), None, "{off}");
        }
        assert_eq!(addresses("a(10.0.0.1)", 1), ["10.0.0.1:1".parse().unwrap()]);
        assert_eq!(addresses("127.0.0.1", 1), ["127.0.0.1:1".parse().unwrap()]);
        assert_eq!(addresses("a(not an address", 1), []);
    }

    proptest! {
        #[test]
        fn no_page_makes_it_panic(page in "(# (HELP|TYPE) )?(slurm_[a-z]{1,3}(\\{[a-z]=\"[a-z]\"\\})? [0-9.eNa]{1,3}\n|.{0,40}\n?){0,8}") {
            let mut shown = Shown { limit: 2, ..Shown::default() };
            let _ = shown.add(&page);
            shown.put(&Claims::default(), &mut Sheet::default());
        }
    }
}
