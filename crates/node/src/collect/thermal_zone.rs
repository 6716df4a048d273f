//! Temperatures of the board, and what cools it.

use std::path::PathBuf;

use trainyard_plan::metrics::thermal_zone as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{Attributes, names};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "thermal_zone",
    about: "temperatures of the board",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| ThermalZone::new(setting).map(|zones| Box::new(zones) as Box<dyn Collector>),
};

/// More than the zones and fans of any machine; each processor may be a cooling device.
const DEVICES_MAX: usize = 2048;

struct ThermalZone {
    folder: PathBuf,
    attributes: Attributes,
}

impl ThermalZone {
    fn new(setting: &Setting) -> Option<Self> {
        let folder = setting.roots.sys.join("class/thermal");
        (!names(&folder, 1).is_empty()).then(|| Self { folder, attributes: Attributes::default() })
    }
}

impl Collector for ThermalZone {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for name in names(&self.folder, DEVICES_MAX) {
            let folder = self.folder.join(&name);
            let kind = self.attributes.word(&folder, "type").unwrap_or_default().to_owned();
            if let Some(zone) = name.strip_prefix("thermal_zone") {
                if let Some(millidegrees) = self.attributes.number(&folder, m::node_thermal_zone_temp.key) {
                    #[allow(clippy::cast_precision_loss, reason = "no temperature has 2^53 thousandths of a degree")]
                    sheet.put(&m::node_thermal_zone_temp, &[&kind, zone], millidegrees as f64 / 1000.0);
                }
            } else if let Some(number) = name.strip_prefix("cooling_device") {
                for metric in [&m::node_cooling_device_cur_state, &m::node_cooling_device_max_state] {
                    if let Some(state) = self.attributes.number(&folder, metric.key) {
                        sheet.put(metric, &[number, &kind], state);
                    }
                }
            }
        }
        Ok(())
    }
}
