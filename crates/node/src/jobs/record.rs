//! Sums of jobs on disk: those of the jobs that run, so that a restart loses none, and a line for each that ended.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::JOBS_MAX;
use super::summary::Summary;
use super::tally::Tally;
use crate::files::replace;
use crate::problem::Problem;

/// The jobs that run.
const RUNNING: &str = "jobs.json";

/// Those that ended, one a line.
const ENDED: &str = "jobs.jsonl";

/// The lines before those.
const ENDED_BEFORE: &str = "jobs.jsonl.1";

/// Some 4000 jobs of eight GPUs; with the file before it, twice as much at most.
const ENDED_BYTES_MAX: u64 = 8 << 20;

/// More than all jobs of a node have.
const RUNNING_BYTES_MAX: u64 = 32 << 20;

/// The form that is read and written here.
const VERSION: u32 = 1;

/// The jobs that ran when this was written.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Running {
    version: u32,
    /// The kernel's name of the boot.
    pub boot: String,
    /// When this was written.
    pub saved: Timestamp,
    /// Their sums.
    pub jobs: Vec<Tally>,
}

impl Running {
    /// What is to be kept now.
    pub fn new(boot: &str, saved: Timestamp, jobs: Vec<Tally>) -> Self {
        Self { version: VERSION, boot: boot.to_owned(), saved, jobs }
    }
}

/// Why sums are not known.
#[derive(Debug)]
pub enum Unread {
    /// The file could not be read.
    NotRead(Problem),
    /// It is another program's, or another version's.
    NotUnderstood(Problem),
}

impl Unread {
    /// What is wrong.
    pub fn problem(self) -> Problem {
        match self {
            Self::NotRead(problem) | Self::NotUnderstood(problem) => problem,
        }
    }
}

/// A folder with both.
#[derive(Debug, Clone)]
pub struct Record {
    folder: PathBuf,
}

impl Record {
    /// In this folder, which may not be there yet.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The same for whoever goes on with it: what cannot be understood is put aside, and that is said.
    pub fn take_up(&self) -> Result<Option<Running>, Problem> {
        let problem = match self.running() {
            Err(Unread::NotUnderstood(problem)) => problem,
            other => return other.map_err(Unread::problem),
        };
        let (path, aside) = (self.folder.join(RUNNING), self.folder.join("jobs.json.corrupt"));
        Err(match std::fs::rename(path, &aside) {
            Ok(()) => {
                Problem::new(format!("{}; they start anew, and it is kept as {}", problem.told(), aside.display()))
            }
            Err(error) => Problem::new(format!("{}; they start anew", problem.told())).because(error),
        })
    }

    /// What ran when it was last kept; nothing where nothing was.
    pub fn running(&self) -> Result<Option<Running>, Unread> {
        let path = self.folder.join(RUNNING);
        let mut text = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(RUNNING_BYTES_MAX).read_to_end(&mut text));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let problem = Problem::new(format!("{} cannot be read", path.display())).because(error);
                return Err(Unread::NotRead(problem));
            }
        }
        let why = match serde_json::from_slice::<Running>(&text) {
            Ok(running) if running.version == VERSION && running.jobs.len() <= JOBS_MAX => return Ok(Some(running)),
            Ok(running) => format!("its version is {} and it has {} jobs", running.version, running.jobs.len()),
            Err(error) => error.to_string(),
        };
        Err(Unread::NotUnderstood(Problem::new(format!("{} has no sums of jobs ({why})", path.display()))))
    }

    /// Keeps what runs.
    pub fn keep(&self, running: &Running) -> Result<(), Problem> {
        let text = serde_json::to_vec(running).map_err(io::Error::from);
        text.and_then(|text| replace(&self.folder.join(RUNNING), &text)).map_err(|error| self.unkept(error))
    }

    /// Adds a job that ended.
    pub fn add(&self, summary: &Summary) -> Result<(), Problem> {
        self.append(summary).map_err(|error| self.unkept(error))
    }

    fn append(&self, summary: &Summary) -> io::Result<()> {
        let mut line = serde_json::to_vec(summary)?;
        line.push(b'\n');
        std::fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(ENDED);
        if std::fs::metadata(&path).is_ok_and(|file| file.len() + line.len() as u64 > ENDED_BYTES_MAX) {
            std::fs::rename(&path, self.folder.join(ENDED_BEFORE))?;
        }
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        // On a full disk the line before may be a part: this one must not be glued to it.
        let mut last = [b'\n'];
        let length = file.metadata()?.len();
        if length > 0 {
            file.read_exact_at(&mut last, length - 1)?;
        }
        if last != *b"\n" {
            line.insert(0, b'\n');
        }
        file.write_all(&line)
    }

    fn unkept(&self, error: io::Error) -> Problem {
        Problem::new(format!("sums of jobs cannot be kept in {}", self.folder.display())).because(error)
    }

    /// The last jobs that ended, oldest first, at most so many. Lines that cannot be understood are left out.
    pub fn ended(&self, most: usize) -> Vec<Summary> {
        let mut ended = std::collections::VecDeque::new();
        for name in [ENDED_BEFORE, ENDED] {
            let Ok(file) = File::open(self.folder.join(name)) else { continue };
            for line in BufReader::new(file.take(2 * ENDED_BYTES_MAX)).split(b'\n').map_while(Result::ok) {
                let Ok(summary) = serde_json::from_slice::<Summary>(&line) else { continue };
                ended.push_back(summary);
                if ended.len() > most {
                    ended.pop_front();
                }
            }
        }
        ended.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jobs::tally::GpuTally;

    fn tally(id: &str) -> Tally {
        Tally { jobid: id.to_owned(), ..Tally::default() }
    }

    #[test]
    fn what_ran_is_known_after_a_restart_and_what_is_no_record_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let record = Record::new(&folder.path().join("below"));
        assert_eq!(record.running().unwrap(), None);
        let running = Running::new("boot", Timestamp::UNIX_EPOCH, vec![tally("7")]);
        record.keep(&running).unwrap();
        assert_eq!(record.running().unwrap(), Some(running));
        for text in [
            "",
            "[]",
            "{\"version\":1}",
            "{\"version\":9,\"boot\":\"\",\"saved\":\"1970-01-01T00:00:00Z\",\"jobs\":[]}",
        ] {
            fs_err::write(folder.path().join("below/jobs.json"), text).unwrap();
            assert!(matches!(record.running(), Err(Unread::NotUnderstood(_))), "{text}");
            assert_eq!(
                fs_err::read_to_string(folder.path().join("below/jobs.json")).unwrap(),
                text,
                "reading leaves it"
            );
            assert!(record.take_up().unwrap_err().told().contains("is kept as"), "{text}");
            assert_eq!(record.take_up().unwrap(), None);
            assert_eq!(fs_err::read_to_string(folder.path().join("below/jobs.json.corrupt")).unwrap(), text);
        }
    }

    proptest! {
        /// A sum that lost its last bit at every restart would no longer be the sum.
        #[test]
        fn sums_are_the_same_to_the_last_bit_after_a_restart(seconds in 0.0..1e7_f64, percent_seconds in 0.0..1e9_f64) {
            let folder = tempfile::tempdir().unwrap();
            let record = Record::new(folder.path());
            let gpu = GpuTally { seconds, percent_seconds, ..GpuTally::default() };
            let job = Tally { gpus: [(0, gpu)].into(), cpu_seconds: Some(seconds), ..tally("7") };
            let running = Running::new("boot", Timestamp::UNIX_EPOCH, vec![job.clone()]);
            record.keep(&running).unwrap();
            prop_assert_eq!(record.running().unwrap(), Some(running));
            let summary = Summary::new(job, Timestamp::UNIX_EPOCH, None);
            record.add(&summary).unwrap();
            prop_assert_eq!(record.ended(1), [summary]);
        }
    }

    #[test]
    fn a_line_that_was_cut_off_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let record = Record::new(folder.path());
        fs_err::write(folder.path().join(ENDED), "{\"jobid\":\"1").unwrap();
        for id in ["2", "3"] {
            record.add(&Summary::new(tally(id), Timestamp::UNIX_EPOCH, None)).unwrap();
        }
        let ended = record.ended(9);
        assert_eq!(ended.iter().map(|summary| summary.tally.jobid.as_str()).collect::<Vec<_>>(), ["2", "3"]);
    }

    #[test]
    fn the_file_of_ended_jobs_does_not_grow_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let record = Record::new(folder.path());
        let summary = |id: u32| Summary::new(tally(&id.to_string()), Timestamp::UNIX_EPOCH, None);
        record.add(&summary(1)).unwrap();
        let path = folder.path().join(ENDED);
        let filler = vec![b'\n'; usize::try_from(ENDED_BYTES_MAX).unwrap() - 1000];
        fs_err::write(&path, [fs_err::read(&path).unwrap(), b"no JSON".to_vec(), filler].concat()).unwrap();
        for id in 2..6 {
            record.add(&summary(id)).unwrap();
        }
        assert!(fs_err::metadata(&path).unwrap().len() < 10_000);
        let ids = |most| record.ended(most).iter().map(|ended| ended.tally.jobid.clone()).collect::<Vec<_>>().join(" ");
        assert_eq!((ids(2).as_str(), ids(9).as_str()), ("4 5", "1 2 3 4 5"));
    }

    #[test]
    fn a_folder_that_takes_nothing_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("file"), "").unwrap();
        let record = Record::new(&folder.path().join("file/state"));
        let summary = Summary::new(tally("7"), Timestamp::UNIX_EPOCH, None);
        assert!(record.add(&summary).unwrap_err().told().contains("cannot be kept"));
        assert!(record.keep(&Running::default()).is_err() && record.ended(5).is_empty());
    }
}
