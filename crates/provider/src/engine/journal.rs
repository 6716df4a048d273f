//! What was begun, done and undone: one JSON object a line, appended and synced before work goes on.
//!
//! A machine that dies while a line is written leaves a torn last line; it is cut off at the next
//! opening. Any other damage is an error: guessing here would lose track of what exists.

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs_err::{File, OpenOptions};
use serde::{Deserialize, Serialize};

use crate::Failure;

const VERSION: u32 = 1;
/// A journal grows by some 20 lines an `up`; this is tens of thousands of them.
const BYTES_MAX: u64 = 256 << 20;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The format.
    pub version: u32,
    /// Counts up from 1.
    pub sequence: u64,
    /// When, in UTC.
    pub time: jiff::Timestamp,
    /// Which step.
    pub step: String,
    /// What happened to it.
    pub what: What,
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Work on it begins; with the action's fingerprint.
    Begin(String),
    /// It is done.
    Done(String),
    /// It failed, with the causes.
    Failed(String),
    /// Undoing it begins.
    UndoBegin,
    /// It is undone.
    Undone,
}

/// What is known of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Begun, and perhaps half done.
    Touched,
    /// Done, with the action's fingerprint.
    Done(String),
    /// Undone.
    Undone,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    sequence: u64,
    states: BTreeMap<String, StepState>,
}

impl Journal {
    /// Opens or begins the journal at `path`.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let is_new = !path.exists();
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        if is_new {
            sync_folder(path)?;
        }
        if file.metadata()?.len() > BYTES_MAX {
            return Err(Failure::refused(format!("the journal {} is larger than {BYTES_MAX} bytes", path.display()))
                .hint("after `trainyard down` it can be moved away"));
        }
        let bytes = fs_err::read(path)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::End(0))?;
        let mut journal = Self { file, path: path.to_owned(), sequence: 0, states: BTreeMap::new() };
        journal.replay_all(&bytes[..whole])?;
        Ok(journal)
    }

    /// What the journal at `path` says; it is not changed, and cannot be written to.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new().read(true).open(path)?;
        let mut journal = Self { file, path: path.to_owned(), sequence: 0, states: BTreeMap::new() };
        journal.replay_all(&fs_err::read(path)?)?;
        Ok(journal)
    }

    /// Takes every whole line.
    fn replay_all(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for (number, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate() {
            if !line.is_empty() {
                self.replay(number + 1, line)?;
            }
        }
        Ok(())
    }

    fn replay(&mut self, number: usize, line: &[u8]) -> Result<(), Failure> {
        let damaged = |why: String| {
            Failure::refused(format!("line {number} of the journal {} is damaged", self.path.display()))
                .caused_by(std::io::Error::other(why))
                .hint("move it away, then run `trainyard down`: without a journal every step is undone")
        };
        let record: Record = serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
        if record.version != VERSION {
            return Err(damaged(format!("it has version {}; this trainyard writes {VERSION}", record.version)));
        }
        if record.sequence != self.sequence + 1 {
            return Err(damaged(format!("record {} follows record {}", record.sequence, self.sequence)));
        }
        self.take(record);
        Ok(())
    }

    fn take(&mut self, record: Record) {
        self.sequence = record.sequence;
        let state = match record.what {
            What::Begin(_) | What::Failed(_) | What::UndoBegin => StepState::Touched,
            What::Done(fingerprint) => StepState::Done(fingerprint),
            What::Undone => StepState::Undone,
        };
        self.states.insert(record.step, state);
    }

    /// Appends one record; returns when it is on the disk.
    pub fn write(&mut self, step: &str, what: What) -> Result<(), Failure> {
        let time = jiff::Timestamp::now();
        let record = Record { version: VERSION, sequence: self.sequence + 1, time, step: step.to_owned(), what };
        let mut line = serde_json::to_vec(&record).map_err(|error| Failure::internal(error.to_string()))?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.take(record);
        Ok(())
    }

    /// What is known of a step; `None` when nothing.
    pub fn state(&self, step: &str) -> Option<&StepState> {
        self.states.get(step)
    }

    /// Steps that are not undone, by name.
    pub fn open_steps(&self) -> Vec<String> {
        let open = self.states.iter().filter(|(_, state)| **state != StepState::Undone);
        open.map(|(step, _)| step.clone()).collect()
    }

    /// Whether nothing was ever written: a new one, or one whose file was moved away.
    pub fn is_empty(&self) -> bool {
        self.sequence == 0
    }

    /// Whether anything stands that `down` would undo.
    pub fn is_live(&self) -> bool {
        self.states.values().any(|state| *state != StepState::Undone)
    }
}

/// A new file survives a crash only when its folder is synced too.
fn sync_folder(path: &Path) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_torn_last_line_is_cut_and_the_rest_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&path).expect("new");
        journal.write("a", What::Begin("1".into())).expect("written");
        journal.write("a", What::Done("1".into())).expect("written");
        journal.write("b", What::Begin("2".into())).expect("written");
        let whole = fs_err::read(&path).expect("read");
        for cut in 0..whole.len() {
            fs_err::write(&path, &whole[..cut]).expect("torn");
            let mut journal = Journal::open(&path).unwrap_or_else(|e| panic!("cut at {cut}: {:?}", e.chain()));
            journal.write("c", What::Undone).expect("goes on");
            assert_eq!(Journal::open(&path).expect("again").state("c"), Some(&StepState::Undone));
        }
    }

    #[test]
    fn damage_inside_is_an_error_that_names_the_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&path).expect("new");
        journal.write("a", What::Begin("1".into())).expect("written");
        let good = fs_err::read_to_string(&path).expect("read");
        for bad in [format!("x{good}"), format!("{good}{good}"), good.replace("\"version\":1", "\"version\":9")] {
            fs_err::write(&path, bad).expect("damaged");
            let failure = Journal::open(&path).expect_err("damaged");
            assert!(failure.what.contains("line"), "{failure}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("journal.jsonl");
            fs_err::write(&path, bytes).expect("written");
            let _ = Journal::open(&path);
        }
    }
}
