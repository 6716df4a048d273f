//! Folders stand in place of /sys/fs/cgroup.

use fs_err as fs;

use super::*;

fn place(controllers: &[&str], folder: &str) -> ControlGroup {
    ControlGroup { controllers: controllers.iter().map(|&word| word.to_owned()).collect(), folder: folder.into() }
}

/// A machine and a cluster's folder. `at` is the group that this process is in.
struct Stage {
    root: tempfile::TempDir,
    cluster: PathBuf,
    machine: Machine,
}

impl Stage {
    fn new(at: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let cluster = root.path().join("clusters/one");
        fs::create_dir_all(cluster.join("run")).unwrap();
        let machine = Machine { own: Vec::new(), mounts: vec![root.path().join("memory")] };
        let mut stage = Self { root, cluster, machine };
        stage.enter(at);
        stage
    }

    fn enter(&mut self, at: &str) {
        let folder = self.path("memory").join(at);
        fs::create_dir_all(&folder).unwrap();
        self.machine.own = vec![ControlGroup { controllers: vec!["memory".into(), "cpuacct".into()], folder }];
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    fn make(&self) -> Groups {
        Groups::make_on(&self.machine, &self.cluster)
    }

    fn named(&self) -> Groups {
        Groups::on(&self.machine, &self.cluster)
    }
}

#[test]
fn nodes_are_counted_where_the_machine_counts() {
    let folders = |own: &[ControlGroup]| {
        parents(own).into_iter().map(|place| place.folder.display().to_string()).collect::<Vec<_>>()
    };
    let old = [place(&["cpu", "cpuacct"], "/c"), place(&["memory"], "/m"), place(&["freezer"], "/f")];
    assert_eq!(folders(&old), ["/c", "/m"]);
    // A machine with both versions may have all controllers in the old one, or only some of them.
    let unified = place(&[], "/u");
    assert_eq!(folders(&[&old[..], std::slice::from_ref(&unified)].concat()), ["/c", "/m"]);
    assert_eq!(folders(&[old[0].clone(), unified.clone()]), ["/c", "/u"]);
    assert_eq!(folders(&[old[1].clone(), unified.clone()]), ["/m", "/u"]);
    assert_eq!(folders(&[unified]), ["/u"]);
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
    let stage = Stage::new("here");
    let cluster = stage.make().clusters.remove(0);
    for node in ["node-1", "node-2", "node-2/made/by-a-job"] {
        fs::create_dir_all(cluster.join(node)).unwrap();
    }
    let other = stage.path("memory/here/trainyard/other/node-1");
    fs::create_dir_all(&other).unwrap();
    assert_eq!(stage.named().remove(), [""; 0].map(PathBuf::from));
    assert!(!cluster.exists() && other.exists());
}

/// A supervisor that was killed had its groups in another place than the one that follows it.
#[test]
fn groups_of_an_earlier_supervisor_go_although_the_next_has_them_elsewhere() {
    let mut stage = Stage::new("before");
    let before = stage.make().clusters.remove(0);
    fs::create_dir_all(before.join("node-1")).unwrap();
    stage.enter("after");
    let after = stage.make();
    assert!(!before.exists() && !stage.path("memory/before/trainyard").exists());
    assert!(after.clusters[0].starts_with(stage.path("memory/after")));
    // One that is still in use (a file stands for that) is not forgotten, and not used either.
    fs::create_dir_all(after.clusters[0].join("node-1")).unwrap();
    let in_use = after.clusters[0].join("node-1/process");
    fs::write(&in_use, "").unwrap();
    stage.enter("later");
    stage.make();
    let later = stage.named();
    assert!(later.clusters.len() == 1 && later.clusters[0].starts_with(stage.path("memory/later")));
    assert_eq!(later.left, after.clusters);
    assert_eq!(later.remove(), [after.clusters[0].join("node-1"), after.clusters[0].clone()]);
    fs::remove_file(in_use).unwrap();
    assert_eq!(stage.named().remove(), [""; 0].map(PathBuf::from));
    assert!(!after.clusters[0].exists());
}

/// Jobs may write the file that names them.
#[test]
fn nothing_but_the_clusters_own_groups_is_removed_whatever_a_file_names() {
    let stage = Stage::new("here");
    stage.make();
    let name = name_of(&stage.cluster);
    let strangers = [
        stage.path("memory/here/trainyard/other"),
        stage.path(&format!("elsewhere/trainyard/{name}")),
        stage.path(&format!("memory/here/{name}")),
        stage.path(&format!("memory/here/trainyard/{name}/../../victim/trainyard/{name}")),
        stage.path(&format!("memory/../elsewhere/trainyard/{name}")),
        stage.path("memory"),
        PathBuf::from(format!("relative/trainyard/{name}")),
    ];
    fs::create_dir_all(stage.path(&format!("memory/victim/trainyard/{name}"))).unwrap();
    for path in strangers.iter().filter(|path| path.is_absolute()) {
        fs::create_dir_all(path).unwrap();
    }
    for mark in ["", LEFT] {
        let lines: Vec<String> = strangers.iter().map(|path| format!("{mark}{}\n", path.display())).collect();
        fs::write(stage.cluster.join(PLACES), lines.concat()).unwrap();
        let named = stage.named();
        assert!(named.clusters.is_empty() && named.left.is_empty(), "{named:?}");
    }
}

#[test]
fn the_file_that_names_them_does_not_go_where_a_link_leads() {
    let stage = Stage::new("here");
    let precious = stage.path("precious");
    fs::write(&precious, "years").unwrap();
    std::os::unix::fs::symlink(&precious, stage.cluster.join(PLACES)).unwrap();
    assert_eq!(stage.make().clusters, stage.named().clusters);
    assert_eq!(fs::read_to_string(precious).unwrap(), "years");
}

/// A group that a job made below its node's kept the node without figures for good.
#[test]
fn a_node_joins_its_group_again_whatever_a_job_made_in_it() {
    let stage = Stage::new("here");
    let groups = stage.make();
    let node = groups.clusters[0].join("node-1");
    fs::create_dir_all(node.join("inner/deeper")).unwrap();
    groups.join("node-1");
    assert!(!node.join("inner").exists());
    assert_eq!(fs::read_to_string(node.join("cgroup.procs")).unwrap(), "0");
    // The same where it could not be removed.
    fs::remove_file(node.join("cgroup.procs")).unwrap();
    fs::create_dir(node.join("inner")).unwrap();
    fs::write(node.join("inner/process"), "").unwrap();
    groups.join("node-1");
    assert_eq!(fs::read_to_string(node.join("cgroup.procs")).unwrap(), "0");
}

#[test]
fn many_groups_below_one_another_are_removed() {
    let stage = Stage::new("here");
    let groups = stage.make();
    let mut deep = groups.clusters[0].join("node-1");
    for _ in 0..2 * DEPTH_MAX / 3 {
        deep.push("g");
    }
    fs::create_dir_all(&deep).unwrap();
    for number in 0..100 {
        fs::create_dir_all(groups.clusters[0].join(format!("node-2/{number}/x"))).unwrap();
    }
    assert_eq!(groups.remove(), [""; 0].map(PathBuf::from));
    assert!(!groups.clusters[0].exists());
}

#[test]
fn clusters_whose_folders_look_alike_have_groups_of_their_own() {
    let long = "x".repeat(250);
    for (one, other) in [
        ("/a-b/c".to_owned(), "/a/b-c".to_owned()),
        (format!("/home/one/{long}/live"), format!("/home/two/{long}/live")),
        ("/ä".repeat(120), format!("/{}", "/ä".repeat(121))),
    ] {
        let names = [name_of(Path::new(&one)), name_of(Path::new(&other))];
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.len() <= 255 && !name.contains('/')), "{names:?}");
    }
}

/// One cluster goes while another comes: the group that holds all of them may go in between.
#[test]
fn a_cluster_that_goes_does_not_take_the_place_of_one_that_comes() {
    let root = tempfile::tempdir().unwrap();
    let ours = root.path().join(OURS);
    let cycle = |name: &'static str| {
        let groups = Groups { clusters: vec![ours.join(name)], left: Vec::new() };
        move || (0..2000).filter(|_| !(make_folder(&groups.clusters[0]) && groups.remove().is_empty())).count()
    };
    let (one, other) = (cycle("one"), cycle("other"));
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        assert_eq!((one(), other.join().unwrap()), (0, 0));
    });
}
