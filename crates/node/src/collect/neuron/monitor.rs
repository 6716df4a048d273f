//! `neuron-monitor`, kept running: a thread reads its lines, and starts it again when it ends.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use trainyard_run::{Cancel, Command, RunError};

use super::report::Reports;

/// It is started anew so often: nobody runs for ever without a leak, and what it may write in one run has a limit.
const RUN_AT_MOST: Duration = Duration::from_hours(1);

/// Before it is started again, at first and at most. A machine whose driver is away is not asked every second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// One that ran for so long did its work.
const RUN_WELL: Duration = Duration::from_mins(1);

/// What is known of it.
#[derive(Default)]
pub(super) struct Told {
    pub(super) reports: Reports,
    pub(super) at: Option<Instant>,
    pub(super) unread: u64,
    pub(super) starts: u64,
    /// Why it ended last, unless it tells again.
    pub(super) problem: Option<Arc<RunError>>,
}

/// The agent's end waits for the program's no longer than this.
const ENDED_WITHIN: Duration = Duration::from_secs(1);

/// The running program. It ends with this.
pub(super) struct Monitor {
    told: Arc<Mutex<Told>>,
    cancel: Cancel,
    /// Nothing is sent: that it is gone wakes a thread that pauses.
    alive: Option<Sender<()>>,
    thread: JoinHandle<()>,
}

impl Monitor {
    /// `None` where the machine gives no thread.
    pub(super) fn start(program: &Path) -> Option<Self> {
        let told: Arc<Mutex<Told>> = Arc::default();
        let cancel = Cancel::default();
        let (alive, gone) = channel();
        let (shared, stop, program) = (Arc::clone(&told), cancel.clone(), program.to_owned());
        let work = move || {
            let mut pause = PAUSES.0;
            while !stop.is_set() {
                let begun = Instant::now();
                run(&program, &shared, &stop);
                pause = if begun.elapsed() >= RUN_WELL { PAUSES.0 } else { (pause * 2).min(PAUSES.1) };
                if gone.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("neuron-monitor".into()).spawn(work).ok()?;
        Some(Self { told, cancel, alive: Some(alive), thread })
    }

    /// Ends the program: nobody else would, where no service manager does.
    pub(super) fn stop(&mut self) {
        self.cancel.set();
        self.alive = None;
        let until = Instant::now() + ENDED_WITHIN;
        while !self.thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        lock(&self.told)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(program: &PathBuf, told: &Mutex<Told>, cancel: &Cancel) {
    lock(told).starts += 1;
    let command = Command::new(program).deadline(RUN_AT_MOST).cancel(cancel);
    let result = command.lines(&mut |line| {
        let mut told = lock(told);
        if line.trim().is_empty() {
            return;
        }
        if told.reports.take(line) {
            told.at = Some(Instant::now());
            told.problem = None;
        } else {
            told.unread += 1;
        }
    });
    // That its time was over, or its limit reached, is as it should be.
    if let Err(error) = result
        && !matches!(error, RunError::Deadline { .. } | RunError::Flood { .. })
    {
        lock(told).problem = Some(Arc::new(error));
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}
