//! One collector's place: the collector, and what it found last.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::told::Told;
use super::{Happening, lock};
use crate::collect::{Collector, Kind, Lane, Made, Problem};
use crate::sheet::{Labels, Page, Sheet};

/// A paced collector that failed runs again after so long.
const RETRY: Duration = Duration::from_secs(5);

pub(super) struct Slot {
    pub(super) kind: &'static Kind,
    labels: Labels,
    /// Runs do not begin faster than this after one another.
    pace: Duration,
    /// Nor than this after one that failed.
    retry: Duration,
    /// What was found is shown for so long.
    shown: Duration,
    collector: Mutex<Box<dyn Collector>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    page: Arc<Page>,
    /// When the page was read.
    read: Option<Instant>,
    started: Option<Instant>,
    is_running: bool,
    /// It passed its deadline, and was counted for it.
    is_late: bool,
    took: Duration,
    problem: Option<Problem>,
    failures: u64,
    dropped: u64,
}

impl Slot {
    /// Shows what is found for so long, or until it should have been found anew twice.
    pub(super) fn new(made: Made, shown_at_most: Duration) -> Self {
        let Made { kind, collector, labels } = made;
        let pace = match kind.lane {
            Lane::Paced(pace) => collector.pace().unwrap_or(pace),
            Lane::Shared | Lane::Own => Duration::ZERO,
        };
        let retry = if collector.retries_soon() { pace.min(RETRY) } else { pace };
        let shown = shown_at_most.max(pace * 2);
        Self { kind, labels, pace, retry, shown, collector: Mutex::new(collector), state: Mutex::default() }
    }

    /// Takes the slot for a run, unless one still runs, or it is too soon for another.
    pub(super) fn take(&self) -> bool {
        let mut state = lock(&self.state);
        // What failed is asked again sooner: at the start of a machine, its services come one after the other.
        let pace = if state.problem.is_some() { self.retry } else { self.pace };
        let is_too_soon = state.started.is_some_and(|started| started.elapsed() < pace);
        if state.is_running || is_too_soon {
            return false;
        }
        state.is_running = true;
        state.is_late = false;
        state.started = Some(Instant::now());
        true
    }

    /// One run, in the thread that calls. The slot must have been taken.
    pub(super) fn run(&self, tell: &dyn Fn(Happening)) {
        let started = Instant::now();
        let (sheet, result) = {
            let mut collector = lock(&self.collector);
            let (last, read) = {
                let state = lock(&self.state);
                (Arc::clone(&state.page), state.read)
            };
            if read.is_some_and(|read| read.elapsed() >= self.shown) {
                collector.forget();
            }
            let mut sheet = Sheet::with_constant(&collector.constant_labels().and(&self.labels)).as_long_as(&last);
            drop(last);
            let run = AssertUnwindSafe(|| collector.collect(&mut sheet));
            let result =
                catch_unwind(run).unwrap_or_else(|_| Err(Problem::new("the collector has a defect, and panicked")));
            (sheet, result)
        };
        let page = sheet.into_page();
        let mut state = lock(&self.state);
        let had_failed = state.problem.is_some() || state.is_late;
        state.took = started.elapsed();
        state.is_running = false;
        state.dropped += page.dropped;
        match result {
            Ok(()) => {
                state.problem = None;
                state.page = Arc::new(page);
                state.read = Some(Instant::now());
                if had_failed {
                    tell(Happening::Works(self.kind.name));
                }
            }
            Err(problem) => {
                state.failures += u64::from(!state.is_late);
                // What was read in spite of the problem is newer than what was there; nothing is worse than either.
                if !page.families.is_empty() {
                    state.page = Arc::new(page);
                    state.read = Some(Instant::now());
                }
                if state.problem.as_ref().map(Problem::told) != Some(problem.told()) {
                    tell(Happening::Failed(self.kind.name, problem.clone()));
                }
                state.problem = Some(problem);
            }
        }
        state.is_late = false;
    }

    /// Ends what the collector keeps running. One that hangs is left to itself.
    pub(super) fn stop(&self) {
        if let Ok(mut collector) = self.collector.try_lock() {
            collector.stop();
        }
    }

    /// Its deadline passed while it ran. Told and counted once a run.
    pub(super) fn is_late(&self, tell: &dyn Fn(Happening)) {
        let mut state = lock(&self.state);
        if state.is_running && !state.is_late {
            state.is_late = true;
            state.failures += 1;
            let since = state.started.map(|started| started.elapsed()).unwrap_or_default();
            tell(Happening::Hangs(self.kind.name, since));
        }
    }

    /// For how long it runs by now.
    pub(super) fn running(&self) -> Option<Duration> {
        let state = lock(&self.state);
        state.is_running.then(|| state.started.map(|started| started.elapsed()).unwrap_or_default())
    }

    pub(super) fn told(&self, deadline: Duration) -> Told {
        let state = lock(&self.state);
        let running = state.is_running.then(|| state.started.map(|started| started.elapsed()).unwrap_or_default());
        let hangs =
            running.filter(|running| *running > deadline && !matches!(self.kind.lane, Lane::Paced(_)) || state.is_late);
        let age = state.read.map(|read| read.elapsed());
        Told {
            name: self.kind.name,
            has_run: age.is_some() || state.problem.is_some() || hangs.is_some(),
            took: hangs.unwrap_or(state.took),
            is_good: state.problem.is_none() && hangs.is_none(),
            age,
            failures: state.failures,
            dropped: state.dropped,
            problem: match hangs {
                Some(running) => Some(format!("has not come back for {:.1} s", running.as_secs_f64())),
                None => state.problem.as_ref().map(Problem::told),
            },
            is_shown: age.is_some_and(|age| age < self.shown),
            page: Arc::clone(&state.page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::Scope;

    struct Empty;

    impl Collector for Empty {
        fn collect(&mut self, _: &mut Sheet) -> Result<(), Problem> {
            Ok(())
        }
    }

    fn slot(kind: &'static Kind, collector: Box<dyn Collector>, shown_at_most: Duration) -> Slot {
        Slot::new(Made { kind, collector, labels: Labels::default() }, shown_at_most)
    }

    /// Fails from the second run on, and notes when it is told to forget.
    struct Fleeting(u32, Arc<Mutex<Vec<u32>>>);

    impl Collector for Fleeting {
        fn collect(&mut self, _: &mut Sheet) -> Result<(), Problem> {
            self.0 += 1;
            if self.0 == 1 { Ok(()) } else { Err(Problem::new("gone")) }
        }

        fn retries_soon(&self) -> bool {
            false
        }

        fn forget(&mut self) {
            lock(&self.1).push(self.0);
        }
    }

    #[test]
    fn what_is_shown_no_more_is_forgotten_and_some_are_asked_no_sooner_after_a_failure() {
        let kind = |lane| {
            let kind = Kind { name: "x", about: "of a test", lane, scope: Scope::Node, make: |_| None };
            Box::leak(Box::new(kind))
        };
        let runs = |shown: Duration| {
            let forgotten = Arc::new(Mutex::default());
            let slot = slot(kind(Lane::Shared), Box::new(Fleeting(0, Arc::clone(&forgotten))), shown);
            for _ in 0..3 {
                assert!(slot.take());
                slot.run(&|_| {});
            }
            lock(&forgotten).clone()
        };
        assert_eq!(runs(Duration::from_hours(1)), Vec::<u32>::new());
        assert_eq!(runs(Duration::ZERO), [1, 2]);
        let paced = slot(kind(Lane::Paced(Duration::from_hours(1))), Box::new(Fleeting(0, Arc::default())), RETRY);
        assert_eq!((paced.retry, paced.shown), (Duration::from_hours(1), Duration::from_hours(2)));
    }

    #[test]
    fn values_of_a_slow_pace_are_shown_until_they_should_have_come_again() {
        let shown = |lane| {
            let kind: &'static Kind =
                Box::leak(Box::new(Kind { name: "x", about: "of a test", lane, scope: Scope::Node, make: |_| None }));
            let slot = slot(kind, Box::new(Empty), Duration::ZERO);
            assert!(slot.take());
            slot.run(&|_| {});
            slot.told(Duration::from_secs(1)).is_shown
        };
        assert!(shown(Lane::Paced(Duration::from_hours(1))));
        assert!(!shown(Lane::Shared));
    }
}
