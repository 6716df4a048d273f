//! Control groups of nodes: the kernel counts in them what each node's processes use.
//!
//! They count, and limit nothing. One thing follows from them all the same: where version 1 shares out processors
//! together with counting their time (`cpu,cpuacct`), nodes that want more than there is get equal parts. A node whose
//! group cannot be made comes up without one. The supervisor says once, in `run/control-groups`, where they are; whoever
//! comes after it, or cleans up behind it, reads that.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use trainyard_run::control_groups::{ControlGroup, mounts, own};

/// The folders of the cluster's groups, a line each. One that an earlier supervisor left, and that was in use, has
/// [`LEFT`] before it.
const PLACES: &str = "run/control-groups";

/// Before a folder that is not used, but is to be removed.
const LEFT: &str = "left ";

/// A few short lines. Jobs of root can write the file.
const PLACES_BYTES_MAX: u64 = 64 << 10;

/// The group that holds those of all clusters.
const OURS: &str = "trainyard";

/// What is counted of a node.
const CONTROLLERS: [&str; 2] = ["memory", "cpuacct"];

/// A group can be removed once its last process is gone, and the kernel takes a moment to let go of one that was killed.
const PATIENCE: Duration = Duration::from_millis(500);

/// Another cluster may take [`OURS`] away just before ours is made in it; it does so once.
const ATTEMPTS: u32 = 20;

/// Jobs may make groups below their node's. So deep, and so many at a time, they are looked for.
const DEPTH_MAX: usize = 64;
const GROUPS_MAX: usize = 10_000;

/// The machine's control groups, as far as they concern us.
struct Machine {
    /// Those that this process is in.
    own: Vec<ControlGroup>,
    /// Where all are mounted.
    mounts: Vec<PathBuf>,
}

impl Machine {
    fn this() -> Self {
        let proc = Path::new("/proc");
        Self { own: own(proc).unwrap_or_default(), mounts: mounts(proc).unwrap_or_default() }
    }
}

/// Where the cluster's nodes have their groups; nowhere, on a machine that has none or lets nobody make one.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// A folder in each hierarchy, which holds one of each node.
    clusters: Vec<PathBuf>,
    /// Those of an earlier supervisor, in another place, that could not be removed yet.
    left: Vec<PathBuf>,
}

impl Groups {
    /// Makes the cluster's groups, after those of an earlier supervisor are gone: it may have been started from
    /// another place.
    pub fn make(folder: &Path) -> Self {
        Self::make_on(&Machine::this(), folder)
    }

    fn make_on(machine: &Machine, folder: &Path) -> Self {
        let earlier = Self::on(machine, folder);
        earlier.remove();
        let name = name_of(folder);
        let mut clusters = Vec::new();
        for place in parents(&machine.own) {
            let ours = place.folder.join(OURS);
            let cluster = ours.join(&name);
            if !make_folder(&cluster) {
                continue;
            }
            if place.is_unified() {
                // Where these cannot be switched on, processor time is counted all the same. What is switched on in the
                // parent stays so when we go: by then others may count on it, and nobody can tell.
                for group in [&place.folder, &ours, &cluster] {
                    let _ = std::fs::write(group.join("cgroup.subtree_control"), "+memory");
                }
            }
            clusters.push(cluster);
        }
        let is_left = |path: &PathBuf| path.exists() && !clusters.contains(path);
        let left = earlier.clusters.into_iter().chain(earlier.left).filter(is_left).collect();
        let groups = Self { clusters, left };
        if groups.save(&folder.join(PLACES)).is_err() {
            // Nobody could find them again.
            groups.remove();
            return Self::default();
        }
        groups
    }

    fn save(&self, path: &Path) -> std::io::Result<()> {
        let line = |mark: &'static str| move |path: &PathBuf| format!("{mark}{}\n", path.display());
        let lines: String = self.clusters.iter().map(line("")).chain(self.left.iter().map(line(LEFT))).collect();
        // As a new file: a link that a job put there leads elsewhere.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(lines.as_bytes())
    }

    /// Those that the cluster's supervisor made.
    pub fn of(folder: &Path) -> Self {
        Self::on(&Machine::this(), folder)
    }

    fn on(machine: &Machine, folder: &Path) -> Self {
        let mut text = String::new();
        if let Ok(file) = std::fs::File::open(folder.join(PLACES)) {
            // What is no text is none of ours.
            let _ = file.take(PLACES_BYTES_MAX).read_to_string(&mut text);
        }
        let name = name_of(folder);
        let is_ours = |path: &PathBuf| is_cluster(path, &name, &machine.mounts);
        let (left, used): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with(LEFT));
        let left = left.into_iter().filter_map(|line| line.strip_prefix(LEFT)).map(PathBuf::from);
        Self {
            clusters: used.into_iter().map(PathBuf::from).filter(is_ours).collect(),
            left: left.filter(is_ours).collect(),
        }
    }

    /// Moves this process into a node's groups, and with it all that it will start.
    pub fn join(&self, node: &str) {
        self.remove_node(node);
        for cluster in &self.clusters {
            let group = cluster.join(node);
            // One that could not be removed counts on.
            let stands = std::fs::create_dir(&group).is_ok() || group.is_dir();
            if stands && std::fs::write(group.join("cgroup.procs"), "0").is_err() {
                let _ = std::fs::remove_dir(&group);
            }
        }
    }

    /// Removes the groups of a node that has ended.
    pub fn remove_node(&self, node: &str) {
        for cluster in &self.clusters {
            remove(&cluster.join(node));
        }
    }

    /// Removes all of the cluster's groups; returns those that are still there.
    pub fn remove(&self) -> Vec<PathBuf> {
        let mut stay = Vec::new();
        for cluster in self.clusters.iter().chain(&self.left) {
            stay.extend(remove(cluster));
            // Other clusters may have theirs in it.
            let _ = cluster.parent().map(std::fs::remove_dir);
        }
        stay
    }
}

/// Removes what the cluster's supervisor left of its groups; returns those that are still there.
pub fn clean_up(folder: &Path) -> Vec<PathBuf> {
    Groups::of(folder).remove()
}

/// Whether the cluster's supervisor could make groups for its nodes.
pub fn are_made(folder: &Path) -> bool {
    !Groups::of(folder).clusters.is_empty()
}

/// The name of a cluster's groups. Folders of different clusters may look alike once their slashes are gone, or begin
/// differently only: the digest tells them apart.
fn name_of(folder: &Path) -> String {
    /// A name may have 255 bytes.
    const BYTES_MAX: usize = 200;
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let text = folder.to_string_lossy();
    let readable = text.trim_matches('/').replace('/', "-");
    let start = readable.ceil_char_boundary(readable.len().saturating_sub(BYTES_MAX));
    format!("{}-{}", readable.get(start..).unwrap_or_default(), trainyard_plan::fingerprint(&text))
}

/// Folders are removed that a file names, and jobs of root can write that file.
fn is_cluster(path: &Path, name: &str, mounts: &[PathBuf]) -> bool {
    let mut parts = path.components();
    let is_plain = parts.next() == Some(Component::RootDir) && parts.all(|part| matches!(part, Component::Normal(_)));
    // Up to 0.1.0 there was no digest.
    let without_digest = name.rsplit_once('-').map_or(name, |(readable, _)| readable);
    let is_named = path.file_name().is_some_and(|last| last == name || last == without_digest);
    let is_among_ours = path.parent().is_some_and(|ours| ours.ends_with(OURS));
    is_plain && is_named && is_among_ours && mounts.iter().any(|mount| path.starts_with(mount))
}

fn make_folder(cluster: &Path) -> bool {
    // It looks whether what stands is a folder, and that may be gone by then.
    let missing = |error: &std::io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists);
    for _ in 0..ATTEMPTS {
        match std::fs::create_dir_all(cluster) {
            Ok(()) => return true,
            Err(error) if missing(&error) => {}
            Err(_) => return false,
        }
    }
    false
}

/// Removes a group with all below it; returns what of that is still there.
fn remove(group: &Path) -> Vec<PathBuf> {
    let until = Instant::now() + PATIENCE;
    loop {
        let stay: Vec<PathBuf> =
            inside_out(group).into_iter().filter(|one| std::fs::remove_dir(one).is_err()).collect();
        if !group.is_dir() {
            return Vec::new();
        }
        if Instant::now() >= until {
            return stay;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A group and all below it, each before the one that it is in.
fn inside_out(group: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut next = vec![(group.to_owned(), 0)];
    while let Some((folder, depth)) = next.pop() {
        if found.len() == GROUPS_MAX {
            break;
        }
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        if depth < DEPTH_MAX {
            next.extend(below.take(GROUPS_MAX).map(|entry| (entry.path(), depth + 1)));
        }
        found.push(folder);
    }
    found.reverse();
    found
}

/// Which of a process's places to make groups in. Each controller is in one hierarchy only: in that of version 1 which
/// has it, or else in that of version 2.
fn parents(own: &[ControlGroup]) -> Vec<ControlGroup> {
    let has = |place: &ControlGroup, controller: &str| place.controllers.iter().any(|one| one == controller);
    let mut parents: Vec<ControlGroup> =
        own.iter().filter(|place| CONTROLLERS.iter().any(|one| has(place, one))).cloned().collect();
    if !CONTROLLERS.iter().all(|one| parents.iter().any(|place| has(place, one))) {
        parents.extend(own.iter().filter(|place| place.is_unified()).cloned().map(beside));
    }
    parents
}

/// Version 2 gives controllers to the children of a group only where the group has no processes of its own. So nodes
/// come beside our own group, and not below it; at the root alone both may be. What limits our own group (a session, or
/// a unit of systemd's) does not limit them, then; what limits the group above it does.
fn beside(own: ControlGroup) -> ControlGroup {
    let is_group = |folder: &Path| folder.join("cgroup.subtree_control").exists();
    match own.folder.parent() {
        Some(parent) if is_group(parent) => ControlGroup { folder: parent.to_owned(), ..own },
        _ => own,
    }
}

#[cfg(test)]
mod tests;
