//! Name and version of the operating system.

use std::collections::BTreeMap;

use trainyard_plan::metrics::os::{node_os_info, node_os_version};

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "os",
    about: "name and version of the operating system",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Os::new(setting))),
};

struct Os {
    files: [Text; 2],
}

impl Os {
    fn new(setting: &Setting) -> Self {
        Self { files: ["etc/os-release", "usr/lib/os-release"].map(|path| Text::new(setting.roots.root.join(path))) }
    }
}

impl Collector for Os {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for file in &mut self.files {
            let Some(text) = file.read_if_there()? else { continue };
            let fields = fields(text);
            let field = |label: &str| fields.get(label.to_uppercase().as_str()).map_or("", String::as_str);
            let values: Vec<&str> = node_os_info.labels.iter().map(|label| field(label)).collect();
            sheet.put(&node_os_info, &values, 1_u32);
            if let Some(version) = major_minor(field("version_id")) {
                sheet.put(&node_os_version, &[field("id"), field("id_like"), field("name")], version);
            }
            return Ok(());
        }
        Err(Problem::new("there is no os-release"))
    }
}

/// `KEY=value` or `KEY="value"`, as a shell would read it.
fn fields(text: &str) -> BTreeMap<&str, String> {
    let field = |line| {
        let (key, value) = str::split_once(line, '=')?;
        let value = value.trim();
        let bare = value.strip_prefix(['"', '\'']).and_then(|value| value.strip_suffix(['"', '\''])).unwrap_or(value);
        Some((key.trim(), bare.replace('\\', "")))
    };
    text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(field).collect()
}

/// The beginning of a version that is a number: `22.04.3` is 22.04.
fn major_minor(version: &str) -> Option<f64> {
    let mut parts = version.split('.');
    let major = parts.next()?;
    match parts.next() {
        Some(minor) => format!("{major}.{minor}").parse().ok(),
        None => major.parse().ok(),
    }
}
