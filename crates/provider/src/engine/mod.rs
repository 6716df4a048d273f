//! Runs a plan through a provider, forwards (`up`) or backwards (`down`).
//!
//! Steps run in the plan's order. What the journal knows as done, and what still holds, is skipped;
//! everything else is done again, because every action may be done twice.

mod event;
mod journal;
mod lock;

use std::time::{Duration, Instant};

use trainyard_plan::{Plan, Step, Undo};
use trainyard_run::Cancel;

pub use event::{Event, Reporter};
pub use journal::{Journal, Record, StepState, What};
pub use lock::Lock;

use crate::{Failure, Kind, Provider, StepContext};

/// What the engine works with.
pub struct Engine<'a> {
    /// Who does the work.
    pub provider: &'a dyn Provider,
    /// Who is told.
    pub reporter: &'a dyn Reporter,
    /// Set when the user asks to stop.
    pub cancel: &'a Cancel,
}

impl Engine<'_> {
    /// Does every step that is not done yet.
    pub fn up(&self, plan: &Plan, journal: &mut Journal) -> Result<(), Failure> {
        self.reporter.tell(&Event::Begin {
            cluster: plan.cluster.clone(),
            steps: plan.steps.len(),
            expected_seconds: plan.expected_seconds(),
        });
        for (index, step) in plan.steps.iter().enumerate() {
            let fingerprint = step.fingerprint();
            if journal.state(&step.name) == Some(&StepState::Done(fingerprint.clone()))
                && self.provider.holds(plan, &step.action)?
            {
                self.reporter.tell(&Event::Skipped {
                    step: step.name.clone(),
                    title: step.title.clone(),
                    expected_seconds: step.expected_seconds,
                });
                continue;
            }
            self.stop_if_asked(&step.name)?;
            self.reporter.tell(&Event::Started {
                step: step.name.clone(),
                title: step.title.clone(),
                number: index + 1,
                of: plan.steps.len(),
                expected_seconds: step.expected_seconds,
            });
            journal.write(&step.name, What::Begin(fingerprint.clone()))?;
            let begun = Instant::now();
            match self.execute(plan, step, &step.action) {
                Ok(()) => {
                    journal.write(&step.name, What::Done(fingerprint))?;
                    self.reporter
                        .tell(&Event::Done { step: step.name.clone(), seconds: begun.elapsed().as_secs_f64() });
                }
                Err(failure) => {
                    // A full disk must not hide what failed first.
                    let noted = journal.write(&step.name, What::Failed(failure.chain().join(": ")));
                    self.reporter.tell(&Event::Failed {
                        step: step.name.clone(),
                        required: step.required,
                        causes: failure.chain(),
                    });
                    if step.required {
                        return Err(failure.within(format!("step `{}` failed: {}", step.name, step.title)));
                    }
                    noted?;
                }
            }
        }
        self.reporter.tell(&Event::End);
        Ok(())
    }

    /// Undoes, last to first, every step that was begun.
    pub fn down(&self, plan: &Plan, journal: &mut Journal) -> Result<(), Failure> {
        // A plan without a journal: nobody knows how far it came, so everything is undone.
        let unknown = journal.is_empty();
        let touched = |step: &&Step| unknown || !matches!(journal.state(&step.name), None | Some(StepState::Undone));
        let steps: Vec<Step> = plan.steps.iter().filter(touched).cloned().collect();
        let (mut number, of) = (0, steps.iter().filter(|step| matches!(step.undo, Undo::Act { .. })).count());
        self.reporter.tell(&Event::Begin { cluster: plan.cluster.clone(), steps: of, expected_seconds: 0 });
        for step in steps.iter().rev() {
            match &step.undo {
                Undo::Nothing => {}
                Undo::Kept { because } => {
                    self.reporter.tell(&Event::Kept { step: step.name.clone(), because: because.clone() });
                }
                Undo::Act { title, action } => {
                    self.stop_if_asked(&step.name)?;
                    number += 1;
                    self.reporter.tell(&Event::Started {
                        step: step.name.clone(),
                        title: title.clone(),
                        number,
                        of,
                        expected_seconds: 0,
                    });
                    journal.write(&step.name, What::UndoBegin)?;
                    let begun = Instant::now();
                    self.execute(plan, step, action)
                        .map_err(|failure| failure.within(format!("undoing step `{}` failed: {title}", step.name)))?;
                    self.reporter
                        .tell(&Event::Done { step: step.name.clone(), seconds: begun.elapsed().as_secs_f64() });
                }
            }
            journal.write(&step.name, What::Undone)?;
        }
        // Steps of an earlier plan, which this one does not have.
        for step in journal.open_steps() {
            journal.write(&step, What::Undone)?;
        }
        self.reporter.tell(&Event::End);
        Ok(())
    }

    fn execute(&self, plan: &Plan, step: &Step, action: &trainyard_plan::Action) -> Result<(), Failure> {
        let progress = |progress| self.reporter.tell(&Event::Progress { step: step.name.clone(), progress });
        let deadline = Instant::now() + Duration::from_secs(step.deadline_seconds);
        let context = StepContext { deadline, cancel: self.cancel, progress: &progress };
        self.provider.execute(plan, action, &context)
    }

    fn stop_if_asked(&self, step: &str) -> Result<(), Failure> {
        if self.cancel.is_set() {
            return Err(Failure::interrupted(format!("stopped before step `{step}`")));
        }
        Ok(())
    }
}

/// Whether a failure means "run the same command again".
pub fn resumable(failure: &Failure) -> bool {
    failure.kind == Kind::Interrupted
}

/// The time, for logs and journals: UTC, to the second.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
