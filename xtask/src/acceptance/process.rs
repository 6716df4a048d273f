//! One run of the program: shown while it goes on, kept for the report, asked to stop when somebody asks us to.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Each step of the program has its own deadline, and together they stay far below this.
const LONGEST: Duration = Duration::from_hours(4);
/// What a run that was asked to stop may take for it.
const STOPPING: Duration = Duration::from_mins(10);
const PAUSE: Duration = Duration::from_millis(50);
const LINE_BYTES_MAX: u64 = 256 << 10;
/// What is kept of each run, in bytes; of more, the end.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// The program, with what every run of it gets.
#[derive(Clone)]
pub struct Program<'a> {
    /// Where it is.
    pub path: PathBuf,
    /// Where it writes down what AWS answers.
    pub record: Option<PathBuf>,
    /// Set by Ctrl-C and the other signals that end programs.
    pub stop: &'a AtomicBool,
    /// Shows a line.
    pub tell: &'a dyn Fn(&str),
}

/// What became of a run.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit code; nothing where a signal ended it, or where it did not start.
    pub code: Option<i32>,
    /// How long it took.
    pub time: Duration,
    /// What it wrote to standard output.
    pub out: String,
    /// All that it wrote, in order.
    pub said: String,
}

/// Whether a wish to stop reaches the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    /// It is asked to stop as well.
    PassOn,
    /// It goes on: what it does is the way out.
    GoOn,
}

impl Program<'_> {
    /// Runs it to its end.
    #[allow(clippy::disallowed_methods, reason = "a chore must not depend on crates/run, which it also checks")]
    pub fn run(&self, arguments: &[String], on_stop: OnStop) -> Ended {
        let begun = Instant::now();
        let mut command = Command::new(&self.path);
        command.args(arguments).env_remove("TRAINYARD_RECORD");
        if let Some(record) = &self.record {
            command.env("TRAINYARD_RECORD", record);
        }
        // A group of its own: Ctrl-C at the terminal reaches us alone, and we say when it is passed on.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut ended = Ended { code: None, time: Duration::ZERO, out: String::new(), said: String::new() };
        match command.spawn() {
            Ok(mut child) => {
                self.follow(&mut child, on_stop, &mut ended);
                ended.code = child.wait().ok().and_then(|status| status.code());
            }
            Err(error) => ended.said = format!("{}: {error}\n", self.path.display()),
        }
        ended.time = begun.elapsed();
        ended
    }

    /// Until both of its streams have ended.
    fn follow(&self, child: &mut Child, on_stop: OnStop, ended: &mut Ended) {
        let lines = lines_of(child);
        let mut deadline = Instant::now() + LONGEST;
        let mut asked = false;
        loop {
            match lines.recv_timeout(PAUSE) {
                Ok((is_out, line)) => self.take(&line, is_out, ended),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let is_late = Instant::now() >= deadline;
            if asked && is_late {
                // A group that is gone already needs no signal.
                let _ = signal(child, Signal::SIGKILL);
            } else if !asked && (is_late || on_stop == OnStop::PassOn && self.stop.load(Ordering::SeqCst)) {
                let _ = signal(child, Signal::SIGINT);
                asked = true;
                deadline = Instant::now() + STOPPING;
            }
        }
    }

    /// Events are for us; people see what begins.
    fn take(&self, line: &str, is_out: bool, ended: &mut Ended) {
        if is_out {
            keep(&mut ended.out, line);
        }
        keep(&mut ended.said, line);
        let Some(event) = Some(line).filter(|line| line.starts_with(['{', '['])) else { return (self.tell)(line) };
        let event: serde_json::Value = serde_json::from_str(event).unwrap_or_default();
        if let (Some("started" | "skipped"), Some(title)) = (event["event"].as_str(), event["title"].as_str()) {
            let is_skipped = event["event"] == "skipped";
            (self.tell)(&format!("  - {title}{}", if is_skipped { " (stands already)" } else { "" }));
        }
    }
}

fn signal(child: &Child, signal: Signal) -> nix::Result<()> {
    i32::try_from(child.id()).map_or(Ok(()), |id| killpg(Pid::from_raw(id), signal))
}

/// The lines of both streams, the first word of each says whether it is standard output's.
fn lines_of(child: &mut Child) -> Receiver<(bool, String)> {
    let (sender, receiver) = channel();
    if let Some(stream) = child.stdout.take() {
        read(stream, true, sender.clone());
    }
    if let Some(stream) = child.stderr.take() {
        read(stream, false, sender);
    }
    receiver
}

fn read(stream: impl Read + Send + 'static, is_out: bool, sender: Sender<(bool, String)>) {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        // A stream that cannot be read any more has ended.
        while let Ok(1..) = (&mut stream).take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
            if sender.send((is_out, text)).is_err() {
                return;
            }
            line.clear();
        }
    });
}

fn keep(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
    if text.len() > KEPT_BYTES_MAX {
        let half = text.len() / 2;
        let cut = text[..].char_indices().map(|(at, _)| at).find(|at| *at >= half).unwrap_or(half);
        text.drain(..cut);
    }
}
