//! Kernel, architecture and host name.

use trainyard_plan::metrics::uname::node_uname_info;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "uname",
    about: "kernel and host name",
    lane: Lane::Shared,
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Uname::new(setting))),
};

struct Uname {
    domain: Text,
}

impl Uname {
    fn new(setting: &Setting) -> Self {
        Self { domain: Text::new(setting.roots.proc.join("sys/kernel/domainname")) }
    }
}

impl Collector for Uname {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let name = nix::sys::utsname::uname().map_err(|error| Problem::new("uname does not answer").because(error))?;
        let domain = self.domain.read_if_there()?.unwrap_or("(none)").trim();
        let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
        let (machine, node) = (text(name.machine()), text(name.nodename()));
        let (release, system, version) = (text(name.release()), text(name.sysname()), text(name.version()));
        sheet.put(&node_uname_info, &[domain, &machine, &node, &release, &system, &version], 1_u32);
        Ok(())
    }
}
