//! What nodes do now, as cells of a table.

use trainyard_plan::usage::{Answer, NodeUsage, Traffic};

/// The columns of [`cells`]. Where a line has too little room, the last ones go first.
pub const COLUMNS: [&str; 5] = ["CPUs used", "memory used", "GPU use", "EFA (in, out)", "net (in, out)"];

/// What a node does; dashes where it is not known, and why where its agent does not answer.
pub fn cells(answer: Option<&Answer>) -> [String; 5] {
    let dash = || "-".to_owned();
    let Some(usage) = answer.and_then(|answer| answer.usage.as_ref()) else {
        let why = answer.and_then(|answer| answer.problem.as_ref()).map(|why| format!("agent: {why}"));
        return [dash(), dash(), dash(), dash(), why.unwrap_or_else(dash)];
    };
    let cpus = usage.cpus.map_or_else(dash, |cpus| format!("{cpus:.1}"));
    let memory = usage.memory_bytes.map_or_else(dash, bytes);
    let fabric = usage.fabric.as_ref().map_or_else(dash, |moved| format!("{}{}", traffic(moved), replay(usage)));
    [cpus, memory, gpus(usage).unwrap_or_else(dash), fabric, usage.network.as_ref().map_or_else(dash, traffic)]
}

fn gpus(usage: &NodeUsage) -> Option<String> {
    let gpus = usage.gpus.as_ref()?;
    let percent = gpus.utilization_percent.map_or_else(|| "?".to_owned(), |percent| format!("{percent:.0} %"));
    let power = gpus.power_watts.map(|watts| format!(", {:.1} kW", watts / 1000.0)).unwrap_or_default();
    Some(format!("{percent}{power}{}", replay(usage)))
}

/// What is replayed is nobody's.
fn replay(usage: &NodeUsage) -> String {
    usage.replay.as_ref().map(|profile| format!(" (replay {profile})")).unwrap_or_default()
}

fn traffic(moved: &Traffic) -> String {
    format!("{}, {}", rate(moved.received_per_second), rate(moved.sent_per_second))
}

/// Networks are sold in powers of ten.
fn rate(bytes_per_second: f64) -> String {
    let (value, unit) = scaled(bytes_per_second, 1000.0, &["B/s", "kB/s", "MB/s", "GB/s", "TB/s"]);
    format!("{value} {unit}")
}

#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
fn bytes(bytes: u64) -> String {
    let (value, unit) = scaled(bytes as f64, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"]);
    format!("{value} {unit}")
}

/// The largest unit of which there is at least one; a digit after the point below ten.
fn scaled<'a>(value: f64, step: f64, units: &[&'a str]) -> (String, &'a str) {
    let mut value = value.max(0.0);
    let mut units = units.iter().copied();
    let mut unit = units.next().unwrap_or_default();
    // 999.7 is shown as 1.0 of the next.
    while value.round() >= step {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / step, next);
    }
    let is_small = value > 0.0 && (value * 10.0).round() < 100.0 && !unit.starts_with('B');
    (if is_small { format!("{value:.1}") } else { format!("{value:.0}") }, unit)
}

#[cfg(test)]
mod tests {
    use trainyard_plan::usage::GpuUsage;

    use super::*;

    #[test]
    fn amounts_have_the_unit_that_people_read() {
        for (value, shown) in [
            (0.0, "0 B/s"),
            (7.0, "7 B/s"),
            (999.7, "1.0 kB/s"),
            (12_340.0, "12 kB/s"),
            (9.96e9, "10 GB/s"),
            (3e15, "3000 TB/s"),
        ] {
            assert_eq!(rate(value), shown);
        }
        assert_eq!((bytes(0), bytes(3 << 29), bytes(640 << 30)), ("0 B".into(), "1.5 GiB".into(), "640 GiB".into()));
    }

    #[test]
    fn what_is_not_known_is_no_zero_and_a_replay_says_so() {
        assert_eq!(cells(None), ["-", "-", "-", "-", "-"]);
        let silent = Answer { agent: "a".into(), usage: None, problem: Some("no answer in 2 s".into()) };
        assert_eq!(cells(Some(&silent)), ["-", "-", "-", "-", "agent: no answer in 2 s"]);
        let gpus =
            GpuUsage { count: 8, utilization_percent: Some(87.4), memory_bytes: None, power_watts: Some(5210.0) };
        let usage = NodeUsage {
            cpus: Some(1.26),
            memory_bytes: Some(3 << 30),
            gpus: Some(gpus),
            fabric: Some(Traffic { received_per_second: 1.2e10, sent_per_second: 0.0 }),
            replay: Some("p5".into()),
            ..NodeUsage::default()
        };
        let answer = Answer { usage: Some(usage), problem: None, ..silent };
        assert_eq!(
            cells(Some(&answer)),
            ["1.3", "3.0 GiB", "87 %, 5.2 kW (replay p5)", "12 GB/s, 0 B/s (replay p5)", "-"]
        );
    }
}
