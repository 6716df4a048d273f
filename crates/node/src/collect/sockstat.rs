//! Sockets in use.

use trainyard_plan::metrics::sockstat::TABLE;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "sockstat",
    about: "sockets in use",
    lane: Lane::Shared,
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Sockstat::new(setting))),
};

struct Sockstat {
    files: [Text; 2],
    page_bytes: u64,
}

impl Sockstat {
    fn new(setting: &Setting) -> Self {
        let at = |name: &str| Text::new(setting.roots.proc.join("net").join(name));
        let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
        Self {
            files: [at("sockstat"), at("sockstat6")],
            page_bytes: page.and_then(|page| u64::try_from(page).ok()).unwrap_or(4096),
        }
    }
}

impl Collector for Sockstat {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        for file in &mut self.files {
            for line in file.read_if_there()?.unwrap_or_default().lines() {
                let Some((protocol, rest)) = line.split_once(':') else { continue };
                let mut words = rest.split_ascii_whitespace();
                while let (Some(name), Some(value)) = (words.next(), words.next()) {
                    let Ok(value) = value.parse::<u64>() else { continue };
                    let mut put = |name: &str, value: u64| {
                        if let Some(metric) = TABLE.with_key(&format!("{protocol} {name}")) {
                            sheet.put(metric, &[], value);
                        }
                    };
                    put(name, value);
                    if name == "mem" {
                        put("mem_bytes", value.saturating_mul(self.page_bytes));
                    }
                }
            }
        }
        Ok(())
    }
}
