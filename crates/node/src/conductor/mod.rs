//! Runs the collectors in rounds, and keeps what each found last.
//!
//! No collector can delay or fail another, or a scrape: one that hangs keeps its own thread busy until it comes back, and
//! one that fails or panics shows its last values, marked stale. However many ask, rounds follow one another, and all
//! that ask while one runs get the next.

mod round;
mod slot;
mod told;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::collect::{Made, Problem};
use crate::sheet::Page;

use round::Runners;
use slot::Slot;

pub use told::Told;

/// How long a round may take. What is not there then is shown as it was.
pub const ROUND_DEADLINE: Duration = Duration::from_millis(1500);

/// Values older than this are shown no more: a reader would take them for the machine's. Prometheus looks back as far.
const SHOWN_AT_MOST: Duration = Duration::from_mins(5);

/// What the conductor is made with.
pub struct Tempo {
    /// Between rounds that nobody asked for.
    pub interval: Duration,
    /// How long a round may take.
    pub deadline: Duration,
}

impl Default for Tempo {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10), deadline: ROUND_DEADLINE }
    }
}

/// What happens to a collector, for the log.
#[derive(Debug, Clone)]
pub enum Happening {
    /// It failed, and had not failed before.
    Failed(&'static str, Problem),
    /// It did not come back in time.
    Hangs(&'static str, Duration),
    /// It works again.
    Works(&'static str),
}

/// Runs collectors. Ends with its last handle.
pub struct Conductor {
    inner: Arc<Inner>,
}

struct Inner {
    slots: Vec<Arc<Slot>>,
    tempo: Tempo,
    asked: Mutex<Asked>,
    wake: Condvar,
    finished: watch::Sender<u64>,
    /// When the last round came to its end; at first, when the agent started.
    last: Mutex<Instant>,
    tell: Box<dyn Fn(Happening) + Send + Sync>,
}

#[derive(Default)]
struct Asked {
    /// The round that somebody waits for.
    round: u64,
    /// Whether paced collectors run too.
    is_over: bool,
    scrapes: u64,
}

impl Conductor {
    /// Starts with these collectors; the first round begins at once.
    pub fn start(
        collectors: Vec<Made>,
        tempo: Tempo,
        tell: Box<dyn Fn(Happening) + Send + Sync>,
    ) -> std::io::Result<Self> {
        let shown_at_most = SHOWN_AT_MOST.max(tempo.interval * 2);
        let slots = collectors.into_iter().map(|made| Arc::new(Slot::new(made, shown_at_most))).collect();
        let (finished, _) = watch::channel(0);
        let asked = Mutex::new(Asked { round: 1, ..Asked::default() });
        let last = Mutex::new(Instant::now());
        let inner = Arc::new(Inner { slots, tempo, asked, wake: Condvar::new(), finished, last, tell });
        let conducting = Arc::clone(&inner);
        std::thread::Builder::new()
            .name("conductor".into())
            .stack_size(round::STACK_BYTES)
            .spawn(move || conducting.conduct())?;
        Ok(Self { inner })
    }

    /// Waits for a round that begins from now on, as long as one may take.
    pub async fn fresh(&self) {
        let mut finished = self.inner.finished.subscribe();
        let wanted = {
            let mut asked = lock(&self.inner.asked);
            // A round that runs already may have read what was before now.
            asked.round = asked.round.max(*finished.borrow() + 1) + 1;
            self.inner.wake.notify_all();
            asked.round
        };
        // Two rounds: the one that runs, and the one that was asked for.
        let patience = self.inner.tempo.deadline * 2 + Duration::from_millis(500);
        let _ = tokio::time::timeout(patience, finished.wait_for(|round| *round >= wanted)).await;
    }

    /// Waits until the first round is over, so that nobody takes an agent that just started for an empty machine.
    pub async fn begun(&self) {
        let mut finished = self.inner.finished.subscribe();
        let _ = tokio::time::timeout(self.inner.tempo.deadline * 2, finished.wait_for(|round| *round > 0)).await;
    }

    /// Waits for the end of the next round, whoever asked for it.
    pub async fn next_round(&self) {
        let mut finished = self.inner.finished.subscribe();
        let _ = finished.changed().await;
    }

    /// Waits until every collector came back once, paced ones too, but no longer than this.
    pub async fn settled(&self, patience: Duration) {
        let until = Instant::now() + patience;
        while Instant::now() < until && !self.told().iter().all(|told| told.has_run) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// All pages as they are now, the agent's own first. Counted as a scrape.
    pub fn pages(&self) -> Vec<Arc<Page>> {
        let scrapes = {
            let mut asked = lock(&self.inner.asked);
            asked.scrapes += 1;
            asked.scrapes
        };
        let told = self.told();
        let mut pages = vec![Arc::new(told::page(&told, scrapes))];
        pages.extend(told.into_iter().filter(|told| told.is_shown).map(|told| told.page));
        pages
    }

    /// How each collector fares.
    pub fn told(&self) -> Vec<Told> {
        self.inner.slots.iter().map(|slot| slot.told(self.inner.tempo.deadline)).collect()
    }

    /// Ends what collectors keep running, where they are not at work just now. No round follows.
    pub fn end(&self) {
        lock(&self.inner.asked).is_over = true;
        self.inner.wake.notify_all();
        self.inner.slots.iter().for_each(|slot| slot.stop());
    }

    /// How long ago the last round came to its end.
    pub fn since_last(&self) -> Duration {
        lock(&self.inner.last).elapsed()
    }
}

impl Drop for Conductor {
    fn drop(&mut self) {
        lock(&self.inner.asked).is_over = true;
        self.inner.wake.notify_all();
    }
}

impl Inner {
    fn conduct(&self) {
        let mut runners = Runners::start(&self.slots);
        let mut last = Instant::now();
        let mut done = 0;
        loop {
            let round = {
                let mut asked = lock(&self.asked);
                while asked.round <= done && !asked.is_over {
                    let rest = (last + self.tempo.interval).saturating_duration_since(Instant::now());
                    if rest.is_zero() {
                        break;
                    }
                    asked = self.wake.wait_timeout(asked, rest).unwrap_or_else(PoisonError::into_inner).0;
                }
                if asked.is_over {
                    return;
                }
                asked.round = asked.round.max(done + 1);
                asked.round
            };
            last = Instant::now();
            runners.round(&self.slots, self.tempo.deadline, &self.tell);
            done = round;
            *lock(&self.last) = Instant::now();
            self.finished.send_replace(round);
        }
    }
}

/// What a thread that panicked left is used on: a collector's state is only what it read.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
