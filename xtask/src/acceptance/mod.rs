//! The first run on a real account: a whole life of a small cluster, with a report, and never a cluster left behind.
//!
//! The program is run as people run it, with `TRAINYARD_RECORD`, so that what AWS answered can be held beside what the
//! emulator answers.

mod process;
pub mod report;
pub mod shapes;
pub mod steps;

use std::fs;
use std::io::BufRead as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{self, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use process::{Ended, OnStop, Program};
use report::{Done, Left, Report};
use steps::{SHARED, Step, steps};

/// The spec that is raised unless another is named.
const SPEC: &str = "examples/aws-acceptance.yaml";
/// What the emulator answers.
const EXPECTED: &str = "testing/aws/acceptance/emulator.json";
/// The folder of the report.
const OUT: &str = "aws-acceptance";
/// The way out is tried so often: what holds it back may be over soon.
const WAYS_OUT: usize = 3;
const BETWEEN: Duration = Duration::from_secs(20);

/// What is asked for.
#[derive(Debug, Default)]
pub struct Request {
    spec: Option<PathBuf>,
    trainyard: Option<PathBuf>,
    out: Option<PathBuf>,
    write_expected: Option<PathBuf>,
    yes: bool,
}

impl Request {
    /// Reads the words after the command's name.
    pub fn read(words: &[String]) -> Option<Self> {
        let mut request = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let option = match word.as_str() {
                "--yes" => {
                    request.yes = true;
                    continue;
                }
                "--spec" => &mut request.spec,
                "--trainyard" => &mut request.trainyard,
                "--out" => &mut request.out,
                "--write-expected" => &mut request.write_expected,
                _ => return None,
            };
            *option = Some(PathBuf::from(rest.next()?));
        }
        Some(request)
    }
}

/// Runs a whole life. Whether every step was good; an error is what kept it from beginning.
pub fn run(request: &Request, root: &Path, built: &Path, tell: &dyn Fn(&str)) -> Result<bool, String> {
    let out = absolute(request.out.as_deref().unwrap_or(Path::new(OUT)))?;
    make_folder(&out)?;
    let stop = Arc::new(AtomicBool::new(false));
    let spec = absolute(request.spec.as_deref().unwrap_or(&root.join(SPEC)))?;
    let path = absolute(request.trainyard.as_deref().unwrap_or(built))?;
    if !path.is_file() {
        return Err(format!("{} is not there; run `cargo build` first, or name it with --trainyard", path.display()));
    }
    let quiet = |_: &str| ();
    let record = out.join("record.jsonl");
    let asks = Program { path, record: Some(record.clone()), stop: &stop, tell: &quiet };
    let life = Life::plan(&asks, &spec, &out, tell)?;
    life.announce(request.yes)?;
    // From here on a cluster may stand.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(|error| error.to_string())?;
    }
    let program = Program { path: asks.path.clone(), record: asks.record.clone(), stop: &stop, tell };
    let (done, left) = life.live(&program);
    let mut report = Report {
        name: &life.name,
        region: &life.region,
        version: &life.version,
        planned: life.steps.len(),
        done: &done,
        left: &left,
        delete: &life.delete(&program.path),
        differences: Err("the record was not read".to_owned()),
    };
    // Half a life would say of everything that it may be missing.
    let write = request.write_expected.as_deref().filter(|_| report.is_good());
    report.differences = compare(&record, root, write);
    if !report.is_good()
        && let Ok(differences) = &mut report.differences
    {
        differences.retain(|one| !shapes::is_absence(one));
    }
    // First, since it costs: a report that cannot be written must not hide it.
    tell(&format!("\nwhat is left:\n{}", report.left_over()));
    let file = out.join("report.md");
    write_for_us(&file, &report.text()).map_err(|error| format!("{}: {error}", file.display()))?;
    tell(&format!("the report: {}\nthe record: {}", file.display(), record.display()));
    Ok(report.is_good())
}

/// One cluster's life, before it begins.
struct Life<'a> {
    spec: String,
    name: String,
    region: String,
    version: String,
    /// The first line of the plan, and what the spec's own comment says.
    about: String,
    steps: Vec<Step>,
    tell: &'a dyn Fn(&str),
}

impl<'a> Life<'a> {
    /// Asks the program for the plan, without the account.
    fn plan(program: &Program<'_>, spec: &Path, out: &Path, tell: &'a dyn Fn(&str)) -> Result<Self, String> {
        let text = fs::read_to_string(spec).map_err(|error| format!("{}: {error}", spec.display()))?;
        let spec = spec.display().to_string();
        let ask = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let ended = program.run(&words, OnStop::PassOn);
            if ended.code == Some(0) { Ok(ended.out) } else { Err(ended.said) }
        };
        let plan: Value = serde_json::from_str(&ask(&["plan", &spec, "--format", "json"])?)
            .map_err(|error| format!("the plan is no JSON: {error}"))?;
        let (Some(name), Some(region)) = (plan["cluster"].as_str(), plan["target"]["aws"]["region"].as_str()) else {
            return Err(format!("{spec} is no cluster on AWS"));
        };
        let comment = text.lines().take_while(|line| line.starts_with('#')).filter(|line| !line.contains("$schema="));
        let comment: Vec<&str> = comment.map(|line| line.trim_start_matches('#').trim()).collect();
        let steps = steps(&spec, name, region, &out.join("plan"));
        let version = ask(&["--version"])?.trim().to_owned();
        let (name, region) = (name.to_owned(), region.to_owned());
        Ok(Self { spec, name, region, version, about: comment.join("\n").trim().to_owned(), steps, tell })
    }

    /// Says what will happen and what it costs, and wants the cluster's name.
    fn announce(&self, yes: bool) -> Result<(), String> {
        let Self { spec, name, region, .. } = self;
        (self.tell)(&format!(
            "This makes the cluster {name} in {region}, in the account of your credentials, from {spec}; makes it anew once,\n\
             and takes it down with everything in it. On AWS that takes an hour or two (an estimate: nobody has measured it).\n"
        ));
        let prices = "The spec does not say what it costs: look up the prices of its instances and file systems first.";
        let has_price = self.about.contains('$');
        (self.tell)(&format!("{}\n", if has_price { self.about.as_str() } else { prices }));
        if yes {
            return Ok(());
        }
        (self.tell)(&format!("Type the cluster's name, {name}, to begin:"));
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
        if line.trim() == name { Ok(()) } else { Err("not confirmed; nothing was done".to_owned()) }
    }

    /// All steps, until one is not good; then the way out.
    fn live(&self, program: &Program<'_>) -> (Vec<Done>, Left) {
        let mut done = Vec::new();
        let mut left = Left::NothingMade;
        for step in &self.steps {
            let ended = self.carry_out(program, &step.arguments, OnStop::PassOn);
            if let Some(kept) = steps::kept(&ended) {
                left = Left::Kept(kept);
            }
            let is_stopped = program.stop.load(Ordering::SeqCst).then(|| "stopped by a signal".to_owned());
            let why = is_stopped.or_else(|| step.judge(&ended, &self.name).err());
            let is_good = why.is_none();
            done.push(self.done(step.about, &step.arguments, &ended, why));
            if !is_good {
                if step.makes {
                    left = self.leave(program, &mut done);
                }
                break;
            }
        }
        (done, left)
    }

    /// Takes the cluster down, whatever it is doing.
    fn leave(&self, program: &Program<'_>, done: &mut Vec<Done>) -> Left {
        let words = ["down", &self.spec, "--force", "--yes", "--format", "json"].map(str::to_owned);
        for attempt in 1..=WAYS_OUT {
            (self.tell)("\nthe cluster is taken down; this goes on when you press Ctrl-C");
            // No trouble with the record keeps a cluster standing.
            let record = program.record.clone().filter(|_| attempt == 1);
            let ended = self.carry_out(&Program { record, ..program.clone() }, &words, OnStop::GoOn);
            let why = (ended.code != Some(0)).then(|| format!("the cluster may still stand, attempt {attempt}"));
            let is_down = why.is_none();
            done.push(self.done("the way out", &words, &ended, why));
            if is_down {
                return steps::kept(&ended).map_or(Left::Unknown, Left::Kept);
            }
            if attempt < WAYS_OUT {
                thread::sleep(BETWEEN);
            }
        }
        (self.tell)("THE CLUSTER MAY STILL STAND, AND COST MONEY: see below for the command that takes it down");
        Left::Unknown
    }

    fn carry_out(&self, program: &Program<'_>, arguments: &[String], on_stop: OnStop) -> Ended {
        (self.tell)(&format!("\n$ {}", typed(arguments)));
        program.run(arguments, on_stop)
    }

    fn done(&self, about: &'static str, arguments: &[String], ended: &Ended, why: Option<String>) -> Done {
        let seconds = ended.time.as_secs_f64();
        (self.tell)(&match &why {
            None => format!("-> good after {seconds:.1} s"),
            Some(why) => format!("-> {why}, after {seconds:.1} s"),
        });
        let failure = why.map(|why| (why, ended.said.clone()));
        Done { about, command: typed(arguments), code: ended.code, time: ended.time, failure }
    }

    /// The command that deletes the rest, as it can be pasted.
    fn delete(&self, program: &Path) -> String {
        let Self { spec, name, .. } = self;
        format!("{} down {spec} --force --delete-data {name} --delete-data {SHARED} --yes", program.display())
    }
}

/// The command without the folders of this machine.
fn typed(arguments: &[String]) -> String {
    let short = |word: &String| {
        let path = Path::new(word);
        let name = path.file_name().filter(|_| path.is_absolute()).unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    };
    let words: Vec<String> = arguments.iter().map(short).collect();
    format!("trainyard {}", words.join(" "))
}

/// What differs from the emulator; or, where its answers are to be written, nothing after that.
fn compare(record: &Path, root: &Path, write: Option<&Path>) -> Result<Vec<String>, String> {
    let told = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| told(path, &error));
    let record_text = read(record)?;
    if shapes::is_cut(&record_text) {
        return Err(format!("{} is full: it does not hold the whole life", record.display()));
    }
    let seen = shapes::read(&record_text).map_err(|error| told(record, &error))?;
    let file = write.map_or_else(|| root.join(EXPECTED), Path::to_path_buf);
    let known = match write {
        Some(path) if !path.exists() => None,
        _ => Some(shapes::parse(&read(&file)?).map_err(|error| told(&file, &error))?),
    };
    let differences = known.as_ref().map(|known| shapes::differences(known, &seen)).unwrap_or_default();
    if let Some(path) = write {
        fs::write(path, shapes::text(&shapes::merge(known, &seen))).map_err(|error| told(path, &error))?;
    }
    Ok(differences)
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Nobody else may read it: it has names and ids of the account.
fn write_for_us(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// An empty folder for us alone: what the program says has names and ids of the account.
fn make_folder(path: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        let is_empty = fs::read_dir(path).map_err(told)?.next().is_none();
        let why = "has files already, perhaps of an earlier run; name another with --out";
        return if is_empty { Ok(()) } else { Err(format!("{} {why}", path.display())) };
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(told)
}
