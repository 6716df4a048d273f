//! What is tried with a program before it is given out, and what could not be.
//!
//! Its answers about every example are compared, byte by byte, with those of a debug build.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Target;
use super::elf::Elf;
use super::tools::{command, said};
use crate::scratch::Scratch;

/// One thing that was tried, or not.
pub struct Tried {
    /// What.
    pub what: &'static str,
    /// Whether it was done. What was done held: a failure ends everything.
    pub done: bool,
    /// What came of it, or why it was not done.
    pub found: String,
}

/// A program that is tried.
pub struct Subject<'a> {
    /// The target.
    pub target: &'a Target,
    /// The program.
    pub program: &'a Path,
    /// The version that it must name.
    pub version: &'a str,
    /// What must not be in it.
    pub private: &'a [String],
}

impl Subject<'_> {
    /// The error says what it is for.
    pub(super) fn is_for_its_machine(&self, bytes: &[u8]) -> Result<Elf, String> {
        let elf = Elf::read(bytes).map_err(|error| format!("{}: {error}", self.program.display()))?;
        if elf.machine == self.target.machine {
            return Ok(elf);
        }
        Err(format!("{} is for machine {}, not for {}", self.program.display(), elf.machine, self.target.triple))
    }
}

/// Everything, in order. The error is what did not hold. `root` is the workspace, `answers` are the debug build's.
pub fn all(trial: &Subject<'_>, root: &Path, answers: &Answers) -> Result<Vec<Tried>, String> {
    let bytes = fs::read(trial.program).map_err(|error| format!("{}: {error}", trial.program.display()))?;
    let mut tried = vec![is_static(trial, &bytes)?, names_no_path(trial, &bytes)?];
    let Some(how) = How::of(trial.target) else {
        let found =
            format!("not run: this machine is {}, and {} is not there", std::env::consts::ARCH, trial.target.emulator);
        tried.push(Tried { what: "starts", done: false, found: found.clone() });
        tried.push(Tried { what: "answers as the debug build", done: false, found });
        return Ok(tried);
    };
    let said = said(how.command(trial.program).arg("--version"))?;
    let wanted = format!("trainyard {}", trial.version);
    if said.trim() != wanted {
        return Err(format!("{} says `{}` where `{wanted}` is right", trial.program.display(), said.trim()));
    }
    tried.push(Tried { what: "starts", done: true, found: format!("`--version` says `{wanted}`, {}", how.name) });
    let own = Answers::asked(root, &how, trial.program)?;
    if let Some(question) = answers.differs(&own) {
        return Err(format!("{} answers `trainyard {question}` unlike the debug build", trial.program.display()));
    }
    let found = format!(
        "`check` of {} examples, `plan` and `plan --format json` of those for AWS, and `schema`: {} answers, all the same bytes, {}",
        own.examples,
        own.said.len(),
        how.name
    );
    tried.push(Tried { what: "answers as the debug build", done: true, found });
    Ok(tried)
}

fn is_static(trial: &Subject<'_>, bytes: &[u8]) -> Result<Tried, String> {
    let elf = trial.is_for_its_machine(bytes)?;
    if !elf.is_static() {
        return Err(format!("{} is not static: {elf:?}", trial.program.display()));
    }
    let found = "its ELF header has no interpreter and no dynamic section".to_owned();
    Ok(Tried { what: "is static", done: true, found })
}

pub(super) fn names_no_path(trial: &Subject<'_>, bytes: &[u8]) -> Result<Tried, String> {
    let has = |path: &&String| bytes.windows(path.len()).any(|window| window == path.as_bytes());
    match trial.private.iter().find(has) {
        Some(path) => Err(format!("{} has {path} in it, a path of this machine", trial.program.display())),
        None => {
            Ok(Tried { what: "names no path of the machine that built it", done: true, found: "searched".to_owned() })
        }
    }
}

/// How a target's programs run here.
pub(super) struct How {
    emulator: Option<(&'static str, Option<&'static str>)>,
    /// In words.
    pub(super) name: String,
}

impl How {
    fn of(target: &Target) -> Option<Self> {
        if target.arch == std::env::consts::ARCH {
            return Some(Self { emulator: None, name: "natively".to_owned() });
        }
        let version = said(command(target.emulator).arg("--version")).ok()?;
        let version = version.lines().next()?.trim().to_owned();
        Some(Self { emulator: Some((target.emulator, None)), name: format!("under {version}") })
    }

    /// For programs that need the target's C library. The error says why they do not run here.
    pub(super) fn of_dynamic(target: &Target) -> Result<Self, String> {
        let arch = std::env::consts::ARCH;
        let how = Self::of(target)
            .ok_or_else(|| format!("not run: this machine is {arch}, and {} is not there", target.emulator))?;
        let Some((emulator, _)) = how.emulator else { return Ok(how) };
        if !Path::new(target.libraries).is_dir() {
            return Err(format!("not run: {} is not there, which has glibc for {}", target.libraries, target.arch));
        }
        Ok(Self { emulator: Some((emulator, Some(target.libraries))), ..how })
    }

    pub(super) fn command(&self, program: &Path) -> Command {
        let Some((emulator, libraries)) = self.emulator else { return command(program) };
        let mut command = command(emulator);
        if let Some(libraries) = libraries {
            command.args(["-L", libraries]);
        }
        command.arg(program);
        command
    }
}

/// Exit code, standard output, standard error.
type Answer = (Option<i32>, Vec<u8>, Vec<u8>);

/// What a program says to each question.
pub struct Answers {
    said: BTreeMap<String, Answer>,
    examples: usize,
}

impl Answers {
    /// Those of a program of this machine.
    pub fn of(root: &Path, program: &Path) -> Result<Self, String> {
        Self::asked(root, &How { emulator: None, name: "natively".to_owned() }, program)
    }

    fn asked(root: &Path, how: &How, program: &Path) -> Result<Self, String> {
        let examples = examples(root)?;
        let mut answers = Self { said: BTreeMap::new(), examples: examples.len() };
        // An empty place of its own: what stands on this machine is nobody's business here.
        let home = Scratch::new("dist")?;
        for example in &examples {
            // The plan of a rehearsal is of this machine: it names the program that asks, and what it finds here.
            let is_rehearsal = !is_for_aws(&root.join(example))?;
            for words in [&["check"][..], &["plan"], &["plan", "--format", "json"]] {
                if is_rehearsal && words != ["check"] {
                    continue;
                }
                let arguments: Vec<&str> = words.iter().copied().chain([example.as_str()]).collect();
                answers.ask(root, how.command(program), &arguments, home.path())?;
            }
        }
        answers.ask(root, how.command(program), &["schema"], home.path())?;
        Ok(answers)
    }

    fn ask(&mut self, root: &Path, mut command: Command, arguments: &[&str], home: &Path) -> Result<(), String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(arguments).current_dir(root).env_clear().env("PATH", path).env("HOME", home);
        command.env("TRAINYARD_HOME", home).envs([("COLUMNS", "100"), ("NO_COLOR", "1"), ("LC_ALL", "C.UTF-8")]);
        let question = arguments.join(" ");
        let output = command.output().map_err(|error| format!("trainyard {question}: cannot start: {error}"))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("trainyard {question}: {}\n{}", output.status, errors.trim_end()));
        }
        self.said.insert(question, (output.status.code(), output.stdout, output.stderr));
        Ok(())
    }

    /// The first question that has another answer there.
    fn differs(&self, other: &Self) -> Option<&str> {
        self.said
            .iter()
            .find(|(question, answer)| other.said.get(*question) != Some(answer))
            .map(|(question, _)| question.as_str())
    }
}

fn is_for_aws(example: &Path) -> Result<bool, String> {
    let text = fs::read_to_string(example).map_err(|error| format!("{}: {error}", example.display()))?;
    Ok(text.lines().any(|line| line == "provider: aws"))
}

fn examples(root: &Path) -> Result<Vec<String>, String> {
    let folder = root.join("examples");
    let say = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut examples = Vec::new();
    for entry in fs::read_dir(&folder).map_err(say)? {
        let path = PathBuf::from("examples").join(entry.map_err(say)?.file_name());
        if path.extension().is_some_and(|extension| extension == "yaml") {
            examples.push(path.display().to_string());
        }
    }
    examples.sort();
    Ok(examples)
}
