//! Memory of the machine, as the kernel counts it. The table says which field is which metric.

use std::collections::HashMap;

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::meminfo::TABLE;

use super::{Collector, Kind, Lane, Problem, Scope, misread};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "meminfo",
    about: "memory",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Meminfo(Text::new(setting.roots.proc.join("meminfo")), TABLE.by_key()))),
};

struct Meminfo(Text, HashMap<&'static str, &'static Metric>);

impl Collector for Meminfo {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let path = self.0.path();
        for (key, value) in fields(self.0.read()?) {
            if let Some(metric) = self.1.get(key) {
                sheet.put(metric, &[], value);
            }
        }
        if sheet.is_empty() { Err(misread(&path, "memory fields")) } else { Ok(()) }
    }
}

/// Lines of `Key: 123 kB`, in bytes, or `Key: 123`.
pub(super) fn fields(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.lines().filter_map(|line| {
        let (key, rest) = line.split_once(':')?;
        let mut words = rest.split_ascii_whitespace();
        let value: u64 = words.next()?.parse().ok()?;
        let is_kib = words.next() == Some("kB");
        Some((key, if is_kib { value.saturating_mul(1024) } else { value }))
    })
}
