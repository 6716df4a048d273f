//! Waiting: with a deadline, saying what for.

use std::time::{Duration, Instant};

use crate::{Failure, Progress, StepContext};

/// How long to wait, and whom to tell.
pub struct Patience<'a> {
    /// When it is over.
    pub deadline: Instant,
    /// Where to say how far it is.
    pub progress: &'a dyn Fn(Progress),
}

impl<'a> Patience<'a> {
    /// That of a step.
    pub fn of(context: &StepContext<'a>) -> Self {
        Self { deadline: context.deadline, progress: context.progress }
    }

    /// Says how far it is.
    pub fn tell(&self, progress: impl Into<Progress>) {
        (self.progress)(progress.into());
    }

    /// Says how far it is; an error once the time is over.
    pub fn mind(&self, what: &str, last: &str) -> Result<(), Failure> {
        self.tell(last);
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(Failure::refused(format!("{what} did not end in time; last seen: {last}"))
            .hint("the same command goes on with it"))
    }

    /// Says what is awaited, and pauses; an error once the time is over.
    pub async fn pause(&self, what: &str, last: impl Into<Progress>, pause: Duration) -> Result<(), Failure> {
        let last = last.into();
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::refused(format!("{what} did not come in time; last seen: {}", last.text))
                .hint("AWS goes on with what was begun: the same command waits on"));
        }
        (self.progress)(last);
        tokio::time::sleep(pause.min(left)).await;
        Ok(())
    }
}
