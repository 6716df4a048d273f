//! What every command works with: settings, the terminal, the cluster that is meant.

use std::path::{Path, PathBuf};

use fs_err as fs;
use trainyard_plan::Plan;
use trainyard_provider::engine::Lock;
use trainyard_provider::local::{Access, Local, Store};
use trainyard_provider::{Failure, Provider};
use trainyard_run::Cancel;
use trainyard_spec::model::ClusterName;
use trainyard_spec::{Severity, Spec};

use crate::ui::{Format, Ui};

/// Options that every command has.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How to print: for people, or as JSON for programs.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Where rehearsed clusters are kept.
    #[arg(long, global = true, env = "TRAINYARD_HOME", value_name = "FOLDER", hide_env_values = true)]
    pub home: Option<PathBuf>,
}

/// Which cluster a command is about.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// The cluster's spec. Without it: trainyard.yaml, or the one cluster that runs.
    #[arg(short, long, value_name = "FILE", global = true)]
    pub file: Option<PathBuf>,
    /// The cluster's name, instead of its spec.
    #[arg(long, value_name = "NAME", conflicts_with = "file", global = true)]
    pub cluster: Option<String>,
}

/// One run of the program.
pub struct Session {
    /// The terminal.
    pub ui: Ui,
    /// Set by Ctrl-C.
    pub cancel: Cancel,
    home: Option<PathBuf>,
}

/// The spec's usual name.
pub const SPEC_FILE: &str = "trainyard.yaml";

impl Session {
    /// Reads settings once; nothing later looks at the environment.
    pub fn new(options: Options) -> Self {
        Self { ui: Ui::new(options.format), cancel: Cancel::default(), home: options.home.or_else(default_home) }
    }

    /// Lets Ctrl-C ask for a stop instead of ending the program.
    pub fn listen(&self) {
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // A second Ctrl-C ends the program at once: the journal makes that safe.
            let _ = signal_hook::flag::register_conditional_shutdown(signal, 4, self.cancel.flag());
            let _ = signal_hook::flag::register(signal, self.cancel.flag());
        }
    }

    /// Reads and checks a spec. Problems are shown; errors end the command.
    pub fn spec(&self, file: &Path) -> Result<Spec, Failure> {
        let text = read_spec(file)?;
        let (spec, found) = trainyard_spec::check(&text);
        if !found.is_empty() {
            self.ui.remarks(&file.to_string_lossy(), &text, &found);
        }
        let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
        spec.ok_or_else(|| {
            let noun = if errors == 1 { "error" } else { "errors" };
            Failure::bad(format!("{} has {errors} {noun}", file.display()))
                .hint(format!("see them again with: trainyard check {}", file.display()))
        })
    }

    /// The files of a cluster.
    pub fn store(&self, name: &str) -> Result<Store, Failure> {
        Ok(Store::new(self.home()?, name))
    }

    fn home(&self) -> Result<&Path, Failure> {
        self.home.as_deref().ok_or_else(|| {
            Failure::usage("it is not known where to keep clusters: neither TRAINYARD_HOME nor HOME is set")
                .hint("export TRAINYARD_HOME=/var/lib/trainyard")
        })
    }

    /// The provider of rehearsals.
    pub fn local(&self, store: &Store) -> Local {
        Local::new(store.clone(), &self.cancel)
    }

    /// The cluster that a command is about, by its name.
    pub fn cluster_name(&self, target: &Target) -> Result<String, Failure> {
        if let Some(name) = &target.cluster {
            let name =
                ClusterName::new(name).ok_or_else(|| Failure::usage(format!("`{name}` cannot be a cluster's name")))?;
            return Ok(name.to_string());
        }
        if let Some(file) = &target.file {
            return Ok(self.spec(file)?.name.to_string());
        }
        if Path::new(SPEC_FILE).is_file() {
            return Ok(self.spec(Path::new(SPEC_FILE))?.name.to_string());
        }
        let known = Store::list(self.home()?)?;
        let running: Vec<&String> = known.iter().filter(|name| self.is_running(name)).collect();
        match running[..] {
            [only] => Ok(only.clone()),
            [] => Err(Failure::usage(format!("there is no {SPEC_FILE} here, and no cluster runs"))
                .hint("make one with: trainyard init && trainyard up")),
            _ => {
                let names: Vec<&str> = running.iter().map(|name| name.as_str()).collect();
                Err(Failure::usage(format!("several clusters run: {}", names.join(", ")))
                    .hint("choose one with --cluster NAME"))
            }
        }
    }

    fn is_running(&self, name: &str) -> bool {
        let Ok(store) = self.store(name) else { return false };
        let Ok(Some(plan)) = store.plan() else { return false };
        self.local(&store).access(&plan).is_ok()
    }

    /// A cluster that was made: its files and its plan.
    pub fn made(&self, target: &Target) -> Result<(Store, Plan), Failure> {
        let name = self.cluster_name(target)?;
        let store = self.store(&name)?;
        match store.plan()? {
            Some(plan) => Ok((store, plan)),
            None => Err(Failure::refused(format!("there is no cluster called `{name}`"))
                .hint("make it with: trainyard up (rehearsals only: this version does not drive AWS yet)")),
        }
    }

    /// The way onto the head of a running cluster.
    pub fn access(&self, target: &Target) -> Result<Access, Failure> {
        let (store, plan) = self.made(target)?;
        self.local(&store).access(&plan)
    }

    /// Keeps other runs away from a cluster.
    pub fn lock(store: &Store, what: &str) -> Result<Lock, Failure> {
        store.make()?;
        Lock::take(&store.at("lock"), what)
    }

    /// What the machine is like, for this spec.
    pub fn survey(&self, spec: &Spec, store: &Store) -> Result<trainyard_spec::Facts, Failure> {
        self.local(store).survey(spec)
    }
}

fn read_spec(file: &Path) -> Result<String, Failure> {
    match fs::read(file) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| {
            Failure::bad(format!("{} is not UTF-8 text", file.display())).caused_by(error).hint("save it as UTF-8")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::usage(format!("there is no {}", file.display())).hint("write one with: trainyard init"))
        }
        Err(error) => Err(error.into()),
    }
}

fn default_home() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")));
    data.map(|data| data.join("trainyard"))
}
