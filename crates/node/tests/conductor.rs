//! What a collector does wrong must neither delay nor hide the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use trainyard_node::collect::{Collector, Kind, Lane, Made, Problem, Scope};
use trainyard_node::conductor::{Conductor, Happening, Tempo};
use trainyard_node::exposition::{Format, write};
use trainyard_node::sheet::{Labels, Sheet};
use trainyard_plan::metrics::loadavg::{node_load1, node_load5, node_load15};

macro_rules! kind {
    ($name:ident, $text:literal, $lane:expr) => {
        static $name: Kind = Kind { name: $text, about: "of a test", lane: $lane, scope: Scope::Node, make: |_| None };
    };
}

kind!(GOOD, "good", Lane::Shared);
kind!(BAD, "bad", Lane::Shared);
kind!(BAD_OWN, "bad_own", Lane::Own);
kind!(PACED, "paced", Lane::Paced(Duration::from_hours(1)));

/// Counts its runs, and is as bad as it is told to be.
struct Told<F: Fn(usize, &mut Sheet) -> Result<(), Problem> + Send>(Arc<AtomicUsize>, F);

impl<F: Fn(usize, &mut Sheet) -> Result<(), Problem> + Send> Collector for Told<F> {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        (self.1)(self.0.fetch_add(1, Ordering::SeqCst), sheet)
    }
}

fn made<F>(kind: &'static Kind, does: F) -> (Made, Arc<AtomicUsize>)
where
    F: Fn(usize, &mut Sheet) -> Result<(), Problem> + Send + 'static,
{
    let runs = Arc::new(AtomicUsize::new(0));
    let collector = Box::new(Told(Arc::clone(&runs), does));
    (Made { kind, collector, labels: Labels::default() }, runs)
}

/// What is on show after each of so many rounds, how long the longest took, and what was told.
fn rounds(collectors: Vec<Made>, count: usize, deadline: Duration) -> (Vec<String>, Duration, Vec<String>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let tell = move |happening: Happening| {
        telling.lock().unwrap().push(match happening {
            Happening::Failed(name, problem) => format!("{name} failed: {}", problem.told()),
            Happening::Hangs(name, _) => format!("{name} hangs"),
            Happening::Works(name) => format!("{name} works"),
        });
    };
    let tempo = Tempo { interval: Duration::from_hours(1), deadline };
    let conductor = Conductor::start(collectors, tempo, Box::new(tell)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut texts, mut longest) = (Vec::new(), Duration::ZERO);
    runtime.block_on(conductor.begun());
    for _ in 0..count {
        let begun = Instant::now();
        runtime.block_on(conductor.fresh());
        longest = longest.max(begun.elapsed());
        texts.push(write(&conductor.pages(), Format::Classic));
    }
    let told = told.lock().unwrap().clone();
    (texts, longest, told)
}

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|found| found == line)
}

fn good() -> Made {
    made(&GOOD, |run, sheet| {
        sheet.put(&node_load1, &[], run);
        Ok(())
    })
    .0
}

#[test]
fn one_that_fails_shows_its_last_values_as_stale() {
    let bad = made(&BAD, |run, sheet| {
        if run % 2 == 1 {
            return Err(Problem::new("it is broken"));
        }
        sheet.put(&node_load5, &[], run);
        Ok(())
    });
    let (texts, _, told) = rounds(vec![bad.0, good()], 2, Duration::from_secs(1));
    assert!(has(&texts[0], "node_load5 0") && has(&texts[0], "node_load1 1"), "{}", texts[0]);
    assert!(has(&texts[0], "trainyard_agent_collector_stale{collector=\"bad\"} 1"));
    assert!(has(&texts[0], "node_scrape_collector_success{collector=\"bad\"} 0"));
    assert!(has(&texts[0], "trainyard_agent_collector_failures_total{collector=\"bad\"} 1"));
    assert!(has(&texts[1], "node_load5 2") && has(&texts[1], "trainyard_agent_collector_stale{collector=\"bad\"} 0"));
    assert_eq!(told, ["bad failed: it is broken", "bad works"]);
}

#[test]
fn what_was_read_before_a_problem_is_shown() {
    let bad = made(&BAD, |run, sheet| {
        sheet.put(&node_load5, &[], run);
        Err(Problem::new("half of it is broken"))
    });
    let (texts, _, _) = rounds(vec![bad.0], 1, Duration::from_secs(1));
    assert!(has(&texts[0], "node_load5 1") && has(&texts[0], "trainyard_agent_collector_stale{collector=\"bad\"} 1"));
}

#[test]
fn one_that_panics_is_a_failure_and_no_more() {
    let bad = made(&BAD, |_, _| panic!("a defect, as the test wants it"));
    let (texts, _, told) = rounds(vec![bad.0, good()], 2, Duration::from_secs(1));
    assert!(
        has(&texts[1], "node_load1 2")
            && has(&texts[1], "trainyard_agent_collector_failures_total{collector=\"bad\"} 3")
    );
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn one_that_hangs_delays_nobody_on_any_lane() {
    for kind in [&BAD, &BAD_OWN] {
        let (bad, runs) = made(kind, |run, sheet| {
            sheet.put(&node_load15, &[], run);
            if run == 1 {
                std::thread::sleep(Duration::from_secs(3));
            }
            Ok(())
        });
        let (texts, longest, told) = rounds(vec![bad, good()], 4, Duration::from_millis(400));
        let name = kind.name;
        for (round, text) in texts.iter().enumerate() {
            assert!(has(text, &format!("node_load1 {}", round + 1)), "{name}, round {round}: {text}");
            assert!(has(text, "node_load15 0"), "the last values are shown: {text}");
            assert!(has(text, &format!("trainyard_agent_collector_stale{{collector=\"{name}\"}} 1")), "{text}");
        }
        assert!(longest < Duration::from_millis(900), "{name}: a round took {longest:?}");
        assert_eq!(runs.load(Ordering::SeqCst), 2, "{name}: it is not started again while it hangs");
        assert_eq!(told, [format!("{name} hangs")]);
    }
}

#[test]
fn a_paced_one_runs_no_more_often_however_many_ask() {
    let (paced, runs) = made(&PACED, |run, sheet| {
        sheet.put(&node_load15, &[], run);
        Ok(())
    });
    let (texts, _, _) = rounds(vec![paced, good()], 20, Duration::from_secs(1));
    assert!(has(&texts[19], "node_load1 20") && has(&texts[19], "node_load15 0"), "{}", texts[19]);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}
