//! What the controller of Slurm 25.11 and newer tells by itself, where `MetricsType=metrics/openmetrics` is set: five pages
//! over plain HTTP at its own port, without a password (slurm.schedmd.com/metrics.html).
//!
//! They are shown under Slurm's own names, behind what guards the agent's port, and are fetched once a cycle however many
//! scrape. Left out is what the agent counts itself under the same name: Slurm counts a powered-down node as idle there too.
//! A collector of its own, so that a controller that is slow or says no takes nothing of what Slurm's programs tell along.

use std::collections::{HashMap, HashSet};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use trainyard_plan::metrics::slurm_native as m;

use super::controllers::Configuration;
use super::{Access, Collector, Kind, Lane, Problem, SHOWN_AT_MOST, Scope};
use crate::fetch::{Page, fetch};
use crate::foreign::ForeignFamily;
use crate::foreign::claims::{Claims, ours};
use crate::foreign::text::parse;
use crate::sheet::Sheet;

pub(crate) static COLLECTOR: Kind = Kind {
    name: "slurm_native",
    about: "what Slurm's controller tells by itself, from 25.11 on",
    lane: Lane::Paced(Duration::from_secs(30)),
    scope: Scope::Node,
    make: |setting| {
        let (access, claims) = (setting.slurm.clone()?, setting.claims.clone());
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        Some(Box::new(Native { access, claims, runtime, server: None, shown: None, failed: None }))
    },
};

/// What the controller has, in the order in which it is kept where not all can be.
const PAGES: [&str; 5] = ["jobs", "nodes", "scheduler", "partitions", "jobs-users-accts"];

/// For all pages together. The controller makes them while it holds its locks.
const DEADLINE: Duration = Duration::from_secs(5);

/// 10,000 nodes have 4.5 MB.
const BYTES_MAX: usize = 16 << 20;

/// Of one page; 25.11 has 87.
const NAMES_MAX: usize = 1000;

/// Of all pages together. They are kept as text between scrapes.
const SERIES_MAX: usize = 10_000;

/// How long it is believed where the metrics are, or that there are none.
const BELIEVED: Duration = Duration::from_mins(5);

/// What all of Slurm's names begin with. Slurm writes an account's name as it is, line ends included: whoever may submit a
/// job could write metrics of any name otherwise.
const BEGINNING: &str = "slurm_";

/// Slurm writes MiB under names and helps that say bytes (25.11.2 and 26.05.5).
const WRONG_UNIT: &[&str] = &["_memory", "_mem_"];

struct Native {
    access: Access,
    claims: Claims,
    runtime: Runtime,
    /// Where they are, if anywhere, and since when that is known.
    server: Option<(Instant, Option<Server>)>,
    /// When they were shown last.
    shown: Option<Instant>,
    /// When it went wrong last, and why.
    failed: Option<(Instant, Problem)>,
}

impl Collector for Native {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        // What fails is asked again soon. Not so a controller that has too much to do, or that says no.
        if let Some((at, problem)) = &self.failed
            && at.elapsed() < self.access.interval
        {
            return Err(problem.clone());
        }
        let result = self.show(sheet);
        self.failed = result.as_ref().err().map(|problem| (Instant::now(), problem.clone()));
        if result.is_err() {
            self.server = None;
            // Until then what was shown last stays on show, and its names are nobody else's.
            if self.shown.is_some_and(|shown| shown.elapsed() > SHOWN_AT_MOST) {
                self.claims.take(COLLECTOR.name, &mut Vec::new());
            }
        }
        result
    }

    fn pace(&self) -> Option<Duration> {
        Some(self.access.interval)
    }
}

impl Native {
    fn show(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let mut shown = Shown { limit: self.access.names, ..Shown::default() };
        let mut first = None;
        self.look()?;
        if let Some((_, Some(server))) = &self.server {
            let pages = self.runtime.block_on(server.pages());
            for (name, page) in PAGES.iter().zip(pages) {
                let read = page.and_then(|text| shown.add(&text).map_err(Problem::new));
                sheet.put(&m::slurm_native_up, &[name], read.is_ok());
                if let Err(error) = read {
                    let sentence = format!("Slurm does not give its own metrics of {name}");
                    first.get_or_insert(Problem::new(format!("{sentence}: {}", error.told())));
                }
            }
            shown.put(&self.claims, sheet);
            self.shown = Some(Instant::now());
        } else {
            self.claims.take(COLLECTOR.name, &mut Vec::new());
        }
        first.map_or(Ok(()), Err)
    }

    /// Finds out where they are served, if they are.
    fn look(&mut self) -> Result<(), Problem> {
        if self.server.as_ref().is_some_and(|(since, _)| since.elapsed() < BELIEVED) {
            return Ok(());
        }
        let mut read = Configuration::default();
        let scontrol = &self.access.programs.scontrol;
        self.access.ask("configuration", scontrol, &["show", "config"], &mut |line| read.line(line))?;
        self.server = Some((Instant::now(), Server::of(&read)));
        Ok(())
    }
}

/// Where the controllers serve them.
#[derive(Debug, PartialEq, Eq)]
struct Server {
    hosts: Vec<String>,
    port: u16,
}

impl Server {
    /// Where they are served at all: switched on, over HTTP that is neither off nor encrypted, and kept from nobody.
    fn of(configuration: &Configuration) -> Option<Self> {
        let Configuration { metrics, private, communication, tls, hosts, port, .. } = configuration;
        // Slurm answers 401 where any but nodes in a cloud are hidden.
        let is_private = private.split(',').any(|what| !matches!(what, "" | "none" | "cloud" | "(null)"));
        let is_off = communication.split(',').any(|what| what.eq_ignore_ascii_case("disable_http"));
        let is_plain = tls.is_empty() || tls.ends_with("none");
        let port = port.split('-').next().and_then(|port| port.parse().ok())?;
        let is_on = metrics.ends_with("openmetrics") && !is_private && !is_off && is_plain && !hosts.is_empty();
        is_on.then(|| Self { hosts: hosts.clone(), port })
    }

    /// All pages, each from the first controller that gives it: a backup serves nothing while it waits.
    async fn pages(&self) -> Vec<Result<String, Problem>> {
        let until = tokio::time::Instant::now() + DEADLINE;
        let mut addresses = match self.addresses() {
            Ok(addresses) => addresses,
            Err(problem) => return PAGES.map(|_| Err(problem.clone())).into(),
        };
        let mut pages = Vec::new();
        for name in PAGES {
            let path = format!("/metrics/{name}");
            let mut problem = None;
            let mut page = None;
            for (nth, (address, host)) in addresses.iter().enumerate() {
                let asked = Page { address: *address, host, path: &path, accept: "text/plain" };
                match tokio::time::timeout_at(until, fetch(asked, BYTES_MAX)).await {
                    Ok(Ok(text)) => {
                        page = Some((nth, text));
                        break;
                    }
                    // What the primary says counts for more than that a backup says nothing.
                    Ok(Err(error)) => _ = problem.get_or_insert_with(|| format!("{address}: {}", error.told())),
                    Err(_) => {
                        let late = || format!("{address}: all pages together take more than {} s", DEADLINE.as_secs());
                        problem.get_or_insert_with(late);
                        break;
                    }
                }
            }
            pages.push(match page {
                Some((nth, text)) => {
                    addresses.drain(..nth);
                    Ok(text)
                }
                None => Err(Problem::new(problem.unwrap_or_default())),
            });
        }
        pages
    }

    /// Where the controllers are, and what they are called.
    fn addresses(&self) -> Result<Vec<(SocketAddr, &str)>, Problem> {
        let mut addresses = Vec::new();
        let mut problem = None;
        for host in &self.hosts {
            // A name, or `name(address)`.
            let name = host.split_once('(').map_or(&**host, |(_, address)| address.trim_end_matches(')'));
            match (name, self.port).to_socket_addrs() {
                Ok(found) => addresses.extend(found.map(|address| (address, name))),
                Err(error) => {
                    problem.get_or_insert_with(|| Problem::new(format!("{name} has no address")).because(error));
                }
            }
        }
        if addresses.is_empty() {
            return Err(problem.unwrap_or_else(|| Problem::new("no controller has an address")));
        }
        Ok(addresses)
    }
}

/// Why one is left out: the agent counts it itself; a file of `--textfile` has it; it has more series than names are told
/// apart, or there are too many in all; it is not in the unit that it names; it makes no sense, or is not Slurm's by its name.
const WHY: [&str; 5] = [OURS, TEXTFILE, SERIES, UNIT, UNREAD];
const OURS: &str = "ours";
const TEXTFILE: &str = "textfile";
const SERIES: &str = "series";
const UNIT: &str = "unit";
const UNREAD: &str = "unread";

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
    /// Adds a page. Each metric stands for itself: one with an account that Slurm did not quote takes no other along.
    fn add(&mut self, page: &str) -> Result<(), String> {
        let mut lines: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut order = Vec::new();
        for line in page.lines() {
            let Some(name) = name_of(line) else { continue };
            let of_name = lines.entry(name).or_insert_with(|| {
                order.push(name);
                Vec::new()
            });
            of_name.push(line);
            if order.len() > NAMES_MAX {
                return Err(format!("it has more than {NAMES_MAX} metrics"));
            }
        }
        for name in order {
            let lines = lines.remove(name).unwrap_or_default();
            if let Err(why) = self.add_metric(name, &lines) {
                *self.left_out.entry(why).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Adds one, or says why it is left out.
    fn add_metric(&mut self, name: &str, lines: &[&str]) -> Result<(), &'static str> {
        static OF_OURS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| ours().collect());
        if !name.starts_with(BEGINNING) {
            return Err(UNREAD);
        }
        if OF_OURS.contains(name) {
            return Err(OURS);
        }
        if WRONG_UNIT.iter().any(|part| name.contains(part)) {
            return Err(UNIT);
        }
        let series = lines.iter().filter(|line| !line.starts_with('#')).count();
        if series > self.limit || self.series + series > SERIES_MAX {
            return Err(SERIES);
        }
        let text: String = lines.iter().flat_map(|line| [*line, "\n"]).collect();
        let [family] =
            <[ForeignFamily; 1]>::try_from(parse(&text, SERIES_MAX).map_err(|_| UNREAD)?).map_err(|_| UNREAD)?;
        if family.names().any(|name| OF_OURS.contains(name)) {
            return Err(OURS);
        }
        if family.names().any(|name| self.names.contains(name)) {
            return Err(UNREAD);
        }
        self.series += series;
        self.names.extend(family.names().map(str::to_owned));
        self.families.push(family);
        Ok(())
    }

    fn put(mut self, claims: &Claims, sheet: &mut Sheet) {
        let taken = claims.take(COLLECTOR.name, &mut self.families);
        self.left_out.insert(TEXTFILE, taken.len());
        for family in self.families {
            sheet.put_foreign(family);
        }
        for why in WHY {
            sheet.put(&m::slurm_native_left_out, &[why], self.left_out.get(why).copied().unwrap_or_default());
        }
    }
}

/// What a line's series are called, or what it describes.
fn name_of(line: &str) -> Option<&str> {
    let words = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
    let name = words.trim_start().split(['{', ' ', '\t']).next()?;
    (!name.is_empty() && !name.starts_with('#')).then_some(name)
}

#[cfg(test)]
mod tests;
