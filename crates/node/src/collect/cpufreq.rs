//! Processor clocks, where the machine may see them.

use std::path::PathBuf;

use trainyard_plan::metrics::cpufreq::TABLE;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{Attributes, names};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "cpufreq",
    about: "processor clocks",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Cpufreq::new(setting).map(|clocks| Box::new(clocks) as Box<dyn Collector>),
};

/// More than the entries below /sys/devices/system/cpu of any machine.
const ENTRIES_MAX: usize = 4096;

struct Cpufreq {
    /// Number and folder of each processor.
    processors: Vec<(String, PathBuf)>,
    attributes: Attributes,
}

impl Cpufreq {
    /// `None` on a virtual machine, which has no say in its clocks.
    fn new(setting: &Setting) -> Option<Self> {
        let folder = setting.roots.sys.join("devices/system/cpu");
        let processor = |name: String| {
            let number = name.strip_prefix("cpu").filter(|rest| rest.parse::<u32>().is_ok())?.to_owned();
            let folder = folder.join(&name).join("cpufreq");
            folder.exists().then_some((number, folder))
        };
        let processors: Vec<_> = names(&folder, ENTRIES_MAX).into_iter().filter_map(processor).collect();
        (!processors.is_empty()).then(|| Self { processors, attributes: Attributes::default() })
    }
}

impl Collector for Cpufreq {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for metric in TABLE.metrics {
            for (number, folder) in &self.processors {
                if let Some(kilohertz) = self.attributes.number(folder, metric.key) {
                    sheet.put(metric, &[number], kilohertz.saturating_mul(1000));
                }
            }
        }
        Ok(())
    }
}
