//! How the supervisor is asked: one JSON object a line, over a socket that only its owner reaches.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::local::Store;

/// A line is a list of node names at most.
pub(super) const LINE_BYTES_MAX: u64 = 4 << 20;

/// What it can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// How are you?
    Status,
    /// Start these nodes.
    Start {
        /// By name.
        nodes: Vec<String>,
    },
    /// Stop these nodes, and wait until they have stopped.
    Stop {
        /// By name.
        nodes: Vec<String>,
    },
    /// Wait for slurmctld, and bring its memory in line with what runs.
    Settle,
    /// Lose a node: everything in it ends at once, as when its machine dies.
    Crash {
        /// By name.
        node: String,
    },
    /// Slurm's power saving: what slurmctld passed to the program.
    Hook {
        /// Which program it called.
        verb: Verb,
        /// The nodes, as a hostlist.
        hosts: String,
    },
    /// Stop all nodes and end.
    Shutdown,
}

/// Which of Slurm's power-saving programs was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// `ResumeProgram`.
    Resume,
    /// `SuspendProgram`.
    Suspend,
    /// `ResumeFailProgram`.
    ResumeFailed,
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done, or begun.
    Ok(Status),
    /// Not possible.
    No {
        /// Why.
        why: String,
    },
}

/// How it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The supervisor's process.
    pub pid: i32,
    /// Every node that was ever started.
    pub nodes: Vec<NodeStatus>,
}

/// How a node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// The process that everything in it descends from, while it runs.
    pub pid: Option<i32>,
    /// How often it ended unasked in the last while.
    pub failures: u32,
}

/// Asks a supervisor.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// The supervisor of a cluster on this machine.
    pub fn new(store: &Store) -> Self {
        Self::at(&store.at("run/supervisor.socket"))
    }

    /// The supervisor behind a socket.
    pub fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// How the supervisor is; `None` when there is none. One that does not answer is a failure: what it
    /// holds is still there.
    pub fn status(&self) -> Result<Option<Status>, Failure> {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        match UnixStream::connect(&self.socket) {
            Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => Ok(None),
            connected => Self::over(connected, &Ask::Status).map(Some).map_err(|failure| self.stuck(failure)),
        }
    }

    fn stuck(&self, failure: Failure) -> Failure {
        let pid = fs_err::read_to_string(self.socket.with_file_name("supervisor.pid")).unwrap_or_default();
        failure.hint(format!("end it with `kill -9 {}`: all its nodes end with it; then run this again", pid.trim()))
    }

    /// Asks and waits for the answer.
    pub fn ask(&self, ask: &Ask) -> Result<Status, Failure> {
        Self::over(UnixStream::connect(&self.socket), ask)
    }

    fn over(connected: std::io::Result<UnixStream>, ask: &Ask) -> Result<Status, Failure> {
        // Stopping waits for daemons to end; everything else is answered at once.
        let patience = if matches!(ask, Ask::Stop { .. } | Ask::Shutdown | Ask::Settle) { 60 } else { 20 };
        let no_answer =
            |error: std::io::Error| Failure::refused("the node supervisor does not answer").caused_by(error);
        let mut stream = connected.map_err(|error| Failure::refused("no node supervisor runs").caused_by(error))?;
        stream.set_read_timeout(Some(Duration::from_secs(patience))).map_err(no_answer)?;
        let mut line = serde_json::to_vec(ask).map_err(|error| Failure::internal(error.to_string()))?;
        line.push(b'\n');
        stream.write_all(&line).map_err(no_answer)?;
        let mut answer = String::new();
        BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut answer).map_err(no_answer)?;
        match serde_json::from_str(&answer) {
            Ok(Answer::Ok(status)) => Ok(status),
            Ok(Answer::No { why }) => Err(Failure::refused(why)),
            Err(error) => Err(Failure::refused("the node supervisor's answer makes no sense").caused_by(error)),
        }
    }
}
