//! SELinux.

use std::path::PathBuf;

use trainyard_plan::metrics::selinux::{node_selinux_config_mode, node_selinux_current_mode, node_selinux_enabled};

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{number, word};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "selinux",
    about: "whether SELinux is on",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Selinux::new(setting))),
};

struct Selinux {
    mounted: PathBuf,
    configuration: PathBuf,
}

impl Selinux {
    fn new(setting: &Setting) -> Self {
        Self {
            mounted: setting.roots.sys.join("fs/selinux"),
            configuration: setting.roots.root.join("etc/selinux/config"),
        }
    }
}

impl Collector for Selinux {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let current: Option<i64> = number(&self.mounted.join("enforce"));
        sheet.put(&node_selinux_enabled, &[], current.is_some());
        let Some(current) = current else { return Ok(()) };
        sheet.put(&node_selinux_current_mode, &[], current);
        let configured = word(&self.configuration).unwrap_or_default();
        let mode = configured.lines().find_map(|line| line.trim().strip_prefix("SELINUX="));
        sheet.put(
            &node_selinux_config_mode,
            &[],
            match mode {
                Some("enforcing") => 1_i64,
                Some("permissive") => 0,
                _ => -1,
            },
        );
        Ok(())
    }
}
