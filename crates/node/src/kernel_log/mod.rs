//! The kernel log, read on from where it was read to: /dev/kmsg, or the file that stands for it in a replay.
//!
//! Bounded: a reading takes so many records and so long, holds one buffer, and the next one goes on. What the kernel has
//! overwritten meanwhile is counted as lost.

mod clock;
mod record;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;

pub use clock::{Offset, boot_microseconds};
pub use record::{Record, parse};

/// The kernel gives at most 8 KiB at once, and fails where that does not fit.
const BUFFER_BYTES: usize = 64 << 10;

/// A longer line of a file is cut.
const LINE_BYTES_MAX: usize = 8 << 10;

/// More than the log of a large machine holds.
const RECORDS_MAX: usize = 200_000;

/// For one reading. Others wait in line for a processor too.
const TIME_MAX: Duration = Duration::from_millis(50);

/// Reading on costs less than asking for the time.
const RECORDS_BETWEEN_LOOKS: usize = 64;

/// The log, and where it was read to.
pub struct KernelLog {
    path: PathBuf,
    source: Option<Source>,
    /// The newest record that was read, in this run or, as its reader told, before.
    after: Option<u64>,
    /// The newest one that was read from what is open now.
    seen: Option<u64>,
    /// The kernel said that it overwrote records.
    is_overwritten: bool,
    lost: u64,
    buffer: Vec<u8>,
}

enum Source {
    /// Each read gives one record.
    Device(File),
    /// Lines, to which others are added.
    Lines { file: File, filled: usize, is_cut: bool },
}

/// Whether all was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There was no more.
    Through,
    /// It was enough for once.
    More,
}

impl KernelLog {
    /// Opened when it is first read.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            source: None,
            after: None,
            seen: None,
            is_overwritten: false,
            lost: 0,
            buffer: Vec::new(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it where it is not open, or another file has taken its place. What it is then, if it was opened: a file that
    /// is another one has another name here.
    pub fn open(&mut self) -> io::Result<Option<String>> {
        if let Some(Source::Lines { file, .. }) = &mut self.source {
            let is_same = |there: &Metadata, own: &Metadata| there.dev() == own.dev() && there.ino() == own.ino();
            let (own, there) = (file.metadata()?, std::fs::metadata(&self.path)?);
            if !is_same(&there, &own) || own.is_file() && own.len() < file.stream_position()? {
                (self.source, self.after) = (None, None);
            }
        }
        if self.source.is_some() {
            return Ok(None);
        }
        let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(&self.path)?;
        let metadata = file.metadata()?;
        // Without its birth, a new file could have the number of one that was removed.
        let born = metadata.created().ok().and_then(|born| born.duration_since(std::time::UNIX_EPOCH).ok());
        let name = format!("{}-{}", metadata.ino(), born.unwrap_or_default().as_nanos());
        self.source = Some(if metadata.file_type().is_char_device() {
            Source::Device(file)
        } else {
            Source::Lines { file, filled: 0, is_cut: false }
        });
        self.seen = None;
        self.buffer.resize(BUFFER_BYTES, 0);
        Ok(Some(name))
    }

    /// Leaves out records up to this one: they were read before.
    pub fn after(&mut self, sequence: Option<u64>) {
        self.after = sequence;
    }

    /// The newest record that was read.
    pub fn cursor(&self) -> Option<u64> {
        self.after.max(self.seen)
    }

    /// Records that were overwritten before they could be read.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Tells the kernel's records that came since. It must be open.
    pub fn read(&mut self, each: &mut dyn FnMut(&Record)) -> io::Result<Progress> {
        let result = match &self.source {
            Some(Source::Device(_)) => self.read_device(each),
            Some(Source::Lines { .. }) => self.read_lines(each),
            None => Ok(Progress::Through),
        };
        if result.is_err() {
            self.source = None;
        }
        result
    }

    fn read_device(&mut self, each: &mut dyn FnMut(&Record)) -> io::Result<Progress> {
        let mut limit = Limit::new();
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = loop {
            if limit.is_reached() {
                break Ok(Progress::More);
            }
            let Some(Source::Device(file)) = &mut self.source else { break Ok(Progress::Through) };
            match file.read(&mut buffer) {
                Ok(0) => break Ok(Progress::Through),
                Ok(length) => self.take(buffer.get(..length).unwrap_or_default(), each),
                Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                    Some(Errno::EAGAIN) => break Ok(Progress::Through),
                    Some(Errno::EPIPE) => self.is_overwritten = true,
                    Some(Errno::EINTR) => {}
                    _ => break Err(error),
                },
            }
        };
        self.buffer = buffer;
        result
    }

    fn read_lines(&mut self, each: &mut dyn FnMut(&Record)) -> io::Result<Progress> {
        let mut limit = Limit::new();
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = loop {
            if limit.is_reached() {
                break Ok(Progress::More);
            }
            let Some(Source::Lines { file, filled, is_cut }) = &mut self.source else { break Ok(Progress::Through) };
            let room = buffer.get_mut(*filled..).unwrap_or_default();
            match file.read(room) {
                Ok(0) => break Ok(Progress::Through),
                Ok(length) => {
                    let (mut filled_now, mut cut) = (*filled + length, *is_cut);
                    limit.records += self.take_lines(&mut buffer, &mut filled_now, &mut cut, each);
                    if let Some(Source::Lines { filled, is_cut, .. }) = &mut self.source {
                        (*filled, *is_cut) = (filled_now, cut);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(Progress::Through),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.buffer = buffer;
        result
    }

    /// Takes whole lines out of the buffer's beginning, and moves what is left there. How many there were.
    fn take_lines(
        &mut self,
        buffer: &mut [u8],
        filled: &mut usize,
        is_cut: &mut bool,
        each: &mut dyn FnMut(&Record),
    ) -> usize {
        let (mut begin, mut lines) = (0, 0);
        while let Some(length) = buffer.get(begin..*filled).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
        {
            let line = buffer.get(begin..begin + length.min(LINE_BYTES_MAX)).unwrap_or_default();
            // The end of a line whose beginning was taken is no line.
            if !std::mem::take(is_cut) {
                self.take(line, each);
            }
            begin += length + 1;
            lines += 1;
        }
        let rest = filled.saturating_sub(begin);
        if rest > LINE_BYTES_MAX {
            if !std::mem::replace(is_cut, true) {
                self.take(buffer.get(begin..begin + LINE_BYTES_MAX).unwrap_or_default(), each);
            }
            *filled = 0;
        } else {
            buffer.copy_within(begin..*filled, 0);
            *filled = rest;
        }
        lines
    }

    fn take(&mut self, bytes: &[u8], each: &mut dyn FnMut(&Record)) {
        let Some(record) = parse(bytes) else { return };
        if std::mem::take(&mut self.is_overwritten) {
            let last = self.seen.unwrap_or(record.sequence.saturating_sub(2));
            self.lost += record.sequence.saturating_sub(last).saturating_sub(1).max(1);
        }
        self.seen = self.seen.max(Some(record.sequence));
        if record.is_kernels && self.after.is_none_or(|after| record.sequence > after) {
            each(&record);
        }
    }
}

/// How much is read at once.
struct Limit {
    records: usize,
    looked: usize,
    until: Instant,
}

impl Limit {
    fn new() -> Self {
        Self { records: 0, looked: 0, until: Instant::now() + TIME_MAX }
    }

    fn is_reached(&mut self) -> bool {
        self.records += 1;
        if self.records < self.looked + RECORDS_BETWEEN_LOOKS {
            return false;
        }
        self.looked = self.records;
        self.records > RECORDS_MAX || Instant::now() >= self.until
    }
}

#[cfg(test)]
mod tests;
