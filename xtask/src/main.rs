//! `cargo run -p xtask -- tidy | generate [write|check] | catalog FILE... | bench | dist | aws-acceptance | slurm-matrix`: 0 done, 1 something to repair, 2 could not be asked or done.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use xtask::acceptance;
use xtask::catalog::{self, Input};
use xtask::dist;
use xtask::generate::{self, Drift};
use xtask::slurm_matrix;
use xtask::tidy;
use xtask::trainyard::Trainyard;

const USAGE: &str = "usage: cargo run -p xtask -- COMMAND

  tidy [--root DIR]
      hold the repository against the house rules
  generate [write|check] [--root DIR] [--trainyard PATH]
      write the generated references under docs/ (the default), or compare them with what would be written
  catalog [--check] [--root DIR] FILE...
      write the catalogue of instance types from recorded answers of `aws ec2 describe-instance-types` (JSON) and from
      what was reviewed, or compare it with what would be written
  bench --trainyard PATH --python PATH [--root DIR]
      time a release build against ParallelCluster's own dry run, its schema and envsubst; `testing/aws/bench` makes
      both ready
  dist [--out FOLDER] [--target TARGET]... [--root DIR] [--agent-only]
      make what is given out: the static program and the agent for x86_64 and aarch64, archives, checksums, the bill of
      materials; and say what was tried on which target. FOLDER is `packages` in the build folder unless named.
      --agent-only builds and tries the agent, and writes no folder
  aws-acceptance [--spec FILE] [--trainyard PROGRAM] [--out DIR] [--yes] [--write-expected FILE]
      the first run on a real account: raise a small cluster, use it, take it down, and report (docs/acceptance.md)
  slurm-matrix [--agent PROGRAM] [--roots FOLDER]
      hold the agent's numbers against those of the Slurm of Debian 13, Ubuntu 24.04 and 26.04, each in a root folder that
      is made once with debootstrap and kept; needs root";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((command, rest)) = arguments.split_first().filter(|(command, _)| *command == "aws-acceptance") {
        return accept(command, rest);
    }
    if let Some((command, rest)) = arguments.split_first().filter(|(command, _)| *command == "slurm-matrix") {
        return compare_slurms(command, rest);
    }
    let result = Request::read(&arguments).and_then(|request| match request.words.as_slice() {
        _ if request.check && request.words.first() != Some(&"catalog") => Err(USAGE.to_owned()),
        ["dist"] => run_dist(&request),
        _ if request.is_agent_only || request.out.is_some() || !request.targets.is_empty() => Err(USAGE.to_owned()),
        ["tidy"] => Ok(run_tidy(&request.root())),
        ["generate"] | ["generate", "write"] => write_references(&request),
        ["generate", "check"] => check_references(&request),
        ["bench"] => run_bench(&request),
        ["catalog", files @ ..] if !files.is_empty() => make_catalog(&request, files),
        _ => Err(USAGE.to_owned()),
    });
    result.unwrap_or_else(|error| {
        say(&error);
        ExitCode::from(2)
    })
}

/// The command line: words, a switch, and the options that have a value.
#[derive(Default)]
struct Request<'a> {
    words: Vec<&'a str>,
    check: bool,
    root: Option<PathBuf>,
    trainyard: Option<PathBuf>,
    python: Option<PathBuf>,
    out: Option<PathBuf>,
    targets: Vec<String>,
    is_agent_only: bool,
}

impl<'a> Request<'a> {
    fn read(arguments: &'a [String]) -> Result<Self, String> {
        let mut request = Self::default();
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(argument) = rest.next() {
            let option = match argument {
                "--check" => {
                    request.check = true;
                    continue;
                }
                "--agent-only" => {
                    request.is_agent_only = true;
                    continue;
                }
                "--root" => &mut request.root,
                "--trainyard" => &mut request.trainyard,
                "--python" => &mut request.python,
                "--out" => &mut request.out,
                "--target" => {
                    let target = rest.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"))?;
                    request.targets.push(target.to_owned());
                    continue;
                }
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
        Trainyard::at(&self.trainyard.clone().unwrap_or_else(|| built_trainyard(&root)), &root)
    }
}

/// Where `cargo build` puts the program.
fn built_trainyard(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("debug").join(format!("trainyard{}", std::env::consts::EXE_SUFFIX))
}

fn accept(command: &str, words: &[String]) -> ExitCode {
    let root = workspace_root();
    let done = match acceptance::Request::read(words) {
        Some(request) => acceptance::run(&request, &root, &built_trainyard(&root), &say),
        None => Err(format!("{command} does not know one of these words\n{USAGE}")),
    };
    done.map_or_else(
        |error| {
            say(&error);
            ExitCode::from(2)
        },
        |is_good| ExitCode::from(u8::from(!is_good)),
    )
}

fn compare_slurms(command: &str, words: &[String]) -> ExitCode {
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache =
        home("XDG_CACHE_HOME").or_else(|| Some(home("HOME")?.join(".cache"))).unwrap_or_else(std::env::temp_dir);
    let agent = built_trainyard(&workspace_root()).with_file_name("trainyard-agent");
    let done = match slurm_matrix::Request::read(words, agent, &cache.join("trainyard")) {
        Some(request) => slurm_matrix::run(&request, &say),
        None => Err(format!("{command} does not know one of these words\n{USAGE}")),
    };
    done.map_or_else(
        |error| {
            say(&error);
            ExitCode::from(2)
        },
        |is_good| ExitCode::from(u8::from(!is_good)),
    )
}

fn run_bench(request: &Request<'_>) -> Result<ExitCode, String> {
    let (Some(trainyard), Some(python)) = (&request.trainyard, &request.python) else {
        return Err(format!("bench needs --trainyard and --python\n{USAGE}"));
    };
    say(&xtask::bench::run(&request.root(), trainyard, python)?);
    Ok(ExitCode::SUCCESS)
}

fn run_dist(request: &Request<'_>) -> Result<ExitCode, String> {
    let asked = dist::Request {
        root: request.root(),
        out: request.out.clone(),
        targets: request.targets.clone(),
        is_agent_only: request.is_agent_only,
    };
    say(&dist::run(&asked, &say)?);
    Ok(ExitCode::SUCCESS)
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

fn make_catalog(request: &Request<'_>, files: &[&str]) -> Result<ExitCode, String> {
    let root = request.root();
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let texts = files.iter().map(|file| read(Path::new(file))).collect::<Result<Vec<String>, String>>()?;
    let answers: Vec<Input<'_>> = files.iter().zip(&texts).map(|(path, text)| Input { path, text }).collect();
    let reviewed = read(&root.join(catalog::REVIEWED))?;
    let text = catalog::compose(&answers, Input { path: catalog::REVIEWED, text: &reviewed })?;
    let file = root.join(catalog::TABLE);
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    if there == text {
        say(&format!("{} is up to date", catalog::TABLE));
        return Ok(ExitCode::SUCCESS);
    }
    // One region does not have every type.
    let gone = catalog::gone(&there, &text);
    if !gone.is_empty() {
        say(&format!("these types were there and are in no answer now: {}", gone.join(", ")));
    }
    if request.check {
        say(&format!("{} is not what would be written; write it with: cargo run -p xtask -- catalog", catalog::TABLE));
        return Ok(ExitCode::from(1));
    }
    std::fs::write(&file, text).map_err(|error| format!("{}: {error}", catalog::TABLE))?;
    say(&format!("wrote {}", catalog::TABLE));
    Ok(ExitCode::SUCCESS)
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
