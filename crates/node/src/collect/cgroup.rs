//! What the node's processes use, where nodes share a machine and each has a control group.
//!
//! The names are cAdvisor's, which is what people know of control groups. Version 1 and 2 say the same in other words:
//! cgroups(7), the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.

use std::path::{Path, PathBuf};

use trainyard_plan::metrics::cgroup as m;
use trainyard_run::control_groups::{ControlGroup, own};

use super::{Collector, Kind, Lane, Problem, Scope, ScopeChoice, Setting};
use crate::files::Text;
use crate::sheet::{Labels, Sheet};

pub(super) static COLLECTOR: Kind = Kind {
    name: "cgroup",
    about: "what the node's own processes use, where nodes share a machine",
    lane: Lane::Shared,
    scope: Scope::Node,
    make: |setting| Cgroup::new(setting).map(|cgroup| Box::new(cgroup) as Box<dyn Collector>),
};

struct Cgroup {
    processor: Option<Processor>,
    memory: Option<Memory>,
}

/// Where processor time is counted.
enum Processor {
    /// `cpuacct.usage` in nanoseconds, `cpuacct.stat` in ticks.
    Old { usage: Text, parts: Text },
    /// `cpu.stat`, in microseconds.
    Unified(Text),
}

/// Where memory is counted.
struct Memory {
    usage: Text,
    most: Text,
    parts: Text,
    words: Words,
}

/// What the parts are called in `memory.stat`.
struct Words {
    anonymous: &'static str,
    file: &'static str,
    inactive_file: &'static str,
}

/// Ticks of the kernel's in a second: USER_HZ, which is 100 on every architecture that these programs are built for.
const TICKS: u64 = 100;

impl Cgroup {
    fn new(setting: &Setting) -> Option<Self> {
        if setting.scope == ScopeChoice::All {
            return None;
        }
        // Named after the node: the group is the node's own, and not one that it shares with the machine's other programs.
        let is_nodes = |group: &ControlGroup| group.folder.file_name().is_some_and(|name| *name == *setting.host);
        let groups: Vec<ControlGroup> =
            own(&setting.roots.proc).unwrap_or_default().into_iter().filter(is_nodes).collect();
        let folder = |controller: &str| {
            let has = |group: &&ControlGroup| group.controllers.iter().any(|one| one == controller);
            groups.iter().find(has).map(|group| group.folder.clone())
        };
        let unified = groups.iter().find(|group| group.is_unified()).map(|group| group.folder.clone());
        let processor = folder("cpuacct").map(|folder| Processor::old(&folder));
        let processor = processor.or_else(|| Some(Processor::Unified(Text::new(unified.as_ref()?.join("cpu.stat")))));
        let memory = folder("memory").map(|folder| Memory::old(&folder));
        let memory = memory.or_else(|| unified.as_deref().and_then(Memory::unified));
        (processor.is_some() || memory.is_some()).then_some(Self { processor, memory })
    }
}

impl Processor {
    fn old(folder: &Path) -> Self {
        Self::Old { usage: Text::new(folder.join("cpuacct.usage")), parts: Text::new(folder.join("cpuacct.stat")) }
    }

    fn put(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let none = Labels::default();
        let (usage, user, system) = match self {
            Self::Old { usage, parts } => {
                let usage =
                    usage.read()?.trim().parse().ok().map(|nanoseconds: u64| seconds(nanoseconds, 1_000_000_000));
                let parts = parts.read()?;
                (usage, word(parts, "user", TICKS), word(parts, "system", TICKS))
            }
            Self::Unified(file) => {
                let text = file.read()?;
                let time = |name| word(text, name, 1_000_000);
                (time("usage_usec"), time("user_usec"), time("system_usec"))
            }
        };
        sheet.put_known(&m::container_cpu_usage_seconds_total, &none, usage);
        sheet.put_known(&m::container_cpu_user_seconds_total, &none, user);
        sheet.put_known(&m::container_cpu_system_seconds_total, &none, system);
        Ok(())
    }
}

impl Memory {
    fn old(folder: &Path) -> Self {
        Self {
            usage: Text::new(folder.join("memory.usage_in_bytes")),
            most: Text::new(folder.join("memory.max_usage_in_bytes")),
            parts: Text::new(folder.join("memory.stat")),
            // With those of groups below it.
            words: Words { anonymous: "total_rss", file: "total_cache", inactive_file: "total_inactive_file" },
        }
    }

    /// `None` where memory is not counted in this group.
    fn unified(folder: &Path) -> Option<Self> {
        let usage: PathBuf = folder.join("memory.current");
        usage.exists().then(|| Self {
            usage: Text::new(usage),
            most: Text::new(folder.join("memory.peak")),
            parts: Text::new(folder.join("memory.stat")),
            words: Words { anonymous: "anon", file: "file", inactive_file: "inactive_file" },
        })
    }

    fn put(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let none = Labels::default();
        let usage: Option<u64> = self.usage.read()?.trim().parse().ok();
        let parts = self.parts.read()?;
        let part = |name| number(parts, name);
        sheet.put_known(&m::container_memory_usage_bytes, &none, usage);
        let inactive = part(self.words.inactive_file);
        let working_set = usage.zip(inactive).map(|(usage, inactive)| usage.saturating_sub(inactive));
        sheet.put_known(&m::container_memory_working_set_bytes, &none, working_set);
        sheet.put_known(&m::container_memory_rss, &none, part(self.words.anonymous));
        sheet.put_known(&m::container_memory_cache, &none, part(self.words.file));
        // Kernels before 5.19 do not keep it in version 2.
        let most: Option<u64> = self.most.read_if_there()?.and_then(|text| text.trim().parse().ok());
        sheet.put_known(&m::container_memory_max_usage_bytes, &none, most);
        Ok(())
    }
}

impl Collector for Cgroup {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let processor = self.processor.as_mut().map_or(Ok(()), |processor| processor.put(sheet));
        let memory = self.memory.as_mut().map_or(Ok(()), |memory| memory.put(sheet));
        processor.and(memory)
    }
}

/// The number of a line `name number`.
fn number(text: &str, name: &str) -> Option<u64> {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
    text.lines().find_map(value)
}

fn word(text: &str, name: &str, per_second: u64) -> Option<f64> {
    number(text, name).map(|count| seconds(count, per_second))
}

#[allow(clippy::cast_precision_loss, reason = "parts of a second of thousands of years")]
fn seconds(count: u64, per_second: u64) -> f64 {
    count as f64 / per_second as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Roots;

    const MOUNTS: &str = "1 0 0:1 / ROOT/memory rw - cgroup cgroup rw,memory\n\
        2 0 0:2 / ROOT/cpuacct rw - cgroup cgroup rw,cpuacct\n3 0 0:3 / ROOT/unified rw - cgroup2 cgroup2 rw\n";
    const STAT: &str = "cache 1\nrss 2\ntotal_cache 600\ntotal_rss 300\ntotal_inactive_file 400\n";

    fn scraped(scope: ScopeChoice, groups: &str, files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display().to_string();
        let own = [("self/mountinfo", &*MOUNTS.replace("ROOT", &root)), ("self/cgroup", groups)];
        for (path, text) in own.iter().chain(files) {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        let roots = Roots { proc: folder.path().to_owned(), ..Roots::default() };
        let setting = Setting { roots, scope, host: "node-1".into(), ..Setting::default() };
        let Some(mut cgroup) = Cgroup::new(&setting) else { return Vec::new() };
        let mut sheet = Sheet::default();
        let problem = cgroup.collect(&mut sheet).err().map(|_| "problem".to_owned());
        let lines = sheet.into_page().text().lines().map(|line| line.replace("container_", "")).collect::<Vec<_>>();
        lines.into_iter().chain(problem).collect()
    }

    #[test]
    fn a_node_of_a_shared_machine_tells_what_its_own_processes_use() {
        let old = "3:memory:/t/node-1\n2:cpuacct:/t/node-1\n0::/\n";
        let old_files = [
            ("memory/t/node-1/memory.usage_in_bytes", "1000\n"),
            ("memory/t/node-1/memory.max_usage_in_bytes", "2000\n"),
            ("memory/t/node-1/memory.stat", STAT),
            ("cpuacct/t/node-1/cpuacct.usage", "2500000000\n"),
            ("cpuacct/t/node-1/cpuacct.stat", "user 150\nsystem 100\n"),
        ];
        let unified_files = [
            ("unified/t/node-1/memory.current", "1000\n"),
            ("unified/t/node-1/memory.stat", "anon 300\nfile 600\ninactive_file 400\n"),
            ("unified/t/node-1/cpu.stat", "usage_usec 2500000\nuser_usec 1500000\nsystem_usec 1000000\n"),
        ];
        let processor = ["cpu_usage_seconds_total 2.5", "cpu_user_seconds_total 1.5", "cpu_system_seconds_total 1"];
        let memory = ["memory_usage_bytes 1000", "memory_working_set_bytes 600", "memory_rss 300", "memory_cache 600"];
        let both = [&processor[..], &memory].concat();
        let node = ScopeChoice::Node;
        assert_eq!(scraped(node, old, &old_files), [&both[..], &["memory_max_usage_bytes 2000"]].concat());
        assert_eq!(scraped(node, "0::/t/node-1\n", &unified_files), both);
        // Version 2 counts time in every group, memory only where it was switched on.
        assert_eq!(scraped(node, "0::/t/node-1\n", &unified_files[2..]), processor);
        // A group that is not the node's alone, and a machine that is one node.
        assert_eq!(scraped(node, "0::/t\n", &[("unified/t/cpu.stat", "usage_usec 1\n")]), [""; 0]);
        assert_eq!(scraped(ScopeChoice::All, old, &old_files), [""; 0]);
        let broken = [("unified/t/node-1/cpu.stat", "usage_usec -3\nuser_usec\n\u{0}")];
        assert_eq!(scraped(node, "0::/t/node-1\n", &broken), [""; 0]);
        assert_eq!(scraped(node, old, &old_files[3..]), [&processor[..], &["problem"]].concat());
    }
}
