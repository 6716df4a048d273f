//! `scripts/install.sh`, run against made-up releases: a folder, and a server on this machine.

mod fetching;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use xtask::dist::{INSTALLER, TARGETS};

/// A release in `packages`, and a place to install into.
struct Place {
    folder: TempDir,
    target: &'static str,
}

impl Place {
    fn new() -> Self {
        let target = TARGETS.iter().find(|target| target.triple.starts_with(std::env::consts::ARCH));
        let place = Self { folder: TempDir::new().expect("a folder"), target: target.expect("a known machine").triple };
        fs::create_dir_all(place.packages()).expect("a folder");
        place
    }

    fn packages(&self) -> PathBuf {
        self.folder.path().join("packages")
    }

    fn to(&self) -> PathBuf {
        self.folder.path().join("home/bin")
    }

    fn program(&self) -> PathBuf {
        self.to().join("trainyard")
    }

    fn archive(&self, version: &str) -> String {
        format!("trainyard-{version}-{}.tar.gz", self.target)
    }

    /// A release whose program says `says`. It replaces the one that was there.
    fn release(&self, version: &str, says: &str) {
        let _ = fs::remove_dir_all(self.packages());
        self.add(version, says);
        self.sums();
    }

    /// A release with an agent in it, which says `agent`.
    fn release_with_agent(&self, version: &str, agent: &str) {
        let _ = fs::remove_dir_all(self.packages());
        self.pack(version, &format!("trainyard {version}"), Some(agent));
        self.sums();
    }

    fn add(&self, version: &str, says: &str) {
        self.pack(version, says, None);
    }

    fn pack(&self, version: &str, says: &str, agent: Option<&str>) {
        let archive = self.archive(version);
        let inside = self.packages().join(archive.trim_end_matches(".tar.gz"));
        fs::create_dir_all(&inside).expect("a folder");
        write_program(&inside.join("trainyard"), says);
        if let Some(says) = agent {
            write_program(&inside.join("trainyard-agent"), says);
        }
        // What nobody asked for must not be unpacked.
        fs::write(inside.join("evil"), "").expect("a file");
        let name = inside.file_name().expect("a name");
        let tar = command("tar").arg("-czf").arg(&archive).arg(name).current_dir(self.packages()).status();
        assert!(tar.expect("tar").success());
        fs::remove_dir_all(inside).expect("it is there");
    }

    fn sums(&self) {
        let names = files(&self.packages()).into_iter().filter(|name| name != "SHA256SUMS");
        let sums = command("sha256sum").args(names).current_dir(self.packages()).output().expect("sha256sum");
        fs::write(self.packages().join("SHA256SUMS"), sums.stdout).expect("a file");
    }

    fn install(&self, arguments: &[&str]) -> Told {
        let packages = self.packages();
        self.install_from(&packages.to_string_lossy(), arguments)
    }

    fn install_from(&self, from: &str, arguments: &[&str]) -> Told {
        let to = self.to();
        let mut words = vec!["--from", from, "--to", to.to_str().expect("text")];
        words.extend(arguments);
        Told::of(installer().args(words))
    }

    /// What lies where programs go: nothing but the program may be left.
    fn left(&self) -> Vec<String> {
        files(&self.to())
    }
}

/// What the installer said, and how it ended.
struct Told {
    code: Option<i32>,
    text: String,
}

impl Told {
    fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("sh");
        assert_eq!(String::from_utf8_lossy(&stdout), "", "talk goes to standard error");
        Self { code: status.code(), text: String::from_utf8_lossy(&stderr).into_owned() }
    }

    #[track_caller]
    fn is(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        assert!(self.text.contains(words), "{words}\nis not in\n{}", self.text);
    }
}

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn write_program(path: &Path, says: &str) {
    fs::write(path, format!("#!/bin/sh\necho '{says}'\n")).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[allow(clippy::disallowed_methods, reason = "the installer is a program of its own")]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(INSTALLER)
}

fn installer() -> Command {
    let mut sh = command("sh");
    sh.arg(script());
    sh
}

/// A search path on which `name` is this text for `sh`, before all that is there.
fn path_with(folder: &Path, name: &str, text: &str) -> String {
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join(name), format!("#!/bin/sh\n{text}\n")).expect("a file");
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("a mode");
    format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"))
}

#[test]
fn a_release_is_installed_and_the_way_to_it_is_told() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    let told = place.install(&[]);
    told.is(0, "is trainyard 0.1.0");
    told.is(0, "is not in your PATH");
    assert_eq!(place.left(), ["trainyard"], "only the program is written");
    let mode = fs::metadata(place.program()).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn a_second_run_replaces_the_program_and_says_so() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    place.install(&[]).is(0, "installed: ");
    place.install(&[]).is(0, "nothing to do: ");
    place.release("0.2.0", "trainyard 0.2.0");
    place.install(&[]).is(0, "was trainyard 0.1.0 and is trainyard 0.2.0");
    assert!(fs::read_to_string(place.program()).expect("a file").contains("0.2.0"));
    assert_eq!(place.left(), ["trainyard"]);
}

#[test]
fn the_agent_comes_with_it_where_it_runs() {
    let place = Place::new();
    place.release_with_agent("0.1.0", "trainyard-agent 0.1.0");
    place.install(&[]).is(0, "trainyard-agent is trainyard-agent 0.1.0");
    assert_eq!(place.left(), ["trainyard", "trainyard-agent"]);
    place.release_with_agent("0.2.0", "trainyard-agent 0.2.0");
    place.install(&[]).is(0, "trainyard-agent was trainyard-agent 0.1.0 and is trainyard-agent 0.2.0");
    // On a machine with another C library it does not start; the other program does.
    let other = Place::new();
    other.release_with_agent("0.1.0", "no such file");
    other.install(&[]).is(0, "left out: trainyard-agent 0.1.0 does not run here");
    assert_eq!(other.left(), ["trainyard"]);
    // Somebody else's file of that name stays, and nothing is changed.
    let taken = Place::new();
    taken.release("0.1.0", "trainyard 0.1.0");
    taken.install(&[]).is(0, "installed");
    write_program(&taken.to().join("trainyard-agent"), "a railway");
    taken.release_with_agent("0.2.0", "trainyard-agent 0.2.0");
    taken.install(&[]).is(3, "is no trainyard-agent that runs");
    let said = command(taken.program().to_str().expect("text")).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "trainyard 0.1.0\n");
}

#[test]
fn an_agent_that_does_not_fit_is_removed_and_another_program_of_its_name_is_named() {
    // What the newer release has, and why the agent of the older one may not stay.
    for (newer, words) in
        [(None, "has no trainyard-agent"), (Some("no such file"), "trainyard-agent 0.2.0 does not run here")]
    {
        let place = Place::new();
        place.release_with_agent("0.1.0", "trainyard-agent 0.1.0");
        place.install(&[]).is(0, "trainyard-agent is trainyard-agent 0.1.0");
        match newer {
            Some(says) => place.release_with_agent("0.2.0", says),
            None => place.release("0.2.0", "trainyard 0.2.0"),
        }
        let told = place.install(&[]);
        told.is(0, words);
        told.is(0, "trainyard-agent was trainyard-agent 0.1.0, which does not fit trainyard 0.2.0");
        told.is(0, "no metrics without trainyard-agent");
        assert_eq!(place.left(), ["trainyard"]);
        // One of the same version does fit, wherever it came from.
        write_program(&place.to().join("trainyard-agent"), "trainyard-agent 0.2.0");
        let told = place.install(&[]);
        told.is(0, words);
        assert!(!told.text.contains("no metrics"), "{}", told.text);
        assert_eq!(place.left(), ["trainyard", "trainyard-agent"]);
        write_program(&place.to().join("trainyard-agent"), "a railway");
        place.install(&[]).is(0, "is no trainyard-agent that runs; trainyard would start it");
        assert_eq!(place.left(), ["trainyard", "trainyard-agent"]);
    }
}

#[test]
fn what_cannot_be_unpacked_wholly_is_not_installed_and_the_old_programs_stay() {
    let place = Place::new();
    place.release_with_agent("0.1.0", "trainyard-agent 0.1.0");
    place.install(&[]).is(0, "installed");
    place.release_with_agent("0.2.0", "trainyard-agent 0.2.0");
    let words = || ["--from".into(), place.packages(), "--to".into(), place.to()];
    // gzip may not write as much as there is, as on a full disk.
    let mut limited = command("sh");
    limited.args(["-c", "ulimit -f 8; exec sh \"$@\"", "sh"]).arg(script()).args(words());
    Told::of(&mut limited).is(3, "could not be unpacked");
    // Nor tar, of one program and then of the other: what it leaves has another end, and may run.
    let tar = command("sh").args(["-c", "command -v tar"]).output().expect("sh");
    let tar = String::from_utf8_lossy(&tar.stdout).trim().to_owned();
    for program in ["trainyard", "trainyard-agent"] {
        let text = format!(
            "{tar} \"$@\" || exit 2\ncase $*: in -xf*/{program}:) for file; do :; done; \
             printf '#!/bin/sh\\necho {program} 0.2.0\\n' >\"$file\"; exit 2 ;; esac"
        );
        let path = path_with(&place.folder.path().join(program), "tar", &text);
        let told = Told::of(installer().env("PATH", path).args(words()));
        told.is(3, &format!("{program} of "));
        told.is(3, "could not be unpacked in");
        told.is(3, "df -h ");
    }
    for program in ["trainyard", "trainyard-agent"] {
        assert!(fs::read_to_string(place.to().join(program)).expect("a file").contains("0.1.0"), "{program}");
    }
    assert_eq!(place.left(), ["trainyard", "trainyard-agent"]);
    place.install(&[]).is(0, "trainyard-agent was trainyard-agent 0.1.0 and is trainyard-agent 0.2.0");
}

#[test]
fn a_link_is_replaced_and_what_it_leads_to_stays() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    fs::create_dir_all(place.to()).expect("a folder");
    let other = place.folder.path().join("other");
    write_program(&other, "trainyard 0.0.9");
    symlink(&other, place.program()).expect("a link");
    let told = place.install(&[]);
    told.is(0, "was trainyard 0.0.9 and is trainyard 0.1.0");
    told.is(0, "was a link");
    assert!(fs::read_to_string(other).expect("a file").contains("0.0.9"));
}

#[test]
fn a_tampered_archive_installs_nothing_and_leaves_the_old_program() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    place.install(&[]).is(0, "installed: ");
    place.release("0.2.0", "trainyard 0.2.0");
    let sums = fs::read(place.packages().join("SHA256SUMS")).expect("a file");
    place.add("0.2.0", "trainyard 0.2.0; echo something else");
    fs::write(place.packages().join("SHA256SUMS"), sums).expect("a file");
    place.install(&[]).is(1, "is not what SHA256SUMS says; nothing was installed");
    assert!(fs::read_to_string(place.program()).expect("a file").contains("0.1.0"));
    assert_eq!(place.left(), ["trainyard"]);
}

#[test]
fn what_is_missing_is_named() {
    let place = Place::new();
    place.install(&[]).is(3, "SHA256SUMS could not be fetched");
    place.release("0.1.0", "trainyard 0.1.0");
    place.install(&["--version", "0.3.0"]).is(1, &format!("it names: {}", place.archive("0.1.0")));
    fs::remove_file(place.packages().join(place.archive("0.1.0"))).expect("it is there");
    place.install(&[]).is(3, "could not be fetched");
    fs::write(place.packages().join("SHA256SUMS"), "no such line\n").expect("a file");
    place.install(&[]).is(1, "names no archive for");
    place.install_from("/nowhere/at-all", &[]).is(2, "there is no folder /nowhere/at-all");
    assert!(place.left().is_empty());
}

#[test]
fn of_several_versions_one_must_be_chosen() {
    let place = Place::new();
    place.add("0.1.0", "trainyard 0.1.0");
    place.add("0.2.0", "trainyard 0.2.0");
    place.sums();
    place.install(&[]).is(2, "more than one version");
    // A version is no pattern, and `v` before it is fine.
    place.install(&["--version", "0.1.*"]).is(2, "is no version");
    place.install(&["--version", "v0.1.0"]).is(0, "is trainyard 0.1.0");
}

#[test]
fn a_program_that_does_not_run_here_or_is_another_is_not_installed() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.9.9");
    place.install(&[]).is(1, "calls itself `trainyard 0.9.9`");
    place.release("0.1.0", "'; exit 1 #");
    place.install(&[]).is(3, "does not run on this machine");
    assert!(place.left().is_empty());
}

#[test]
fn a_foreign_file_or_folder_of_that_name_stays() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    fs::create_dir_all(place.to()).expect("a folder");
    fs::write(place.program(), "mine").expect("a file");
    place.install(&[]).is(3, "is no trainyard that runs");
    assert_eq!(fs::read_to_string(place.program()).expect("a file"), "mine");
    fs::remove_file(place.program()).expect("it is there");
    fs::create_dir(place.program()).expect("a folder");
    place.install(&[]).is(3, "is a folder");
}

#[test]
fn a_place_where_nothing_can_be_written_is_named() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    // A mode does not stop root; a file in the way and the kernel's own file system do.
    fs::write(place.folder.path().join("home"), "").expect("a file");
    place.install(&[]).is(3, "cannot be made");
    let packages = place.packages();
    let words = ["--from", packages.to_str().expect("text"), "--to", "/proc"];
    Told::of(installer().args(words)).is(3, "nothing can be written in /proc");
}

#[test]
fn a_machine_that_nothing_is_made_for_is_named() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    let bin = place.folder.path().join("bin");
    for (system, machine, words) in
        [("Linux", "riscv64", "no trainyard for riscv64"), ("Darwin", "arm64", "this is Darwin")]
    {
        let path = path_with(&bin, "uname", &format!("case $1 in -s) echo {system} ;; *) echo {machine} ;; esac"));
        Told::of(installer().env("PATH", path).args(["--from", "x"])).is(3, words);
    }
}

#[test]
fn a_wrong_command_line_is_told_and_help_teaches() {
    Told::of(installer().arg("--to")).is(2, "`--to` needs a value");
    Told::of(installer().arg("now")).is(2, "`now` is not understood");
    let place = Place::new();
    place.install_from("http://example.com/packages", &[]).is(2, "only https and folders");
    place.install_from("http://localhost:1@example.com/", &[]).is(2, "user's name");
    let help = installer().arg("--help").output().expect("sh");
    let text = String::from_utf8_lossy(&help.stdout);
    assert!(help.status.success() && text.contains("Exit codes: ") && text.contains("--from URL|FOLDER"), "{text}");
}

#[test]
fn the_installer_knows_the_repository_and_every_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = fs::read_to_string(root.join(INSTALLER)).expect("the installer");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    let repository = manifest.lines().find_map(|line| line.strip_prefix("repository = \"")?.strip_suffix('"'));
    assert!(script.contains(&format!("\nreleases={}/releases\n", repository.expect("a repository"))));
    for target in TARGETS {
        assert!(script.contains(&format!("target={} ;;", target.triple)), "{}", target.triple);
    }
}
