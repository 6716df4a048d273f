//! How long threads ran and waited, by processor.

use trainyard_plan::metrics::schedstat as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting, misread};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "schedstat",
    about: "how long threads ran and waited",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Schedstat::new(setting).map(|file| Box::new(file) as Box<dyn Collector>),
};

struct Schedstat(Text);

impl Schedstat {
    /// `None` where the kernel does not keep these.
    fn new(setting: &Setting) -> Option<Self> {
        let path = setting.roots.proc.join("schedstat");
        path.exists().then(|| Self(Text::new(path)))
    }
}

impl Collector for Schedstat {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let path = self.0.path();
        for line in self.0.read()?.lines() {
            let mut words = line.split_ascii_whitespace();
            let Some(cpu) = words.next().and_then(|word| word.strip_prefix("cpu")) else { continue };
            let values: Vec<u64> = words.skip(6).filter_map(|word| word.parse().ok()).collect();
            let [running, waiting, slices] = values[..] else { return Err(misread(&path, "nine numbers a processor")) };
            #[allow(clippy::cast_precision_loss, reason = "what is lost are nanoseconds of months")]
            let seconds = |nanoseconds: u64| nanoseconds as f64 / 1e9;
            sheet.put(&m::node_schedstat_running_seconds_total, &[cpu], seconds(running));
            sheet.put(&m::node_schedstat_waiting_seconds_total, &[cpu], seconds(waiting));
            sheet.put(&m::node_schedstat_timeslices_total, &[cpu], slices);
        }
        Ok(())
    }
}
