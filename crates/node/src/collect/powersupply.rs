//! Power supplies.

use std::path::PathBuf;

use trainyard_plan::metrics::powersupply::node_power_supply_online;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{Attributes, names};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "powersupply",
    about: "power supplies",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| PowerSupply::new(setting).map(|supplies| Box::new(supplies) as Box<dyn Collector>),
};

/// More than the supplies of any machine.
const SUPPLIES_MAX: usize = 256;

struct PowerSupply {
    folder: PathBuf,
    attributes: Attributes,
}

impl PowerSupply {
    fn new(setting: &Setting) -> Option<Self> {
        let folder = setting.roots.sys.join("class/power_supply");
        (!names(&folder, 1).is_empty()).then(|| Self { folder, attributes: Attributes::default() })
    }
}

impl Collector for PowerSupply {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let metric = &node_power_supply_online;
        for supply in names(&self.folder, SUPPLIES_MAX) {
            if let Some(value) = self.attributes.number(&self.folder.join(&supply), metric.key) {
                sheet.put(metric, &[&supply], value);
            }
        }
        Ok(())
    }
}
