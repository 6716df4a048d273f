//! A hermetic place to run the real program in: own home, no settings from outside.

#![allow(dead_code)] // each test file uses its part

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use trainyard_run::{Command, Output};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_trainyard");

/// The repository's examples.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// A folder of its own for one test; every cluster made in it is taken down at the end.
pub struct Place {
    folder: tempfile::TempDir,
    user: Option<String>,
    _turn: Turn,
}

/// Tests run beside each other, but for those that look at the whole machine.
static MACHINE: RwLock<()> = RwLock::new(());

#[expect(dead_code, reason = "held, not read")]
enum Turn {
    Beside(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

impl Place {
    /// Beside other tests.
    pub fn new() -> Self {
        Self::with(Turn::Beside(MACHINE.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// While no other test of this program runs.
    pub fn alone() -> Self {
        Self::with(Turn::Alone(MACHINE.write().unwrap_or_else(PoisonError::into_inner)))
    }

    fn with(turn: Turn) -> Self {
        // Short: the path of a socket below it has a limit.
        let folder = tempfile::Builder::new().prefix("ty").tempdir_in("/tmp").expect("a folder");
        Self { folder, user: None, _turn: turn }
    }

    /// The same, working as another user.
    pub fn of(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        Command::new("chown").arg("-R").arg(user).arg(self.path("")).run().expect("chown");
        self
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The folder of a cluster.
    pub fn cluster(&self, name: &str) -> PathBuf {
        self.path("home/clusters").join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let home = self.path("home");
        let command = match &self.user {
            None => Command::new(PROGRAM),
            Some(user) => Command::new("runuser").args(["-u", user, "--"]).arg(self.program()),
        };
        let command = command.env("TRAINYARD_HOME", home).env("NO_COLOR", "1").env("COLUMNS", "100");
        command.args(args).dir(self.folder.path()).deadline(Duration::from_mins(5))
    }

    /// Another user may not be able to reach the build's folder.
    fn program(&self) -> PathBuf {
        let copy = self.path("trainyard");
        if !copy.exists() {
            std::fs::copy(PROGRAM, &copy).expect("copied");
        }
        copy
    }

    /// Runs the program; whatever its code.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program starts")
    }

    /// Runs the program with more in its environment.
    pub fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        let with = |command: Command, (key, value): &(&str, &str)| command.env(key, value);
        environment.iter().fold(self.command(args), with).output().expect("the program starts")
    }

    /// Runs the program; it must succeed.
    pub fn ok(&self, args: &[&str]) -> Output {
        let output = self.run(args);
        assert_eq!(output.code, 0, "trainyard {}\n{}{}", args.join(" "), output.stdout, output.stderr);
        output
    }

    /// Runs the program and reads its JSON.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.ok(&[&["--format", "json"], args].concat());
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", output.stdout))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let clusters = std::fs::read_dir(self.path("home/clusters")).into_iter().flatten().flatten();
        for cluster in clusters {
            let name = cluster.file_name().to_string_lossy().into_owned();
            let output = self.run(&["down", "--cluster", &name, "--force"]);
            assert!(output.code == 0 || std::thread::panicking(), "cluster {name} stays: {}", output.stderr);
        }
    }
}

/// Waits until `ready` is true; says what it waited for when it never is.
pub fn wait_for(what: &str, seconds: u64, mut ready: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(seconds);
    while !ready() {
        assert!(Instant::now() < until, "{what}: not within {seconds} s");
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub const SMALL: &str = "version: 1\nname: live\nprovider: local\nqueues:\n  - { name: q, compute: [{ name: n, min: 2, max: 4 }] }\nrehearsal: { idle_seconds: 600 }\n";

pub fn up(place: &Place, spec: &str) {
    place.write("trainyard.yaml", spec);
    place.ok(&["up"]);
}

/// States of all nodes by name.
pub fn nodes(place: &Place) -> BTreeMap<String, String> {
    let found = place.json(&["nodes"]);
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    found.as_array().expect("a list").iter().map(|node| (text(&node["name"]), text(&node["state"]))).collect()
}

pub fn job_state(place: &Place, id: &str) -> String {
    let shown = place.run(&["run", "--", "scontrol", "-o", "show", "job", id]).stdout;
    let state = shown.split_whitespace().find_map(|word| word.strip_prefix("JobState="));
    state.unwrap_or_default().to_owned()
}

/// Every process below the cluster's supervisor.
pub fn processes_of(folder: &Path) -> Vec<i32> {
    let mut parents: BTreeMap<i32, i32> = BTreeMap::new();
    let mut root = None;
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let (Some(state), Some(Ok(parent))) = (fields.first(), fields.get(1).map(|field| field.parse())) else {
            continue;
        };
        if *state == "Z" {
            continue;
        }
        parents.insert(pid, parent);
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&format!("supervisor run --folder {}", folder.display())) {
            root = Some(pid);
        }
    }
    let below = |mut pid: i32| {
        while let Some(parent) = parents.get(&pid) {
            if Some(*parent) == root {
                return true;
            }
            pid = *parent;
        }
        false
    };
    parents.keys().copied().filter(|pid| below(*pid)).collect()
}
