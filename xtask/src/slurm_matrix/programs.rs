//! Programs that are started, each with a deadline.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A command that is stopped when it takes longer.
pub(super) fn within(seconds: u64, program: &str) -> Command {
    let mut command = command("timeout");
    command.arg("--kill-after=10").arg(seconds.to_string()).arg(program);
    command
}

#[allow(clippy::disallowed_methods, reason = "a chore must not depend on crates/run, which it also checks")]
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env("LC_ALL", "C");
    command
}

/// The same with mounts of its own: what it mounts is gone with it.
pub(super) fn with_own_mounts(seconds: u64, program: &str) -> Command {
    let mut command = within(seconds, "unshare");
    command.args(["--mount", "--propagation", "private", program]);
    command
}

/// What it wrote, when it ended well.
pub(super) fn said(command: &mut Command) -> Result<String, String> {
    let words = |command: &Command| {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    };
    let output = command.output().map_err(|error| format!("{}: cannot start: {error}", words(command)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let last: Vec<&str> = said.lines().chain(errors.lines()).rev().take(5).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Err(format!("{}: {}\n{}", words(command), output.status, last.join("\n")))
}

/// A program within a root, with /proc of its own mount namespace, so that nothing stays mounted after it.
pub(super) fn daemon(root: &Path, arguments: &[&str], log: &Path) -> Result<Child, String> {
    let out = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
    let errors = out.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
    let mut command = command("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c"]);
    command.arg("mount -t proc proc \"$0/proc\" && exec chroot \"$0\" \"$@\"").arg(root).args(arguments);
    command.stdout(out).stderr(errors).spawn().map_err(|error| format!("unshare: cannot start: {error}"))
}
