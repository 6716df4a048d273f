//! What one rank told, and how the ranks of a job compare.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::line::{Given, Line};
use super::tail::Tail;

/// Steps that make a rank's usual time. One that is slow by chance does not change their median.
pub(super) const STEPS: usize = 20;

/// Slower than the median of the job's ranks by so much is a straggler.
const SLOW: f64 = 1.1;

/// It is one no more below this: else one at the limit would be told again and again.
const CAUGHT_UP: f64 = 1.05;

/// One rank.
#[derive(Debug, Default)]
pub(super) struct Rank {
    pub(super) tail: Tail,
    pub(super) step: Option<u64>,
    pub(super) steps: u64,
    pub(super) step_seconds: Timed,
    pub(super) compute_seconds: Timed,
    pub(super) wait_seconds: Timed,
    pub(super) loss: Option<f64>,
    pub(super) samples_per_second: Option<f64>,
    pub(super) tokens_per_second: Option<f64>,
    pub(super) not_finite: u64,
    /// When a line was read last, and how old it was then.
    heard: Option<(Instant, Duration)>,
    pub(super) straggles: bool,
}

/// One kind of time.
#[derive(Debug, Default)]
pub(super) struct Timed {
    pub(super) last: Option<f64>,
    pub(super) sum: f64,
    pub(super) count: u64,
    /// The same when it was collected before.
    before: (f64, u64),
    newest: VecDeque<f64>,
}

impl Timed {
    fn add(&mut self, given: Given) {
        let Some(seconds) = given.seconds() else { return };
        self.last = Some(seconds);
        self.sum += seconds;
        self.count += 1;
        if self.newest.len() == STEPS {
            self.newest.pop_front();
        }
        self.newest.push_back(seconds);
    }

    /// The mean since the last call, where there was any.
    #[allow(clippy::cast_precision_loss, reason = "lines of one interval")]
    pub(super) fn mean(&mut self) -> Option<f64> {
        let (sum, count) = (self.sum - self.before.0, self.count - self.before.1);
        self.before = (self.sum, self.count);
        (count > 0).then(|| sum / count as f64)
    }

    /// The median of the newest, once there are enough.
    fn usual(&self) -> Option<f64> {
        (self.newest.len() == STEPS).then(|| median(self.newest.iter().copied().collect())).flatten()
    }
}

impl Rank {
    pub(super) fn take(&mut self, line: &Line) {
        if let Some(step) = line.step {
            self.steps = self.steps.saturating_add(self.step.map_or(0, |before| step.saturating_sub(before)));
            self.step = Some(step);
        }
        self.step_seconds.add(line.step_seconds);
        self.compute_seconds.add(line.compute_seconds);
        self.wait_seconds.add(line.wait_seconds);
        newest(&mut self.loss, line.loss);
        newest(&mut self.samples_per_second, line.samples_per_second);
        newest(&mut self.tokens_per_second, line.tokens_per_second);
        self.not_finite += u64::from(line.is_off());
    }

    /// Lines came, or the file was seen for the first time, last written so long ago.
    pub(super) fn is_heard(&mut self, has_told: bool, written: Duration) {
        if has_told {
            self.heard = Some((Instant::now(), Duration::ZERO));
        }
        // A file that was there before the agent was told of when it was written.
        self.heard.get_or_insert_with(|| (Instant::now(), written));
    }

    /// For how long it has told nothing.
    pub(super) fn silence(&self) -> Option<Duration> {
        self.heard.map(|(at, age)| at.elapsed().saturating_add(age))
    }
}

/// A value that was told and is no number is not known any more: the one before it would be taken for its.
fn newest(place: &mut Option<f64>, given: Given) {
    match given {
        Given::Not => {}
        Given::NotFinite => *place = None,
        Given::Number(number) => *place = Some(number),
    }
}

/// What the ranks of a job on this node are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Compute,
    Step,
}

impl Measure {
    /// What the scripts call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute_seconds",
            Self::Step => "step_seconds",
        }
    }
}

/// How each rank's usual time stands to the median of all: ratio, and time. Nothing where fewer than two can be compared.
///
/// Where every rank says for how long it computed, that is compared: those that wait for a slow one have steps as long as
/// its own.
pub(super) fn compare(ranks: &[&Rank]) -> Option<(Measure, f64, Vec<Option<f64>>)> {
    let all = |of: fn(&Rank) -> &Timed| ranks.iter().map(|rank| of(rank).usual()).collect::<Vec<_>>();
    let mut measure = Measure::Compute;
    let mut usual = all(|rank| &rank.compute_seconds);
    if usual.iter().any(Option::is_none) {
        (measure, usual) = (Measure::Step, all(|rank| &rank.step_seconds));
    }
    let known: Vec<f64> = usual.iter().flatten().copied().collect();
    if known.len() < 2 {
        return None;
    }
    let middle = median(known).filter(|middle| *middle > 0.0)?;
    Some((measure, middle, usual.into_iter().map(|usual| usual.map(|usual| usual / middle)).collect()))
}

impl Rank {
    /// Takes its ratio. Whether it became a straggler by it.
    pub(super) fn begins_to_straggle(&mut self, ratio: f64) -> bool {
        let was = self.straggles;
        self.straggles = ratio > if was { CAUGHT_UP } else { SLOW };
        self.straggles && !was
    }
}

/// Of two in the middle their mean.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}
