//! The ledger on disk: it is replaced whole or not at all. One that cannot be understood is kept aside, never overwritten.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ledger::{KINDS_MAX, Ledger, Recent, SxidKey, Tally};
use crate::files::replace;
use crate::problem::Problem;

const FILE: &str = "xid.json";

/// Ten times what a full ledger has.
const BYTES_MAX: u64 = 16 << 20;

/// The form that is read and written here.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    boot: String,
    cursor: Option<u64>,
    xids: Vec<((String, u32), Tally)>,
    sxids: Vec<(SxidKey, Tally)>,
    recent: Vec<Recent>,
}

/// Where a ledger is kept.
pub struct Store {
    /// Nothing is kept without it.
    folder: Option<PathBuf>,
    /// What is there may be well, but cannot be read: it must not be written over.
    refused: Option<Problem>,
    written: Option<Ledger>,
}

impl Store {
    /// In this folder, which may not be there yet.
    pub fn new(folder: Option<&Path>) -> Self {
        Self { folder: folder.map(Path::to_owned), refused: None, written: None }
    }

    /// What was kept, and what is wrong with it.
    pub fn load(&mut self) -> (Ledger, Option<Problem>) {
        let Some(path) = self.folder.as_ref().map(|folder| folder.join(FILE)) else { return (Ledger::default(), None) };
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return (Ledger::default(), None),
            Err(error) => {
                let sentence = format!("{} cannot be read: counts of Xids start anew and are not kept", path.display());
                self.refused = Some(Problem::new(sentence).because(error));
                return (Ledger::default(), None);
            }
        };
        match understand(&text) {
            Ok(ledger) => {
                self.written = Some(ledger.clone());
                (ledger, None)
            }
            Err(why) => (Ledger::default(), self.put_aside(&path, &why)),
        }
    }

    fn put_aside(&mut self, path: &Path, why: &str) -> Option<Problem> {
        let aside = path.with_extension("json.corrupt");
        let what = format!("{} is no ledger of Xids ({why})", path.display());
        match std::fs::rename(path, &aside) {
            Ok(()) => Some(Problem::new(format!("{what}; it is kept as {}, and counts start anew", aside.display()))),
            Err(error) => {
                let sentence = format!("{what} and cannot be put aside: counts start anew and are not kept");
                self.refused = Some(Problem::new(sentence).because(error));
                None
            }
        }
    }

    /// Whether counts differ from those on disk. Where the log was read to does not matter alone: what came since is read
    /// again, and has nothing that counts.
    pub fn is_behind(&self, ledger: &Ledger) -> bool {
        let is_same = |written: &Ledger| {
            written.boot == ledger.boot
                && written.recent == ledger.recent
                && written.xids == ledger.xids
                && written.sxids == ledger.sxids
        };
        self.folder.is_some() && !self.written.as_ref().is_some_and(is_same)
    }

    /// Keeps it.
    pub fn save(&mut self, ledger: &Ledger) -> Result<(), Problem> {
        if let Some(problem) = &self.refused {
            return Err(problem.clone());
        }
        let Some(folder) = &self.folder else { return Ok(()) };
        let saved = Saved {
            version: VERSION,
            boot: ledger.boot.clone(),
            cursor: ledger.cursor,
            xids: ledger.xids.clone().into_iter().collect(),
            sxids: ledger.sxids.clone().into_iter().collect(),
            recent: ledger.recent.clone().into(),
        };
        let text = serde_json::to_vec(&saved).map_err(io::Error::from);
        text.and_then(|text| replace(&folder.join(FILE), &text)).map_err(|error| {
            Problem::new(format!("counts of Xids cannot be kept in {}", folder.display())).because(error)
        })?;
        self.written = Some(ledger.clone());
        Ok(())
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

fn understand(text: &[u8]) -> Result<Ledger, String> {
    let saved: Saved = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if saved.version != VERSION {
        return Err(format!("its version is {}", saved.version));
    }
    if saved.xids.len() > KINDS_MAX || saved.sxids.len() > KINDS_MAX {
        return Err("it has more counts than any node".to_owned());
    }
    Ok(Ledger {
        boot: saved.boot,
        cursor: saved.cursor,
        xids: saved.xids.into_iter().collect(),
        sxids: saved.sxids.into_iter().collect(),
        recent: saved.recent.into(),
        left: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Counted, Sighting, Source};
    use super::*;

    fn xid(milliseconds: u64) -> Sighting {
        let boot_microseconds = milliseconds * 1000;
        Sighting { source: Source::KernelLog, pci_bus_id: "a".into(), xid: 79, pid: None, boot_microseconds }
    }

    #[test]
    fn counts_are_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("state/agent");
        let mut store = Store::new(Some(&below));
        let (mut ledger, problem) = store.load();
        assert!(problem.is_none() && store.is_behind(&ledger));
        ledger.begin("boot");
        ledger.see(&xid(5000), 0, 17);
        ledger.see_switch(("nvidia-nvswitch0".into(), "b".into(), 12028, true), 18);
        ledger.read_to(Some(4711));
        store.save(&ledger).unwrap();
        assert!(!store.is_behind(&ledger));
        let mut store = Store::new(Some(&below));
        let (mut again, problem) = store.load();
        assert_eq!((&again, problem.is_none(), store.is_behind(&again)), (&ledger, true, false));
        assert_eq!(again.begin("boot"), Some(4711));
        // What NVML or the log told before is known still.
        assert_eq!(again.see(&xid(5500), 0, 19), Counted::Known);
        assert_eq!(again.see(&xid(7000), 0, 20), Counted::New(2));
        assert!(store.is_behind(&again));
        assert!(!below.join("xid.json.new").exists());
    }

    #[test]
    fn a_file_that_is_no_ledger_is_kept_aside() {
        for text in [
            "",
            "{",
            "[]",
            "{\"version\":1}",
            "\u{0}\u{1}",
            "{\"version\":2,\"boot\":\"\",\"cursor\":null,\"xids\":[],\"sxids\":[],\"recent\":[]}",
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs_err::write(folder.path().join(FILE), text).unwrap();
            let mut store = Store::new(Some(folder.path()));
            let (ledger, problem) = store.load();
            assert_eq!(ledger, Ledger::default(), "{text}");
            assert!(problem.unwrap().told().contains("kept as"), "{text}");
            assert_eq!(fs_err::read_to_string(folder.path().join("xid.json.corrupt")).unwrap(), text);
            store.save(&ledger).unwrap();
            assert!(Store::new(Some(folder.path())).load().1.is_none());
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join(FILE)).unwrap();
        let mut store = Store::new(Some(folder.path()));
        let (ledger, problem) = store.load();
        assert!(problem.is_none() && store.is_behind(&ledger));
        assert!(store.save(&ledger).unwrap_err().told().contains("are not kept"));
        assert!(folder.path().join(FILE).is_dir());
    }

    #[test]
    fn a_folder_that_takes_nothing_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("file"), "").unwrap();
        let mut store = Store::new(Some(&folder.path().join("file/state")));
        let problem = store.save(&Ledger::default()).unwrap_err();
        assert!(problem.told().contains("cannot be kept"), "{}", problem.told());
        assert!(Store::new(None).save(&Ledger::default()).is_ok());
    }
}
