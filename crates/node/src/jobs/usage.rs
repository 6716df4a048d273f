//! What a job takes of the machine now: from its control group, and where there is none from its processes.

use std::path::Path;

use nix::unistd::{SysconfVar, sysconf};

use super::find::{Found, stat};
use super::marks::Place;
use crate::files::{Buffer, KeptFile, word};

/// Version 1 writes the largest number of pages where there is no limit.
const NO_LIMIT: u64 = 1 << 60;

/// What a job takes now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// On processors, since it began.
    pub cpu_seconds: Option<f64>,
    /// In use.
    pub memory_bytes: Option<u64>,
    /// The most that was in use, where the kernel remembers it.
    pub memory_peak_bytes: Option<u64>,
    /// What it may have.
    pub memory_limit_bytes: Option<u64>,
    /// Whether its memory is a control group's word. Otherwise what processes share counts for each of them.
    pub is_of_cgroup: bool,
}

/// Reads it.
pub fn read(proc: &Path, sys: &Path, found: &Found, buffer: &mut Buffer) -> Usage {
    let mut usage = found.place.as_ref().map(|place| of_cgroup(sys, place)).unwrap_or_default();
    usage.is_of_cgroup = usage.memory_bytes.is_some();
    if usage.cpu_seconds.is_none() || usage.memory_bytes.is_none() {
        let (cpu_seconds, memory_bytes) = of_processes(proc, found, buffer);
        usage.cpu_seconds = usage.cpu_seconds.or(cpu_seconds);
        usage.memory_bytes = usage.memory_bytes.or(memory_bytes);
    }
    usage
}

fn of_cgroup(sys: &Path, place: &Place) -> Usage {
    let mut usage = Usage::default();
    let mounts = sys.join("fs/cgroup");
    for (controllers, path) in &place.folders {
        let path = path.trim_start_matches('/');
        if controllers.is_empty() {
            // Beside version 1, version 2 is mounted one folder further down.
            let Some(folder) =
                [mounts.join(path), mounts.join("unified").join(path)].into_iter().find(|folder| folder.is_dir())
            else {
                continue;
            };
            let number = |file: &str| word(&folder.join(file))?.parse::<u64>().ok();
            usage.cpu_seconds = usage.cpu_seconds.or_else(|| seconds(&word(&folder.join("cpu.stat"))?));
            usage.memory_bytes = usage.memory_bytes.or_else(|| number("memory.current"));
            usage.memory_peak_bytes = usage.memory_peak_bytes.or_else(|| number("memory.peak"));
            usage.memory_limit_bytes = usage.memory_limit_bytes.or_else(|| number("memory.max"));
            continue;
        }
        let folder = mounts.join(controllers).join(path);
        let number = |file: &str| word(&folder.join(file))?.parse::<u64>().ok();
        if controllers.split(',').any(|controller| controller == "cpuacct") {
            usage.cpu_seconds = number("cpuacct.usage").map(|nanoseconds| float(nanoseconds) / 1e9);
        }
        if controllers.split(',').any(|controller| controller == "memory") {
            usage.memory_bytes = number("memory.usage_in_bytes");
            usage.memory_peak_bytes = number("memory.max_usage_in_bytes");
            usage.memory_limit_bytes = number("memory.limit_in_bytes").filter(|limit| *limit < NO_LIMIT);
        }
    }
    usage
}

/// From the text of `cpu.stat`.
fn seconds(text: &str) -> Option<f64> {
    let microseconds: u64 = text.lines().find_map(|line| line.strip_prefix("usage_usec "))?.trim().parse().ok()?;
    Some(float(microseconds) / 1e6)
}

/// Processor time is with that of Slurm's own processes, which take over what their children had.
fn of_processes(proc: &Path, found: &Found, buffer: &mut Buffer) -> (Option<f64>, Option<u64>) {
    let (mut ticks, mut pages, mut is_any) = (0_u64, 0_u64, false);
    let mut read = |pid: u32| KeptFile::new(proc.join(pid.to_string()).join("stat")).read(buffer).ok().and_then(stat);
    for stat in found.daemons.iter().filter_map(|pid| read(*pid)) {
        ticks = ticks.saturating_add(stat.ticks);
        is_any = true;
    }
    for stat in found.pids().filter_map(read) {
        (ticks, pages, is_any) = (ticks.saturating_add(stat.ticks), pages.saturating_add(stat.pages), true);
    }
    if !is_any {
        return (None, None);
    }
    (Some(float(ticks) / ticks_per_second()), Some(pages.saturating_mul(page_bytes())))
}

/// The unit of times in `/proc/PID/stat`.
pub fn ticks_per_second() -> f64 {
    let ticks = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u32::try_from(ticks).ok());
    ticks.filter(|ticks| *ticks > 0).map_or(100.0, f64::from)
}

fn page_bytes() -> u64 {
    sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(4096)
}

#[allow(clippy::cast_precision_loss, reason = "sums of times and bytes are far below 2^52")]
fn float(whole: u64) -> f64 {
    whole as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn read_place(files: &[(&str, &str)], folders: &[(&str, &str)]) -> Usage {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join("sys/fs/cgroup").join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        let folders = folders.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect();
        let place = Place { folders, ..Place::default() };
        let found = Found { place: Some(Arc::new(place)), ..Found::default() };
        read(&folder.path().join("proc"), &folder.path().join("sys"), &found, &mut Buffer::default())
    }

    #[test]
    fn both_versions_of_control_groups_are_read() {
        let second = read_place(
            &[
                ("a/job_7/cpu.stat", "usage_usec 2500000\nuser_usec 1\n"),
                ("a/job_7/memory.current", "100\n"),
                ("a/job_7/memory.peak", "300\n"),
                ("a/job_7/memory.max", "max\n"),
            ],
            &[("", "/a/job_7")],
        );
        let expected = Usage {
            cpu_seconds: Some(2.5),
            memory_bytes: Some(100),
            memory_peak_bytes: Some(300),
            memory_limit_bytes: None,
            is_of_cgroup: true,
        };
        assert_eq!(second, expected);
        let first = read_place(
            &[
                ("cpu,cpuacct/slurm/uid_5/job_7/cpuacct.usage", "2500000000\n"),
                ("memory/slurm/uid_5/job_7/memory.usage_in_bytes", "100\n"),
                ("memory/slurm/uid_5/job_7/memory.max_usage_in_bytes", "300\n"),
                ("memory/slurm/uid_5/job_7/memory.limit_in_bytes", "9223372036854771712\n"),
            ],
            &[("cpu,cpuacct", "/slurm/uid_5/job_7"), ("memory", "/slurm/uid_5/job_7"), ("freezer", "/x")],
        );
        assert_eq!(first, expected);
    }

    #[test]
    fn what_no_control_group_tells_processes_do() {
        assert_eq!(read_place(&[("a/job_7/memory.current", "no number")], &[("", "/a/job_7")]), Usage::default());
        let own = Found { steps: [("0".to_owned(), vec![std::process::id()])].into(), ..Found::default() };
        let usage = read(Path::new("/proc"), Path::new("/sys"), &own, &mut Buffer::default());
        assert!(usage.memory_bytes.unwrap() > 1 << 20 && usage.cpu_seconds.is_some() && !usage.is_of_cgroup);
    }
}
