//! Jobs: files to the cluster, sbatch, following the output, the job's own exit code.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs_err as fs;
use trainyard_run::Cancel;

use super::Access;
use crate::Failure;

/// Job files are scripts and small data; large data belongs into /fsx/datasets.
const COPY_BYTES_MAX: u64 = 1 << 30;
const COPY_FILES_MAX: usize = 10_000;
/// Slurm itself takes no larger one.
const SCRIPT_BYTES_MAX: u64 = 4 << 20;

/// What is submitted.
#[derive(Debug, Clone)]
pub struct JobFiles {
    /// The batch script.
    pub script: PathBuf,
    /// Files and folders that go along.
    pub copies: Vec<PathBuf>,
    /// Options for sbatch.
    pub options: Vec<String>,
    /// Arguments for the script.
    pub arguments: Vec<String>,
}

/// A submitted job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Slurm's id.
    pub id: String,
    /// The job's folder, as nodes see it.
    pub folder: String,
    /// The same, on this machine.
    pub here: PathBuf,
}

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
    /// Copies the job's files to the cluster and hands the script to sbatch.
    pub fn submit(&self, files: &JobFiles) -> Result<Submitted, Failure> {
        let script = read_script(&files.script)?;
        let name = stem(&files.script);
        let (folder, here) = self.job_folder(&name)?;
        let mut copies = files.copies.clone();
        copies.extend(asked_copies(&script, &files.script)?);
        let mut budget = Budget { bytes: COPY_BYTES_MAX, files: COPY_FILES_MAX };
        let target =
            files.script.file_name().map_or_else(|| "job.sbatch".into(), |name| name.to_string_lossy().into_owned());
        budget.copy(&files.script, &here.join(&target))?;
        for copy in &copies {
            let name = copy
                .file_name()
                .ok_or_else(|| Failure::usage(format!("{} has no name to copy it under", copy.display())))?;
            budget.copy(copy, &here.join(name))?;
        }
        // slurmd opens the output file before the script runs, so its folder must be there (D-A20).
        for output in output_folders(&script, &files.options) {
            let full = if output.starts_with('/') { output } else { format!("{folder}/{output}") };
            if let Some(path) = self.here(&full) {
                fs::create_dir_all(path)?;
            }
        }
        let output = self
            .command_in(&folder, self.plan().rehearsed.facts.programs.get("sbatch").map_or("sbatch", String::as_str))
            .arg("--parsable")
            .args(&files.options)
            .arg(&target)
            .args(&files.arguments)
            .run()
            .map_err(|error| Failure::from(error).within("Slurm did not take the job"))?;
        // `ID` or `ID;CLUSTER`.
        let id = output.stdout.trim().split(';').next().unwrap_or_default().to_owned();
        Ok(Submitted { id, folder, here })
    }

    /// A new folder for a job below /fsx/jobs.
    fn job_folder(&self, name: &str) -> Result<(String, PathBuf), Failure> {
        let fsx = &self.plan().rehearsed.layout.fsx;
        for number in 1..1_000_000 {
            let below = format!("jobs/{name}-{number}");
            let here = self.store().at("shared/fsx").join(&below);
            fs::create_dir_all(here.parent().unwrap_or(&here))?;
            match fs::create_dir(&here) {
                Ok(()) => return Ok((format!("{fsx}/{below}"), here)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::refused("there are a million job folders already").hint("remove some of them"))
    }

    /// Waits until a job is over, and passes on what it writes meanwhile.
    pub fn follow(
        &self,
        job: &Submitted,
        cancel: &Cancel,
        tell: &mut dyn FnMut(News<'_>),
    ) -> Result<Finished, Failure> {
        let mut last = String::new();
        let mut tail: Option<Tail> = None;
        let mut asked: Option<Instant> = None;
        let mut pause = Duration::from_millis(200);
        loop {
            if cancel.is_set() {
                return Err(Failure::interrupted(format!("stopped following job {}; it goes on", job.id))
                    .hint(format!("end it with: trainyard run -- scancel {}", job.id)));
            }
            if asked.is_none_or(|asked| asked.elapsed() >= pause) {
                asked = Some(Instant::now());
                let shown = self.command("scontrol").args(["-o", "show", "job", &job.id]).output()?;
                let info = JobInfo::parse(&shown.stdout);
                if tail.is_none() {
                    tail = info.output.as_deref().and_then(|path| self.here(path)).map(Tail::new);
                }
                if let Some(tail) = &mut tail {
                    tail.read(tell)?;
                }
                if !info.state.is_empty() && info.say() != last {
                    last = info.say();
                    tell(News::State(&last));
                }
                if let Some(finished) = info.finished() {
                    if let Some(tail) = &mut tail {
                        tail.read(tell)?;
                    }
                    return Ok(finished);
                }
                if shown.code != 0 {
                    // Slurm forgets a job some minutes after its end.
                    return Err(Failure::refused(format!("Slurm no longer knows job {}", job.id)));
                }
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            if let Some(tail) = &mut tail {
                tail.read(tell)?;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

struct Tail {
    path: PathBuf,
    at: u64,
}

impl Tail {
    fn new(path: PathBuf) -> Self {
        Self { path, at: 0 }
    }

    fn read(&mut self, tell: &mut dyn FnMut(News<'_>)) -> Result<(), Failure> {
        let Ok(mut file) = fs::File::open(&self.path) else { return Ok(()) };
        if file.metadata()?.len() < self.at {
            self.at = 0; // a requeued job without --open-mode=append begins anew
        }
        file.seek(SeekFrom::Start(self.at))?;
        let mut bytes = vec![0; 64 << 10];
        loop {
            let count = file.read(&mut bytes)?;
            if count == 0 {
                return Ok(());
            }
            self.at += count as u64;
            tell(News::Output(&bytes[..count]));
        }
    }
}

#[derive(Debug, Default)]
struct JobInfo {
    state: String,
    exit: (i32, i32),
    output: Option<String>,
    /// Why it waits, or where it runs.
    place: String,
}

impl JobInfo {
    /// Reads `scontrol -o show job`. Of an array there is a line for each task; the worst end counts.
    fn parse(text: &str) -> Self {
        let mut info = Self::default();
        for line in text.lines().filter(|line| line.contains("JobState=")) {
            let field = |name: &str| line.split(' ').find_map(|word| word.strip_prefix(name)).map(str::to_owned);
            let state = field("JobState=").unwrap_or_default();
            let exit = field("ExitCode=").and_then(|text| {
                let (code, signal) = text.split_once(':')?;
                Some((code.parse().ok()?, signal.parse().ok()?))
            });
            let exit = exit.unwrap_or((0, 0));
            if info.state.is_empty() || is_over(&info.state) && (!is_over(&state) || exit != (0, 0)) {
                info.state = state;
                info.exit = exit;
            }
            let known = |text: &String| !text.is_empty() && text != "None" && text != "(null)";
            let place = if info.state == "PENDING" { "Reason=" } else { "NodeList=" };
            info.place = field(place).filter(known).unwrap_or_default();
            if info.output.is_none() {
                info.output = field("StdOut=");
            }
        }
        info
    }

    /// For people: `pending (Resources)`, `running on a-st-n-[1-2]`.
    fn say(&self) -> String {
        let state = self.state.to_lowercase();
        match (self.place.as_str(), state.as_str()) {
            ("", _) => state,
            (reason, "pending") => format!("{state} ({reason})"),
            (nodes, _) => format!("{state} on {nodes}"),
        }
    }

    fn finished(&self) -> Option<Finished> {
        if !is_over(&self.state) {
            return None;
        }
        let code = match self.exit {
            (0, 0) if self.state != "COMPLETED" => 1, // cancelled before it began, say
            (code, 0) => code,
            (_, signal) => 128 + signal,
        };
        Some(Finished { state: self.state.clone(), code })
    }
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

fn read_script(path: &Path) -> Result<String, Failure> {
    let not_a_script = |why: String| Failure::bad(format!("{} is not a batch script: {why}", path.display()));
    let meta = fs::metadata(path).map_err(|error| Failure::usage(error.to_string()))?;
    if meta.len() > SCRIPT_BYTES_MAX {
        return Err(not_a_script(format!("it is larger than {SCRIPT_BYTES_MAX} bytes")));
    }
    let text = String::from_utf8(fs::read(path)?).map_err(|error| not_a_script(error.to_string()))?;
    if !text.starts_with("#!") {
        return Err(not_a_script("it does not begin with `#!`".into()).hint("begin it with: #!/bin/bash"));
    }
    Ok(text)
}

/// A job folder's name, from the script's.
fn stem(script: &Path) -> String {
    let name = script.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .take(60)
        .collect();
    if plain.is_empty() { "job".to_owned() } else { plain }
}

/// `#TRAINYARD copy PATH` lines: files that the script says it needs, beside it.
fn asked_copies(script: &str, path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut copies = Vec::new();
    for (number, line) in script.lines().enumerate() {
        let Some(rest) = line.strip_prefix("#TRAINYARD") else { continue };
        let Some(files) = rest.trim().strip_prefix("copy ") else {
            return Err(Failure::bad(format!(
                "{}:{}: `{}` is not a directive",
                path.display(),
                number + 1,
                line.trim()
            ))
            .hint("there is one: #TRAINYARD copy FILE…"));
        };
        for file in files.split_whitespace() {
            let source = folder.join(file);
            if !source.exists() {
                return Err(Failure::bad(format!(
                    "{}:{}: {} is not there",
                    path.display(),
                    number + 1,
                    source.display()
                ))
                .hint("put it beside the script, or remove it from the #TRAINYARD line"));
            }
            copies.push(source);
        }
    }
    Ok(copies)
}

/// Folders of the output files that the script or the options name.
fn output_folders(script: &str, options: &[String]) -> Vec<String> {
    let directives = script.lines().filter_map(|line| line.strip_prefix("#SBATCH")).map(str::trim);
    let words: Vec<&str> =
        directives.flat_map(str::split_whitespace).chain(options.iter().map(String::as_str)).collect();
    let mut folders = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let given = ["--output=", "--error=", "-o", "-e"].iter().find_map(|flag| word.strip_prefix(flag));
        let value = match (given, *word) {
            (_, "--output" | "--error" | "-o" | "-e") => words.get(index + 1).copied(),
            (value, _) => value,
        };
        if let Some((folder, _)) = value.and_then(|value| value.rsplit_once('/')) {
            // A folder with a placeholder in it is Slurm's to fill in.
            if !folder.contains('%') {
                folders.push(folder.to_owned());
            }
        }
    }
    folders
}

struct Budget {
    bytes: u64,
    files: usize,
}

impl Budget {
    fn copy(&mut self, from: &Path, to: &Path) -> Result<(), Failure> {
        let meta = fs::metadata(from)?;
        if meta.is_dir() {
            fs::create_dir_all(to)?;
            for entry in fs::read_dir(from)? {
                let entry = entry?;
                if entry.file_type()?.is_symlink() {
                    // Copied as a link: what it leads to could be anywhere, or lead back.
                    std::os::unix::fs::symlink(fs::read_link(entry.path())?, to.join(entry.file_name()))?;
                    continue;
                }
                self.copy(&entry.path(), &to.join(entry.file_name()))?;
            }
            return Ok(());
        }
        let too_much = || {
            Failure::usage(format!(
                "the job's files are too many or too large ({COPY_FILES_MAX} files, {COPY_BYTES_MAX} bytes at most)"
            ))
            .hint("put data into /fsx/datasets and name its path in the job")
        };
        self.bytes = self.bytes.checked_sub(meta.len()).ok_or_else(too_much)?;
        self.files = self.files.checked_sub(1).ok_or_else(too_much)?;
        fs::copy(from, to)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jobs_end_is_read_from_scontrol() {
        for (text, finished) in [
            ("JobId=1 JobState=RUNNING Reason=None ExitCode=0:0 StdOut=/fsx/x", None),
            ("JobId=1 JobState=COMPLETED ExitCode=0:0", Some(("COMPLETED", 0))),
            ("JobId=1 JobState=FAILED ExitCode=7:0", Some(("FAILED", 7))),
            ("JobId=1 JobState=CANCELLED ExitCode=0:15", Some(("CANCELLED", 143))),
            ("JobId=1 JobState=CANCELLED ExitCode=0:0", Some(("CANCELLED", 1))),
            ("JobId=1 JobState=COMPLETED ExitCode=0:0\nJobId=2 JobState=FAILED ExitCode=3:0", Some(("FAILED", 3))),
            ("JobId=1 JobState=COMPLETED ExitCode=0:0\nJobId=2 JobState=PENDING ExitCode=0:0", None),
            ("", None),
        ] {
            let found = JobInfo::parse(text).finished();
            assert_eq!(found.as_ref().map(|f| (f.state.as_str(), f.code)), finished, "{text}");
        }
    }

    /// D-A20: the output's folder exists before slurmd opens the file in it.
    #[test]
    fn output_folders_are_found_in_script_and_options() {
        let script =
            "#!/bin/sh\n#SBATCH --output=/fsx/logs/a/%j.out\n#SBATCH -e sub/%j.err\n#SBATCH --output=plain.out\n";
        let options = ["-o".to_owned(), "x/%j/y".to_owned()];
        assert_eq!(output_folders(script, &options), ["/fsx/logs/a", "sub"]);
    }
}
