//! Waiting for a child, with a deadline and a way to be interrupted.

use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Set once from a signal handler or another thread; everything that waits looks at it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// The flag itself, for a signal handler.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Ask everything to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) enum Ended {
    Exit(ExitStatus),
    Deadline,
    Cancelled,
}

/// Polls with growing pauses: 1 ms at first, so that quick programs stay quick, 20 ms at most.
pub(crate) fn wait(child: &mut Child, deadline: Instant, cancel: &Cancel) -> std::io::Result<Ended> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::Exit(status));
        }
        if cancel.is_set() {
            return Ok(Ended::Cancelled);
        }
        let now = Instant::now();
        if now >= deadline {
            return Ok(Ended::Deadline);
        }
        std::thread::sleep(pause.min(deadline - now));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
