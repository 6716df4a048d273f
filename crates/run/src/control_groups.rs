//! Control groups that this process is in, and where they are mounted.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

/// A process's place in one hierarchy of control groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlGroup {
    /// What version 1 controls in this hierarchy: `memory`, `cpuacct`, and so on; empty for version 2.
    pub controllers: Vec<String>,
    /// The group's folder.
    pub folder: PathBuf,
}

impl ControlGroup {
    /// Whether this is the one hierarchy of version 2.
    pub fn is_unified(&self) -> bool {
        self.controllers.is_empty()
    }
}

/// This process's groups, of every hierarchy that is mounted where it sees it. `proc` is where /proc is mounted.
pub fn own(proc: &Path) -> io::Result<Vec<ControlGroup>> {
    let own = proc.join("self");
    Ok(places(&fs::read_to_string(own.join("mountinfo"))?, &fs::read_to_string(own.join("cgroup"))?))
}

/// Where hierarchies are mounted that count something, as this process sees them. `proc` is where /proc is mounted.
pub fn mounts(proc: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(points(&fs::read_to_string(proc.join("self/mountinfo"))?))
}

fn points(mounts: &str) -> Vec<PathBuf> {
    let counts = |mount: &Mount| !mount.options.iter().any(|option| option.starts_with("name="));
    mounts.lines().filter_map(Mount::read).filter(counts).map(|mount| mount.point.into()).collect()
}

/// From the texts of /proc/self/mountinfo and /proc/self/cgroup; proc(5) and cgroups(7) say what is in them.
fn places(mounts: &str, groups: &str) -> Vec<ControlGroup> {
    let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::read).collect();
    let place = |line: &str| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let controllers: Vec<String> =
            controllers.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        // Named hierarchies of version 1 hold processes together, and count nothing.
        if controllers.iter().any(|controller| controller.starts_with("name=")) {
            return None;
        }
        // A mount on top of another hides it: the last one is what is seen.
        let folder = mounts.iter().rev().find_map(|mount| mount.place(&controllers, path))?;
        Some(ControlGroup { controllers, folder })
    };
    groups.lines().filter_map(place).collect()
}

struct Mount {
    /// The group that is shown at `point`.
    root: String,
    point: String,
    is_unified: bool,
    options: Vec<String>,
}

impl Mount {
    fn read(line: &str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let mut fields = after.split(' ');
        let (kind, options) = (fields.next()?, fields.nth(1)?);
        let is_unified = kind == "cgroup2";
        let options = options.split(',').map(str::to_owned).collect();
        (is_unified || kind == "cgroup").then(|| Self { root: root.into(), point: point.into(), is_unified, options })
    }

    fn place(&self, controllers: &[String], path: &str) -> Option<PathBuf> {
        let fits = if controllers.is_empty() {
            self.is_unified
        } else {
            !self.is_unified && controllers.iter().all(|controller| self.options.contains(controller))
        };
        // A group outside of what is mounted is shown as /../…: there is no folder of it here.
        let below = Path::new(path).strip_prefix(&self.root).ok()?;
        let is_inside = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        (fits && is_inside).then(|| Path::new(&self.point).join(below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(mounts: &str, groups: &str) -> Vec<String> {
        let place = |place: ControlGroup| format!("{} {}", place.controllers.join(","), place.folder.display());
        places(mounts, groups).into_iter().map(place).collect()
    }

    #[test]
    fn a_process_finds_its_groups_of_both_versions() {
        let unified = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let old = "31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                   32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
                   33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        for (mounts, groups, expected) in [
            (unified, "0::/user.slice/a.scope\n", &[" /sys/fs/cgroup/user.slice/a.scope"][..]),
            (unified, "0::/\n", &[" /sys/fs/cgroup/"]),
            (
                old,
                "5:memory:/docker/7\n4:cpu,cpuacct:/docker/7\n1:name=systemd:/x\n0::/\n",
                &[
                    "memory /sys/fs/cgroup/memory/docker/7",
                    "cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct/docker/7",
                    " /sys/fs/cgroup/unified/",
                ],
            ),
            // Inside a container, that group is what is mounted.
            (
                "9 8 0:2 /docker/7 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
                "5:memory:/docker/7/job\n",
                &["memory /sys/fs/cgroup/memory/job"],
            ),
            (unified, "0::/../../other\n", &[]),
            ("", "0::/\n", &[]),
            ("what is\nthis - no\n - - \n", ":::\nx\n0::\n", &[]),
        ] {
            assert_eq!(shown(mounts, groups), expected, "{groups}");
        }
    }

    #[test]
    fn hierarchies_that_count_something_are_told_from_the_other_mounts() {
        let mounts = "24 1 0:22 / / rw - ext4 /dev/vda rw\n\
                      31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      32 30 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
                      33 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        assert_eq!(points(mounts), ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"].map(PathBuf::from));
    }
}
