//! The logs of a cluster's nodes, wherever it stands: streams, which of them are meant, and their last lines.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::Failure;

/// So many streams are shown at once; more are asked to be narrowed.
pub const STREAMS_MAX: usize = 50;
/// So many names are listed in an error.
const NAMES_MAX: usize = 40;

/// One log of one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Stream {
    /// Its node: `head`, Slurm's name of a compute node, otherwise the host's; empty where it is no node's.
    pub node: String,
    /// What it tells of: `slurmctld`, `cloud-init-output`, …
    pub log: String,
    /// Its whole name: a log stream of CloudWatch, or a file.
    pub name: String,
    /// The instance that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// When something was written last, in UTC.
    pub last_at: Option<String>,
}

impl Stream {
    /// Whether it is meant by what somebody calls its node.
    fn is_of(&self, node: &str) -> bool {
        self.node == node
            || self.instance.as_deref() == Some(node)
            || self.name.split('.').next() == Some(node) && self.instance.is_some()
    }
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When it was written, where that is known apart from its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What it says. It comes from a node: not to be sent to a terminal as it is.
    pub text: String,
}

/// Every stream that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Streams {
    /// The streams; the head's first.
    pub all: Vec<Stream>,
    /// Whether there are more than were looked at.
    pub is_cut: bool,
}

/// The logs of one cluster.
pub trait Logs {
    /// Every stream; with `node`, it is enough to find those of that node.
    fn streams(&self, node: Option<&str>) -> Result<Streams, Failure>;

    /// The last lines of a stream, oldest first.
    fn tail(&self, stream: &Stream, lines: usize) -> Result<Vec<Line>, Failure>;
}

/// The head's streams first, then by node and log.
pub(crate) fn sort(streams: &mut [Stream]) {
    streams.sort_by(|a, b| (a.node != "head", a).cmp(&(b.node != "head", b)));
}

/// The streams of a node; without one, all.
pub fn of_node<'a>(streams: &'a [Stream], node: Option<&str>) -> Result<Vec<&'a Stream>, Failure> {
    let found: Vec<&Stream> = streams.iter().filter(|one| node.is_none_or(|node| one.is_of(node))).collect();
    if let (Some(node), true) = (node, found.is_empty()) {
        let known = listed(streams.iter().map(|one| one.node.as_str()));
        return Err(Failure::usage(format!("no log stream is of a node `{node}`")).hint(known));
    }
    Ok(found)
}

/// The streams that are meant: those of a node, of these names (short or whole). Without either, the head's, or where
/// the head has none, all.
pub fn choose<'a>(streams: &'a [Stream], names: &[String], node: Option<&str>) -> Result<Vec<&'a Stream>, Failure> {
    let of_node = of_node(streams, node)?;
    let has = |name: &String, one: &&&Stream| one.log == *name || one.name == *name;
    if let Some(unknown) = names.iter().find(|name| !of_node.iter().any(|one| has(name, &one))) {
        let place = node.map(|node| format!(" of {node}")).unwrap_or_default();
        let known = listed(of_node.iter().map(|one| one.log.as_str()));
        return Err(Failure::usage(format!("there is no log stream{place} called `{unknown}`")).hint(known));
    }
    let is_named = |one: &&&Stream| names.iter().any(|name| has(name, one));
    let chosen: Vec<&Stream> = if !names.is_empty() {
        of_node.iter().filter(is_named).copied().collect()
    } else if node.is_none() && of_node.iter().any(|one| one.is_of("head")) {
        of_node.into_iter().filter(|one| one.is_of("head")).collect()
    } else {
        of_node
    };
    if chosen.len() > STREAMS_MAX {
        return Err(Failure::usage(format!("{} log streams are meant; {STREAMS_MAX} are shown at most", chosen.len()))
            .hint("choose a node: --node NAME (trainyard logs list has the names)"));
    }
    Ok(chosen)
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
    let more = names.len().saturating_sub(NAMES_MAX);
    let shown = names.into_iter().take(NAMES_MAX).collect::<Vec<_>>().join(", ");
    match (shown.is_empty(), more) {
        (true, _) => "there is none; see: trainyard logs list".to_owned(),
        (false, 0) => format!("there is: {shown}"),
        (false, _) => format!("there is: {shown}, and {more} more: trainyard logs list"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams() -> Vec<Stream> {
        let stream = |node: &str, host: &str, id: &str, log: &str| Stream {
            node: node.to_owned(),
            log: log.to_owned(),
            name: format!("{host}.{id}.{log}"),
            instance: Some(id.to_owned()),
            last_at: None,
        };
        let mut all = Vec::new();
        for log in ["slurmd", "cloud-init"] {
            all.push(stream("cpu-st-c6i-1", "ip-10-0-0-2", "i-2", log));
            all.push(stream("ip-10-0-0-3", "ip-10-0-0-3", "i-3", log));
        }
        for log in ["slurmctld", "cloud-init", "clustermgtd"] {
            all.push(stream("head", "ip-10-0-0-1", "i-1", log));
        }
        sort(&mut all);
        all
    }

    #[test]
    fn streams_are_chosen_by_node_and_by_short_or_whole_name() {
        let all = streams();
        for (names, node, wanted) in [
            (&[][..], None, &["i-1.cloud-init", "i-1.clustermgtd", "i-1.slurmctld"][..]),
            (&["slurmctld"], None, &["i-1.slurmctld"]),
            (&["cloud-init"], None, &["i-1.cloud-init", "i-2.cloud-init", "i-3.cloud-init"]),
            (&["cloud-init", "slurmctld"], Some("head"), &["i-1.cloud-init", "i-1.slurmctld"]),
            (&[], Some("cpu-st-c6i-1"), &["i-2.cloud-init", "i-2.slurmd"]),
            (&["slurmd"], Some("i-3"), &["i-3.slurmd"]),
            (&["slurmd"], Some("ip-10-0-0-3"), &["i-3.slurmd"]),
            (&["ip-10-0-0-2.i-2.slurmd"], None, &["i-2.slurmd"]),
            (&["slurmctld", "ip-10-0-0-1.i-1.slurmctld"], None, &["i-1.slurmctld"]),
        ] {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let chosen = choose(&all, &names, node).expect("there are some");
            let short: Vec<&str> = chosen.iter().filter_map(|one| Some(one.name.split_once('.')?.1)).collect();
            assert_eq!(short, wanted, "{names:?} {node:?}");
        }
    }

    #[test]
    fn what_is_not_there_is_answered_with_what_there_is() {
        let all = streams();
        for (names, node, what, hint) in [
            (&["slurmdbd"][..], None, "called `slurmdbd`", "cloud-init, clustermgtd, slurmctld, slurmd"),
            (&["slurmctld"], Some("i-2"), "of i-2 called `slurmctld`", "there is: cloud-init, slurmd"),
            (&[], Some("cpu-st-c6i-9"), "node `cpu-st-c6i-9`", "cpu-st-c6i-1, head, ip-10-0-0-3"),
        ] {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let failure = choose(&all, &names, node).expect_err("unknown");
            assert!(failure.what.contains(what), "{}", failure.what);
            assert!(failure.hints.iter().any(|text| text.contains(hint)), "{:?}", failure.hints);
        }
        assert!(choose(&[], &["x".to_owned()], None).expect_err("none").hints[0].contains("there is none"));
    }

    #[test]
    fn a_name_that_hundreds_of_nodes_have_is_narrowed() {
        let mut all = streams();
        for number in 0..STREAMS_MAX {
            all.push(Stream { node: format!("n-{number}"), name: format!("h.{number}.slurmd"), ..all[4].clone() });
        }
        let failure = choose(&all, &[all[4].log.clone()], None).expect_err("too many");
        assert!(failure.hints[0].contains("--node"), "{:?}", failure.hints);
    }
}
