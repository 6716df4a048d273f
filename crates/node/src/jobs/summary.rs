//! A job that ended: one sentence for people, and the same for programs.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::tally::Tally;
use crate::events::{Event, Severity};

/// The agent may come later than a job by so much, and has still seen all of it.
const LATE_SECONDS: i64 = 60;

/// How a job went on this node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// When the agent noticed its end. It may have ended sooner where no agent ran.
    pub ended: Timestamp,
    /// Where its GPUs and its fabric were replayed, of what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
    /// The mean utilisation of its GPUs.
    pub gpu_percent: Option<f64>,
    /// The mean activity of their multiprocessors, from 0 to 1.
    pub sm_active: Option<f64>,
    /// Hours that its GPUs were its own and their use was known, all together. None where it had some and none of them told,
    /// as divided ones do.
    pub gpu_hours: Option<f64>,
    /// Hours of these in which they did nothing.
    pub idle_gpu_hours: Option<f64>,
    /// The most memory that one of its GPUs had in use.
    pub gpu_memory_peak_mib: Option<u64>,
    /// Over NVLink, all of its GPUs together.
    pub nvlink_bytes: Option<u64>,
    /// Of its GPUs.
    pub energy_joules: Option<f64>,
    /// The sums that this is made of.
    #[serde(flatten)]
    pub tally: Tally,
}

impl Summary {
    /// Of a job that ended.
    pub fn new(tally: Tally, ended: Timestamp, replay: Option<String>) -> Self {
        let mean = |sum: f64, seconds: f64| (seconds > 0.0).then(|| sum / seconds);
        let known = tally.gpu_sum(|gpu| gpu.seconds);
        let is_told = known > 0.0 || tally.gpus.is_empty();
        let energy: Option<u64> = tally.gpus.values().filter_map(|gpu| gpu.energy_mj).reduce(u64::saturating_add);
        #[allow(clippy::cast_precision_loss, reason = "millijoules of a job are far below 2^52")]
        let joules = |mj: u64| mj as f64 / 1e3;
        Self {
            ended,
            replay,
            gpu_percent: mean(tally.gpu_sum(|gpu| gpu.percent_seconds), known),
            sm_active: mean(tally.gpu_sum(|gpu| gpu.sm_active_seconds), tally.gpu_sum(|gpu| gpu.sm_seconds)),
            gpu_hours: is_told.then_some(known / 3600.0),
            idle_gpu_hours: is_told.then(|| tally.gpu_sum(|gpu| gpu.idle_seconds) / 3600.0),
            gpu_memory_peak_mib: tally.gpus.values().filter_map(|gpu| gpu.memory_peak_mib).max(),
            nvlink_bytes: tally.gpus.values().filter_map(|gpu| gpu.nvlink_bytes).reduce(u64::saturating_add),
            energy_joules: energy.map(joules),
            tally,
        }
    }

    /// Since when its sums are, where that is not its begin.
    pub fn only_since(&self) -> Option<Timestamp> {
        let Tally { started, seen_since, .. } = &self.tally;
        let is_late = started.is_some_and(|started| seen_since.as_second() - started.as_second() > LATE_SECONDS);
        is_late.then_some(*seen_since)
    }

    /// One sentence. What is not known is left out.
    pub fn sentence(&self) -> String {
        let Tally { jobid, user, account, nodes, .. } = &self.tally;
        let account = if account.is_empty() { String::new() } else { format!(" (account {account})") };
        let ran = span(self.tally.ran_seconds());
        let mut text = format!("job {jobid} of {user}{account} ended after {ran} on this node");
        if *nodes > 1 {
            let _ = write!(text, ", one of {nodes}");
        }
        let parts = self.parts();
        if !parts.is_empty() {
            let _ = write!(text, ": {}", parts.join(", "));
        }
        if let Some(since) = self.only_since() {
            let _ = write!(text, "; these figures are since {since:.0} only");
        }
        if self.tally.unseen_seconds >= 1.0 {
            let _ = write!(text, "; {:.0} s of it were not seen", self.tally.unseen_seconds);
        }
        text.push('.');
        text
    }

    fn parts(&self) -> Vec<String> {
        let tally = &self.tally;
        let mut parts = Vec::new();
        if let Some(percent) = self.gpu_percent {
            let count = tally.gpus.len();
            let active =
                self.sm_active.map(|active| format!(" (SM activity {:.0} %)", active * 100.0)).unwrap_or_default();
            parts.push(format!("{count} GPU{} at {percent:.0} %{active}", if count == 1 { "" } else { "s" }));
        }
        if let Some((idle, hours)) = self.idle_gpu_hours.zip(self.gpu_hours).filter(|_| self.gpu_percent.is_some()) {
            parts.push(format!("{idle:.2} of {hours:.2} GPU-hours idle"));
        }
        let mib = |mib: u64| bytes(mib.saturating_mul(1 << 20));
        parts.extend(self.gpu_memory_peak_mib.map(|peak| format!("GPU memory peak {}", mib(peak))));
        parts.extend(tally.memory_peak_bytes.map(|peak| format!("memory peak {}", bytes(peak))));
        for (moved, way) in [
            (self.nvlink_bytes, "NVLink"),
            (tally.efa_bytes, "EFA"),
            (tally.ordinary_bytes, "the ordinary network"),
            (tally.lustre_bytes, "Lustre"),
        ] {
            parts.extend(moved.map(|moved| format!("{} over {way}", bytes(moved))));
        }
        parts
    }

    /// The same as an event.
    pub fn event(&self) -> Event {
        let fields: Map<String, Value> = match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            // A number that JSON has not is the one thing that can go wrong, and the sentence stays.
            _ => Map::new(),
        };
        Event { at: self.ended, kind: "job_ended", severity: Severity::Info, text: self.sentence(), fields }
    }
}

/// A size for people.
pub fn bytes(bytes: u64) -> String {
    let units = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(size, _)| bytes >= *size) {
        #[allow(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
        Some((size, unit)) => format!("{:.1} {unit}", bytes as f64 / size as f64),
        None => format!("{bytes} B"),
    }
}

/// A time for people.
pub fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::GpuTally;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_job_that_ended_is_told_in_one_sentence_and_what_is_not_known_is_left_out() {
        let gpu = |gpu: u32, percent: f64, idle: f64| GpuTally {
            gpu,
            seconds: 3600.0,
            idle_seconds: idle,
            percent_seconds: percent * 3600.0,
            memory_peak_mib: Some(71 << 10),
            nvlink_bytes: Some(3 << 40),
            ..GpuTally::default()
        };
        let mut tally = Tally {
            jobid: "7".into(),
            user: "ann".into(),
            account: "ml".into(),
            nodes: 2,
            started: Some(at(0)),
            seen_since: at(10),
            seen_until: at(3610),
            memory_peak_bytes: Some(5 << 30),
            efa_bytes: Some(1 << 40),
            gpus: [(0, gpu(0, 90.0, 0.0)), (1, gpu(1, 50.0, 1800.0))].into(),
            ..Tally::default()
        };
        let summary = Summary::new(tally.clone(), at(3620), None);
        assert_eq!(
            summary.sentence(),
            "job 7 of ann (account ml) ended after 60 min on this node, one of 2: 2 GPUs at 70 %, 0.50 of 2.00 GPU-hours \
             idle, GPU memory peak 71.0 GiB, memory peak 5.0 GiB, 6.0 TiB over NVLink, 1.0 TiB over EFA."
        );
        let line = serde_json::to_string(&summary).unwrap();
        assert_eq!(serde_json::from_str::<Summary>(&line).unwrap(), summary);
        assert_eq!(summary.event().fields["idle_gpu_hours"], Value::from(0.5));
        tally.seen_since = at(1800);
        tally.unseen_seconds = 33.0;
        tally.gpus.clear();
        let late = Summary::new(tally, at(3620), None).sentence();
        assert!(
            late.ends_with("these figures are since 1970-01-01T00:30:00Z only; 33 s of it were not seen."),
            "{late}"
        );
        assert!(!late.contains("GPU"), "{late}");
    }

    #[test]
    fn sizes_and_times_have_their_units() {
        assert_eq!([0, 1023, 1024, 3 << 40].map(bytes), ["0 B", "1023 B", "1.0 KiB", "3.0 TiB"]);
        assert_eq!([-5, 119, 120, 7199, 7260].map(span), ["0 s", "119 s", "2 min", "119 min", "2 h 1 min"]);
    }
}
