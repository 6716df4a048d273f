//! What is different about a rehearsal that stands, and the plan that would make it now.

use trainyard_plan::local::{AGENT, Node, Rehearsed};
use trainyard_plan::{NotRehearsed, Plan};
use trainyard_provider::Failure;

/// So many nodes are named.
const NAMES_SHOWN: usize = 4;

/// A running rehearsal is not rebuilt under its jobs: refuses a plan that is not that of the cluster that stands.
pub fn refuse_other(stands: &Plan, wanted: &Plan) -> Result<(), Failure> {
    let (before, now) = (stood(stands, wanted)?, wanted.rehearsed()?);
    let mut changes: Vec<String> = stands.artifacts.iter().chain(&wanted.artifacts).filter_map(|artifact| {
        // What is in this file is said in people's words below.
        let is_layout = artifact.kind == "layout";
        (!is_layout && stands.artifact(&artifact.path) != wanted.artifact(&artifact.path)).then(|| artifact.path.clone())
    }).collect();
    changes.sort();
    changes.dedup();
    if changes.is_empty() && before == *now {
        return Ok(());
    }
    changes.extend(settings(&before, now));
    if changes.is_empty() {
        changes.push("nodes, or where things lie".to_owned());
    }
    let cluster = &wanted.cluster;
    let failure = Failure::refused(format!("cluster `{cluster}` stands, made from another plan"))
        .caused_by(std::io::Error::other(format!("these would change: {}", changes.join(", "))))
        .hint(format!("take it down first: trainyard down --cluster {cluster} (files in /fsx and /home stay)"));
    Err(match (before.facts.programs.get(AGENT), now.facts.programs.contains_key(AGENT)) {
        (Some(path), false) => failure.hint(format!("or bring back {path}, and the cluster stays as it is")),
        _ => failure,
    })
}

/// The cluster that stands. Our own programs may lie elsewhere than they did; what the cluster is may not change.
fn stood(stands: &Plan, wanted: &Plan) -> Result<Rehearsed, NotRehearsed> {
    let mut before = stands.rehearsed()?.clone();
    let now = &wanted.rehearsed()?.facts;
    before.facts.program.clone_from(&now.program);
    if let (Some(before), Some(now)) = (before.facts.programs.get_mut(AGENT), now.programs.get(AGENT)) {
        before.clone_from(now);
    }
    Ok(before)
}

/// What is not seen in Slurm's files.
fn settings(before: &Rehearsed, now: &Rehearsed) -> Vec<String> {
    let mut changes = Vec::new();
    match (before.facts.programs.contains_key(AGENT), now.facts.programs.contains_key(AGENT)) {
        (false, true) => changes.push(format!("the nodes' agents: {AGENT} is there now, and was not")),
        (true, false) => changes.push(format!("the nodes' agents: {AGENT} was there, and is not found now")),
        (false, false) => {}
        (true, true) => changes.extend(replays(before, now)),
    }
    let others = |rehearsed: &Rehearsed| {
        let mut programs = rehearsed.facts.programs.clone();
        programs.remove(AGENT);
        programs
    };
    for (what, is_other) in [
        ("`rehearsal.expose`", before.expose != now.expose),
        ("`rehearsal.boot_seconds`", before.boot_seconds != now.boot_seconds),
        ("`storage.scratch`", before.scratch != now.scratch),
        ("how nodes are kept apart", before.facts.isolation != now.facts.isolation),
        ("the user", (before.facts.uid, before.facts.gid) != (now.facts.uid, now.facts.gid)),
        ("Slurm's version", before.facts.slurm != now.facts.slurm),
        ("where this machine's programs lie", others(before) != others(now)),
    ] {
        if is_other {
            changes.push(what.to_owned());
        }
    }
    changes
}

fn replays(before: &Rehearsed, now: &Rehearsed) -> Option<String> {
    let replay = |node: &Node| Some(node.agent.as_ref()?.replay.as_ref()?.arguments.clone());
    let is_other = |node: &&Node| {
        before.nodes.iter().any(|stands| stands.name == node.name && replay(stands) != replay(node))
    };
    let names: Vec<&str> = now.nodes.iter().filter(is_other).map(|node| node.name.as_str()).collect();
    let more = names.len().saturating_sub(NAMES_SHOWN);
    let first: Vec<&str> = names.iter().take(NAMES_SHOWN).copied().collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!first.is_empty()).then(|| format!("`rehearsal.replay` of {}{rest}", first.join(", ")))
}

#[cfg(test)]
mod tests {
    use trainyard_plan::{Facts, LocalFacts, Options};

    use super::*;

    fn plan(rehearsal: &str, programs: &[(&str, &str)]) -> Plan {
        let text = format!(
            "{{version: 1, name: x, provider: local, queues: [{{name: q, compute: [{{name: n, min: 2, max: 6}}]}}], \
             rehearsal: {{{rehearsal}}}}}"
        );
        let mut facts = LocalFacts::assumed();
        facts.programs.remove(AGENT);
        facts.programs.extend(programs.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())));
        let spec = trainyard_spec::check(&text).0.expect("accepted");
        trainyard_plan::build(&spec, &Facts::Local(facts), Options::default()).expect("a plan")
    }

    fn refused(stands: &Plan, wanted: &Plan) -> Vec<String> {
        let failure = refuse_other(stands, wanted).expect_err("refused");
        failure.chain()[1..].iter().chain(&failure.hints).cloned().collect()
    }

    /// The list was empty: these are in no file of Slurm's.
    #[test]
    fn a_plan_that_is_refused_says_what_is_different() {
        let agent = [(AGENT, "/opt/trainyard-agent")];
        let down = "take it down first: trainyard down --cluster x (files in /fsx and /home stay)";
        let without = plan("", &[]);
        let with = plan("", &agent);
        let found = "these would change: the nodes' agents: trainyard-agent is there now, and was not";
        assert_eq!(refused(&without, &with), [found, down]);
        let gone = "these would change: the nodes' agents: trainyard-agent was there, and is not found now";
        let back = "or bring back /opt/trainyard-agent, and the cluster stays as it is";
        assert_eq!(refused(&with, &without), [gone, down, back]);
        let one = plan("replay: [{nodes: q-st-n-1, profile: p5}]", &agent);
        assert_eq!(refused(&with, &one), ["these would change: `rehearsal.replay` of q-st-n-1", down]);
        let all = "these would change: `rehearsal.replay` of q-st-n-1, q-st-n-2, q-dy-n-1, q-dy-n-2 and 2 more";
        assert_eq!(refused(&with, &plan("replay: [{profile: trn1}]", &agent)), [all, down]);
        let exposed = "these would change: `rehearsal.expose`";
        assert_eq!(refused(&with, &plan("expose: [/opt/me]", &agent)), [exposed, down]);
        let elsewhere = "these would change: where this machine's programs lie";
        assert_eq!(refused(&without, &plan("", &[("slurmd", "/opt/slurmd")]))[0], elsewhere);
    }

    #[test]
    fn our_own_programs_may_lie_elsewhere_than_they_did() {
        let (here, there) = (plan("", &[(AGENT, "/here/agent")]), plan("", &[(AGENT, "/there/agent")]));
        assert!(refuse_other(&here, &there).is_ok());
        assert!(refuse_other(&here, &here).is_ok());
    }
}
