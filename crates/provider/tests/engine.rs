//! `run(plan, fake, fail at n) → journal`: the engine against a provider that does what it is told.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use trainyard_plan::{Facts, LocalFacts, Options, Plan, Undo};
use trainyard_provider::engine::{Engine, Event, Journal, Reporter, StepState};
use trainyard_provider::fake::{Fake, Script};
use trainyard_provider::{Failure, Kind};
use trainyard_run::Cancel;

fn plan() -> Plan {
    let text = "{version: 1, name: x, provider: local, queues: [{name: q, compute: [{name: a, min: 1, max: 2}]}]}";
    let spec = trainyard_spec::check(text).0.expect("accepted");
    let mut plan =
        trainyard_plan::build(&spec, &Facts::Local(LocalFacts::assumed()), Options::default()).expect("a plan");
    for step in &mut plan.steps {
        step.deadline_seconds = 1;
    }
    plan
}

fn up(plan: &Plan, fake: &Fake, path: &Path) -> Result<(), Failure> {
    let engine = Engine { provider: fake, reporter: &(), cancel: &Cancel::default() };
    engine.up(plan, &mut Journal::open(path).expect("a journal"))
}

fn down(plan: &Plan, fake: &Fake, path: &Path) -> Result<(), Failure> {
    let engine = Engine { provider: fake, reporter: &(), cancel: &Cancel::default() };
    engine.down(plan, &mut Journal::open(path).expect("a journal"))
}

fn is_done(plan: &Plan, path: &Path) -> bool {
    let journal = Journal::open(path).expect("a journal");
    plan.steps.iter().all(|step| journal.state(&step.name) == Some(&StepState::Done(step.fingerprint())))
}

#[test]
fn a_failure_at_any_step_names_it_and_a_second_run_finishes() {
    let plan = plan();
    for (index, step) in plan.steps.iter().enumerate() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let fake = Fake::new(Script { fail_at: Some(index), ..Script::default() });
        let failure = up(&plan, &fake, &path).expect_err("told to fail");
        assert!(failure.what.contains(&format!("step `{}` failed", step.name)), "{failure}");
        assert_eq!(failure.kind, Kind::Refused);
        assert_eq!(failure.chain().len(), 2, "the cause is told once");
        up(&plan, &fake, &path).expect("the second run finishes");
        assert!(is_done(&plan, &path));
        assert_eq!(fake.log().len(), plan.steps.len(), "nothing is done twice");
    }
}

#[test]
fn a_step_that_never_ends_is_stopped_at_its_deadline() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    let fake = Fake::new(Script { hang_at: Some(2), ..Script::default() });
    let failure = up(&plan, &fake, &folder.path().join("journal.jsonl")).expect_err("stopped");
    let text = failure.chain().join(" | ");
    assert!(text.contains("a thing that never comes did not happen in time; last seen: nothing"), "{text}");
}

/// A run that died after any record, with its last action done or not, and its last line torn or not.
#[test]
fn a_run_that_died_at_any_record_is_finished_by_the_next() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole.jsonl");
    up(&plan, &Fake::default(), &whole).expect("up");
    let text = fs_err::read_to_string(&whole).expect("the journal");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2 * plan.steps.len());
    for died_after in 0..=lines.len() {
        for torn in [false, true] {
            let path = folder.path().join("journal.jsonl");
            let mut prefix: String = lines[..died_after].iter().flat_map(|line| [line, "\n"]).collect();
            if torn && died_after < lines.len() {
                prefix += &lines[died_after][..lines[died_after].len() / 2];
            }
            for acted in [false, true] {
                fs_err::write(&path, &prefix).expect("written");
                // What the dead run had done: every step that is recorded as done, perhaps the begun one.
                let done = died_after / 2 + usize::from(acted && died_after % 2 == 1);
                let fake = Fake::default();
                let context = trainyard_provider::StepContext {
                    deadline: std::time::Instant::now() + std::time::Duration::from_secs(1),
                    cancel: &Cancel::default(),
                    progress: &|_| {},
                };
                for step in &plan.steps[..done] {
                    trainyard_provider::Provider::execute(&fake, &plan, &step.action, &context).expect("done");
                }
                up(&plan, &fake, &path).unwrap_or_else(|f| panic!("died after {died_after}: {:?}", f.chain()));
                assert!(is_done(&plan, &path), "died after {died_after}");
                let different: BTreeSet<String> = fake.log().into_iter().collect();
                assert_eq!(different.len(), plan.steps.len(), "died after {died_after}: everything is there");
            }
        }
    }
}

#[test]
fn down_undoes_in_reverse_also_what_was_only_begun() {
    let plan = plan();
    let undone: Vec<String> = plan
        .steps
        .iter()
        .rev()
        .filter_map(|step| match &step.undo {
            Undo::Act { action, .. } => Some(serde_json::to_string(action).expect("an action")),
            _ => None,
        })
        .collect();
    for reached in 0..plan.steps.len() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let fake = Fake::new(Script { fail_at: Some(reached), ..Script::default() });
        up(&plan, &fake, &path).expect_err("told to fail");
        down(&plan, &fake, &path).expect("down");
        let log = fake.log();
        let undo_log = &log[reached..];
        assert!(undone.ends_with(undo_log), "{undo_log:?}");
        assert!(!Journal::open(&path).expect("a journal").is_live());
        // And again: nothing is left to undo.
        down(&plan, &fake, &path).expect("down");
        assert_eq!(fake.log().len(), log.len());
    }
}

#[test]
fn what_no_longer_holds_is_done_again() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.jsonl");
    up(&plan, &Fake::default(), &path).expect("up");
    // The machine was restarted: the journal says done, but nothing holds.
    let fake = Fake::default();
    up(&plan, &fake, &path).expect("up again");
    assert_eq!(fake.log().len(), plan.steps.len());
}

struct Recorder(Mutex<Vec<Event>>, Cancel, usize);

impl Reporter for Recorder {
    fn tell(&self, event: &Event) {
        let mut events = self.0.lock().expect("a list");
        events.push(event.clone());
        if events.iter().filter(|event| matches!(event, Event::Done { .. })).count() == self.2 {
            self.1.set();
        }
    }
}

#[test]
fn an_interruption_stops_between_steps_and_the_same_command_resumes() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.jsonl");
    let fake = Fake::default();
    let recorder = Recorder(Mutex::default(), Cancel::default(), 3);
    let engine = Engine { provider: &fake, reporter: &recorder, cancel: &recorder.1 };
    let failure = engine.up(&plan, &mut Journal::open(&path).expect("a journal")).expect_err("interrupted");
    assert_eq!(failure.kind, Kind::Interrupted);
    assert_eq!(fake.log().len(), 3);
    up(&plan, &fake, &path).expect("resumed");
    assert_eq!(fake.log().len(), plan.steps.len());
}

#[test]
fn an_optional_step_may_fail_and_is_reported() {
    let mut plan = plan();
    plan.steps[3].required = false;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.jsonl");
    let fake = Fake::new(Script { fail_at: Some(3), ..Script::default() });
    let recorder = Recorder(Mutex::default(), Cancel::default(), usize::MAX);
    let engine = Engine { provider: &fake, reporter: &recorder, cancel: &recorder.1 };
    engine.up(&plan, &mut Journal::open(&path).expect("a journal")).expect("goes on");
    let events = recorder.0.lock().expect("a list");
    assert!(events.iter().any(|event| matches!(event, Event::Failed { required: false, .. })));
    assert!(!is_done(&plan, &path), "a failed step is not done");
}
