//! A tree as the driver has it, written, changed and read again.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::files::Roots;
use crate::jobs::Job;

const DEVICE_COUNTERS: &[&str] = &[
    "submitted_cmds",
    "completed_cmds",
    "cmds_err",
    "no_completion_cmds",
    "keep_alive_rcvd",
    "alloc_pd_err",
    "create_qp_err",
    "create_cq_err",
    "reg_mr_err",
    "alloc_ucontext_err",
    "create_ah_err",
    "mmap_err",
];

struct Node {
    folder: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let node = Self { folder: tempfile::tempdir().unwrap() };
        node.ordinary(0, 0);
        node
    }

    fn infiniband(&self) -> PathBuf {
        self.folder.path().join("sys/class/infiniband")
    }

    fn write(&self, file: &str, text: &str) {
        write(&self.infiniband().join(file), text);
    }

    fn ordinary(&self, received: u64, sent: u64) {
        let line = format!("a\nb\n  eth0:{received} 0 0 0 0 0 0 0 {sent} 0 0 0 0 0 0 0\n");
        write(&self.folder.path().join("proc/net/dev"), &line);
    }

    /// A device as driver 3.1.0 has it; every counter has another value.
    fn device(&self, name: &str, nth: u64) {
        let folder = self.infiniband().join(name);
        self.write(&format!("{name}/fw_ver"), "0.0.0.0\n");
        self.write(&format!("{name}/ports/1/state"), "4: ACTIVE\n");
        self.write(&format!("{name}/ports/1/rate"), "100 Gb/sec (4X EDR)\n");
        self.write(&format!("{name}/ports/1/hw_counters/lifespan"), "12\n");
        let pci = self.folder.path().join(format!("sys/devices/0000:{nth:02x}:1b.0"));
        fs_err::create_dir_all(&pci).unwrap();
        symlink("../../bus/pci/drivers/efa", pci.join("driver")).unwrap();
        symlink(&pci, folder.join("device")).unwrap();
        for (at, metric) in (1..).zip(counters()) {
            let below = if DEVICE_COUNTERS.contains(&metric.key) { "" } else { "ports/1/" };
            self.write(&format!("{name}/{below}hw_counters/{}", metric.key), &format!("{}\n", nth * 1000 + at));
        }
    }

    fn collector(&self) -> (Efa, Setting) {
        let roots =
            Roots { sys: self.folder.path().join("sys"), proc: self.folder.path().join("proc"), ..Roots::default() };
        let setting = Setting { roots, ..Setting::default() };
        (Efa::new(&setting), setting)
    }
}

fn write(path: &Path, text: &str) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
}

/// The text of a collection, and its problem.
fn collect(efa: &mut Efa) -> (String, Option<String>) {
    let mut sheet = Sheet::with_constant(&efa.constant_labels());
    let problem = efa.collect(&mut sheet).err().map(|problem| problem.told());
    (sheet.into_page().text(), problem)
}

// D-A29: EFA has no `ports/1/counters`, and its counters are bytes. D-B18: those of the device were declared and not read.
#[test]
fn every_counter_is_read_and_in_bytes() {
    let node = Node::new();
    node.device("rdmap16s27", 1);
    // A card of another maker is none of ours.
    node.write("mlx5_0/device/vendor", "0x15b3\n");
    node.write("mlx5_0/ports/1/hw_counters/tx_bytes", "1\n");
    let (mut efa, _) = node.collector();
    let (text, problem) = collect(&mut efa);
    assert_eq!(problem, None);
    assert!(
        text.starts_with(
            "node_amazonefa_info{device=\"rdmap16s27\",pci_bus_id=\"0000:01:1b.0\",firmware_version=\"0.0.0.0\"} 1\n\
         node_amazonefa_state_id{device=\"rdmap16s27\",port=\"1\"} 4\n\
         node_amazonefa_rate_bytes_per_second{device=\"rdmap16s27\",port=\"1\"} 12500000000\n"
        ),
        "{text}"
    );
    for (at, metric) in (1001..).zip(counters()) {
        let line = format!("node_amazonefa_{}{{device=\"rdmap16s27\",port=\"1\"}} {at}\n", metric.key);
        assert!(text.contains(&line), "{line}");
    }
    assert_eq!(counters().len(), 34);
    assert!(!text.contains("lifespan") && !text.contains("mlx5"), "{text}");
}

#[test]
fn what_an_older_driver_lacks_is_left_out_and_no_problem() {
    let node = Node::new();
    node.write("efa_0/device/vendor", "0x1d0f\n");
    node.write("efa_0/device/uevent", "DRIVER=efa\nPCI_SLOT_NAME=0000:00:06.0\n");
    // The first drivers had all of their counters with the port.
    for (counter, value) in [("tx_bytes", 7), ("rx_bytes", 0), ("submitted_cmds", 3)] {
        node.write(&format!("efa_0/ports/1/hw_counters/{counter}"), &format!("{value}\n"));
    }
    let (mut efa, _) = node.collector();
    let (text, problem) = collect(&mut efa);
    assert_eq!(problem, None);
    insta::assert_snapshot!(text, @r#"
    node_amazonefa_info{device="efa_0",pci_bus_id="0000:00:06.0",firmware_version=""} 1
    node_amazonefa_tx_bytes{device="efa_0",port="1"} 7
    node_amazonefa_rx_bytes{device="efa_0",port="1"} 0
    node_amazonefa_submitted_cmds{device="efa_0",port="1"} 3
    trainyard_silent_tcp_intervals_total 0
    "#);
}

// D-B18: a number that could not be read was passed over.
#[test]
fn a_corrupt_counter_is_said_and_the_others_stay() {
    for (content, said) in [
        ("12x\n", "`12x` is no whole number"),
        ("", "`` is no whole number"),
        ("N/A (no PMA)\n", "`N/A (no PMA)` is no whole number"),
        ("-1\n", "`-1` is no whole number"),
        ("99999999999999999999\n", "is no whole number"),
    ] {
        let node = Node::new();
        node.device("rdmap0s6", 1);
        node.device("rdmap1s6", 2);
        let (mut efa, _) = node.collector();
        let (whole, _) = collect(&mut efa);
        node.write("rdmap1s6/ports/1/hw_counters/rx_drops", content);
        let (text, problem) = collect(&mut efa);
        let problem = problem.unwrap();
        assert!(problem.contains("rdmap1s6/ports/1/hw_counters/rx_drops") && problem.contains(said), "{problem}");
        let gone: Vec<&str> = whole.lines().filter(|line| !text.contains(line)).collect();
        assert_eq!(gone, ["node_amazonefa_rx_drops{device=\"rdmap1s6\",port=\"1\"} 2005"]);
        node.write("rdmap0s6/ports/1/hw_counters/rx_drops", content);
        assert!(collect(&mut efa).1.unwrap().starts_with("2 files of EFA devices cannot be read"));
    }
}

#[test]
fn a_device_that_vanishes_goes_and_is_named_and_one_that_comes_is_taken_in() {
    let node = Node::new();
    let (mut efa, _) = node.collector();
    assert_eq!(collect(&mut efa), (String::new(), None), "a machine without EFA");
    node.device("rdmap0s6", 1);
    node.device("rdmap1s6", 2);
    let (text, problem) = collect(&mut efa);
    assert!(text.contains("rdmap0s6") && text.contains("rdmap1s6") && problem.is_none());
    let away = node.folder.path().join("away");
    fs_err::rename(node.infiniband().join("rdmap1s6"), &away).unwrap();
    for _ in 0..2 {
        let (text, problem) = collect(&mut efa);
        assert!(text.contains("rdmap0s6") && !text.contains("rdmap1s6"), "{text}");
        assert_eq!(problem.as_deref(), Some("the EFA device rdmap1s6 was there and is gone"));
    }
    fs_err::rename(&away, node.infiniband().join("rdmap1s6")).unwrap();
    let (text, problem) = collect(&mut efa);
    assert!(text.contains("rdmap1s6") && problem.is_none());
    fs_err::remove_dir_all(node.infiniband()).unwrap();
    let (text, problem) = collect(&mut efa);
    assert_eq!((text.as_str(), problem.unwrap().contains("rdmap0s6, rdmap1s6")), ("", true));
}

#[test]
fn a_device_that_udev_renames_is_not_missed() {
    let node = Node::new();
    node.device("efa_0", 1);
    let (mut efa, _) = node.collector();
    collect(&mut efa);
    fs_err::rename(node.infiniband().join("efa_0"), node.infiniband().join("rdmap1s27")).unwrap();
    let (text, problem) = collect(&mut efa);
    assert!(text.contains("rdmap1s27") && !text.contains("efa_0") && problem.is_none(), "{problem:?}");
    fs_err::remove_dir_all(node.infiniband().join("rdmap1s27")).unwrap();
    assert_eq!(collect(&mut efa).1.as_deref(), Some("the EFA device rdmap1s27 was there and is gone"));
}

#[test]
fn where_few_files_may_be_open_all_are_read_and_few_stay_open() {
    let node = Node::new();
    for nth in 1..=4 {
        node.device(&format!("rdmap{nth}s6"), nth);
    }
    let (mut efa, _) = node.collector();
    let (whole, _) = collect(&mut efa);
    let kept = |efa: &Efa| efa.devices.values().flat_map(|device| &device.ports).filter(|port| port.is_kept()).count();
    assert_eq!(kept(&efa), 4);
    let (mut efa, _) = node.collector();
    efa.room = 80;
    assert_eq!(collect(&mut efa), (whole, None));
    assert_eq!(kept(&efa), 2);
}

#[test]
fn a_file_that_is_replaced_under_its_name_is_read_anew() {
    let node = Node::new();
    node.device("rdmap0s6", 1);
    let (mut efa, _) = node.collector();
    collect(&mut efa);
    std::thread::sleep(Duration::from_millis(20));
    let folder = node.infiniband().join("rdmap0s6/ports/1/hw_counters");
    write(&folder.join("tx_bytes.new"), "4242\n");
    fs_err::rename(folder.join("tx_bytes.new"), folder.join("tx_bytes")).unwrap();
    assert!(collect(&mut efa).0.contains("node_amazonefa_tx_bytes{device=\"rdmap0s6\",port=\"1\"} 4242\n"));
}

#[test]
fn a_replayed_tree_that_stands_still_trips_the_wire_and_one_that_moves_does_not() {
    for (is_moving, is_told) in [(false, true), (true, false)] {
        let node = Node::new();
        node.device("rdmap0s6", 1);
        write(&node.folder.path().join("replay.json"), "{\"profile\": \"p5\"}");
        let fabric_sys = Some(node.folder.path().join("sys"));
        let roots = Roots { fabric_sys, proc: node.folder.path().join("proc"), ..Roots::default() };
        let setting = Setting { roots, replay: Some(node.folder.path().to_owned()), ..Setting::default() };
        setting.jobs.set(vec![Job { id: "7".into(), node_count: 2, ..Job::default() }]);
        let mut efa = Efa::new(&setting);
        collect(&mut efa);
        node.ordinary(20_000_000_000, 20_000_000_000);
        if is_moving {
            node.write("rdmap0s6/ports/1/hw_counters/tx_bytes", "900000000000\n");
        }
        efa.started = efa.started.checked_sub(Duration::from_secs(10)).unwrap();
        let (text, problem) = collect(&mut efa);
        let value = u8::from(is_told);
        assert!(text.contains(&format!("trainyard_silent_tcp{{jobid=\"7\",replay=\"p5\"}} {value}\n")), "{text}");
        assert!(text.lines().all(|line| line.contains("replay=\"p5\"")), "{text}");
        assert_eq!((problem, setting.events.kept().len()), (None, usize::from(is_told)));
    }
}

#[test]
fn nothing_is_told_of_a_fabric_that_cannot_be_read() {
    let node = Node::new();
    node.device("rdmap0s6", 1);
    let (mut efa, setting) = node.collector();
    setting.jobs.set(vec![Job { id: "7".into(), node_count: 2, ..Job::default() }]);
    collect(&mut efa);
    node.ordinary(20_000_000_000, 20_000_000_000);
    node.write("rdmap0s6/ports/1/hw_counters/tx_bytes", "?\n");
    efa.started = efa.started.checked_sub(Duration::from_secs(10)).unwrap();
    let (text, problem) = collect(&mut efa);
    assert!(problem.is_some() && !text.contains("silent_tcp"), "{text}");
    assert!(setting.events.kept().is_empty());
}
