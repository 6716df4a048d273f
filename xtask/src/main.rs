//! `cargo run -p xtask -- tidy | generate [write|check]`: 0 done, 1 something to repair, 2 could not be asked or done.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use xtask::generate::{self, Drift};
use xtask::tidy;
use xtask::trainyard::Trainyard;

const USAGE: &str = "usage: cargo run -p xtask -- COMMAND

  tidy [--root DIR]
      hold the repository against the house rules
  generate [write|check] [--root DIR] [--trainyard PATH]
      write the generated references under docs/ (the default), or compare them with what would be written";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = Request::read(&arguments).and_then(|request| match request.words.as_slice() {
        ["tidy"] => Ok(run_tidy(&request.root())),
        ["generate"] | ["generate", "write"] => write_references(&request),
        ["generate", "check"] => check_references(&request),
        _ => Err(USAGE.to_owned()),
    });
    result.unwrap_or_else(|error| {
        say(&error);
        ExitCode::from(2)
    })
}

/// The command line: words, and the two options that have a value.
#[derive(Default)]
struct Request<'a> {
    words: Vec<&'a str>,
    root: Option<PathBuf>,
    trainyard: Option<PathBuf>,
}

impl<'a> Request<'a> {
    fn read(arguments: &'a [String]) -> Result<Self, String> {
        let mut request = Self::default();
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(argument) = rest.next() {
            let option = match argument {
                "--root" => &mut request.root,
                "--trainyard" => &mut request.trainyard,
                option if option.starts_with('-') => return Err(format!("unknown option {option}\n{USAGE}")),
                word => {
                    request.words.push(word);
                    continue;
                }
            };
            let value = rest.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"))?;
            *option = Some(PathBuf::from(value));
        }
        Ok(request)
    }

    fn root(&self) -> PathBuf {
        self.root.clone().unwrap_or_else(workspace_root)
    }

    fn trainyard(&self) -> Result<Trainyard, String> {
        let root = self.root();
        let built = || {
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
            target.join("debug").join(format!("trainyard{}", std::env::consts::EXE_SUFFIX))
        };
        Trainyard::at(&self.trainyard.clone().unwrap_or_else(built), &root)
    }
}

fn run_tidy(root: &Path) -> ExitCode {
    let violations = tidy::check(root);
    for violation in &violations {
        say(&violation.to_string());
    }
    if violations.is_empty() {
        say(&format!("tidy: {} checks, nothing to repair", tidy::CHECKS.len()));
        return ExitCode::SUCCESS;
    }
    say(&format!("tidy: {} to repair", violations.len()));
    ExitCode::from(1)
}

fn write_references(request: &Request<'_>) -> Result<ExitCode, String> {
    let trainyard = request.trainyard()?;
    for path in generate::write(&request.root(), &|arguments| trainyard.ask(arguments))? {
        say(&format!("wrote {path}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn check_references(request: &Request<'_>) -> Result<ExitCode, String> {
    let trainyard = request.trainyard()?;
    let drifts = generate::check(&request.root(), &|arguments| trainyard.ask(arguments))?;
    for Drift { path, difference } in &drifts {
        say(&format!("{path} is not what would be generated:\n{difference}"));
    }
    if drifts.is_empty() {
        say(&format!("generate: {} references are up to date", generate::REFERENCES.len()));
        return Ok(ExitCode::SUCCESS);
    }
    say("write them with: cargo run -p xtask -- generate write");
    Ok(ExitCode::from(1))
}

/// The folder above this crate's own.
fn workspace_root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// The one place where a chore speaks.
fn say(line: &str) {
    // Not `println!`, which panics when the reader, for example `head`, has left.
    let _ = writeln!(std::io::stdout(), "{line}");
}
