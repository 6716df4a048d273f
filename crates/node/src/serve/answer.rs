//! What is answered to which request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::Site;
use super::body::Body;
use crate::conductor::Told;
use crate::events::Event;
use crate::exposition::{Blocks, Format, read_line};
use crate::foreign::ForeignLines;
use crate::sheet::Page;

/// An answer.
pub type Answer = Response<Body>;

/// Which metrics an address gives out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All.
    All,
    /// Those of the accelerators, as dcgm-exporter on port 9400 does.
    Accelerators,
    /// All others, as node_exporter on port 9100 does.
    Machine,
}

impl Part {
    fn has(self, page: &Page) -> bool {
        let is_accelerator =
            page.families.first().is_some_and(|family| ACCELERATORS.contains(&family.metric.collector));
        match self {
            Self::All => true,
            Self::Accelerators => is_accelerator,
            Self::Machine => !is_accelerator,
        }
    }
}

/// The collectors whose metrics dcgm-exporter has.
const ACCELERATORS: &[&str] = &["gpu", "gpm", "nvlink", "xid", "neuron"];

pub(super) async fn answer<B>(site: &Site, request: &Request<B>) -> Answer {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n");
    }
    if !site.guard.admits(request.headers()).await {
        let mut answer = plain(StatusCode::UNAUTHORIZED, "user and password are needed\n");
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"trainyard-agent\""));
        return answer;
    }
    match request.uri().path() {
        "/metrics" => metrics(site, request.uri().query().unwrap_or_default(), request.headers()).await,
        "/healthz" => health(site),
        "/api/v1/snapshot" => snapshot(site),
        "/api/v1/usage" => in_json(serde_json::to_vec(&site.live.usage())),
        "/" => plain(
            StatusCode::OK,
            "trainyard-agent: /metrics, /metrics?fresh, /healthz, /api/v1/snapshot, /api/v1/usage\n",
        ),
        _ => plain(StatusCode::NOT_FOUND, "there are /metrics, /healthz, /api/v1/snapshot and /api/v1/usage\n"),
    }
}

async fn metrics(site: &Site, query: &str, headers: &HeaderMap) -> Answer {
    let is_fresh = |option: &str| option == "fresh" || option.starts_with("fresh=");
    if query.split('&').any(is_fresh) || site.conductor.since_last() > site.fresh_for {
        site.conductor.fresh().await;
    }
    let pages: Vec<Arc<Page>> = site.conductor.pages().into_iter().filter(|page| site.part.has(page)).collect();
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = Format::accepted(header(ACCEPT));
    let blocks = Blocks::new(pages, format);
    let wants_gzip = header(ACCEPT_ENCODING).split(',').any(|word| word.trim().split(';').next() == Some("gzip"));
    let response =
        Response::builder().header(CONTENT_TYPE, format.content_type()).header(VARY, "accept, accept-encoding");
    let response = if wants_gzip {
        response.header(CONTENT_ENCODING, "gzip").body(Body::packed(blocks))
    } else {
        response.body(Body::blocks(blocks))
    };
    response.unwrap_or_default()
}

/// 200 while rounds are run; 503 when none came to an end for a minute, or for two intervals where these are longer.
fn health(site: &Site) -> Answer {
    let mut text = String::new();
    for told in site.conductor.told() {
        let problem = match (&told.problem, told.has_run) {
            (Some(problem), _) => problem.as_str(),
            (None, true) => "ok",
            (None, false) => "has not run yet",
        };
        let _ = writeln!(text, "{}: {problem}", told.name);
    }
    let is_alive = is_alive(site.conductor.since_last(), site.fresh_for);
    plain(if is_alive { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &text)
}

/// `fresh_for` is half an interval.
fn is_alive(since_last: Duration, fresh_for: Duration) -> bool {
    since_last < Duration::from_mins(1).max(fresh_for * 4)
}

/// Every value as JSON, for programs of ours: `{ "version": …, "collectors": […], "samples": { name: [{labels, value}] } }`.
fn snapshot(site: &Site) -> Answer {
    let told = site.conductor.told();
    let collectors: Vec<_> = told
        .iter()
        .map(|told| {
            json!({
                "name": told.name,
                "age_seconds": told.age.map(|age| age.as_secs_f64()),
                "good": told.is_good,
                "problem": told.problem,
                "series": told.page.series(),
            })
        })
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let snapshot = Snapshot { version, collectors, events: site.events.kept(), samples: Samples(&told) };
    in_json(serde_json::to_vec(&snapshot))
}

fn in_json(written: serde_json::Result<Vec<u8>>) -> Answer {
    let Ok(mut body) = written else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written\n");
    };
    body.push(b'\n');
    let response = Response::builder().header(CONTENT_TYPE, "application/json");
    response.body(Body::whole(body)).unwrap_or_default()
}

#[derive(Serialize)]
struct Snapshot<'a> {
    version: &'static str,
    collectors: Vec<Value>,
    events: Vec<Event>,
    samples: Samples<'a>,
}

/// Written as they are read. As a tree of values those of a p5 took 8 MiB, and an allocator gives little of that back.
struct Samples<'a>(&'a [Told]);

impl Serialize for Samples<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pages = || self.0.iter().filter(|told| told.is_shown).map(|told| &told.page);
        let mut map = serializer.serialize_map(None)?;
        for (page, family) in pages().flat_map(|page| page.families.iter().map(move |family| (page, family))) {
            map.serialize_entry(family.metric.name, &Lines(&page.lines(family).collect::<Vec<_>>()))?;
        }
        // Other programs' come one by one, and a name may be in several files.
        let mut foreign: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, line) in pages().flat_map(|page| page.foreign.iter().flat_map(ForeignLines::lines)) {
            foreign.entry(name).or_default().push(line);
        }
        for (name, lines) in foreign {
            map.serialize_entry(name, &Lines(&lines))?;
        }
        map.end()
    }
}

/// The samples of one metric.
struct Lines<'a>(&'a [&'a str]);

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sample = |(_, labels, value)| Sample { labels, value };
        serializer.collect_seq(self.0.iter().flat_map(|text| text.lines()).filter_map(read_line).map(sample))
    }
}

#[derive(Serialize)]
struct Sample {
    labels: BTreeMap<String, String>,
    value: f64,
}

fn plain(status: StatusCode, text: &str) -> Answer {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "text/plain; charset=utf-8");
    response.body(Body::whole(text.to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_collects_once_an_hour_is_alive_in_between() {
        for (since_last, interval, expected) in
            [(5, 10, true), (59, 10, true), (61, 10, false), (3599, 3600, true), (7300, 3600, false)]
        {
            let (since_last, fresh_for) = (Duration::from_secs(since_last), Duration::from_secs(interval) / 2);
            assert_eq!(is_alive(since_last, fresh_for), expected, "{since_last:?} after, every {interval} s");
        }
    }
}
