//! What the kernel counts of processes and interrupts.

use trainyard_plan::metrics::stat::TABLE;

use super::{Collector, Kind, Lane, Problem, Scope, misread};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "stat",
    about: "start of the machine, context switches, interrupts",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Stat(Text::new(setting.roots.proc.join("stat"))))),
};

struct Stat(Text);

impl Collector for Stat {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let path = self.0.path();
        for line in self.0.read()?.lines() {
            // `intr` goes on with a number for each of thousands of interrupts; the first is their sum.
            let mut words = line.splitn(3, ' ');
            let Some(metric) = words.next().and_then(|key| TABLE.with_key(key)) else { continue };
            let value: Option<u64> = words.next().and_then(|word| word.trim().parse().ok());
            sheet.put(metric, &[], value.ok_or_else(|| misread(&path, &format!("number for {}", metric.key)))?);
        }
        Ok(())
    }
}
