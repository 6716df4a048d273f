//! One run at a time. The kernel frees the lock when its holder dies, however it dies.

use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use fs_err::{File, OpenOptions};

use crate::Failure;

/// Held while a run changes a cluster.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock at `path`, or says who has it.
    pub fn take(path: &Path, what: &str) -> Result<Self, Failure> {
        loop {
            let lock = Self::try_take(path, what)?;
            // Whoever had it may have deleted the cluster, and the lock's file with it.
            let held = lock.file.metadata()?.ino();
            if path.metadata().is_ok_and(|meta| meta.ino() == held) {
                return Ok(lock);
            }
            if let Some(folder) = path.parent() {
                fs_err::create_dir_all(folder)?;
            }
        }
    }

    fn try_take(path: &Path, what: &str) -> Result<Self, Failure> {
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = Read::by_ref(&mut file).take(200).read_to_string(&mut holder);
                return Err(Failure::refused(format!("another run works on this cluster: {}", holder.trim()))
                    .hint("wait for it to end, then run this command again"));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "trainyard {what}, process {}", std::process::id())?;
        Ok(Self { file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_who_works() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let first = Lock::take(&path, "up").expect("free");
        let failure = Lock::take(&path, "down").expect_err("taken");
        assert!(failure.what.contains("trainyard up, process"), "{failure}");
        drop(first);
        Lock::take(&path, "down").expect("free again");
    }
}
