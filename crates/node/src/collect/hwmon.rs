//! Sensors of the board: temperatures, fans, power.

use std::path::{Path, PathBuf};

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::hwmon as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{Attributes, names};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "hwmon",
    about: "temperatures, fans and power of the board",
    lane: Lane::Own,
    scope: Scope::Machine,
    make: |setting| Hwmon::new(setting).map(|sensors| Box::new(sensors) as Box<dyn Collector>),
};

/// More than the chips of any machine.
const CHIPS_MAX: usize = 256;
/// More than the files of any chip.
const FILES_MAX: usize = 1024;

/// What stands before a sensor's number, its metrics, and what one of the metric's units is in the file.
static SENSORS: [(&str, &[&Metric], f64); 3] = [
    (
        "temp",
        &[
            &m::node_hwmon_temp_celsius,
            &m::node_hwmon_temp_max_celsius,
            &m::node_hwmon_temp_crit_celsius,
            &m::node_hwmon_temp_crit_hyst_celsius,
        ],
        1e3,
    ),
    ("fan", &[&m::node_hwmon_fan_rpm, &m::node_hwmon_fan_min_rpm], 1.0),
    ("power", &[&m::node_hwmon_power_average_watt], 1e6),
];

struct Hwmon {
    folder: PathBuf,
    attributes: Attributes,
}

impl Hwmon {
    fn new(setting: &Setting) -> Option<Self> {
        let folder = setting.roots.sys.join("class/hwmon");
        (!names(&folder, 1).is_empty()).then(|| Self { folder, attributes: Attributes::default() })
    }
}

impl Collector for Hwmon {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for name in names(&self.folder, CHIPS_MAX) {
            let folder = self.folder.join(&name);
            let own_name = self.attributes.word(&folder, "name").unwrap_or_default().to_owned();
            let chip = chip(&folder, &own_name, &name);
            if !own_name.is_empty() {
                sheet.put(&m::node_hwmon_chip_names, &[&chip, &plain(&own_name)], 1_u32);
            }
            let files = names(&folder, FILES_MAX);
            for file in &files {
                let Some((sensor, key)) = file.split_once('_') else { continue };
                let kind = sensor.trim_end_matches(|c: char| c.is_ascii_digit());
                let Some((_, metrics, unit)) = SENSORS.iter().find(|(name, _, _)| *name == kind) else { continue };
                if (kind, key) == ("temp", "crit_alarm")
                    && let Some(value) = self.attributes.number(&folder, file)
                {
                    sheet.put(&m::node_hwmon_temp_crit_alarm_celsius, &[&chip, sensor], value);
                }
                let Some(metric) = metrics.iter().find(|metric| metric.key == key) else { continue };
                // A sensor that is not connected refuses to be read.
                if let Some(value) = self.attributes.number(&folder, file) {
                    #[allow(clippy::cast_precision_loss, reason = "a sensor has no 2^53 steps")]
                    sheet.put(metric, &[&chip, sensor], value as f64 / unit);
                }
            }
        }
        Ok(())
    }
}

/// What tells chips of one name apart: where they are in the machine. `pci0000:00_0000:00:18_3`, or its own name.
fn chip(folder: &Path, own_name: &str, name: &str) -> String {
    let Ok(device) = std::fs::canonicalize(folder.join("device")) else {
        return plain(if own_name.is_empty() { name } else { own_name });
    };
    let last = |path: &Path| path.file_name().map(|name| plain(&name.to_string_lossy())).unwrap_or_default();
    match device.parent().map(last) {
        Some(parent) if !parent.is_empty() => format!("{parent}_{}", last(&device)),
        _ => last(&device),
    }
}

/// Small letters, digits and underscores, as node_exporter writes chips' names.
fn plain(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let kept: String = lower.chars().map(|c| if c.is_ascii_alphanumeric() || c == ':' { c } else { '_' }).collect();
    kept.trim_matches('_').to_owned()
}
