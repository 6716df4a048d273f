//! Disks: what was read and written, and how long it took.

use std::collections::HashMap;
use std::path::PathBuf;

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::diskstats as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::{Text, word};
use crate::sheet::{Labels, Sheet};

pub(super) static COLLECTOR: Kind = Kind {
    name: "diskstats",
    about: "reads and writes of disks",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Diskstats::new(setting))),
};

/// How a column becomes the metric's unit.
#[derive(Clone, Copy)]
enum Column {
    Count,
    Sectors,
    Milliseconds,
}

/// The kernel's sectors have this size, whatever the disk's have.
const SECTOR_BYTES: u64 = 512;

/// In the order of the file, after the device's name.
static COLUMNS: [(&Metric, Column); 17] = [
    (&m::node_disk_reads_completed_total, Column::Count),
    (&m::node_disk_reads_merged_total, Column::Count),
    (&m::node_disk_read_bytes_total, Column::Sectors),
    (&m::node_disk_read_time_seconds_total, Column::Milliseconds),
    (&m::node_disk_writes_completed_total, Column::Count),
    (&m::node_disk_writes_merged_total, Column::Count),
    (&m::node_disk_written_bytes_total, Column::Sectors),
    (&m::node_disk_write_time_seconds_total, Column::Milliseconds),
    (&m::node_disk_io_now, Column::Count),
    (&m::node_disk_io_time_seconds_total, Column::Milliseconds),
    (&m::node_disk_io_time_weighted_seconds_total, Column::Milliseconds),
    (&m::node_disk_discards_completed_total, Column::Count),
    (&m::node_disk_discards_merged_total, Column::Count),
    (&m::node_disk_discarded_sectors_total, Column::Count),
    (&m::node_disk_discard_time_seconds_total, Column::Milliseconds),
    (&m::node_disk_flush_requests_total, Column::Count),
    (&m::node_disk_flush_requests_time_seconds_total, Column::Milliseconds),
];

struct Diskstats {
    file: Text,
    block: PathBuf,
    udev: PathBuf,
    /// What is known of each disk, read once: a disk that is another has another number.
    known: HashMap<(String, String), Labels>,
}

impl Diskstats {
    fn new(setting: &Setting) -> Self {
        let (block, udev) = (setting.roots.sys.join("block"), setting.roots.root.join("run/udev/data"));
        Self { file: Text::new(setting.roots.proc.join("diskstats")), block, udev, known: HashMap::new() }
    }
}

/// Disks that were seen, beyond which what is known of them is read anew.
const KNOWN_MAX: usize = 4096;

impl Collector for Diskstats {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let Self { file, block, udev, known } = self;
        if known.len() > KNOWN_MAX {
            known.clear();
        }
        for line in file.read()?.lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some(major), Some(minor), Some(device)) = (words.next(), words.next(), words.next()) else { continue };
            if is_left_out(device) {
                continue;
            }
            for ((metric, column), word) in COLUMNS.iter().zip(words) {
                let Ok(value) = word.parse::<u64>() else { continue };
                match column {
                    Column::Count => sheet.put(metric, &[device], value),
                    Column::Sectors => sheet.put(metric, &[device], value.saturating_mul(SECTOR_BYTES)),
                    #[allow(clippy::cast_precision_loss, reason = "2^53 milliseconds are 285,000 years")]
                    Column::Milliseconds => sheet.put(metric, &[device], value as f64 / 1000.0),
                }
            }
            let key = (device.to_owned(), format!("{major}:{minor}"));
            let labels = known.entry(key).or_insert_with(|| description(block, udev, device, (major, minor)));
            sheet.put_with(&m::node_disk_info, labels, 1_u32);
        }
        Ok(())
    }
}

/// Partitions, and devices that are files or memory: what they do is seen on the disk below, or is none of a disk's.
fn is_left_out(device: &str) -> bool {
    let without_number = device.trim_end_matches(|c: char| c.is_ascii_digit());
    if device.len() > without_number.len() {
        if matches!(without_number, "ram" | "loop" | "fd") {
            return true;
        }
        let disk = |prefix| {
            without_number
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_lowercase()))
        };
        if disk("hd") || disk("sd") || disk("vd") || disk("xvd") {
            return true;
        }
        if let Some(rest) = device.strip_prefix("nvme") {
            return rest.contains('p');
        }
    }
    false
}

fn description(block: &std::path::Path, udev: &std::path::Path, device: &str, (major, minor): (&str, &str)) -> Labels {
    let udev = word(&udev.join(format!("b{major}:{minor}"))).unwrap_or_default();
    let from_udev =
        |key: &str| udev.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(key)?.strip_prefix('='));
    let attribute = |name: &str| word(&block.join(device).join("device").join(name));
    let text =
        |key: &str, name: &str| from_udev(key).map(str::to_owned).or_else(|| attribute(name)).unwrap_or_default();
    Labels::new(&[
        ("device", device),
        ("major", major),
        ("minor", minor),
        ("model", &text("ID_MODEL", "model")),
        ("path", from_udev("ID_PATH").unwrap_or_default()),
        ("revision", &text("ID_REVISION", "firmware_rev")),
        ("serial", &text("ID_SERIAL_SHORT", "serial")),
        ("wwn", from_udev("ID_WWN").unwrap_or_default()),
    ])
}
