//! Processes and threads: the node's own, where nodes are kept apart. At a pace of its own: a node with 192 processors
//! has thousands of threads of the kernel's alone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use trainyard_plan::metrics::processes as m;

use super::{Collector, Kind, Lane, Problem, Scope, unread};
use crate::files::{Buffer, KeptFile, number};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "processes",
    about: "processes and threads",
    lane: Lane::Paced(Duration::from_secs(30)),
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Processes { proc: setting.roots.proc.clone(), buffer: Buffer::default() })),
};

/// Beyond so many processes the rest is not looked at, and that is said: each costs some microseconds.
const PROCESSES_MAX: u64 = 20_000;

struct Processes {
    proc: PathBuf,
    buffer: Buffer,
}

impl Collector for Processes {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let entries = std::fs::read_dir(&self.proc).map_err(unread(&self.proc))?;
        let (mut processes, mut threads) = (0_u64, 0_u64);
        let mut states: BTreeMap<char, u64> = BTreeMap::new();
        for entry in entries.flatten() {
            if !entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit) {
                continue;
            }
            if processes == PROCESSES_MAX {
                return Err(Problem::new(format!(
                    "there are more than {PROCESSES_MAX} processes; they were not counted"
                )));
            }
            // One that ended in the meantime is not there.
            let Ok(text) = KeptFile::new(entry.path().join("stat")).read(&mut self.buffer) else { continue };
            let Some((state, count)) = state_and_threads(text) else { continue };
            processes += 1;
            threads += count;
            *states.entry(state).or_default() += 1;
        }
        for (state, count) in states {
            sheet.put(&m::node_processes_state, &[state.encode_utf8(&mut [0; 4])], count);
        }
        sheet.put(&m::node_processes_pids, &[], processes);
        sheet.put(&m::node_processes_threads, &[], threads);
        for metric in [&m::node_processes_max_threads, &m::node_processes_max_processes] {
            if let Some(limit) = number::<u64>(&self.proc.join("sys/kernel").join(metric.key)) {
                sheet.put(metric, &[], limit);
            }
        }
        Ok(())
    }
}

/// From `/proc/PID/stat`. The command stands in parentheses and may have any in it.
fn state_and_threads(text: &str) -> Option<(char, u64)> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut words = rest.split_ascii_whitespace();
    let state = words.next()?.chars().next()?;
    Some((state, words.nth(16)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_may_have_parentheses() {
        let text = "12 (a) S) b) R 1 12 12 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 7 0 5 0 0";
        assert_eq!(state_and_threads(text), Some(('R', 7)));
        for bad in ["", "12 (a", "12 (a) R", "12 (a) R 1 12 12 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 x"] {
            assert_eq!(state_and_threads(bad), None);
        }
    }
}
