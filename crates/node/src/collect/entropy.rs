//! Randomness.

use std::path::PathBuf;

use trainyard_plan::metrics::entropy::TABLE;

use super::{Collector, Kind, Lane, Problem, Scope, Setting, misread};
use crate::files::Attributes;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "entropy",
    about: "random bits in stock",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Entropy::new(setting))),
};

struct Entropy {
    folder: PathBuf,
    attributes: Attributes,
}

impl Entropy {
    fn new(setting: &Setting) -> Self {
        Self { folder: setting.roots.proc.join("sys/kernel/random"), attributes: Attributes::default() }
    }
}

impl Collector for Entropy {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for metric in TABLE.metrics {
            let value = self.attributes.number(&self.folder, metric.key);
            sheet.put(metric, &[], value.ok_or_else(|| misread(&self.folder, metric.key))?);
        }
        Ok(())
    }
}
