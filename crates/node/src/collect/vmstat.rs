//! What the virtual memory counts.

use trainyard_plan::metrics::vmstat::TABLE;

use super::{Collector, Kind, Lane, Problem, Scope, misread};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "vmstat",
    about: "paging, swapping and kills for lack of memory",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Vmstat(Text::new(setting.roots.proc.join("vmstat"))))),
};

struct Vmstat(Text);

impl Collector for Vmstat {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let path = self.0.path();
        for line in self.0.read()?.lines() {
            let Some((key, value)) = line.split_once(' ') else { continue };
            let Some(metric) = TABLE.with_key(key) else { continue };
            let value: u64 = value.trim().parse().map_err(|_| misread(&path, &format!("number after {key}")))?;
            sheet.put(metric, &[], value);
        }
        Ok(())
    }
}
