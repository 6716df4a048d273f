//! The jobs of a node for people and for programs, from what the agent keeps.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::record::{Record, Unread};
use super::summary::{Summary, bytes, span};
use super::tally::Tally;
use crate::problem::{Problem, unread};

/// What runs, and so many that ended, as a table.
pub fn text(folder: &Path, most: usize) -> Result<String, Problem> {
    let record = opened(folder)?;
    let mut text = String::new();
    if let Some(running) = record.running().map_err(Unread::problem)? {
        let _ = writeln!(text, "running when it was last written, {:.0}:", running.saved);
        let rows = running.jobs.into_iter().map(|tally| Summary::new(tally, running.saved, None));
        table(&mut text, &rows.collect::<Vec<_>>());
    }
    let ended = record.ended(most);
    text.push_str("ended:\n");
    table(&mut text, &ended);
    Ok(text)
}

/// The same for programs.
pub fn json(folder: &Path, most: usize) -> Result<serde_json::Value, Problem> {
    let record = opened(folder)?;
    let running = record.running().map_err(Unread::problem)?.unwrap_or_default();
    Ok(json!({ "written": running.saved, "running": running.jobs, "ended": record.ended(most) }))
}

fn opened(folder: &Path) -> Result<Record, Problem> {
    // No jobs and a wrong path would look the same.
    std::fs::read_dir(folder).map_err(unread(folder))?;
    Ok(Record::new(folder))
}

const HEAD: [&str; 9] = ["job", "user", "account", "ran", "GPUs", "GPU use", "idle GPU-h", "memory peak", "EFA"];

fn table(text: &mut String, summaries: &[Summary]) {
    if summaries.is_empty() {
        text.push_str("  none\n");
        return;
    }
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(summaries.iter().map(row));
    let mut widths = [0; HEAD.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
    }
}

fn row(summary: &Summary) -> [String; HEAD.len()] {
    let Tally { jobid, user, account, gpus, .. } = &summary.tally;
    let ran = span(summary.tally.ran_seconds());
    let known = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        jobid.clone(),
        user.clone(),
        account.clone(),
        ran,
        gpus.len().to_string(),
        known(summary.gpu_percent.map(|percent| format!("{percent:.0} %"))),
        known(summary.idle_gpu_hours.filter(|_| summary.gpu_percent.is_some()).map(|hours| format!("{hours:.2}"))),
        known(summary.tally.memory_peak_bytes.map(bytes)),
        known(summary.tally.efa_bytes.map(bytes)),
    ]
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::record::Running;
    use super::*;

    #[test]
    fn what_runs_and_what_ended_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(text(folder.path(), 9).unwrap(), "ended:\n  none\n");
        let record = Record::new(folder.path());
        let tally = |id: &str| Tally { jobid: id.into(), user: "ann".into(), account: "ml".into(), ..Tally::default() };
        record.keep(&Running::new("b", Timestamp::UNIX_EPOCH, vec![tally("8")])).unwrap();
        let ended = Tally { memory_peak_bytes: Some(3 << 30), ..tally("7") };
        record.add(&Summary::new(ended, Timestamp::UNIX_EPOCH, None)).unwrap();
        let expected = "running when it was last written, 1970-01-01T00:00:00Z:\n  \
            job  user  account  ran  GPUs  GPU use  idle GPU-h  memory peak  EFA\n  \
            8    ann   ml       0 s  0     -        -           -            -\n\
            ended:\n  \
            job  user  account  ran  GPUs  GPU use  idle GPU-h  memory peak  EFA\n  \
            7    ann   ml       0 s  0     -        -           3.0 GiB      -\n";
        assert_eq!(text(folder.path(), 9).unwrap(), expected);
        let json = json(folder.path(), 9).unwrap();
        assert_eq!((&json["running"][0]["jobid"], &json["ended"][0]["jobid"]), (&"8".into(), &"7".into()));
    }
}
