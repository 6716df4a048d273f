//! AWS's Neuron devices, as `neuron-monitor` tells of them, or the replay folder in its place.

mod monitor;
mod report;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use trainyard_plan::metrics::neuron as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting, misread, unread};
use crate::sheet::{Labels, Sheet};
use monitor::Monitor;
use report::Reports;

pub(super) static COLLECTOR: Kind = Kind {
    name: "neuron",
    about: "AWS Trainium and Inferentia",
    lane: Lane::Shared,
    scope: Scope::MachineUnlessReplayed,
    make: |setting| match &setting.replay {
        Some(folder) => Replayed::open(folder, setting.replay_labels()).map(|replayed| Box::new(replayed) as _),
        None => Neuron::start(setting).map(|neuron| Box::new(neuron) as _),
    },
};

/// AWS's packages put it there, off a service's search path.
const PROGRAM: &str = "/opt/aws/neuron/bin/neuron-monitor";

/// It tells every five seconds. What is older than this is not the machine's any more.
const SHOWN_AT_MOST: Duration = Duration::from_mins(1);

/// A line of a replay; a trn1.32xlarge's has 10 KiB.
const LINE_BYTES_MAX: u64 = 256 << 10;

struct Neuron {
    monitor: Monitor,
    started: Instant,
}

impl Neuron {
    fn start(setting: &Setting) -> Option<Self> {
        let program = match &setting.neuron_monitor {
            Some(program) => program.clone(),
            None => found(setting)?,
        };
        Some(Self { monitor: Monitor::start(&program)?, started: Instant::now() })
    }
}

/// The program, where there is also something to monitor: AWS's images have it on every type of machine.
fn found(setting: &Setting) -> Option<PathBuf> {
    let own = Path::new(PROGRAM);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut on_path = std::env::split_paths(&path).map(|folder| folder.join("neuron-monitor"));
    let program = if own.is_file() { own.to_owned() } else { on_path.find(|program| program.is_file())? };
    setting.roots.root.join("dev/neuron0").exists().then_some(program)
}

impl Collector for Neuron {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let told = self.monitor.told();
        sheet.put(&m::trainyard_neuron_monitor_starts_total, &[], told.starts);
        sheet.put(&m::trainyard_neuron_monitor_lines_unread_total, &[], told.unread);
        let silence = told.at.unwrap_or(self.started).elapsed();
        if told.at.is_some() {
            sheet.put(&m::trainyard_neuron_monitor_age_seconds, &[], silence.as_secs());
            if silence < SHOWN_AT_MOST {
                told.reports.show(sheet);
            }
        }
        match &told.problem {
            Some(error) => Err(Problem::new("neuron-monitor does not run").because(std::sync::Arc::clone(error))),
            None if silence < SHOWN_AT_MOST => Ok(()),
            None => Err(Problem::new(format!("neuron-monitor has told nothing for {} s", silence.as_secs()))),
        }
    }

    fn stop(&mut self) {
        self.monitor.stop();
    }
}

/// A replay folder's line. Each new one counts as a report.
struct Replayed {
    path: PathBuf,
    labels: Labels,
    stamp: Option<(i64, i64, u64)>,
    reports: Reports,
}

impl Replayed {
    fn open(folder: &Path, labels: Labels) -> Option<Self> {
        let path = folder.join("neuron/monitor.json");
        path.is_file().then(|| Self { path, labels, stamp: None, reports: Reports::default() })
    }

    fn read(&mut self) -> Result<(), Problem> {
        let file = File::open(&self.path).map_err(unread(&self.path))?;
        let metadata = file.metadata().map_err(unread(&self.path))?;
        let stamp = Some((metadata.mtime(), metadata.mtime_nsec(), metadata.ino()));
        if self.stamp != stamp {
            let mut line = String::new();
            file.take(LINE_BYTES_MAX).read_to_string(&mut line).map_err(unread(&self.path))?;
            self.stamp = stamp;
            if !self.reports.take(&line) {
                return Err(misread(&self.path, "report of neuron-monitor"));
            }
        }
        Ok(())
    }
}

impl Collector for Replayed {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let read = self.read();
        if read.is_ok() {
            self.reports.show(sheet);
        }
        read
    }

    fn constant_labels(&self) -> Labels {
        self.labels.clone()
    }
}
