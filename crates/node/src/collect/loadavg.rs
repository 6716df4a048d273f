//! Load averages.

use trainyard_plan::metrics::loadavg::{node_load1, node_load5, node_load15};

use super::{Collector, Kind, Lane, Problem, Scope, Setting, misread, unread};
use crate::files::{Buffer, KeptFile};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "loadavg",
    about: "load averages",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Loadavg::new(setting))),
};

struct Loadavg {
    file: KeptFile,
    buffer: Buffer,
}

impl Loadavg {
    fn new(setting: &Setting) -> Self {
        Self { file: KeptFile::new(setting.roots.proc.join("loadavg")), buffer: Buffer::default() }
    }
}

impl Collector for Loadavg {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let path = self.file.path().to_owned();
        let text = self.file.read(&mut self.buffer).map_err(unread(&path))?;
        let mut fields = text.split_ascii_whitespace();
        for metric in [&node_load1, &node_load5, &node_load15] {
            let load: Option<f64> = fields.next().and_then(|field| field.parse().ok());
            sheet.put(metric, &[], load.ok_or_else(|| misread(&path, "three load averages"))?);
        }
        Ok(())
    }
}
