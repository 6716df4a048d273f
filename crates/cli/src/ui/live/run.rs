//! What is known of a run of the engine, from its events in whatever order they come. Never panics on any.

use std::time::Duration;

use trainyard_provider::Progress;
use trainyard_provider::engine::Event;

use super::line::{Line, Tone, tame};
use super::times::taken;

/// A run so far. Times are since it began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// The step that is worked on.
    pub current: Option<Current>,
    /// How long all steps usually take.
    expected: u64,
    /// How long those usually take that were begun, or stand already.
    met: u64,
}

/// The step that is worked on.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    step: String,
    /// What it does, with its number: `[3/9] …`.
    pub title: String,
    /// How long it usually takes; 0 where nobody knows.
    pub expected: u64,
    begun: Duration,
    /// How far it is.
    pub progress: Progress,
}

impl Current {
    /// How long it has been worked on.
    pub fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.begun)
    }
}

impl Run {
    /// Hears an event; returns what is said for good.
    pub fn hear(&mut self, event: &Event, now: Duration) -> Vec<Said> {
        match event {
            Event::Begin { expected_seconds, .. } => {
                *self = Self { expected: *expected_seconds, ..Self::default() };
            }
            Event::Skipped { title, expected_seconds, .. } => {
                self.met = self.met.saturating_add(*expected_seconds);
                return vec![Said::new(Tone::Dim, "-", tame(title), "stands already")];
            }
            Event::Started { step, title, number, of, expected_seconds } => {
                self.met = self.met.saturating_add(*expected_seconds);
                let title = format!("[{number}/{of}] {}", tame(title));
                let (step, progress) = (step.clone(), Progress::default());
                self.current = Some(Current { step, title, expected: *expected_seconds, begun: now, progress });
            }
            Event::Progress { step, progress } => {
                if let Some(current) = self.current.as_mut().filter(|current| current.step == *step) {
                    current.progress = tamed(progress);
                }
            }
            Event::Done { step, seconds } => {
                let title = self.finish(step);
                return vec![Said::new(Tone::Good, "✓", title, &taken(*seconds))];
            }
            Event::Failed { step, required, causes } => {
                let title = self.finish(step);
                if *required {
                    return vec![Said::new(Tone::Bad, "✗", title, "not done")];
                }
                let why = Said::new(Tone::Dim, "", format!("went on without it: {}", tame(&causes.join(": "))), "");
                return vec![Said::new(Tone::Warm, "!", title, "failed"), why];
            }
            Event::Kept { step, because } => {
                return vec![Said::new(Tone::Dim, "-", format!("{} stays: {}", tame(step), tame(because)), "")];
            }
            Event::End => self.current = None,
        }
        Vec::new()
    }

    /// How long it will usually still take; zero where nobody knows.
    pub fn left(&self, now: Duration) -> Duration {
        let of_this = self.current.as_ref().map_or(Duration::ZERO, |current| {
            Duration::from_secs(current.expected).saturating_sub(current.elapsed(now))
        });
        of_this.saturating_add(Duration::from_secs(self.expected.saturating_sub(self.met)))
    }

    /// The step's title; a step that nobody heard beginning goes by its name.
    fn finish(&mut self, step: &str) -> String {
        match self.current.take_if(|current| current.step == step) {
            Some(current) => current.title,
            None => tame(step),
        }
    }
}

/// Something that stays above the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    tone: Tone,
    mark: &'static str,
    what: String,
    aside: String,
}

impl Said {
    fn new(tone: Tone, mark: &'static str, what: String, aside: &str) -> Self {
        Self { tone, mark, what, aside: aside.to_owned() }
    }

    /// As a line. What is cut is the middle: how it ended stays.
    pub fn line(&self, width: usize) -> Line {
        let aside = if self.aside.is_empty() { String::new() } else { format!(" ({})", self.aside) };
        let mark = format!("  {:1} ", self.mark);
        let room = width.saturating_sub(mark.chars().count() + aside.chars().count());
        let what = Line::new(Tone::Plain, self.what.as_str()).fit(room).text();
        let weight = if self.tone == Tone::Dim { Tone::Dim } else { Tone::Plain };
        Line::new(self.tone, mark).with(weight, what).with(Tone::Dim, aside).fit(width)
    }
}

fn tamed(progress: &Progress) -> Progress {
    let mut tamed = progress.clone();
    tamed.text = tame(&tamed.text);
    tamed.stage = tamed.stage.map(|stage| tame(&stage));
    for resource in tamed.resources.iter_mut().flat_map(|resources| &mut resources.in_progress) {
        resource.name = tame(&resource.name);
    }
    for queue in &mut tamed.queues {
        queue.name = tame(&queue.name);
    }
    tamed
}
