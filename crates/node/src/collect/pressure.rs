//! How long work waited for want of something.

use trainyard_plan::metrics::pressure::TABLE;

use super::{Collector, Kind, Lane, Problem, Scope, Setting, misread};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "pressure",
    about: "time that work waited for processor, memory and disks",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Pressure::new(setting).map(|pressure| Box::new(pressure) as Box<dyn Collector>),
};

struct Pressure(Vec<(&'static str, Text)>);

impl Pressure {
    /// `None` where the kernel does not measure it.
    fn new(setting: &Setting) -> Option<Self> {
        let folder = setting.roots.proc.join("pressure");
        let files = ["cpu", "io", "memory", "irq"].map(|name| (name, folder.join(name)));
        let files: Vec<_> = files.into_iter().filter(|(_, path)| path.exists()).collect();
        (!files.is_empty()).then(|| Self(files.into_iter().map(|(name, path)| (name, Text::new(path))).collect()))
    }
}

impl Collector for Pressure {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for (resource, file) in &mut self.0 {
            let path = file.path();
            // Some kernels have the file, and refuse to read it where the measuring is switched off.
            for line in file.read()?.lines() {
                let Some((what, rest)) = line.split_once(' ') else { continue };
                let Some(metric) = TABLE.with_key(&format!("{resource} {what}")) else { continue };
                let total = rest.rsplit_once("total=").and_then(|(_, total)| total.trim().parse::<u64>().ok());
                let microseconds = total.ok_or_else(|| misread(&path, "total"))?;
                #[allow(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
                sheet.put(metric, &[], microseconds as f64 / 1e6);
            }
        }
        Ok(())
    }
}
