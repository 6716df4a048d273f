//! What nodes do now, as cells of a table, and why that is not known.

use std::collections::BTreeMap;

use trainyard_plan::usage::{Answer, NodeUsage, Traffic};

use super::Ui;

/// The columns of [`cells`]. Where a line has too little room, the last ones go first.
pub const COLUMNS: [&str; 5] = ["CPUs used", "memory used", "GPU use", "EFA (in, out)", "net (in, out)"];

/// What a cell has where nothing is known.
const UNKNOWN: &str = "-";

/// So many agents that do not answer are named.
const SILENT_SHOWN: usize = 4;

/// Whether any cell behind the names, of [`cells`], says something.
pub fn is_any_known(rows: &[Vec<String>]) -> bool {
    rows.iter().flat_map(|row| row.iter().skip(1)).any(|cell| cell != UNKNOWN)
}

/// A table that ends with [`COLUMNS`], without those in which nothing is known of any row.
pub fn show(ui: &Ui, header: &[&str], rows: &[Vec<String>]) {
    let (header, rows) = known(header, rows);
    let optional = header.iter().filter(|title| COLUMNS.contains(title)).count();
    ui.fitting_table(optional, &header, &rows);
}

fn known<'a>(header: &[&'a str], rows: &[Vec<String>]) -> (Vec<&'a str>, Vec<Vec<String>>) {
    let is_shown = |column: usize| {
        let is_ours = header.get(column).is_some_and(|title| COLUMNS.contains(title));
        !is_ours || rows.iter().any(|row| row.get(column).is_some_and(|cell| cell != UNKNOWN))
    };
    let shown: Vec<usize> = (0..header.len()).filter(|column| is_shown(*column)).collect();
    let pick = |row: &Vec<String>| shown.iter().filter_map(|column| row.get(*column).cloned()).collect::<Vec<_>>();
    let titles = shown.iter().filter_map(|column| header.get(*column).copied()).collect();
    (titles, rows.iter().map(pick).collect())
}

/// Which agents do not answer, why, and where to look: a line each.
pub fn silent(nodes: &BTreeMap<String, Answer>) -> Vec<String> {
    let problem = |(name, answer): (&String, &Answer)| {
        let why = answer.problem.as_ref()?;
        Some(format!("what {name} uses is not known: its agent: {why}; see log/node-{name}.log"))
    };
    let mut lines: Vec<String> = nodes.iter().filter_map(problem).collect();
    let more = lines.len().saturating_sub(SILENT_SHOWN);
    if more > 0 {
        lines.truncate(SILENT_SHOWN);
        lines.push(format!("and the agents of {more} more nodes"));
    }
    lines
}

/// What a node does; dashes where it is not known.
pub fn cells(answer: Option<&Answer>) -> [String; 5] {
    let dash = || UNKNOWN.to_owned();
    let Some(usage) = answer.and_then(|answer| answer.usage.as_ref()) else {
        return [dash(), dash(), dash(), dash(), dash()];
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
        assert_eq!(cells(Some(&silent)), ["-", "-", "-", "-", "-"]);
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

    #[test]
    fn an_agent_that_does_not_answer_is_named_with_its_log() {
        let answer = |problem: &str| Answer { agent: "a".into(), usage: None, problem: Some(problem.into()) };
        let mut nodes = BTreeMap::from([("n-1".to_owned(), answer("no answer in 2 s"))]);
        nodes.insert("n-2".into(), Answer { usage: Some(NodeUsage::default()), problem: None, ..answer("") });
        assert_eq!(silent(&nodes), ["what n-1 uses is not known: its agent: no answer in 2 s; see log/node-n-1.log"]);
        nodes.extend((3..9).map(|number| (format!("n-{number}"), answer("not reached"))));
        assert_eq!((silent(&nodes).len(), silent(&nodes)[4].as_str()), (5, "and the agents of 3 more nodes"));
    }

    #[test]
    fn a_column_in_which_nothing_is_known_is_left_out() {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let header = ["node", "reason", "CPUs used", "GPU use"];
        let rows = [row(["n-1", "-", "0.5", "-"]), row(["n-2", "-", "-", "-"])];
        let expected = [["n-1", "-", "0.5"], ["n-2", "-", "-"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(known(&header, &rows), (header[..3].to_vec(), expected.to_vec()));
        assert!(is_any_known(&rows) && !is_any_known(&[row(["n-1", "-", "-", "-"])]));
    }
}
