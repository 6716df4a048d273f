//! What the agent itself costs.

use std::path::Path;

use trainyard_plan::metrics::process as m;

use super::{Collector, Kind, Lane, Problem, Scope, misread};
use crate::files::Text;
use crate::sheet::{Labels, Sheet};

pub(super) static COLLECTOR: Kind = Kind {
    name: "process",
    about: "what the agent itself costs",
    lane: Lane::Shared,
    scope: Scope::Node,
    // Always the kernel's own /proc: the agent is a process of this machine, whatever it reads.
    make: |_| {
        let at = |name: &str| Text::new(format!("/proc/self/{name}"));
        Some(Box::new(Process { own: at("stat"), limits: at("limits"), machine: Text::new("/proc/stat") }))
    },
};

struct Process {
    own: Text,
    limits: Text,
    machine: Text,
}

impl Collector for Process {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let path = self.own.path();
        let own = self.own.read()?;
        // From the state on, which is the third column of `man proc_pid_stat`.
        let columns: Vec<&str> =
            own.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default().split_ascii_whitespace().collect();
        let column = |number: usize| columns.get(number - 3).and_then(|word| word.parse::<u64>().ok());
        let (Some(user), Some(system), Some(started)) = (column(14), column(15), column(22)) else {
            return Err(misread(&path, "times"));
        };
        #[allow(clippy::cast_precision_loss, reason = "2^53 ticks are three million years")]
        let seconds = |ticks: u64| ticks as f64 / system_value(nix::unistd::SysconfVar::CLK_TCK, 100) as f64;
        sheet.put(&m::process_cpu_seconds_total, &[], seconds(user.saturating_add(system)));
        if let (Some(virtual_bytes), Some(pages), Some(threads)) = (column(23), column(24), column(20)) {
            let page = system_value(nix::unistd::SysconfVar::PAGE_SIZE, 4096);
            sheet.put(&m::process_virtual_memory_bytes, &[], virtual_bytes);
            sheet.put(&m::process_resident_memory_bytes, &[], pages.saturating_mul(page));
            sheet.put(&m::process_threads, &[], threads);
        }
        sheet.put_known(&m::process_open_fds, &Labels::default(), open_descriptors());
        for line in self.limits.read()?.lines() {
            let limit = |name: &str| {
                let word = line.strip_prefix(name)?.split_ascii_whitespace().next()?;
                // As node_exporter shows what has no limit.
                if word == "unlimited" { Some(u64::MAX) } else { word.parse().ok() }
            };
            if let Some(limit) = limit("Max open files") {
                sheet.put(&m::process_max_fds, &[], limit);
            } else if let Some(limit) = limit("Max address space") {
                sheet.put(&m::process_virtual_memory_max_bytes, &[], limit);
            }
        }
        let boot =
            self.machine.read()?.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<u64>().ok());
        if let Some(boot) = boot {
            #[allow(clippy::cast_precision_loss, reason = "seconds since the epoch have ten digits")]
            sheet.put(&m::process_start_time_seconds, &[], boot as f64 + seconds(started));
        }
        Ok(())
    }
}

/// Since Linux 6.2 the folder's size says how many there are; with a thousand counters open, listing them costs more than
/// reading them.
fn open_descriptors() -> Option<u64> {
    let folder = Path::new("/proc/self/fd");
    let size = std::fs::metadata(folder).ok()?.len();
    if size > 0 { Some(size) } else { Some(std::fs::read_dir(folder).ok()?.count() as u64) }
}

fn system_value(variable: nix::unistd::SysconfVar, usual: u64) -> u64 {
    nix::unistd::sysconf(variable).ok().flatten().and_then(|value| u64::try_from(value).ok()).unwrap_or(usual)
}
