//! Waiting: with a deadline, saying what for.

use std::time::{Duration, Instant};

use crate::{Failure, StepContext};

/// How long to wait, and whom to tell.
pub struct Patience<'a> {
    /// When it is over.
    pub deadline: Instant,
    /// Where to say how far it is.
    pub progress: &'a dyn Fn(&str),
}

impl<'a> Patience<'a> {
    /// That of a step.
    pub fn of(context: &StepContext<'a>) -> Self {
        Self { deadline: context.deadline, progress: context.progress }
    }

    /// Says how far it is; an error once the time is over.
    pub fn mind(&self, what: &str, last: &str) -> Result<(), Failure> {
        (self.progress)(last);
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(Failure::refused(format!("{what} did not end in time; last seen: {last}"))
            .hint("the same command goes on with it"))
    }

    /// Says what is awaited, and pauses; an error once the time is over.
    pub async fn pause(&self, what: &str, last: &str, pause: Duration) -> Result<(), Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::refused(format!("{what} did not come in time; last seen: {last}"))
                .hint("AWS goes on with what was begun: the same command waits on"));
        }
        (self.progress)(last);
        tokio::time::sleep(pause.min(left)).await;
        Ok(())
    }
}
