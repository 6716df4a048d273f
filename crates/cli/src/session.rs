//! What every command works with: settings, the terminal, the cluster that is meant.

use std::path::{Path, PathBuf};

use fs_err as fs;
use trainyard_plan::Plan;
use trainyard_provider::engine::{Journal, Lock};
use trainyard_provider::local::{Access, Local, Store};
use trainyard_provider::{Failure, Provider};
use trainyard_run::Cancel;
use trainyard_spec::model::{ClusterName, ProviderKind};
use trainyard_spec::{Facts, Severity, Spec};

use crate::local_files;
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
    /// Which one is meant, where a cluster stands on AWS and as a rehearsal.
    #[arg(long, value_enum, value_name = "WHERE", global = true)]
    pub on: Option<Where>,
}

/// Where a cluster stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Where {
    /// On AWS.
    Aws,
    /// As a rehearsal on this machine.
    Local,
}

/// A cluster that was made, or can be looked at: its files, its plan, and who makes it so.
pub struct Made {
    /// Its files.
    pub store: Store,
    /// Its plan.
    pub plan: Plan,
    /// Who makes it so.
    pub provider: Box<dyn Provider>,
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

    /// The files of a rehearsed cluster.
    pub fn store(&self, name: &str) -> Result<Store, Failure> {
        Ok(Store::new(self.home()?, name))
    }

    /// The files of a cluster, wherever it stands.
    pub fn store_on(&self, name: &str, place: Where) -> Result<Store, Failure> {
        match place {
            Where::Local => self.store(name),
            Where::Aws => Ok(Store::aws(self.home()?, name)),
        }
    }

    /// Where clusters are kept.
    pub fn home(&self) -> Result<&Path, Failure> {
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
        if self.stands_on_aws(name) {
            return true;
        }
        let Ok(store) = self.store(name) else { return false };
        let Ok(Some(plan)) = store.plan() else { return false };
        self.local(&store).access(&plan).is_ok()
    }

    /// Whether this machine knows of a cluster on AWS; AWS is not asked.
    fn stands_on_aws(&self, name: &str) -> bool {
        self.store_on(name, Where::Aws).is_ok_and(|store| is_live(&store))
    }

    /// Where the cluster that is meant stands. A rehearsal and a cluster on AWS may have the same name.
    fn place(&self, name: &str, target: &Target, spec: Option<&Spec>) -> Result<Where, Failure> {
        if let Some(place) = target.on {
            return Ok(place);
        }
        let rehearsed = self.store(name).is_ok_and(|store| is_live(&store));
        let is_aws = spec.is_some_and(|spec| spec.provider == ProviderKind::Aws);
        match (self.stands_on_aws(name), rehearsed) {
            (true, true) => Err(Failure::usage(format!("`{name}` stands on AWS, and as a rehearsal on this machine"))
                .hint("say which one is meant: --on aws, or --on local")),
            (true, false) => Ok(Where::Aws),
            (false, true) => Ok(Where::Local),
            // Nothing is known to stand: it is where it stood last, or where the spec says.
            (false, false) => {
                let has_plan = |place| self.store_on(name, place).is_ok_and(|store| store.at("plan.json").exists());
                let is_there = match spec {
                    Some(_) => is_aws,
                    None => has_plan(Where::Aws) && !has_plan(Where::Local),
                };
                Ok(if is_there { Where::Aws } else { Where::Local })
            }
        }
    }

    /// A cluster that was made: its files, its plan, its provider.
    pub fn made(&self, target: &Target) -> Result<Made, Failure> {
        let name = self.cluster_name(target)?;
        let file = target
            .file
            .clone()
            .or_else(|| (target.cluster.is_none() && Path::new(SPEC_FILE).is_file()).then(|| PathBuf::from(SPEC_FILE)));
        let spec = file.map(|file| self.spec(&file).map(|spec| (spec, file))).transpose()?;
        let place = self.place(&name, target, spec.as_ref().map(|(spec, _)| spec))?;
        let store = self.store_on(&name, place)?;
        let saved = store.plan()?;
        let plan = match (saved, spec) {
            (Some(plan), _) => plan,
            // Made from another machine: the spec and the account say what it is.
            (None, Some((spec, file))) if place == Where::Aws => self.planned_anew(&spec, &file, &store)?,
            _ => {
                return Err(
                    Failure::refused(format!("there is no cluster called `{name}`")).hint("make it with: trainyard up")
                );
            }
        };
        let provider = self.provider(&plan, &store)?;
        Ok(Made { store, plan, provider })
    }

    fn planned_anew(&self, spec: &Spec, file: &Path, store: &Store) -> Result<Plan, Failure> {
        let facts = self.surveyed(spec, file, store)?;
        let options = trainyard_plan::Options::default();
        // A reservation that has ended must not keep anybody from taking the cluster down: names need no facts.
        let assumed = || Facts::Aws(trainyard_plan::AwsFacts::assumed(spec));
        trainyard_plan::build(spec, &facts, options)
            .or_else(|_| trainyard_plan::build(spec, &assumed(), options))
            .map_err(|_| Failure::bad("this spec has no plan").hint("see why: trainyard plan --online"))
    }

    /// Who makes a plan so.
    pub fn provider(&self, plan: &Plan, store: &Store) -> Result<Box<dyn Provider>, Failure> {
        self.provider_with(plan, store, None)
    }

    /// The same, with the folder that the spec's own files are in.
    #[cfg_attr(not(feature = "aws"), allow(unused_variables, clippy::needless_pass_by_value))]
    pub fn provider_with(
        &self,
        plan: &Plan,
        store: &Store,
        folder: Option<PathBuf>,
    ) -> Result<Box<dyn Provider>, Failure> {
        match &plan.target {
            trainyard_plan::Target::Local(_) => Ok(Box::new(self.local(store))),
            #[cfg(feature = "aws")]
            trainyard_plan::Target::Aws(target) => {
                let aws = self.aws(&target.region, store)?;
                Ok(Box::new(match folder {
                    Some(folder) => aws.with_files_of(folder),
                    None => aws,
                }))
            }
            #[cfg(not(feature = "aws"))]
            trainyard_plan::Target::Aws(target) => Ok(Box::new(self.aws(&target.region, store)?)),
        }
    }

    /// Who looks at what a spec needs on AWS.
    pub fn surveyor(&self, spec: &Spec, store: &Store) -> Result<Box<dyn Provider>, Failure> {
        let region = spec.region.as_ref().map_or("us-east-1", |region| region.as_str());
        Ok(Box::new(self.aws(region, store)?))
    }

    /// Facts of the account, and of the files beside the spec.
    pub fn surveyed(&self, spec: &Spec, file: &Path, store: &Store) -> Result<Facts, Failure> {
        let mut facts = self.surveyor(spec, store)?.survey(spec)?;
        if let Facts::Aws(facts) = &mut facts {
            local_files::add(facts, spec, file)?;
        }
        Ok(facts)
    }

    /// The provider of clusters on AWS.
    #[cfg(feature = "aws")]
    pub fn aws(&self, region: &str, store: &Store) -> Result<trainyard_provider::aws::Aws, Failure> {
        trainyard_provider::aws::Aws::open(region, store.clone(), &self.cancel)
    }

    /// This program was built for rehearsals only.
    #[cfg(not(feature = "aws"))]
    #[allow(clippy::unused_self)] // the same call as with it
    pub fn aws(&self, _: &str, _: &Store) -> Result<Local, Failure> {
        Err(Failure::usage("this trainyard was built without AWS")
            .hint("build it with feature `aws`, which is on by default: cargo build --release"))
    }

    /// The way onto the head of a running rehearsal.
    pub fn access(&self, target: &Target) -> Result<Access, Failure> {
        let made = self.made(target)?;
        if matches!(made.plan.target, trainyard_plan::Target::Aws(_)) {
            return Err(Failure::refused(format!(
                "`{}` stands on AWS, and this version copies a job's files to rehearsals only",
                made.plan.cluster
            ))
            .hint("submit a script that lies on the cluster: trainyard run -- sbatch /fsx/jobs/JOB.sbatch")
            .hint(
                "or rehearse the job on this machine: trainyard up --rehearse, then the same command with --on local",
            ));
        }
        self.local(&made.store).access(&made.plan)
    }

    /// Keeps other runs away from a cluster.
    pub fn lock(store: &Store, what: &str) -> Result<Lock, Failure> {
        store.make()?;
        Lock::take(&store.at("lock"), what)
    }

    /// What the machine is like, for this spec.
    pub fn survey(&self, spec: &Spec, store: &Store) -> Result<Facts, Failure> {
        self.local(store).survey(spec)
    }
}

/// Whether a cluster's journal says that anything of it stands.
fn is_live(store: &Store) -> bool {
    let path = store.at("journal.jsonl");
    path.is_file() && Journal::read(&path).is_ok_and(|journal| journal.is_live())
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
