//! One command.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::wait::{Cancel, Ended, wait};

/// Of each output stream, this much is kept; the rest is read and dropped.
const OUTPUT_BYTES_MAX: usize = 16 << 20;
/// How long the end of a stream is waited for after its program has ended.
const PIPE_PATIENCE: Duration = Duration::from_secs(1);

/// What a finished program left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; 128 + signal when a signal ended it.
    pub code: i32,
    /// Its standard output, as UTF-8 with replacements.
    pub stdout: String,
    /// Its standard error, likewise.
    pub stderr: String,
}

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is not there.
    #[error("`{program}` was not found")]
    NotFound {
        /// Its name.
        program: String,
    },
    /// It could not be started or waited for.
    #[error("`{command}` could not be started")]
    Start {
        /// The command line.
        command: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It took too long and was killed.
    #[error("`{command}` was stopped after {seconds} s{said}")]
    Deadline {
        /// The command line.
        command: String,
        /// The deadline.
        seconds: u64,
        /// What it said last.
        said: String,
    },
    /// It said no.
    #[error("`{command}` ended with code {code}{said}")]
    Failed {
        /// The command line.
        command: String,
        /// Its exit code.
        code: i32,
        /// What it said last.
        said: String,
    },
    /// It wrote more than anybody reads.
    #[error("`{command}` was stopped after it wrote {mib} MiB")]
    Flood {
        /// The command line.
        command: String,
        /// How much it had written.
        mib: usize,
    },
    /// Somebody asked to stop.
    #[error("`{command}` was interrupted")]
    Cancelled {
        /// The command line.
        command: String,
    },
}

/// A command to run: build it, then call one of the verbs.
#[derive(Debug, Clone)]
pub struct Command {
    argv: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    forget: Vec<OsString>,
    dir: Option<PathBuf>,
    pub(crate) deadline: Duration,
    input: Option<Vec<u8>>,
    pub(crate) cancel: Cancel,
}

impl Command {
    /// A program by name or path, with a deadline of 30 seconds.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            argv: vec![program.as_ref().to_owned()],
            env: Vec::new(),
            forget: Vec::new(),
            dir: None,
            deadline: Duration::from_secs(30),
            input: None,
            cancel: Cancel::default(),
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.argv.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.argv.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Leaves out what the environment says under names with these beginnings.
    #[must_use]
    pub fn forget(mut self, beginnings: &[&str]) -> Self {
        let names = std::env::vars_os().map(|(name, _)| name);
        self.forget.extend(names.filter(|name| beginnings.iter().any(|b| name.to_string_lossy().starts_with(b))));
        self
    }

    /// Runs in this folder.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Kills it after this long.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Gives it this on standard input.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Stops it when this is set.
    #[must_use]
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// Runs it; an exit code other than 0 is an error.
    pub fn run(self) -> Result<Output, RunError> {
        let command = self.line();
        let output = self.output()?;
        if output.code == 0 {
            return Ok(output);
        }
        let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
        Err(RunError::Failed { command, code: output.code, said: said_last(said) })
    }

    /// Runs it and returns its exit code with its output, whatever the code.
    pub fn output(self) -> Result<Output, RunError> {
        let line = self.line();
        let start = |source| RunError::Start { command: line.clone(), source };
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut command = self.build();
        // A group of its own, so that a deadline reaches what it started too.
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| self.start_error(error))?;
        let stdout = reader(child.stdout.take());
        let stderr = reader(child.stderr.take());
        if let (Some(input), Some(mut pipe)) = (self.input.clone(), child.stdin.take()) {
            // A program that does not read its input is its own business.
            std::thread::spawn(move || drop(pipe.write_all(&input)));
        }
        let ended = wait(&mut child, Instant::now() + self.deadline, &self.cancel).map_err(start)?;
        if !matches!(ended, Ended::Exit(_)) {
            kill_group(&mut child);
        }
        let (stdout, stderr) = (text(&stdout), text(&stderr));
        match ended {
            Ended::Exit(status) => Ok(Output { code: code(status), stdout, stderr }),
            Ended::Cancelled => Err(RunError::Cancelled { command: line }),
            Ended::Deadline => {
                Err(RunError::Deadline { command: line, seconds: self.deadline.as_secs(), said: said_last(&stderr) })
            }
        }
    }

    /// Runs it on this terminal, without deadline, and returns its exit code.
    pub fn attached(self) -> Result<i32, RunError> {
        let start = |source| RunError::Start { command: self.line(), source };
        let mut child = self.build().spawn().map_err(|error| self.start_error(error))?;
        // Ctrl-C reaches it through the terminal; it decides what to do with it.
        child.wait().map(code).map_err(start)
    }

    /// Starts it in the background: own process group, output appended to `log`, no standard input.
    pub fn daemon(self, log: &Path) -> Result<Child, RunError> {
        let start = |source| RunError::Start { command: self.line(), source };
        let out = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(start)?;
        let err = out.try_clone().map_err(start)?;
        let mut command = self.build();
        command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
        command.spawn().map_err(|error| self.start_error(error))
    }

    /// Starts it so that it can leave this session: the same, but in no process group of its own, since
    /// the leader of a group may not begin a session.
    pub fn detached(self, log: &Path) -> Result<Child, RunError> {
        let start = |source| RunError::Start { command: self.line(), source };
        let out = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(start)?;
        let err = out.try_clone().map_err(start)?;
        let mut command = self.build();
        command.stdin(Stdio::null()).stdout(out).stderr(err).current_dir("/");
        command.spawn().map_err(|error| self.start_error(error))
    }

    /// Starts it with pipes to its standard input and output, its errors appended to `log`.
    pub fn piped(self, log: &Path) -> Result<Child, RunError> {
        let start = |source| RunError::Start { command: self.line(), source };
        let err = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(start)?;
        let mut command = self.build();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(err).process_group(0);
        command.spawn().map_err(|error| self.start_error(error))
    }

    /// The program and its arguments.
    pub fn argv(&self) -> &[OsString] {
        &self.argv
    }

    /// Its command line, for people.
    pub fn line(&self) -> String {
        self.argv.iter().map(|arg| quoted(&arg.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn build(&self) -> std::process::Command {
        #[allow(clippy::disallowed_methods)] // this is the place
        let mut command = std::process::Command::new(&self.argv[0]);
        for name in &self.forget {
            command.env_remove(name);
        }
        command.args(&self.argv[1..]).envs(self.env.iter().map(|(key, value)| (key, value)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command
    }

    pub(crate) fn start_error(&self, source: std::io::Error) -> RunError {
        if source.kind() == std::io::ErrorKind::NotFound {
            return RunError::NotFound { program: self.argv[0].to_string_lossy().into_owned() };
        }
        RunError::Start { command: self.line(), source }
    }
}

/// Reads a pipe to its end on a thread of its own, and hands over what it kept.
pub(crate) fn reader(pipe: Option<impl Read + Send + 'static>) -> Arc<Kept> {
    let kept = Arc::new(Kept::default());
    let shared = Arc::clone(&kept);
    std::thread::spawn(move || {
        let mut piece = vec![0; 64 << 10];
        if let Some(mut pipe) = pipe {
            while let Ok(count @ 1..) = pipe.read(&mut piece) {
                shared.add(&piece[..count]);
            }
        }
        shared.done.store(true, Ordering::SeqCst);
    });
    kept
}

#[derive(Default)]
pub(crate) struct Kept {
    bytes: Mutex<Vec<u8>>,
    done: AtomicBool,
}

impl Kept {
    fn add(&self, piece: &[u8]) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let room = OUTPUT_BYTES_MAX.saturating_sub(bytes.len());
        bytes.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

/// What a finished program wrote. Something that it left running may hold the pipe open for ever, so
/// the end of the stream is waited for only briefly.
pub(crate) fn text(kept: &Kept) -> String {
    let until = Instant::now() + PIPE_PATIENCE;
    while !kept.done.load(Ordering::SeqCst) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    String::from_utf8_lossy(&kept.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

pub(crate) fn kill_group(child: &mut Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let _ = child.wait();
}

pub(crate) fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// The last few lines, which is where programs say what went wrong.
pub(crate) fn said_last(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return String::new();
    }
    let last = lines[lines.len().saturating_sub(5)..].join("\n  ");
    format!(", saying:\n  {last}")
}

fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+[]".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) { arg.to_owned() } else { format!("'{}'", arg.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_what_the_program_said() {
        let error = Command::new("sh").args(["-c", "echo so; echo why >&2; exit 3"]).run().expect_err("exit 3");
        let text = error.to_string();
        assert!(text.contains("code 3") && text.contains("why"), "{text}");
    }

    #[test]
    fn an_overrun_is_killed_with_all_it_started() {
        let before = Instant::now();
        let command = Command::new("sh").args(["-c", "sleep 60 & sleep 60"]).deadline(Duration::from_millis(200));
        assert!(matches!(command.run(), Err(RunError::Deadline { .. })));
        assert!(before.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Command::new("no-such-program-here").run().expect_err("missing");
        assert!(matches!(error, RunError::NotFound { program } if program == "no-such-program-here"));
    }

    #[test]
    fn large_output_neither_blocks_nor_grows_without_bound() {
        let output = Command::new("sh").args(["-c", "head -c 40000000 /dev/zero"]).output().expect("runs");
        assert_eq!(output.stdout.len(), OUTPUT_BYTES_MAX);
    }

    #[test]
    fn what_a_program_leaves_running_does_not_hold_its_caller() {
        let before = Instant::now();
        let output = Command::new("sh").args(["-c", "echo said; sleep 30 &"]).run().expect("runs");
        assert_eq!(output.stdout, "said\n");
        assert!(before.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn input_and_environment_reach_the_program() {
        let output = Command::new("sh").args(["-c", "cat; echo $X"]).env("X", "y").input("in ").run().expect("runs");
        assert_eq!(output.stdout, "in y\n");
    }
}
