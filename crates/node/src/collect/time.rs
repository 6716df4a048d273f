//! The clock, and where the kernel takes time from.

use std::path::PathBuf;

use jiff::Zoned;
use trainyard_plan::metrics::time as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{names, word};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "time",
    about: "the clock",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Time::new(setting))),
};

/// More than the clock sources of any machine.
const SOURCES_MAX: usize = 64;

struct Time {
    folder: PathBuf,
}

impl Time {
    fn new(setting: &Setting) -> Self {
        Self { folder: setting.roots.sys.join("devices/system/clocksource") }
    }
}

impl Collector for Time {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let now = Zoned::now();
        sheet.put(&m::node_time_seconds, &[], now.timestamp().as_duration().as_secs_f64());
        let zone = now.time_zone().to_offset_info(now.timestamp());
        sheet.put(&m::node_time_zone_offset_seconds, &[zone.abbreviation()], i64::from(zone.offset().seconds()));
        for name in names(&self.folder, SOURCES_MAX) {
            let Some(device) = name.strip_prefix("clocksource") else { continue };
            let folder = self.folder.join(&name);
            let available = word(&folder.join("available_clocksource")).unwrap_or_default();
            for source in available.split_ascii_whitespace() {
                sheet.put(&m::node_time_clocksource_available_info, &[source, device], 1_u32);
            }
            let current = word(&folder.join("current_clocksource")).unwrap_or_default();
            if !current.is_empty() {
                sheet.put(&m::node_time_clocksource_current_info, &[&current, device], 1_u32);
            }
        }
        Ok(())
    }
}
