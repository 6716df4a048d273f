//! Following a job: its states, what it writes, and its own exit code.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fs_err as fs;
use trainyard_run::Cancel;

use super::Access;
use super::jobs::Submitted;
use crate::Failure;

/// How long slurmctld may be silent (a head that is lost and comes back) before following ends.
const SILENCE_MAX: Duration = Duration::from_secs(90);
/// Of one file, this much is passed on before the job is looked at again.
const PIECE_BYTES_MAX: usize = 1 << 20;

/// What is heard of a job that is followed.
#[derive(Debug, Clone, Copy)]
pub enum News<'a> {
    /// It wrote this.
    Output(&'a [u8]),
    /// Its state changed.
    State(&'a str),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Slurm's word: `COMPLETED`, `FAILED`, `CANCELLED`, …
    pub state: String,
    /// The job's own code; 128 + signal when a signal ended it.
    pub code: i32,
}

impl Access {
    /// Waits until a job is over, and passes on what it writes meanwhile. Of an array, every task counts.
    pub fn follow(
        &self,
        job: &Submitted,
        cancel: &Cancel,
        tell: &mut dyn FnMut(News<'_>),
    ) -> Result<Finished, Failure> {
        let mut access = self.clone();
        let mut watch = Watch::default();
        let mut pause = Duration::from_millis(200);
        let (mut asked, mut heard) = (None::<Instant>, Instant::now());
        loop {
            if cancel.is_set() {
                return Err(Failure::interrupted(format!("stopped following job {}; it goes on", job.id))
                    .hint(format!("end it with: trainyard run -- scancel {}", job.id)));
            }
            if asked.is_none_or(|asked| asked.elapsed() >= pause) {
                asked = Some(Instant::now());
                pause = (pause * 2).min(Duration::from_secs(1));
                let shown = access.command("scontrol").args(["show", "job", &job.id]).output()?;
                if shown.code == 0 || shown.stderr.contains("Invalid job id") {
                    heard = Instant::now();
                    watch.see(&shown.stdout, tell);
                    watch.pass_on(&access, tell)?;
                    if let Some(finished) = watch.finished() {
                        return Ok(finished);
                    }
                    if shown.code != 0 {
                        return Err(Failure::refused(format!("Slurm no longer knows job {}", job.id))
                            .hint(format!("what it wrote is in {}", job.here.display())));
                    }
                } else if heard.elapsed() > SILENCE_MAX {
                    return Err(Failure::refused(format!("slurmctld does not answer; job {} may go on", job.id))
                        .hint("see how the cluster is: trainyard status"));
                } else if let Ok(again) = self.again() {
                    // The head was lost and is back: it is another process now.
                    access = again;
                }
            }
            watch.pass_on(&access, tell)?;
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What is known of a job, and of each task of an array. Slurm forgets finished ones; this does not.
#[derive(Default)]
struct Watch {
    records: BTreeMap<String, Record>,
    tails: BTreeMap<String, u64>,
    said: String,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Record {
    state: String,
    exit: (i32, i32),
    output: String,
    /// Why it waits, or where it runs.
    place: String,
}

impl Watch {
    fn see(&mut self, text: &str, tell: &mut dyn FnMut(News<'_>)) {
        self.records.extend(parse(text));
        let now = self.say();
        if now != self.said {
            self.said = now;
            tell(News::State(&self.said));
        }
    }

    /// For people: `pending (Resources)`, `running on a-st-n-[1-2]`; of an array, how many are where.
    fn say(&self) -> String {
        if self.records.len() > 1 {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for record in self.records.values() {
                *counts.entry(record.state.to_lowercase()).or_default() += 1;
            }
            return counts.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ");
        }
        let Some(record) = self.records.values().next() else { return String::new() };
        let state = record.state.to_lowercase();
        match (record.place.as_str(), state.as_str()) {
            ("", _) => state,
            (reason, "pending") => format!("{state} ({reason})"),
            (nodes, _) => format!("{state} on {nodes}"),
        }
    }

    fn pass_on(&mut self, access: &Access, tell: &mut dyn FnMut(News<'_>)) -> Result<(), Failure> {
        let outputs: Vec<String> = self.records.values().map(|record| record.output.clone()).collect();
        for output in outputs.iter().filter(|output| !output.is_empty()) {
            if let Some(path) = access.here(output) {
                let at = self.tails.entry(output.clone()).or_default();
                read_on(&path, at, tell)?;
            }
        }
        Ok(())
    }

    /// The end of all: the worst one counts.
    fn finished(&self) -> Option<Finished> {
        if self.records.is_empty() || self.records.values().any(|record| !is_over(&record.state)) {
            return None;
        }
        let worst = self.records.values().max_by_key(|record| (record.exit != (0, 0), record.state != "COMPLETED"))?;
        let code = match worst.exit {
            (0, 0) if worst.state != "COMPLETED" => 1, // cancelled before it began, say
            (code, 0) => code,
            (_, signal) => 128 + signal,
        };
        Some(Finished { state: worst.state.clone(), code })
    }
}

/// Passes on what was added to a file. Only plain files: a pipe would hold us for ever.
fn read_on(path: &PathBuf, at: &mut u64, tell: &mut dyn FnMut(News<'_>)) -> Result<(), Failure> {
    if !path.metadata().is_ok_and(|meta| meta.is_file()) {
        return Ok(());
    }
    let mut file = fs::File::open(path)?;
    if file.metadata()?.len() < *at {
        *at = 0; // a requeued job without --open-mode=append begins anew
    }
    file.seek(SeekFrom::Start(*at))?;
    let mut bytes = vec![0; 64 << 10];
    let mut passed = 0;
    while passed < PIECE_BYTES_MAX {
        let count = file.read(&mut bytes)?;
        if count == 0 {
            break;
        }
        *at += count as u64;
        passed += count;
        tell(News::Output(&bytes[..count]));
    }
    Ok(())
}

/// Reads `scontrol show job`: a record begins at the left edge, its lines are indented, and each line's
/// first field tells which it is. A job's own text (its name, its comment) can so not pass for Slurm's.
fn parse(text: &str) -> BTreeMap<String, Record> {
    let mut records = BTreeMap::new();
    let mut current: Option<(String, Record)> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("JobId=") {
            records.extend(current.take());
            let id = rest.split(' ').next().unwrap_or_default();
            current = Some((id.to_owned(), Record::default()));
            continue;
        }
        let (Some((_, record)), Some(line)) = (&mut current, line.strip_prefix("   ")) else { continue };
        let field =
            |name: &str| line.split(' ').find_map(|word| word.strip_prefix(name)).unwrap_or_default().to_owned();
        let known = |text: String| if text == "None" || text == "(null)" { String::new() } else { text };
        if line.starts_with("JobState=") {
            record.state = field("JobState=");
            if record.state == "PENDING" {
                record.place = known(field("Reason="));
            }
        } else if line.starts_with("Requeue=") {
            let exit = field("ExitCode=");
            let parts =
                exit.split_once(':').and_then(|(code, signal)| Some((code.parse().ok()?, signal.parse().ok()?)));
            record.exit = parts.unwrap_or((0, 0));
        } else if line.starts_with("NodeList=") && record.state != "PENDING" {
            record.place = known(field("NodeList="));
        } else if let Some(path) = line.strip_prefix("StdOut=") {
            path.clone_into(&mut record.output);
        }
    }
    records.extend(current);
    records
}

fn is_over(state: &str) -> bool {
    matches!(
        state,
        "COMPLETED"
            | "FAILED"
            | "CANCELLED"
            | "TIMEOUT"
            | "NODE_FAIL"
            | "OUT_OF_MEMORY"
            | "BOOT_FAIL"
            | "DEADLINE"
            | "PREEMPTED"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u32, state: &str, exit: &str) -> String {
        format!(
            "JobId={id} JobName=x JobState=COMPLETED ExitCode=0:0\n   UserId=me(0) GroupId=me(0)\n   JobState={state} Reason=None Dependency=(null)\n   Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode={exit}\n   NodeList=n[1-2]\n   StdOut=/fsx/a b.out\n\n"
        )
    }

    #[test]
    fn a_jobs_end_is_its_own_and_not_its_names() {
        for (state, exit, finished) in [
            ("RUNNING", "0:0", None),
            ("COMPLETED", "0:0", Some(("COMPLETED", 0))),
            ("FAILED", "7:0", Some(("FAILED", 7))),
            ("CANCELLED", "0:15", Some(("CANCELLED", 143))),
            ("CANCELLED", "0:0", Some(("CANCELLED", 1))),
        ] {
            let mut watch = Watch::default();
            watch.see(&record(1, state, exit), &mut |_| {});
            let found = watch.finished();
            assert_eq!(found.as_ref().map(|f| (f.state.as_str(), f.code)), finished, "{state}");
            assert_eq!(watch.records["1"].output, "/fsx/a b.out");
        }
    }

    #[test]
    fn a_failed_task_counts_even_after_slurm_forgot_it() {
        let mut watch = Watch::default();
        watch.see(&(record(2, "FAILED", "3:0") + &record(1, "RUNNING", "0:0")), &mut |_| {});
        assert_eq!(watch.finished(), None);
        watch.see(&record(1, "COMPLETED", "0:0"), &mut |_| {});
        assert_eq!(watch.finished(), Some(Finished { state: "FAILED".into(), code: 3 }));
    }

    #[test]
    fn a_job_that_vanished_unfinished_is_not_finished() {
        let mut watch = Watch::default();
        watch.see(&record(1, "RUNNING", "0:0"), &mut |_| {});
        watch.see("", &mut |_| {});
        assert_eq!(watch.finished(), None);
    }
}
