//! GPUs that a folder tells of: `gpus/N.json` holds a [`Reading`] each, `xids.json` what the driver would have told.
//!
//! A file is parsed again only when it changed. One that cannot be read is a GPU that does not answer.

use std::fs::Metadata;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{GPUS_MAX, Gpus, LINKS_MAX, Lost, Reading, Xid};
use crate::files::names;
use crate::problem::Problem;

/// A GPU with 18 links, 15 peers and 100 processes has some 8 KiB.
const BYTES_MAX: u64 = 256 << 10;

/// More than a burst of errors tells before somebody looks.
const XIDS_MAX: usize = 1024;

/// More processes than this are not shown of a file.
const PROCESSES_MAX: usize = 256;

/// What a replay folder says of itself, in `replay.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tree {
    /// Which machine is shown.
    pub(crate) profile: String,
    /// What is wrong with it.
    #[serde(default)]
    pub(crate) faults: Vec<String>,
}

/// What the folder says of itself.
pub(crate) fn tree(folder: &Path) -> Option<Tree> {
    parse(&folder.join("replay.json")).ok()
}

/// The GPUs of a folder.
pub(super) struct Replayed {
    folder: PathBuf,
    kept: Vec<Kept>,
    xids: Option<Stamp>,
    xids_taken: usize,
}

struct Kept {
    number: u32,
    stamp: Option<Stamp>,
    result: Result<Box<Reading>, Lost>,
}

/// What changes with a file's content.
type Stamp = (i64, i64, u64, u64);

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.mtime(), metadata.mtime_nsec(), metadata.len(), metadata.ino())
}

impl Replayed {
    /// `None` where the folder has no GPUs.
    pub(super) fn open(folder: &Path) -> Option<Self> {
        let has_gpus = folder.join("gpus").is_dir();
        let folder = folder.to_owned();
        has_gpus.then_some(Self { folder, kept: Vec::new(), xids: None, xids_taken: 0 })
    }

    fn refresh(&mut self) {
        let folder = self.folder.join("gpus");
        let number = |name: String| name.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u32> = names(&folder, GPUS_MAX).into_iter().filter_map(number).collect();
        numbers.sort_unstable();
        self.kept.retain(|kept| numbers.binary_search(&kept.number).is_ok());
        for number in numbers {
            let path = folder.join(format!("{number}.json"));
            let now = std::fs::metadata(&path).ok().as_ref().map(stamp);
            match self.kept.iter_mut().find(|kept| kept.number == number) {
                Some(kept) if kept.stamp == now && now.is_some() => {}
                Some(kept) => {
                    kept.result = reading(&path, number);
                    kept.stamp = now;
                }
                None => self.kept.push(Kept { number, stamp: now, result: reading(&path, number) }),
            }
        }
        self.kept.sort_by_key(|kept| kept.number);
    }
}

impl Gpus for Replayed {
    fn read(&mut self, show: &mut dyn FnMut(Result<&Reading, &Lost>)) -> Result<(), Problem> {
        self.refresh();
        if self.kept.is_empty() {
            return Err(Problem::new(format!("{} has no GPU", self.folder.join("gpus").display())));
        }
        for kept in &self.kept {
            show(kept.result.as_deref());
        }
        Ok(())
    }

    fn xids(&mut self) -> Vec<Xid> {
        let path = self.folder.join("xids.json");
        let now = std::fs::metadata(&path).ok().as_ref().map(stamp);
        if now == self.xids {
            return Vec::new();
        }
        self.xids = now;
        let all: Vec<Xid> = parse(&path).unwrap_or_default();
        let new: Vec<Xid> = all.into_iter().take(XIDS_MAX).skip(self.xids_taken).collect();
        self.xids_taken += new.len();
        new
    }
}

fn reading(path: &Path, number: u32) -> Result<Box<Reading>, Lost> {
    let mut reading: Box<Reading> = parse(path).map_err(|why| Lost { index: number, why, ..Lost::default() })?;
    if let Some(why) = reading.lost.take() {
        return Err(Lost { index: reading.index, uuid: reading.uuid, pci_bus_id: reading.pci_bus_id, why });
    }
    reading.nvlinks.links.truncate(LINKS_MAX);
    reading.peers.truncate(GPUS_MAX);
    reading.mig_instances.truncate(GPUS_MAX);
    if let Some(processes) = &mut reading.processes {
        processes.truncate(PROCESSES_MAX);
    }
    Ok(reading)
}

fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let said = |error: &dyn std::fmt::Display| format!("{} cannot be read: {error}", path.display());
    let file = std::fs::File::open(path).map_err(|error| said(&error))?;
    let mut text = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut text).map_err(|error| said(&error))?;
    serde_json::from_slice(&text).map_err(|error| said(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(gpus: &mut Replayed) -> Vec<String> {
        let mut seen = Vec::new();
        let result = gpus.read(&mut |gpu| {
            seen.push(match gpu {
                Ok(gpu) => format!("{} {:?}", gpu.index, gpu.utilization.gpu),
                Err(lost) => format!("{} lost: {}", lost.index, lost.why.rsplit('/').next().unwrap_or_default()),
            });
        });
        seen.extend(result.err().map(|problem| problem.told().rsplit('/').next().unwrap_or_default().to_owned()));
        seen
    }

    #[test]
    fn a_broken_file_is_a_gpu_that_does_not_answer_and_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs_err::write(folder.path().join("gpus").join(name), text).unwrap();
        assert!(Replayed::open(folder.path()).is_none());
        fs_err::create_dir(folder.path().join("gpus")).unwrap();
        let mut gpus = Replayed::open(folder.path()).unwrap();
        assert_eq!(seen(&mut gpus), ["gpus has no GPU"]);
        write("10.json", r#"{"index":10,"utilization":{"gpu":7}}"#);
        write("2.json", "[");
        write("0.json", r#"{"index":0,"lost":"GPU is lost"}"#);
        write("note.txt", "");
        let broken = "2 lost: 2.json cannot be read: EOF while parsing a list at line 1 column 1";
        assert_eq!(seen(&mut gpus), ["0 lost: GPU is lost", broken, "10 Some(7)"]);
        write("2.json", r#"{"index":2}"#);
        write("10.json", r#"{"index":10,"utilization":{"gpu":99}}"#);
        fs_err::remove_file(folder.path().join("gpus/0.json")).unwrap();
        assert_eq!(seen(&mut gpus), ["2 None", "10 Some(99)"]);
    }

    #[test]
    fn a_file_without_end_is_no_gpu() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("gpus")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("gpus/0.json")).unwrap();
        let mut gpus = Replayed::open(folder.path()).unwrap();
        assert!(seen(&mut gpus)[0].starts_with("0 lost: 0.json cannot be read"));
    }

    #[test]
    fn an_xid_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("gpus")).unwrap();
        let mut gpus = Replayed::open(folder.path()).unwrap();
        assert!(gpus.xids().is_empty());
        let xid = r#"{"pci_bus_id":"00000000:53:00.0","xid":79,"at":"2026-01-01T00:00:00Z"}"#;
        fs_err::write(folder.path().join("xids.json"), format!("[{xid}]")).unwrap();
        assert_eq!(gpus.xids().len(), 1);
        assert!(gpus.xids().is_empty());
        fs_err::write(folder.path().join("xids.json"), format!("[{xid},{}]", xid.replace("79", "48"))).unwrap();
        assert_eq!(gpus.xids().iter().map(|xid| xid.xid).collect::<Vec<_>>(), [48]);
    }
}
