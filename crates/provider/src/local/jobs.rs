//! Jobs: files to the cluster, and the script to sbatch.

use std::path::{Path, PathBuf};

use super::Access;
use crate::Failure;
use fs_err as fs;

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
        let mut taken = vec![std::ffi::OsString::from(&target)];
        for copy in &copies {
            let name = copy
                .file_name()
                .ok_or_else(|| Failure::usage(format!("{} has no name to copy it under", copy.display())))?;
            if taken.iter().any(|known| known == name) {
                return Err(Failure::usage(format!("two files of the job are called {}", name.display()))
                    .hint("all files of a job lie in one folder; rename one of them"));
            }
            taken.push(name.to_owned());
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
            .command_in(&folder, self.rehearsed().facts.programs.get("sbatch").map_or("sbatch", String::as_str))
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
        let fsx = &self.rehearsed().layout.fsx;
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

/// The words of a directive; quotes keep blanks together.
fn words_of(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in line.chars() {
        match (letter, quote) {
            ('"' | '\'', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            (letter, None) if letter.is_whitespace() => words.push(std::mem::take(&mut word)),
            (letter, _) => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Folders of the output files that the script or the options name.
fn output_folders(script: &str, options: &[String]) -> Vec<String> {
    let directives = script.lines().filter_map(|line| line.strip_prefix("#SBATCH"));
    let words: Vec<String> = directives.flat_map(words_of).chain(options.iter().cloned()).collect();
    let mut folders = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let given = ["--output=", "--error=", "-o", "-e"].iter().find_map(|flag| word.strip_prefix(flag));
        let value = match (given, word.as_str()) {
            (_, "--output" | "--error" | "-o" | "-e") => words.get(index + 1).map(String::as_str),
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
        if !meta.is_file() {
            return Err(Failure::usage(format!("{} is neither a file nor a folder", from.display())));
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

    /// D-A20: the output's folder exists before slurmd opens the file in it.
    #[test]
    fn output_folders_are_found_in_script_and_options() {
        let script = "#!/bin/sh\n#SBATCH --output=/fsx/logs/a/%j.out\n#SBATCH -e sub/%j.err\n#SBATCH --output=plain.out\n#SBATCH --error=\"with blank/x y.err\"\n";
        let options = ["-o".to_owned(), "x/%j/y".to_owned()];
        assert_eq!(output_folders(script, &options), ["/fsx/logs/a", "sub", "with blank"]);
    }
}
