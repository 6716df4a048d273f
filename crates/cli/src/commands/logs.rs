//! `trainyard logs`: what the cluster's nodes write down.

use trainyard_provider::Failure;
use trainyard_provider::logs::{self, Line, Stream};

use crate::session::{Made, Session, Target};
use crate::ui::{plain, table};

/// Show the logs of the cluster's nodes.
///
/// On AWS they are the streams of the cluster's log group in CloudWatch, also of nodes that are gone, and of a cluster
/// that is down as long as its log group stays. Of a rehearsal they are the files in its folder.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Logs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show which log streams there are (the default).
    #[command(after_help = EXAMPLES)]
    List {
        /// Only those of this node: its name in Slurm, `head`, an instance's id, or a host name.
        #[arg(long, value_name = "NAME")]
        node: Option<String>,
    },
    /// Show the last lines of log streams.
    ///
    /// Control characters in a log are shown, and not sent to the terminal.
    #[command(after_help = EXAMPLES)]
    Tail {
        /// The streams: slurmctld, clustermgtd, cloud-init-output, …, or whole names. Without any: all of the node.
        #[arg(value_name = "STREAM")]
        streams: Vec<String>,
        /// Only those of this node: its name in Slurm, `head`, an instance's id, or a host name. Without it, and
        /// without STREAM: the head.
        #[arg(long, value_name = "NAME")]
        node: Option<String>,
        /// How many lines of each.
        #[arg(short, long, value_name = "COUNT", default_value_t = 20,
              value_parser = clap::value_parser!(u16).range(1..=10_000))]
        lines: u16,
    },
}

const EXAMPLES: &str = "\
Examples:
  trainyard logs list                              every stream, the head's first
  trainyard logs tail                              the last lines of each log of the head
  trainyard logs tail slurmctld clustermgtd -l 100 why nodes do not come, or jobs do not start
  trainyard logs tail cfn-init --node head         why the head's set-up failed
  trainyard logs tail --node train-st-p5-1         all logs of a node (see: trainyard nodes)";

/// A stream with its last lines.
#[derive(Debug, serde::Serialize)]
struct Tail<'a> {
    #[serde(flatten)]
    stream: &'a Stream,
    lines: Vec<Line>,
}

impl Logs {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        let made = session.made(&self.target)?;
        match self.action {
            None => list(session, &made, None),
            Some(Action::List { node }) => list(session, &made, node.as_deref()),
            Some(Action::Tail { streams, node, lines }) => {
                tail(session, &made, &streams, node.as_deref(), usize::from(lines))
            }
        }
    }
}

fn list(session: &Session, made: &Made, node: Option<&str>) -> Result<u8, Failure> {
    let found = made.provider.logs(&made.plan)?.streams(node)?;
    let all: Vec<&Stream> = match node {
        Some(_) => logs::of_node(&found.all, node)?,
        None => found.all.iter().collect(),
    };
    if session.ui.is_json() {
        session.ui.json(&serde_json::json!({"streams": all, "is_cut": found.is_cut}));
        return Ok(0);
    }
    if all.is_empty() {
        session.ui.say("no logs yet; nodes write them when they start");
        return Ok(0);
    }
    let rows = all.iter().map(|one| {
        let at = one.last_at.clone().unwrap_or_default();
        [plain(&one.node), plain(&one.log), at, plain(&one.name)]
    });
    session.ui.data(&table(["node", "log", "last written (UTC)", "stream"], rows));
    if found.is_cut {
        session.ui.say("there are more; see those of a node: trainyard logs list --node NAME");
    }
    Ok(0)
}

fn tail(session: &Session, made: &Made, names: &[String], node: Option<&str>, lines: usize) -> Result<u8, Failure> {
    let source = made.provider.logs(&made.plan)?;
    let found = source.streams(node)?;
    let chosen = logs::choose(&found.all, names, node)?;
    if found.is_cut {
        session.ui.say("there are more log streams than were looked at; choose a node: --node NAME");
    }
    let mut tails = Vec::new();
    for stream in &chosen {
        let lines = source.tail(stream, lines)?;
        if session.ui.is_json() {
            tails.push(Tail { stream, lines });
            continue;
        }
        if chosen.len() > 1 {
            let gap = if stream == chosen.first().unwrap_or(stream) { "" } else { "\n" };
            session.ui.data(&format!("{gap}==> {} {} <==", plain(&stream.node), plain(&stream.log)));
        }
        for line in lines {
            session.ui.data(&plain(&line.text));
        }
    }
    if session.ui.is_json() {
        session.ui.json(&tails);
    } else if chosen.is_empty() {
        session.ui.say("no logs yet; nodes write them when they start");
    }
    Ok(0)
}
