//! The built `trainyard`, asked in surroundings that are the same on every machine.

use std::path::{self, Path, PathBuf};
use std::process::{Command, Stdio};

/// The home folder that the program sees; references show it as `~`.
const HOME: &str = "/home/you";

/// A question that begins with this is the agent's.
pub const AGENT: &str = "trainyard-agent";

/// A built program.
pub struct Trainyard {
    program: PathBuf,
    root: PathBuf,
}

impl Trainyard {
    /// The program at that path, for the repository at `root`.
    pub fn at(program: &Path, root: &Path) -> Result<Self, String> {
        // It is started in another folder, where a relative path leads elsewhere.
        if let (true, Ok(program), Ok(root)) = (program.is_file(), path::absolute(program), path::absolute(root)) {
            return Ok(Self { program, root });
        }
        Err(format!("{} is not there; run `cargo build` first, or name it with --trainyard", program.display()))
    }

    /// What it answers on standard output. Nothing of this machine may be in it.
    pub fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let asked = format!("trainyard {}", arguments.join(" "));
        let output = self.command(arguments).output().map_err(|error| format!("{asked}: cannot start: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{asked}: {}\n{}", output.status, said.trim_end()));
        }
        let text = String::from_utf8(output.stdout).map_err(|error| format!("{asked}: {error}"))?;
        let text = text.replace(HOME, "~");
        for path in [&self.root, &self.program].map(|path| path.to_string_lossy()) {
            if text.contains(path.as_ref()) {
                return Err(format!("{asked}: the answer names {path}, which is only on this machine"));
            }
        }
        Ok(text)
    }

    /// No terminal, no colours, 100 columns, and none of this machine's variables: help shows their values.
    #[allow(clippy::disallowed_methods, reason = "a chore must not depend on crates/run, which it also checks")]
    fn command(&self, arguments: &[&str]) -> Command {
        // The agent is a program of its own, built beside this one.
        let (program, arguments) = match arguments {
            [AGENT, rest @ ..] => (self.program.with_file_name(AGENT), rest),
            _ => (self.program.clone(), arguments),
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).current_dir(std::env::temp_dir()).env_clear();
        command.envs([("HOME", HOME), ("COLUMNS", "100"), ("NO_COLOR", "1"), ("TERM", "dumb"), ("LC_ALL", "C.UTF-8")]);
        command
    }
}
