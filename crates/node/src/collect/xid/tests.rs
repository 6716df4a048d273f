//! A node with a kernel log that is written in the test, and agents that come and go.

use std::io::Write as _;
use std::path::PathBuf;

use super::*;
use crate::files::Roots;
use crate::xid::KnownGpu;

struct Node {
    folder: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let node = Self { folder: tempfile::tempdir().unwrap() };
        node.write("replay.json", "{\"profile\": \"p5\"}");
        node
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs_err::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs_err::write(self.path(file), text).unwrap();
    }

    fn log(&self, lines: &[(u64, u64, &str)]) {
        let mut file = fs_err::OpenOptions::new().create(true).append(true).open(self.path("kmsg")).unwrap();
        for (sequence, milliseconds, text) in lines {
            writeln!(file, "3,{sequence},{},-;{text}", milliseconds * 1000).unwrap();
        }
    }

    fn setting(&self) -> Setting {
        let replay = Some(self.folder.path().to_owned());
        Setting { replay, state: Some(self.path("state")), ..Setting::default() }
    }
}

fn nvml(pci_bus_id: &str, xid: u32, milliseconds: u64) -> Sighting {
    let boot_microseconds = milliseconds * 1000;
    Sighting { source: Source::Nvml, pci_bus_id: pci_bus_id.into(), xid, pid: None, boot_microseconds }
}

/// The text of a collection but for times, and its problem.
fn collect(xid: &mut Xid) -> (String, Option<String>) {
    let mut sheet = Sheet::with_constant(&xid.constant_labels());
    let problem = xid.collect(&mut sheet).err().map(|problem| problem.told());
    let text = sheet.into_page().text();
    let is_lasting = |line: &&str| !line.contains("timestamp");
    let lines: Vec<&str> = text.lines().filter(is_lasting).collect();
    (lines.join("\n"), problem)
}

fn counts(xid: &mut Xid) -> Vec<String> {
    let (text, problem) = collect(xid);
    assert_eq!(problem, None);
    text.lines().filter_map(|line| line.strip_prefix("trainyard_xid_total")).map(str::to_owned).collect()
}

const LOST: &str = "NVRM: Xid (PCI:0000:10:1c): 79, pid=1234, name=python3, GPU has fallen off the bus.";
const FAULT: &str = "NVRM: Xid (PCI:0000:10:1c): 31, pid='<unknown>', name=<unknown>, Ch 00000010, MMU Fault";

#[test]
fn what_the_log_and_nvml_tell_is_one_ledger() {
    let node = Node::new();
    let setting = node.setting();
    setting.xids.know(vec![KnownGpu { pci_bus_id: "00000000:10:1C.0".into(), index: 3, uuid: "GPU-x".into() }]);
    let mut xid = Xid::new(&setting);
    assert_eq!(collect(&mut xid).1, None, "a replay whose log has not begun");
    node.log(&[
        (1, 5000, "NVRM: GPU at PCI:0000:53:00: GPU-71dcdf29-68ae"),
        (2, 6000, LOST),
        (3, 7000, "NVRM: Xid (GPU-71dcdf29-68ae): 48, DBE"),
        (4, 6500, "NVRM: Xid (GPU-x): 79, the same one, by another name of its GPU"),
        (5, 8000, "nvidia-nvswitch0: SXid (PCI:0000:c4:00.0): 20034, Fatal, Link 48 LTSSM Fault Up"),
        (6, 8000, "nvidia-nvswitch0: SXid (PCI:0000:c4:00.0): 20034, Severity 1 Engine instance 48"),
    ]);
    setting.xids.put(nvml("0000:10:1C.0", 79, 6400));
    setting.xids.put(nvml("00000000:53:00.0", 9999, 9000));
    let (text, problem) = collect(&mut xid);
    assert_eq!(problem, None);
    insta::assert_snapshot!(text, @r#"
    trainyard_xid_total{gpu="3",pci_bus_id="00000000:10:1C.0",xid="79",replay="p5"} 1
    trainyard_xid_total{gpu="",pci_bus_id="00000000:53:00.0",xid="48",replay="p5"} 1
    trainyard_xid_total{gpu="",pci_bus_id="00000000:53:00.0",xid="9999",replay="p5"} 1
    trainyard_xid_info{xid="48",name="ROBUST_CHANNEL_GPU_ECC_DBE",severity="error",action="reset_gpu",meaning="memory of the GPU had an error that ECC cannot correct",replay="p5"} 1
    trainyard_xid_info{xid="79",name="ROBUST_CHANNEL_GPU_HAS_FALLEN_OFF_THE_BUS",severity="error",action="reboot",meaning="the GPU no longer answers over PCIe",replay="p5"} 1
    trainyard_xid_info{xid="9999",name="",severity="warning",action="monitor",meaning="this Xid is not in the agent's catalogue",replay="p5"} 1
    trainyard_sxid_total{nvswitch="nvidia-nvswitch0",pci_bus_id="00000000:C4:00.0",sxid="20034",fatal="1",replay="p5"} 1
    trainyard_xid_left_out_total{replay="p5"} 0
    trainyard_kernel_log_lost_records_total{replay="p5"} 0
    trainyard_kernel_log_behind{replay="p5"} 0
    "#);
    let told: Vec<String> =
        setting.events.kept().into_iter().map(|event| format!("{:?} {}", event.severity, event.text)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    Error GPU 3 at 00000000:10:1C.0 had Xid 79 in process 1234: the GPU no longer answers over PCIe; drain the node and reboot it.
    Error GPU at 00000000:53:00.0 had Xid 48: memory of the GPU had an error that ECC cannot correct; drain the node and reset the GPU (nvidia-smi --gpu-reset).
    Error nvidia-nvswitch0 at 00000000:C4:00.0 had SXid 20034, which is fatal: drain the node and reset its GPUs and switches, or reboot it.
    Warning GPU at 00000000:53:00.0 had Xid 9999: this Xid is not in the agent's catalogue; watch whether it comes again.
    ");
}

// D-B14: without a cursor, a fault that was dealt with strikes again.
#[test]
fn a_restart_neither_forgets_nor_counts_again() {
    let node = Node::new();
    let setting = node.setting();
    let at_1c = "{gpu=\"\",pci_bus_id=\"00000000:10:1C.0\"";
    node.log(&[(1, 1000, FAULT), (2, 3000, FAULT), (3, 3500, FAULT), (4, 3600, "usb 1-1: new device")]);
    assert_eq!(counts(&mut Xid::new(&setting)), [format!("{at_1c},xid=\"31\",replay=\"p5\"}} 2")]);
    // The log is there still, and was read: nothing in it is new, and nobody is told again.
    let told = setting.events.kept().len();
    let mut xid = Xid::new(&setting);
    assert_eq!(counts(&mut xid), [format!("{at_1c},xid=\"31\",replay=\"p5\"}} 2")]);
    assert_eq!(setting.events.kept().len(), told);
    // What NVML tells late of an old one is no new one; a new record is.
    setting.xids.put(nvml("00000000:10:1C.0", 31, 3100));
    node.log(&[(5, 9000, FAULT)]);
    assert_eq!(counts(&mut xid), [format!("{at_1c},xid=\"31\",replay=\"p5\"}} 3")]);
    drop(xid);
    // Another file is another boot: its log counts from its beginning, on top of what was counted.
    fs_err::remove_file(node.path("kmsg")).unwrap();
    node.log(&[(1, 1000, FAULT)]);
    assert_eq!(counts(&mut Xid::new(&setting)), [format!("{at_1c},xid=\"31\",replay=\"p5\"}} 4")]);
    assert_eq!(counts(&mut Xid::new(&setting)), [format!("{at_1c},xid=\"31\",replay=\"p5\"}} 4")]);
}

// D-B14: the last 4000 lines of a kernel that talks much have no Xid.
#[test]
fn a_chatty_kernel_hides_no_xid() {
    let node = Node::new();
    let setting = node.setting();
    let mut xid = Xid::new(&setting);
    node.log(&[(1, 1000, LOST)]);
    let chatter: Vec<(u64, u64, &str)> = (2..20_000).map(|nth| (nth, nth, "nfs: server fsx not responding")).collect();
    node.log(&chatter);
    node.log(&[(20_000, 30_000, FAULT)]);
    let mut found = counts(&mut xid);
    while xid.is_behind {
        found = counts(&mut xid);
    }
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_corrupt_state_is_said_once_and_counting_goes_on() {
    let node = Node::new();
    node.write("state/xid.json", "{\"version\":");
    node.log(&[(1, 1000, LOST)]);
    let mut xid = Xid::new(&node.setting());
    let (text, problem) = collect(&mut xid);
    assert!(problem.unwrap().contains("xid.json.corrupt") && text.contains("trainyard_xid_total"), "{text}");
    assert_eq!(counts(&mut xid).len(), 1);
    assert!(node.path("state/xid.json.corrupt").exists());
}

#[test]
fn a_disk_that_takes_nothing_is_said_and_counts_are_shown() {
    let node = Node::new();
    node.write("state", "a file");
    node.log(&[(1, 1000, LOST)]);
    let mut xid = Xid::new(&node.setting());
    for _ in 0..2 {
        let (text, problem) = collect(&mut xid);
        assert!(problem.is_some() && text.contains("trainyard_xid_total"), "{text}");
    }
}

#[test]
fn a_storm_is_counted_whole_and_told_in_part() {
    let node = Node::new();
    let setting = node.setting();
    let lines: Vec<String> =
        (0..100).map(|pid| format!("NVRM: Xid (PCI:0000:10:1c): 31, pid={}, x", pid + 1)).collect();
    let lines: Vec<(u64, u64, &str)> = lines.iter().zip(1..).map(|(line, nth)| (nth, 5, line.as_str())).collect();
    node.log(&lines);
    assert!(counts(&mut Xid::new(&setting))[0].ends_with("} 100"));
    let told = setting.events.kept();
    assert_eq!(told.len(), EVENTS_MAX + 1);
    assert!(told.last().unwrap().text.starts_with("68 more Xids"), "{:?}", told.last());
}

#[test]
fn xid_154_is_as_bad_as_its_message_says() {
    for (words, severity, next) in [
        ("0x0 (None)", Severity::Info, "nothing has to be done"),
        ("0x2 (Node Reboot Required)", Severity::Error, "drain the node and reboot it"),
        ("0x7 (Something New)", Severity::Info, "its line in the kernel log says what to do"),
    ] {
        let node = Node::new();
        let setting = node.setting();
        let line = format!("NVRM: Xid (PCI:0000:10:1c): 154, GPU recovery action changed from 0x0 (None) to {words}");
        node.log(&[(1, 1000, &line)]);
        counts(&mut Xid::new(&setting));
        let event = setting.events.kept().remove(0);
        assert!(event.severity == severity && event.text.contains(next), "{event:?}");
    }
}

#[test]
fn a_machine_without_nvidias_cards_has_no_xids() {
    let node = Node::new();
    let roots = Roots { sys: node.path("sys"), ..Roots::default() };
    let setting = Setting { roots, ..Setting::default() };
    node.write("sys/bus/pci/devices/0000:00:05.0/vendor", "0x1d0f\n");
    assert!((COLLECTOR.make)(&setting).is_none());
    node.write("sys/bus/pci/devices/0000:10:1c.0/vendor", "0x10de\n");
    assert!((COLLECTOR.make)(&setting).is_some());
}
