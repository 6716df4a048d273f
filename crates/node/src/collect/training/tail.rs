//! One rank's file, read on from where it was read to.
//!
//! Users write it: it may be cut, replaced, endless, half written, or no file at all. Opened without following links and
//! without waiting, read in bounds, and never held open.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::time::{Duration, SystemTime};

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::SHOWN_AT_MOST;
use super::line::Line;

/// A line that is longer is none of ours: a value has some 20 bytes.
const LINE_BYTES_MAX: u64 = 4 << 10;

/// Never follows a link, and never waits for the other end of a pipe.
pub(super) const CAREFULLY: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_NOFOLLOW).union(OFlag::O_NONBLOCK).union(OFlag::O_CLOEXEC);

/// Where the file was read to.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Which file it was: another one may have its name now.
    file: Option<(u64, u64)>,
    offset: u64,
    place: Place,
    pub(super) unread: u64,
    pub(super) skipped: u64,
}

/// Where in a line the next byte is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    /// In one whose beginning was left out.
    Rest,
    /// In one that is too long.
    TooLong,
}

/// What is at a name.
pub(super) enum Found {
    /// Nothing that is read: no plain file, or one that is not ours to read.
    Refused,
    /// A file that was not read before, and that nobody has written for so long that it is of no interest.
    Old,
    /// A file that was last written so long ago.
    Written(Duration),
}

impl Tail {
    /// Tells the lines that came since, of at most so many bytes, the newest where there are more.
    pub(super) fn read(&mut self, folder: impl AsFd, name: &str, most: u64, each: &mut dyn FnMut(Line)) -> Found {
        let Ok(file) = openat(folder, name, CAREFULLY, Mode::empty()).map(File::from) else { return Found::Refused };
        let Ok(metadata) = file.metadata() else { return Found::Refused };
        if !metadata.is_file() {
            return Found::Refused;
        }
        // A file from the future was written now.
        let written = metadata.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
        let written = written.unwrap_or_default();
        if self.file.is_none() && written >= SHOWN_AT_MOST {
            return Found::Old;
        }
        let same = Some((metadata.dev(), metadata.ino()));
        if self.file != same || metadata.len() < self.offset {
            let is_first = self.file.is_none();
            (self.file, self.offset, self.place) = (same, 0, Place::Start);
            if is_first && metadata.len() > most {
                // What came before the agent is not its to count.
                (self.offset, self.place) = (metadata.len() - most, Place::Rest);
            }
        }
        if metadata.len() - self.offset > most {
            let newest = metadata.len() - most;
            self.skipped = self.skipped.saturating_add(newest - self.offset);
            (self.offset, self.place) = (newest, Place::Rest);
        }
        self.lines(&file, metadata.len(), each);
        Found::Written(written)
    }

    fn lines(&mut self, file: &File, end: u64, each: &mut dyn FnMut(Line)) {
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(self.offset)).unwrap_or(0)];
        // What cannot be read now can be read the next time.
        let read = file.read_at(&mut bytes, self.offset).unwrap_or(0);
        for line in bytes.get(..read).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            let length = line.len() as u64;
            match line.strip_suffix(b"\n") {
                // The rest of it comes later, if it is not too long already.
                None if length <= LINE_BYTES_MAX && self.place == Place::Start => return,
                None if self.place == Place::Start => self.place = Place::TooLong,
                None => {}
                Some(_) if self.place != Place::Start => {
                    self.unread += u64::from(self.place == Place::TooLong);
                    self.place = Place::Start;
                }
                Some(_) if length > LINE_BYTES_MAX => self.unread += 1,
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => match Line::read(line) {
                    Some(line) => each(line),
                    None => self.unread += 1,
                },
            }
            self.offset += length;
        }
    }
}

/// The path of a folder that is open, for whoever lists it: what is at its name now may be another.
pub(super) fn path_of(folder: impl AsFd) -> String {
    format!("/proc/self/fd/{}", folder.as_fd().as_raw_fd())
}
