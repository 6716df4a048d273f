//! What is done with the cluster, in order, and what makes each step good.

use std::path::Path;

use serde_json::Value;

use super::process::Ended;

/// What no run deletes: other clusters and images of the region may use it.
pub const SHARED: &str = "parallelcluster";
/// The step of `up` that looks and waits, and makes nothing.
const LOOKING: &str = "nodes";

/// One command.
pub struct Step {
    /// What it is to show, for the report.
    pub about: &'static str,
    /// Its words, without the program.
    pub arguments: Vec<String>,
    /// Whether something may stand in the account once it has begun.
    pub makes: bool,
    check: Check,
}

type Check = fn(&Ended, &str) -> Result<(), String>;

impl Step {
    /// Why it is not good, if it is not.
    pub fn judge(&self, ended: &Ended, name: &str) -> Result<(), String> {
        match ended.code {
            Some(0) => (self.check)(ended, name),
            Some(code) => Err(format!("exit code {code}")),
            None => Err("ended by a signal, or not started".to_owned()),
        }
    }
}

/// A whole life of the cluster.
pub fn steps(spec: &str, name: &str, region: &str, plan: &Path) -> Vec<Step> {
    let plan = plan.display().to_string();
    let looks: [(&'static str, &[&str], Check); 3] = [
        ("the spec fits the account", &["check", "--online", spec], any),
        ("the plan, from the account's own facts", &["plan", "--online", spec, "--out", &plan], any),
        ("nothing of that name is there", &["plan", "--diff", spec, "--format", "json"], is_new),
    ];
    let life: [(&'static str, &[&str], Check); 13] = [
        ("from nothing to a cluster that takes jobs", &["up", spec], any),
        ("what stands", &["status", "--file", spec], says_something),
        ("the nodes, from Slurm", &["nodes", "--file", spec], says_something),
        (
            "a job on a node, through Systems Manager",
            &["run", "--file", spec, "-N", "1", "--", "hostname"],
            says_something,
        ),
        ("the nodes' logs", &["logs", "list", "--file", spec], says_something),
        ("their last lines", &["logs", "tail", "--file", spec, "--lines", "5"], says_something),
        ("the same again changes nothing", &["up", spec, "--format", "json"], all_stands),
        ("taken down and made anew, on the storage that it had", &["recreate", spec, "--yes"], any),
        ("what stands now", &["status", "--file", spec], says_something),
        ("taken down", &["down", spec, "--yes"], any),
        (
            "what stayed is deleted",
            &["down", spec, "--delete-data", name, "--yes", "--format", "json"],
            only_shared_stays,
        ),
        ("nothing of it is listed", &["list", "--region", region, "--format", "json"], is_not_listed),
        ("nothing of that name is there any more", &["plan", "--diff", spec, "--format", "json"], is_new),
    ];
    let step = |makes| {
        move |(about, words, check): (&'static str, &[&str], Check)| {
            let arguments = words.iter().map(|word| (*word).to_owned()).collect();
            Step { about, arguments, makes, check }
        }
    };
    looks.into_iter().map(step(false)).chain(life.into_iter().map(step(true))).collect()
}

/// The program's own word for it is its exit code.
#[allow(clippy::unnecessary_wraps, reason = "it is one of the checks, which can all fail but this")]
fn any(_: &Ended, _: &str) -> Result<(), String> {
    Ok(())
}

fn says_something(ended: &Ended, _: &str) -> Result<(), String> {
    if ended.out.trim().is_empty() { Err("it says nothing".to_owned()) } else { Ok(()) }
}

fn is_new(ended: &Ended, name: &str) -> Result<(), String> {
    match document(ended)["is_new"].as_bool() {
        Some(true) => Ok(()),
        Some(false) => Err(format!("something of {name} is in the account")),
        None => Err("it does not say whether something is there".to_owned()),
    }
}

fn all_stands(ended: &Ended, _: &str) -> Result<(), String> {
    let events = events(ended);
    let of =
        |kind: &str| events.iter().filter(|event| event["event"] == kind).map(|event| event["step"].as_str()).collect();
    let (started, skipped): (Vec<_>, Vec<_>) = (of("started"), of("skipped"));
    let done: Vec<&str> = started.into_iter().flatten().filter(|step| *step != LOOKING).collect();
    match done.is_empty() {
        true if skipped.is_empty() => Err("it says nothing of its steps".to_owned()),
        true => Ok(()),
        false => Err(format!("it did {} again", done.join(", "))),
    }
}

fn only_shared_stays(ended: &Ended, _: &str) -> Result<(), String> {
    let kept = kept(ended).ok_or("it does not say what stays")?;
    let names: Vec<&str> = kept.iter().map(|one| one.name.as_str()).filter(|name| *name != SHARED).collect();
    if names.is_empty() { Ok(()) } else { Err(format!("{} is still there", names.join(", "))) }
}

fn is_not_listed(ended: &Ended, name: &str) -> Result<(), String> {
    let listed = document(ended);
    let lines = listed.as_array().ok_or("it lists nothing, not even none")?;
    if lines.iter().any(|line| line["name"] == name) { Err(format!("{name} is listed")) } else { Ok(()) }
}

/// Something that `down` leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What `--delete-data` calls it.
    pub name: String,
    /// What it is.
    pub what: String,
    /// What it costs a month, in cents; nothing where use decides.
    pub monthly_cents: Option<u64>,
}

/// What a `down --format json` says stays; nothing, where it did not come to its end.
pub fn kept(ended: &Ended) -> Option<Vec<Kept>> {
    let last = events(ended).into_iter().rfind(|event| event["event"] == "down")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |one: &Value| Kept {
        name: text(&one["name"]),
        what: text(&one["what"]),
        monthly_cents: one["monthly_cents"].as_u64(),
    };
    Some(last["kept"].as_array()?.iter().map(read).collect())
}

fn events(ended: &Ended) -> Vec<Value> {
    ended.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn document(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_default()
}
