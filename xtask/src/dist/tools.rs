//! The programs that a build asks for: git, rustup, cargo with zig, tar.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A command that can be started; what it says is for us, and it is asked nothing.
#[allow(clippy::disallowed_methods, reason = "a chore must not depend on crates/run, which it also checks")]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// The cargo that runs this chore, or the one that is installed.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// What it wrote to standard output, when it ended well.
pub fn said(command: &mut Command) -> Result<String, String> {
    let output = ended_well(command)?;
    String::from_utf8(output.stdout).map_err(|error| format!("{}: {error}", shown(command)))
}

fn ended_well(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{}: cannot start: {error}", shown(command)))?;
    if output.status.success() {
        return Ok(output);
    }
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{}: {}\n{said}{}", shown(command), output.status, errors.trim_end()))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// The standard library of a target, made there when it is not.
pub fn add_target(target: &str) -> Result<(), String> {
    let folder = said(command("rustc").args(["--print", "target-libdir", "--target", target]))?;
    // A distribution's Rust has targets without rustup.
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    let add = format!("rustup target add {target}");
    if command("rustup").arg("--version").output().is_err() {
        return Err(format!(
            "this Rust has no standard library for {target}, and rustup, which fetches it, is not there\n\
             hint: install Rust with rustup (https://rustup.rs), then: {add}\n\
             hint: or build for this machine alone, without `dist`: cargo build --release -p trainyard"
        ));
    }
    said(command("rustup").args(["target", "add", target]))
        .map_err(|error| format!("{error}\nhint: try it by hand: {add}"))?;
    Ok(())
}

/// A Python environment of `scripts/requirements`.
pub fn environment(root: &Path, name: &str) -> Result<PathBuf, String> {
    let folder = said(command(root.join("scripts/python-env")).arg(name).stderr(Stdio::inherit()))?;
    Ok(PathBuf::from(folder.trim()))
}

/// The state of the working tree that is built.
pub struct Commit {
    /// Its digest.
    pub id: String,
    /// When it was made, in seconds since 1970.
    pub seconds: String,
    /// The same as RFC 3339, in UTC.
    pub time: String,
    /// Whether there are changes that are in no commit.
    pub changed: bool,
}

impl Commit {
    /// That of `root`.
    pub fn of(root: &Path) -> Result<Self, String> {
        let git = |arguments: &[&str]| {
            let mut git = command("git");
            git.arg("-C").arg(root).args(arguments).env("TZ", "UTC");
            said(&mut git).map(|said| said.trim().to_owned())
        };
        let show = |format: &str| git(&["show", "-s", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", format, "HEAD"]);
        Ok(Self {
            id: show("--format=%H")?,
            seconds: show("--format=%ct")?,
            time: show("--format=%cd")?,
            changed: !git(&["status", "--porcelain"])?.is_empty(),
        })
    }
}
