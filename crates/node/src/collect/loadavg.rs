//! Load averages.

use trainyard_plan::metrics::loadavg::{node_load1, node_load5, node_load15};

use super::{Collector, Kind, Lane, Problem, Scope, misread};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "loadavg",
    about: "load averages",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Loadavg(Text::new(setting.roots.proc.join("loadavg"))))),
};

struct Loadavg(Text);

impl Collector for Loadavg {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let path = self.0.path();
        let mut fields = self.0.read()?.split_ascii_whitespace();
        for metric in [&node_load1, &node_load5, &node_load15] {
            let load: Option<f64> = fields.next().and_then(|field| field.parse().ok());
            sheet.put(metric, &[], load.ok_or_else(|| misread(&path, "three load averages"))?);
        }
        Ok(())
    }
}
