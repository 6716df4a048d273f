//! `scripts/install.sh`, run against made-up releases: a folder, and a server on this machine.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

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

fn installer() -> Command {
    let mut sh = command("sh");
    sh.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(INSTALLER));
    sh
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
    fs::create_dir(&bin).expect("a folder");
    for (system, machine, words) in
        [("Linux", "riscv64", "no trainyard for riscv64"), ("Darwin", "arm64", "this is Darwin")]
    {
        let uname = bin.join("uname");
        fs::write(&uname, format!("#!/bin/sh\ncase $1 in -s) echo {system} ;; *) echo {machine} ;; esac\n"))
            .expect("a file");
        fs::set_permissions(&uname, fs::Permissions::from_mode(0o755)).expect("a mode");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
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

/// Serves a folder's files until the test ends.
fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(stream.try_clone().expect("a copy")).lines();
            let asked = lines.next().and_then(Result::ok).unwrap_or_default();
            while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
            let name = asked.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
            let (status, body) =
                fs::read(folder.join(name)).map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    address
}

#[test]
fn an_address_is_fetched_with_curl_or_with_wget_and_without_both_a_folder_does() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    let address = serve(place.packages());
    for fetcher in ["curl", "wget", ""] {
        let path = place.folder.path().join(format!("path-{fetcher}"));
        fs::create_dir(&path).expect("a folder");
        let mut needed =
            "sh uname mkdir sed awk mv wc tr cp cat gzip tar chmod rm cmp sha256sum".split(' ').collect::<Vec<_>>();
        needed.push(fetcher);
        let mut is_there = true;
        for program in needed.iter().filter(|program| !program.is_empty()) {
            let found =
                ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(program)).find(|file| file.exists());
            is_there &= found.is_some();
            if let Some(found) = found {
                symlink(found, path.join(program)).expect("a link");
            }
        }
        if !is_there {
            // No finding about the installer: this machine lacks a program.
            continue;
        }
        let to = place.to();
        let _ = fs::remove_dir_all(&to);
        let arguments = |from: &str| ["--from", from, "--to", to.to_str().expect("text")].map(str::to_owned);
        let told = Told::of(installer().env("PATH", &path).args(arguments(&address)));
        if fetcher.is_empty() {
            told.is(3, "neither curl nor wget is there");
            let packages = place.packages();
            let told = Told::of(installer().env("PATH", &path).args(arguments(packages.to_str().expect("text"))));
            told.is(0, "is trainyard 0.1.0");
        } else {
            told.is(0, "is trainyard 0.1.0");
            let missing = Told::of(installer().env("PATH", &path).args(arguments(&format!("{address}nowhere"))));
            missing.is(3, "SHA256SUMS could not be fetched");
        }
        assert_eq!(place.left(), ["trainyard"]);
    }
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
