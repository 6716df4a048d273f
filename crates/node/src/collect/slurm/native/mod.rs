//! What the controller of Slurm 25.11 and newer tells by itself, where `MetricsType=metrics/openmetrics` is set: five pages
//! over plain HTTP at its own port, without a password (slurm.schedmd.com/metrics.html).
//!
//! They are shown under Slurm's own names, behind what guards the agent's port, and are fetched once a cycle however many
//! scrape. Left out is what the agent counts itself under the same name: Slurm counts a powered-down node as idle there too.
//! A collector of its own, so that a controller that is slow or says no takes nothing of what Slurm's programs tell along.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::time::{Instant as Moment, timeout_at};
use trainyard_plan::metrics::slurm_native as m;

use super::controllers::Configuration;
use super::{Access, Collector, Kind, Lane, Problem, Scope};
use crate::fetch::{Page, fetch, waited};
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
        Some(Box::new(Native { access, claims, server: None }))
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
    /// Where they are, if anywhere, and since when that is known.
    server: Option<(Instant, Option<Server>)>,
}

impl Collector for Native {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let result = self.show(sheet);
        if result.is_err() {
            self.server = None;
        }
        result
    }

    fn pace(&self) -> Option<Duration> {
        Some(self.access.interval)
    }

    /// Not so a controller that has too much to do, or that says no.
    fn retries_soon(&self) -> bool {
        false
    }

    fn forget(&mut self) {
        self.claims.take(COLLECTOR.name, &mut Vec::new());
    }
}

impl Native {
    fn show(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        self.look()?;
        let Some((_, Some(server))) = &self.server else {
            self.forget();
            return Ok(());
        };
        let mut shown = Shown { limit: self.access.names, ..Shown::default() };
        let mut asking = Asking::of(server);
        let read = waited(async {
            let mut read = Vec::new();
            for name in PAGES {
                read.push((name, asking.page(name).await.map(|text| shown.add(&text))));
            }
            read
        })?;
        let mut first = None;
        for (name, read) in read {
            sheet.put(&m::slurm_native_up, &[name], read.is_ok());
            if let Err(why) = read {
                first.get_or_insert(Problem::new(format!("Slurm does not give its own metrics of {name}: {why}")));
            }
        }
        shown.put(&self.claims, sheet);
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
}

/// One round of all pages.
struct Asking<'a> {
    server: &'a Server,
    until: Moment,
    /// What each controller is called, and where it is, once that was asked.
    hosts: Vec<(&'a str, Option<Vec<SocketAddr>>)>,
}

impl<'a> Asking<'a> {
    fn of(server: &'a Server) -> Self {
        // A name, or `name(address)`.
        let name =
            |host: &'a String| host.split_once('(').map_or(&**host, |(_, address)| address.trim_end_matches(')'));
        let hosts = server.hosts.iter().map(|host| (name(host), None)).collect();
        Self { server, until: Moment::now() + DEADLINE, hosts }
    }

    /// The page, from the first controller that gives it: a backup serves nothing while it waits. Else what each said.
    async fn page(&mut self, name: &str) -> Result<String, String> {
        let (port, until, path) = (self.server.port, self.until, format!("/metrics/{name}"));
        let late = || format!("all pages together take more than {} s", DEADLINE.as_secs());
        let mut told = Vec::new();
        for nth in 0..self.hosts.len() {
            let Some((host, known)) = self.hosts.get_mut(nth) else { break };
            if known.is_none() {
                match timeout_at(until, tokio::net::lookup_host((*host, port))).await {
                    Ok(Ok(found)) => *known = Some(found.collect()),
                    Ok(Err(error)) => told.push(format!("{host} has no address: {error}")),
                    Err(_) => told.push(format!("{host} is looked for: {}", late())),
                }
            }
            let (host, addresses) = (*host, known.clone().unwrap_or_default());
            for address in addresses {
                if Moment::now() >= until {
                    return Err(late_of(&mut told, address, &late()));
                }
                let page = Page { address, host, path: &path, accept: "text/plain" };
                match timeout_at(until, fetch(page, BYTES_MAX)).await {
                    Ok(Ok(text)) => {
                        // It is asked first from here on, at this address.
                        self.hosts = vec![(host, Some(vec![address]))];
                        return Ok(text);
                    }
                    Ok(Err(error)) => told.push(format!("{address}: {}", error.told())),
                    Err(_) => return Err(late_of(&mut told, address, &late())),
                }
            }
        }
        Err(told.join("; "))
    }
}

fn late_of(told: &mut Vec<String>, address: SocketAddr, late: &str) -> String {
    told.push(format!("{address}: {late}"));
    told.join("; ")
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
    fn add(&mut self, page: &str) {
        let mut metrics: HashMap<&str, Lines<'_>> = HashMap::new();
        let mut order = Vec::new();
        let mut unread = 0;
        for line in page.lines().filter(|line| !line.trim().is_empty()) {
            let name = name_of(line).filter(|name| name.starts_with(BEGINNING));
            let Some(name) = name.filter(|name| order.len() < NAMES_MAX || metrics.contains_key(name)) else {
                unread += 1;
                continue;
            };
            let lines = metrics.entry(name).or_insert_with(|| {
                order.push(name);
                Lines::default()
            });
            lines.take(line, self.limit);
        }
        *self.left_out.entry(UNREAD).or_default() += unread;
        for name in order {
            let lines = metrics.remove(name).unwrap_or_default();
            if let Err(why) = self.add_metric(name, &lines) {
                *self.left_out.entry(why).or_default() += 1;
            }
        }
    }

    /// Adds one, or says why it is left out.
    fn add_metric(&mut self, name: &str, lines: &Lines<'_>) -> Result<(), &'static str> {
        static OF_OURS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| ours().collect());
        if OF_OURS.contains(name) {
            return Err(OURS);
        }
        if WRONG_UNIT.iter().any(|part| name.contains(part)) {
            return Err(UNIT);
        }
        let series = lines.series;
        if series == 0 {
            return Ok(()); // it is described, and nothing more
        }
        if series > self.limit || self.series + series > SERIES_MAX {
            return Err(SERIES);
        }
        let text: String = lines.kept.iter().flat_map(|line| [*line, "\n"]).collect();
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

/// What is shown of one page, with at most so many series of a name.
pub(super) fn show_page(page: &str, limit: usize, sheet: &mut Sheet) {
    let mut shown = Shown { limit, ..Shown::default() };
    shown.add(page);
    shown.put(&Claims::default(), sheet);
}

/// Lines of one metric.
#[derive(Default)]
struct Lines<'a> {
    kept: Vec<&'a str>,
    series: usize,
    descriptions: usize,
}

impl<'a> Lines<'a> {
    /// No more is kept than can be shown: nodes have ten thousand.
    fn take(&mut self, line: &'a str, limit: usize) {
        let count = if line.starts_with('#') { &mut self.descriptions } else { &mut self.series };
        *count += 1;
        if *count <= limit.max(4) {
            self.kept.push(line);
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
