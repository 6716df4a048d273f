//! The file of a record: only for its owner, of a bounded size, and no reason to stop once something has begun.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use fs_err::os::unix::fs::OpenOptionsExt as _;
use fs_err::{File, OpenOptions};
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};

/// A life of a small cluster writes less than one of these.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// The last line of a file that is full.
const FULL: &str = "{\"full\":\"the record ends here, at 16 MiB\"}\n";

/// A file that lines are added to, until it is full or cannot be written.
#[derive(Debug)]
pub struct RecordFile(Mutex<Option<File>>);

impl RecordFile {
    /// Several runs may add to one file.
    ///
    /// # Errors
    ///
    /// Why it is no file to write to. Later trouble is passed over: a cluster is worth more than its record.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true).mode(0o600).custom_flags(O_NOFOLLOW | O_NONBLOCK);
        let file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no ordinary file"));
        }
        if file.metadata()?.len() >= FILE_BYTES_MAX {
            return Err(io::Error::other("it is full"));
        }
        // One that was there before has whatever mode it had.
        file.set_permissions(PermissionsExt::from_mode(0o600))?;
        Ok(Self(Mutex::new(Some(file))))
    }

    /// Adds one line, in one write.
    pub fn write(&self, line: &str) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_mut().is_some_and(|file| add(file, line, FILE_BYTES_MAX) != Some(true)) {
            *held = None;
        }
    }
}

/// Whether more may follow; nothing, where it could not be written.
fn add(file: &mut File, line: &str, bytes_max: u64) -> Option<bool> {
    let length = file.metadata().ok()?.len();
    // The line that fills it is whole; behind the last line then nothing comes, however short.
    if length < bytes_max {
        file.write_all(format!("{line}\n").as_bytes()).ok()?;
        return Some(true);
    }
    if !ends_with(file, length, FULL)? {
        file.write_all(FULL.as_bytes()).ok()?;
    }
    Some(false)
}

fn ends_with(file: &mut File, length: u64, text: &str) -> Option<bool> {
    let Some(start) = length.checked_sub(text.len() as u64) else { return Some(false) };
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut end = vec![0; text.len()];
    file.read_exact(&mut end).ok()?;
    Some(end == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_owner_reads_it_and_runs_add_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.jsonl");
        fs_err::write(&path, "").expect("a file");
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("a mode");
        for line in ["a", "b"] {
            RecordFile::open(&path).expect("opened").write(line);
        }
        assert_eq!(fs_err::read_to_string(&path).expect("read"), "a\nb\n");
        assert_eq!(fs_err::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_file_is_refused_before_anything_begins() {
        let folder = tempfile::tempdir().expect("a folder");
        let [link, pipe] = ["link", "pipe"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).expect("a link");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let full = folder.path().join("full");
        File::create(&full).and_then(|file| file.set_len(FILE_BYTES_MAX)).expect("a large file");
        for path in [folder.path().join("no/such/folder"), folder.path().into(), link, pipe, full, "/dev/full".into()] {
            assert!(RecordFile::open(&path).is_err(), "{}", path.display());
        }
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn a_full_file_says_so_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.jsonl");
        let add_all = || {
            let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path).expect("a file");
            (0..20).map(|_| add(&mut file, "0123456789", 100)).collect::<Vec<_>>()
        };
        assert_eq!(add_all(), [vec![Some(true); 10], vec![Some(false); 10]].concat());
        assert_eq!(add_all(), vec![Some(false); 20]);
        assert_eq!(fs_err::read_to_string(&path).expect("read"), format!("{}{FULL}", "0123456789\n".repeat(10)));
    }
}
