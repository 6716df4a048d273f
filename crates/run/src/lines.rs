//! Output that is read while it comes: of a program that writes megabytes, one line is in memory at a time.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::command::{Command, RunError, code, kill_group, reader, said_last, text};
use crate::wait::{Ended, wait};

/// A program that writes more is stopped: 200,000 lines of 1 KiB are more than any that we ask has to say.
const STREAM_BYTES_MAX: usize = 256 << 20;
/// Of a longer line, the beginning is read.
const LINE_BYTES_MAX: usize = 256 << 10;
/// How often it is looked whether somebody asks to stop, or the program ended and left its pipe to another.
const LOOK: Duration = Duration::from_millis(100);

impl Command {
    /// Runs it and hands over its standard output, line by line, while it comes. Nothing is kept. An exit code other than
    /// 0 is an error, after the lines that came before.
    pub fn lines(self, take: &mut dyn FnMut(&str)) -> Result<(), RunError> {
        let line = self.line();
        let start = |source| RunError::Start { command: line.clone(), source };
        let mut command = self.build();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| self.start_error(error))?;
        let stderr = reader(child.stderr.take());
        let mut lines = Lines { rest: Vec::new(), is_cut: false, read: 0, take };
        let until = Instant::now() + self.deadline;
        let stdout = child.stdout.take();
        let read = stdout.map_or(Ok(Reading::End), |pipe| self.read(pipe, &mut child, until, &mut lines));
        let ended = match read {
            Ok(Reading::End) => wait(&mut child, until, &self.cancel),
            Ok(Reading::Deadline) => Ok(Ended::Deadline),
            Ok(Reading::Cancelled) => Ok(Ended::Cancelled),
            Ok(Reading::Flood) => {
                kill_group(&mut child);
                return Err(RunError::Flood { command: line, mib: lines.read >> 20 });
            }
            Err(error) => Err(error),
        };
        if !matches!(ended, Ok(Ended::Exit(_))) {
            kill_group(&mut child);
        }
        let said = said_last(&text(&stderr));
        match ended.map_err(start)? {
            Ended::Exit(status) if code(status) == 0 => {
                lines.last();
                Ok(())
            }
            Ended::Exit(status) => Err(RunError::Failed { command: line, code: code(status), said }),
            Ended::Cancelled => Err(RunError::Cancelled { command: line }),
            Ended::Deadline => Err(RunError::Deadline { command: line, seconds: self.deadline.as_secs(), said }),
        }
    }

    fn read(
        &self,
        mut pipe: ChildStdout,
        child: &mut Child,
        until: Instant,
        lines: &mut Lines<'_>,
    ) -> std::io::Result<Reading> {
        let mut piece = vec![0; 64 << 10];
        let mut has_ended = false;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(Reading::Deadline);
            }
            if self.cancel.is_set() {
                return Ok(Reading::Cancelled);
            }
            let patience = PollTimeout::try_from(rest.min(LOOK)).unwrap_or(PollTimeout::ZERO);
            match poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)], patience) {
                Ok(0) if has_ended => return Ok(Reading::End),
                // What it left running may hold the pipe open for ever: once more is looked, and no longer.
                Ok(0) => has_ended = child.try_wait()?.is_some(),
                Ok(_) => match pipe.read(&mut piece)? {
                    0 => return Ok(Reading::End),
                    count => lines.add(piece.get(..count).unwrap_or_default()),
                },
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            if lines.read > STREAM_BYTES_MAX {
                return Ok(Reading::Flood);
            }
        }
    }
}

/// How the reading came to its end.
enum Reading {
    End,
    Deadline,
    Cancelled,
    Flood,
}

struct Lines<'a> {
    /// The line that has not come to its end.
    rest: Vec<u8>,
    /// It passed its limit, and what comes until its end is left out.
    is_cut: bool,
    read: usize,
    take: &'a mut dyn FnMut(&str),
}

impl Lines<'_> {
    fn add(&mut self, piece: &[u8]) {
        self.read += piece.len();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let (part, is_whole) = match part.strip_suffix(b"\n") {
                Some(part) => (part, true),
                None => (part, false),
            };
            if is_whole && self.rest.is_empty() && !self.is_cut && part.len() <= LINE_BYTES_MAX {
                (self.take)(&String::from_utf8_lossy(part));
                continue;
            }
            let room = LINE_BYTES_MAX.saturating_sub(self.rest.len());
            self.is_cut |= part.len() > room;
            self.rest.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
            if is_whole {
                (self.take)(&String::from_utf8_lossy(&self.rest));
                self.rest.clear();
                self.is_cut = false;
            }
        }
    }

    /// A last line that has no newline.
    fn last(&mut self) {
        if !self.rest.is_empty() {
            (self.take)(&String::from_utf8_lossy(&self.rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(script: &str, deadline: Duration) -> (Vec<String>, Result<(), RunError>) {
        let mut all = Vec::new();
        let command = Command::new("sh").args(["-c", script]).deadline(deadline);
        let result = command.lines(&mut |line| all.push(line.to_owned()));
        (all, result)
    }

    #[test]
    fn lines_come_one_by_one_and_whole() {
        let long = Duration::from_secs(30);
        let (all, result) = lines("printf 'a\\n\\nb'; sleep 0.2; printf 'c\\nd'", long);
        assert!(result.is_ok());
        assert_eq!(all, ["a", "", "bc", "d"]);
        let (all, result) = lines("seq 200000", long);
        assert!(result.is_ok());
        assert_eq!((all.len(), all[199_999].as_str()), (200_000, "200000"));
        let (all, result) = lines("printf '\\377x\\n'", long);
        assert!(result.is_ok());
        assert_eq!(all, ["\u{fffd}x"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let (all, result) = lines("head -c 3000000 /dev/zero; echo; echo next", Duration::from_secs(30));
        assert!(result.is_ok());
        assert_eq!(all.iter().map(String::len).collect::<Vec<_>>(), [LINE_BYTES_MAX, 4]);
    }

    #[test]
    fn a_program_that_says_no_or_hangs_or_floods_is_an_error() {
        let (all, result) = lines("echo some; echo why >&2; exit 3", Duration::from_secs(30));
        assert_eq!(all, ["some"]);
        let error = result.expect_err("exit 3").to_string();
        assert!(error.contains("code 3") && error.contains("why"), "{error}");
        let before = Instant::now();
        let (_, result) = lines("echo x; sleep 60 & sleep 60", Duration::from_millis(300));
        assert!(matches!(result, Err(RunError::Deadline { .. })));
        let (_, result) = lines("cat /dev/zero", Duration::from_mins(1));
        assert!(matches!(result, Err(RunError::Flood { mib: 256.., .. })), "{result:?}");
        assert!(before.elapsed() < Duration::from_secs(50));
    }

    #[test]
    fn what_a_program_leaves_running_does_not_hold_the_reader() {
        let before = Instant::now();
        let (all, result) = lines("echo said; sleep 30 &", Duration::from_secs(25));
        assert!(result.is_ok());
        assert_eq!(all, ["said"]);
        assert!(before.elapsed() < Duration::from_secs(20));
    }
}
