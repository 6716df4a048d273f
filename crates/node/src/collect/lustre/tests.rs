//! Lustre clients of several versions, healthy, sick and hostile.

use std::time::Instant;

use super::*;

const MOUNT: &str = "ffff9f1e3b2c8000";

const IMPORT: &str = "import:\n    name: fsx-OST0000-osc-ffff9f1e3b2c8000\n    target: fsx-OST0000_UUID\n    state: FULL\n\
    \u{20}   connect_flags: [ write_grant, server_lock ]\n    connection:\n       failover_nids: [ 10.0.0.9@tcp ]\n\
    \u{20}   rpcs:\n       inflight: 8\n       unregistering: 0\n       timeouts: 2\n       avg_waittime: 6054 usec\n";

const STATISTICS: &str = "snapshot_time             1510950459.772792457 secs.nsecs\n\
    read_bytes                3 samples [bytes] 4096 4194304 8392704 70368744177664\n\
    write_bytes               5 samples [bytes] 4096 1048576 5242880\n\
    read                      3 samples [usec] 10 400 1500000 9\n\
    open                      136 samples [regs]\n\
    inode_permission          398 samples [regs]\n";

const READ_AHEAD: &str = "snapshot_time 1510950459.776359249 secs.nsecs\nhits                      900 samples [pages]\n\
    misses                    12 samples [pages]\nreadpage not consecutive  7 samples [pages]\n";

/// A machine with such files below `sys/fs/lustre`, `proc/fs/lustre` and `sys/kernel/debug/lustre`.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    /// A target, as a client of Lustre 2.15 shows it.
    fn target(&self, target: &str, mount: &str, kib: [u64; 3], import: &str) {
        let device = format!("osc/{target}-osc-{mount}");
        for (name, value) in ["kbytestotal", "kbytesfree", "kbytesavail"].iter().zip(kib) {
            self.write(&format!("sys/fs/lustre/{device}/{name}"), format!("{value}\n"));
        }
        for (name, value) in [("filestotal", 1000), ("filesfree", 900), ("cur_dirty_bytes", 4096)] {
            self.write(&format!("sys/fs/lustre/{device}/{name}"), format!("{value}\n"));
        }
        self.write(&format!("proc/fs/lustre/{device}/import"), import);
    }

    fn client(&self, mount: &str) {
        self.write(&format!("sys/fs/lustre/llite/fsx-{mount}/kbytestotal"), "2000\n");
        self.write(&format!("sys/kernel/debug/lustre/llite/fsx-{mount}/stats"), STATISTICS);
        self.write(&format!("sys/kernel/debug/lustre/llite/fsx-{mount}/read_ahead_stats"), READ_AHEAD);
    }

    fn collector(&self) -> Lustre {
        let mut setting = Setting::default();
        setting.roots.proc = self.0.path().join("proc");
        setting.roots.sys = self.0.path().join("sys");
        Lustre::new(&setting)
    }
}

/// What is shown, and what is said.
fn shown(collector: &mut Lustre) -> (String, Option<String>) {
    let mut sheet = Sheet::default();
    let said = collector.collect(&mut sheet).err().map(|problem| problem.told());
    (sheet.into_page().text(), said)
}

fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "no {line} in {text}");
}

const OST: &str = "filesystem=\"fsx\",component=\"osc\",target=\"fsx-OST0000\"";
const CLIENT: &str = "filesystem=\"fsx\",component=\"client\",target=\"fsx\"";

#[test]
fn each_target_says_how_full_it_is_and_how_the_node_stands_with_it() {
    let machine = Machine::new();
    machine.target("fsx-OST0000", MOUNT, [1000, 60, 10], IMPORT);
    machine.target("fsx-OST0001", MOUNT, [1000, 960, 910], &IMPORT.replace("FULL", "IDLE"));
    machine.client(MOUNT);
    let (text, said) = shown(&mut machine.collector());
    assert_eq!(said, None);
    for (name, label, value) in [
        ("lustre_capacity_bytes", "", "1024000"),
        ("lustre_available_bytes", "", "10240"),
        ("lustre_inodes_free", "", "900"),
        ("trainyard_lustre_used_ratio", "", "0.9894736842105263"),
        ("trainyard_lustre_connected", "", "1"),
        ("trainyard_lustre_import_state", ",state=\"FULL\"", "1"),
        ("trainyard_lustre_rpcs_in_flight", "", "8"),
        ("trainyard_lustre_rpc_timeouts_total", "", "2"),
        ("trainyard_lustre_rpc_wait_seconds", "", "0.006054"),
        ("trainyard_lustre_dirty_bytes", "", "4096"),
    ] {
        has(&text, &format!("{name}{{{OST}{label}}} {value}"));
    }
    has(&text, &format!("trainyard_lustre_connected{{{}}} 1", OST.replace("OST0000", "OST0001")));
    for (name, label, value) in [
        ("lustre_capacity_bytes", "", "2048000"),
        ("lustre_read_bytes_total", "", "8392704"),
        ("lustre_read_samples_total", "", "3"),
        ("lustre_write_bytes_total", "", "5242880"),
        ("lustre_stats_total", ",operation=\"open\"", "136"),
        ("trainyard_lustre_operation_seconds_total", ",operation=\"read\"", "1.5"),
        ("trainyard_lustre_read_ahead_pages_total", ",event=\"readpage not consecutive\"", "7"),
    ] {
        has(&text, &format!("{name}{{{CLIENT}{label}}} {value}"));
    }
    assert!(!text.contains("operation=\"read_bytes\"") && !text.contains("snapshot"), "{text}");
}

#[test]
fn a_target_that_is_gone_is_not_asked_and_hides_no_other() {
    let machine = Machine::new();
    machine.target("fsx-OST0000", MOUNT, [1000, 60, 10], IMPORT);
    machine.target("fsx-OST0001", MOUNT, [1000, 60, 10], &IMPORT.replace("FULL", "DISCONN"));
    machine.client(MOUNT);
    // Who opens these waits until somebody writes: nobody does.
    for path in [
        format!("sys/fs/lustre/osc/fsx-OST0001-osc-{MOUNT}/kbytestotal"),
        format!("sys/fs/lustre/llite/fsx-{MOUNT}/kbytestotal"),
    ] {
        let path = machine.0.path().join(path);
        fs_err::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    let begun = Instant::now();
    let (text, said) = shown(&mut machine.collector());
    assert!(begun.elapsed() < Duration::from_secs(1) && said.is_none(), "{said:?}");
    let gone = OST.replace("OST0000", "OST0001");
    has(&text, &format!("trainyard_lustre_connected{{{gone}}} 0"));
    has(&text, &format!("trainyard_lustre_import_state{{{gone},state=\"DISCONN\"}} 1"));
    has(&text, &format!("lustre_available_bytes{{{OST}}} 10240"));
    has(&text, &format!("lustre_read_bytes_total{{{CLIENT}}} 8392704"));
    assert!(!text.contains(&format!("lustre_capacity_bytes{{{gone}}}")), "{text}");
    assert!(!text.contains(&format!("lustre_capacity_bytes{{{CLIENT}}}")), "{text}");
}

#[test]
fn a_file_system_that_is_mounted_twice_shows_once() {
    let machine = Machine::new();
    let second = "00000000deadbeef";
    machine.target("fsx-OST0000", MOUNT, [1000, 60, 10], IMPORT);
    machine.target("fsx-OST0000", second, [1000, 60, 10], &IMPORT.replace("FULL", "EVICTED"));
    machine.client(MOUNT);
    machine.client(second);
    let (text, _) = shown(&mut machine.collector());
    let lines: Vec<&str> = text.lines().map(|line| line.rsplit_once(' ').unwrap().0).collect();
    let series: BTreeSet<&str> = lines.iter().copied().collect();
    assert_eq!(series.len(), lines.len(), "{text}");
    has(&text, &format!("lustre_read_bytes_total{{{CLIENT}}} 16785408"));
    has(&text, &format!("trainyard_lustre_rpcs_in_flight{{{OST}}} 16"));
    has(&text, &format!("trainyard_lustre_import_state{{{OST},state=\"EVICTED\"}} 1"));
}

#[test]
fn targets_come_and_go_with_their_mounts_and_old_versions_have_all_in_proc() {
    let machine = Machine::new();
    let mut collector = machine.collector();
    assert_eq!(shown(&mut collector), (String::new(), None));
    machine.write(&format!("proc/fs/lustre/osc/fsx-OST0000-osc-{MOUNT}/kbytestotal"), "1000\n");
    machine.write(&format!("proc/fs/lustre/mdc/fsx-MDT0000-mdc-{MOUNT}/md_stats"), "getattr 9 samples [reqs]\n");
    let (text, _) = shown(&mut collector);
    has(&text, &format!("lustre_capacity_bytes{{{OST}}} 1024000"));
    has(
        &text,
        "lustre_stats_total{filesystem=\"fsx\",component=\"mdc\",target=\"fsx-MDT0000\",operation=\"getattr\"} 9",
    );
    assert!(!text.contains("used_ratio"), "what is not known is left out: {text}");
    // A mount makes its files one by one.
    machine.write(&format!("proc/fs/lustre/osc/fsx-OST0000-osc-{MOUNT}/import"), IMPORT);
    has(&shown(&mut collector).0, &format!("trainyard_lustre_connected{{{OST}}} 1"));
    fs_err::remove_dir_all(machine.0.path().join("proc")).unwrap();
    assert_eq!(shown(&mut collector), (String::new(), None));
}

#[test]
fn servers_are_asked_for_space_no_more_often_than_their_pace() {
    let machine = Machine::new();
    let mut collector = machine.collector();
    machine.target("fsx-OST0000", MOUNT, [1000, 60, 10], IMPORT);
    let first = shown(&mut collector).0;
    machine.target("fsx-OST0000", MOUNT, [1000, 61, 11], &IMPORT.replace("inflight: 8", "inflight: 9"));
    let second = shown(&mut collector).0;
    assert_eq!(first.replace(" 8\n", " 9\n"), second);
    let device = collector.groups.values_mut().flatten().next().unwrap();
    assert_eq!(device.space(Duration::ZERO, &mut Faults::default()).available_kib, Some(11));
}

#[test]
fn hostile_files_are_said_and_left_out() {
    let machine = Machine::new();
    machine.target("fsx-OST0000", MOUNT, [1, 2, 0], "state\n: :\nstate:\n inflight: -1\n timeouts: x\n");
    machine.write(&format!("sys/fs/lustre/osc/fsx-OST0001-osc-{MOUNT}/kbytestotal"), "many\n");
    machine.write(&format!("sys/fs/lustre/osc/fsx-OST0002-osc-{MOUNT}/kbytesavail"), "18446744073709551615\n");
    machine.write("sys/fs/lustre/osc/fsx-OST0000-osc-MDT0000/kbytestotal", "7\n");
    machine.write("sys/fs/lustre/osc/-osc-ffff9f1e3b2c8000/kbytestotal", "7\n");
    machine.write("sys/fs/lustre/osc/\u{1f980}/kbytestotal", "7\n");
    let statistics = "a samples [usec]\nb -1 samples [usec] 1 1 1\n samples \nc 1 samples \nd 1 samples [usec] 1 1 x\n\
        e 18446744073709551615 samples [regs]\n";
    let path = format!("sys/kernel/debug/lustre/llite/fsx-{MOUNT}/stats");
    machine.write(&path, [statistics.as_bytes(), b"\xff\xfe 3 samples [regs]\n"].concat());
    let (text, said) = shown(&mut machine.collector());
    assert!(said.unwrap().contains("OST0001"), "{text}");
    assert!(!text.contains(" 7168\n") && !text.contains("import_state") && !text.contains("used_ratio"), "{text}");
    has(&text, &format!("lustre_stats_total{{{CLIENT},operation=\"c\"}} 1"));
    assert!(text.contains(" 18446744073709551615\n") && !text.contains("operation=\"b\""), "{text}");
    assert!(!text.contains("operation_seconds"), "{text}");
}

#[test]
fn statistics_that_only_root_may_read_are_missed() {
    let machine = Machine::new();
    machine.write(&format!("sys/fs/lustre/llite/fsx-{MOUNT}/kbytestotal"), "2000\n");
    let (text, said) = shown(&mut machine.collector());
    assert!(said.unwrap().contains("only for root"));
    has(&text, &format!("lustre_capacity_bytes{{{CLIENT}}} 2048000"));
}

#[test]
fn names_are_those_of_targets_and_not_of_mounts() {
    let name = |component, device| Name::of(component, device).map(|name| (name.filesystem, name.target));
    let of = |filesystem: &str, target: &str| Some((filesystem.to_owned(), target.to_owned()));
    assert_eq!(name(Component::Osc, "a-b-OST00ff-osc-ffff9f1e3b2c8000"), of("a-b", "a-b-OST00ff"));
    assert_eq!(name(Component::Client, "a-b-ffff9f1e3b2c8000"), of("a-b", "a-b"));
    for bad in ["", "-", "fsx-OST0000-osc-MDT0000", "fsx-OST0000-ffff9f1e3b2c8000", "osc-ffff9f1e3b2c8000"] {
        assert_eq!(name(Component::Osc, bad), None, "{bad}");
    }
}

#[test]
fn jobs_are_told_what_programs_read_and_wrote() {
    let machine = Machine::new();
    machine.target("fsx-OST0000", MOUNT, [10, 5, 5], IMPORT);
    machine.client(MOUNT);
    machine.write(&format!("sys/kernel/debug/lustre/osc/fsx-OST0000-osc-{MOUNT}/stats"), STATISTICS);
    let mut lustre = machine.collector();
    lustre.collect(&mut Sheet::default()).unwrap();
    // The target's own count of the same bytes is not added.
    let counted = lustre.meters.counted().lustre;
    assert_eq!(counted.iter().filter_map(|(_, bytes)| *bytes).sum::<u64>(), 8_392_704 + 5_242_880);
}
