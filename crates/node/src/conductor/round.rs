//! One round over all collectors: who runs them, and how long is waited for them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::slot::Slot;
use super::{Happening, lock};
use crate::collect::Lane;

/// Room for a collector's calls. Only what is used is in memory.
pub(super) const STACK_BYTES: usize = 512 << 10;

/// How long the shared thread may be with one collector before another thread goes on with the rest.
const PATIENCE: Duration = Duration::from_millis(100);

type Tell = Box<dyn Fn(Happening) + Send + Sync>;

/// A round's progress: how many collectors have yet to come back.
#[derive(Default)]
struct Progress {
    pending: Mutex<usize>,
    changed: Condvar,
}

impl Progress {
    fn add(&self) {
        *lock(&self.pending) += 1;
    }

    fn is_back(&self) {
        let mut pending = lock(&self.pending);
        *pending -= 1;
        // Who waits does so for all: to be woken for each would cost more than what most collectors do.
        if *pending == 0 {
            self.changed.notify_all();
        }
    }

    /// Waits until all are back, at most until `until`. Whether they are.
    fn wait(&self, until: Instant) -> bool {
        let mut pending = lock(&self.pending);
        while *pending > 0 {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return false;
            }
            pending = self.changed.wait_timeout(pending, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// The shared lane's work in one round.
struct Errand {
    slots: Vec<Arc<Slot>>,
    next: AtomicUsize,
}

/// What a thread is asked to do.
enum Job {
    One(Arc<Slot>),
    Many(Arc<Errand>),
}

/// A thread that waits for jobs.
struct Runner {
    jobs: Sender<(Job, Arc<Progress>, Arc<Told>)>,
}

type Told = dyn Fn(Happening) + Send + Sync;

/// The threads: one for the shared lane, one for each collector that waits for devices.
pub(super) struct Runners {
    shared: Option<Runner>,
    own: Vec<Option<Runner>>,
    happenings: (Sender<Happening>, Receiver<Happening>),
}

impl Runners {
    pub(super) fn start(slots: &[Arc<Slot>]) -> Self {
        let own = slots.iter().map(|slot| (slot.kind.lane != Lane::Shared).then(|| Runner::start(slot.kind.name)));
        Self { own: own.map(Option::flatten).collect(), shared: Runner::start("shared"), happenings: channel() }
    }

    /// Runs all that are free, and comes back when they are through, or when the deadline is over.
    pub(super) fn round(&mut self, slots: &[Arc<Slot>], deadline: Duration, tell: &Tell) {
        let until = Instant::now() + deadline;
        let progress = Arc::new(Progress::default());
        let sender = self.happenings.0.clone();
        let say: Arc<Told> = Arc::new(move |happening| {
            let _ = sender.send(happening); // the receiver lives as long as the conductor
        });
        let mut shared = Vec::new();
        let mut running = Vec::new();
        for (slot, runner) in slots.iter().zip(&self.own) {
            if !slot.take() {
                continue;
            }
            // A paced collector is not waited for: its values are as fresh as its pace lets them be.
            let is_awaited = !matches!(slot.kind.lane, Lane::Paced(_));
            if is_awaited {
                running.push(Arc::clone(slot));
            }
            if let Some(runner) = runner {
                let counted = if is_awaited { Arc::clone(&progress) } else { Arc::new(Progress::default()) };
                counted.add();
                runner.give(Job::One(Arc::clone(slot)), &counted, &say);
            } else {
                progress.add();
                shared.push(Arc::clone(slot));
            }
        }
        let errand = Arc::new(Errand { slots: shared, next: AtomicUsize::new(0) });
        self.send_out(&errand, &progress, &say);
        while !progress.wait((Instant::now() + PATIENCE).min(until)) && Instant::now() < until {
            self.take_over(&errand, &progress, &say);
        }
        for slot in running {
            slot.is_late(&*say);
        }
        for happening in self.happenings.1.try_iter() {
            tell(happening);
        }
    }

    fn send_out(&self, errand: &Arc<Errand>, progress: &Arc<Progress>, say: &Arc<Told>) {
        if let Some(runner) = &self.shared {
            runner.give(Job::Many(Arc::clone(errand)), progress, say);
        }
    }

    /// Where the shared thread does not come on, another one does the rest, and stays. The old one ends when its collector
    /// comes back.
    fn take_over(&mut self, errand: &Arc<Errand>, progress: &Arc<Progress>, say: &Arc<Told>) {
        let at = errand.next.load(Ordering::SeqCst);
        let hanging = at.checked_sub(1).and_then(|at| errand.slots.get(at));
        if hanging.and_then(|slot| slot.running()).is_some_and(|running| running >= PATIENCE)
            && let Some(runner) = Runner::start("shared")
        {
            self.shared = Some(runner);
            self.send_out(errand, progress, say);
        }
    }
}

impl Runner {
    /// `None` where the machine gives no thread; the next round tries again.
    fn start(name: &str) -> Option<Self> {
        let (jobs, received) = channel::<(Job, Arc<Progress>, Arc<Told>)>();
        let work = move || {
            while let Ok((job, progress, say)) = received.recv() {
                match job {
                    Job::One(slot) => {
                        slot.run(&*say);
                        progress.is_back();
                    }
                    Job::Many(errand) => {
                        while let Some(slot) = errand.slots.get(errand.next.fetch_add(1, Ordering::SeqCst)) {
                            slot.run(&*say);
                            progress.is_back();
                        }
                    }
                }
            }
        };
        std::thread::Builder::new().name(name.into()).stack_size(STACK_BYTES).spawn(work).ok()?;
        Some(Self { jobs })
    }

    fn give(&self, job: Job, progress: &Arc<Progress>, say: &Arc<Told>) {
        // A thread ends only with this sender.
        let _ = self.jobs.send((job, Arc::clone(progress), Arc::clone(say)));
    }
}
