//! Control groups of nodes: the kernel counts in them what each node's processes use.
//!
//! They only count: nothing is limited, and a node whose group cannot be made comes up without one. The supervisor says
//! once, in `run/control-groups`, where they are; whoever comes after it, or cleans up behind it, reads that.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs_err as fs;
use trainyard_run::control_groups::{ControlGroup, own};

/// The folders of the cluster's groups, a line each.
const PLACES: &str = "run/control-groups";

/// The group that holds those of all clusters.
const OURS: &str = "trainyard";

/// What is counted of a node.
const CONTROLLERS: [&str; 2] = ["memory", "cpuacct"];

/// A group can be removed once its last process is gone, and the kernel takes a moment to let go of one that was killed.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where the cluster's nodes have their groups; nowhere, on a machine that has none or lets nobody make one.
#[derive(Debug, Default)]
pub(super) struct Groups(Vec<PathBuf>);

impl Groups {
    /// Makes the cluster's groups beside or below the one that this process is in: their limits hold for nodes too.
    pub fn make(folder: &Path) -> Self {
        let name = folder.to_string_lossy().trim_matches('/').replace('/', "-");
        let start = name.len().saturating_sub(200);
        let name = name.get(name.ceil_char_boundary(start)..).unwrap_or_default();
        let mut made = Vec::new();
        for place in parents(own(Path::new("/proc")).unwrap_or_default()) {
            let ours = place.folder.join(OURS);
            let cluster = ours.join(name);
            if std::fs::create_dir_all(&cluster).is_err() {
                continue;
            }
            if place.is_unified() {
                // Where these cannot be switched on, processor time is counted all the same.
                for group in [&place.folder, &ours, &cluster] {
                    let _ = std::fs::write(group.join("cgroup.subtree_control"), "+memory");
                }
            }
            made.push(cluster);
        }
        let lines: Vec<String> = made.iter().map(|path| format!("{}\n", path.display())).collect();
        let groups = Self(made);
        if fs::write(folder.join(PLACES), lines.concat()).is_err() {
            // Nobody could find them again.
            groups.remove();
            return Self::default();
        }
        groups
    }

    /// Those that the cluster's supervisor made.
    pub fn of(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join(PLACES)).unwrap_or_default();
        // Folders are removed that are named here: whatever else stands in the file is not ours.
        let is_ours = |path: &PathBuf| path.is_absolute() && path.parent().is_some_and(|ours| ours.ends_with(OURS));
        Self(text.lines().map(PathBuf::from).filter(is_ours).collect())
    }

    /// Moves this process into a node's groups, and with it all that it will start.
    pub fn join(&self, node: &str) {
        self.remove_node(node);
        for cluster in &self.0 {
            let group = cluster.join(node);
            if std::fs::create_dir(&group).is_ok() && std::fs::write(group.join("cgroup.procs"), "0").is_err() {
                let _ = std::fs::remove_dir(&group);
            }
        }
    }

    /// Removes the groups of a node that has ended.
    pub fn remove_node(&self, node: &str) {
        for cluster in &self.0 {
            remove(&cluster.join(node));
        }
    }

    /// Removes all of the cluster's groups.
    pub fn remove(&self) {
        for cluster in &self.0 {
            let nodes = std::fs::read_dir(cluster).into_iter().flatten().flatten();
            for node in nodes.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
                remove(&node.path());
            }
            remove(cluster);
            // Other clusters may have theirs in it.
            let _ = cluster.parent().map(std::fs::remove_dir);
        }
    }
}

/// Removes what a supervisor that was killed left of its groups.
pub fn clean_up(folder: &Path) {
    Groups::of(folder).remove();
}

fn remove(group: &Path) {
    let until = Instant::now() + PATIENCE;
    while group.is_dir() && std::fs::remove_dir(group).is_err() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Which of a process's places to make groups in: one hierarchy for each controller.
fn parents(own: Vec<ControlGroup>) -> Vec<ControlGroup> {
    let (unified, old): (Vec<_>, Vec<_>) = own.into_iter().partition(ControlGroup::is_unified);
    let counts = |place: &ControlGroup| CONTROLLERS.iter().any(|one| place.controllers.iter().any(|has| has == one));
    let mut parents: Vec<ControlGroup> = old.into_iter().filter(counts).collect();
    if parents.is_empty() {
        parents.extend(unified.into_iter().map(beside));
    }
    parents
}

/// Version 2 gives controllers to the children of a group only where the group has no processes of its own. So nodes
/// come beside our own group, and not below it; at the root alone both may be.
fn beside(own: ControlGroup) -> ControlGroup {
    let is_group = |folder: &Path| folder.join("cgroup.subtree_control").exists();
    match own.folder.parent() {
        Some(parent) if is_group(parent) => ControlGroup { folder: parent.to_owned(), ..own },
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(controllers: &[&str], folder: &str) -> ControlGroup {
        ControlGroup { controllers: controllers.iter().map(|&word| word.to_owned()).collect(), folder: folder.into() }
    }

    #[test]
    fn nodes_are_counted_where_the_machine_counts() {
        let folders = |own: &[ControlGroup]| {
            parents(own.to_vec()).into_iter().map(|place| place.folder.display().to_string()).collect::<Vec<_>>()
        };
        let old = [place(&["cpu", "cpuacct"], "/c"), place(&["memory"], "/m"), place(&["freezer"], "/f")];
        assert_eq!(folders(&old), ["/c", "/m"]);
        // A machine with both versions has its controllers in the old one.
        assert_eq!(folders(&[&old[..], &[place(&[], "/u")]].concat()), ["/c", "/m"]);
        assert_eq!(folders(&[place(&[], "/u")]), ["/u"]);
        assert_eq!(folders(&[]), [""; 0]);
    }

    #[test]
    fn with_version_2_nodes_come_beside_a_group_that_has_processes() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("user.slice/session.scope");
        fs::create_dir_all(&own).unwrap();
        let chosen = || beside(ControlGroup { controllers: Vec::new(), folder: own.clone() }).folder;
        assert_eq!(chosen(), own);
        fs::write(root.path().join("user.slice/cgroup.subtree_control"), "").unwrap();
        assert_eq!(chosen(), root.path().join("user.slice"));
    }

    #[test]
    fn what_is_left_of_a_supervisor_that_was_killed_is_found_and_removed() {
        let (machine, cluster) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ours = machine.path().join("trainyard");
        for node in ["one/node-1", "one/node-2", "two/node-1"] {
            fs::create_dir_all(ours.join(node)).unwrap();
        }
        fs::create_dir(cluster.path().join("run")).unwrap();
        fs::write(cluster.path().join(PLACES), format!("{}\n", ours.join("one").display())).unwrap();
        Groups::of(cluster.path()).remove();
        assert!(!ours.join("one").exists() && ours.join("two/node-1").exists());
        // A folder that is not among ours stays, whatever the file says.
        let other = machine.path().join("other/empty");
        fs::create_dir_all(&other).unwrap();
        fs::write(cluster.path().join(PLACES), format!("{}\nrelative/trainyard/x\n", other.display())).unwrap();
        Groups::of(cluster.path()).remove();
        assert!(other.exists());
    }
}
