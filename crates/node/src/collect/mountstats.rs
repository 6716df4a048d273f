//! What each NFS mount did. The kernel answers out of its own memory: a server that is gone neither delays this nor is it
//! asked.

use std::collections::{BTreeSet, HashMap};

use trainyard_plan::metrics::mountstats::{TABLE, node_mountstats_nfs_mountpoint_info};
use trainyard_plan::metrics::{Metric, MetricKind};

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::Text;
use crate::sheet::{Labels, Sheet};

pub(super) static COLLECTOR: Kind = Kind {
    name: "mountstats",
    about: "each NFS mount",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Mountstats::new(setting))),
};

/// 32 mounts of NFS 4.2, with some 600 series each. A node that mounts every home on its own has hundreds, of which nobody
/// sees all; what comes after is counted and left out.
const SERIES_MAX: usize = 32 * 600;

/// The most that `nconnect` gives.
const TRANSPORTS_MAX: usize = 16;

struct Mountstats {
    statistics: Text,
    information: Text,
    columns: Columns,
}

/// The metrics of a kind of line, with their places in it.
struct Columns {
    age: Vec<(usize, &'static Metric)>,
    bytes: Vec<(usize, &'static Metric)>,
    events: Vec<(usize, &'static Metric)>,
    transport: Vec<(usize, &'static Metric)>,
    operation: Vec<(usize, &'static Metric)>,
}

fn columns(line: &str) -> Vec<(usize, &'static Metric)> {
    let place = |metric: &'static Metric| {
        let at = metric.key.strip_prefix(line)?.strip_prefix(' ')?.parse().ok()?;
        Some((at, metric))
    };
    TABLE.metrics.iter().copied().filter_map(place).collect()
}

impl Mountstats {
    fn new(setting: &Setting) -> Self {
        let own = setting.roots.proc.join("self");
        Self {
            statistics: Text::new(own.join("mountstats")),
            information: Text::new(own.join("mountinfo")),
            columns: Columns {
                age: columns("age"),
                bytes: columns("bytes"),
                events: columns("events"),
                transport: columns("xprt"),
                operation: columns("operation"),
            },
        }
    }
}

impl Collector for Mountstats {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        sheet.limit(SERIES_MAX);
        let mounts = mounts(self.statistics.read()?);
        if mounts.is_empty() {
            return Ok(());
        }
        let addresses = addresses(self.information.read()?);
        let (mut points, mut exports) = (BTreeSet::new(), BTreeSet::new());
        for mount in &mounts {
            let Some(protocol) = mount.transports.first().and_then(|transport| transport.first()) else { continue };
            let address = addresses.get(&(mount.point, mount.export)).copied().unwrap_or_default();
            let pairs = [("export", mount.export), ("protocol", *protocol), ("mountaddr", address)];
            // Two mounts on one folder show once, and an export that is mounted twice has its figures once.
            if points.insert((pairs, mount.point)) {
                let values = [mount.export, protocol, address, mount.point];
                sheet.put(&node_mountstats_nfs_mountpoint_info, &values, 1_u32);
            }
            if exports.insert(pairs) {
                put(sheet, mount, &Labels::new(&pairs), &self.columns);
            }
        }
        Ok(())
    }
}

/// One mount as it stands in the file: words, without the names of their lines.
#[derive(Default)]
struct Mount<'a> {
    export: &'a str,
    point: &'a str,
    age: Vec<&'a str>,
    bytes: Vec<&'a str>,
    events: Vec<&'a str>,
    transports: Vec<Vec<&'a str>>,
    operations: Vec<(&'a str, Vec<&'a str>)>,
}

/// The NFS mounts of `/proc/self/mountstats`.
fn mounts(text: &str) -> Vec<Mount<'_>> {
    let mut mounts: Vec<Mount<'_>> = Vec::new();
    let (mut is_nfs, mut is_operations) = (false, false);
    for line in text.lines() {
        // Those of a mount are indented, and its names have no line ends: the kernel writes them as \012.
        if let Some(rest) = line.strip_prefix("device ") {
            let words: Vec<&str> = rest.split_ascii_whitespace().collect();
            is_operations = false;
            is_nfs = false;
            if let [export, "mounted", "on", point, "with", "fstype", "nfs" | "nfs4", ..] = words[..] {
                is_nfs = true;
                mounts.push(Mount { export, point, ..Mount::default() });
            }
            continue;
        }
        let Some(mount) = mounts.last_mut().filter(|_| is_nfs) else { continue };
        if line.trim() == "per-op statistics" {
            is_operations = true;
            continue;
        }
        let Some((name, rest)) = line.trim_start().split_once(':') else { continue };
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        match name {
            _ if is_operations => mount.operations.push((name, words)),
            "age" => mount.age = words,
            "bytes" => mount.bytes = words,
            "events" => mount.events = words,
            "xprt" if mount.transports.len() < TRANSPORTS_MAX => mount.transports.push(words),
            _ => {}
        }
    }
    mounts
}

/// The servers' addresses by mount point and export, out of `/proc/self/mountinfo`.
fn addresses(text: &str) -> HashMap<(&str, &str), &str> {
    let address = |line| {
        let line: &str = line;
        let (mount, system) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        let mut words = system.split(' ');
        let (kind, export, options) = (words.next()?, words.next()?, words.next()?);
        let address = options.split(',').find_map(|option| option.strip_prefix("addr="))?;
        kind.starts_with("nfs").then_some(((point, export), address))
    };
    text.lines().filter_map(address).collect()
}

fn put(sheet: &mut Sheet, mount: &Mount<'_>, labels: &Labels, columns: &Columns) {
    put_row(sheet, labels, &columns.age, &mount.age);
    put_row(sheet, labels, &columns.bytes, &mount.bytes);
    for (number, words) in mount.transports.iter().enumerate() {
        let mut labels = labels.clone();
        labels.add("transport", &number.to_string());
        put_row(sheet, &labels, &columns.transport, &of_tcp(words));
    }
    for (operation, words) in &mount.operations {
        let mut labels = labels.clone();
        labels.add("operation", operation);
        put_row(sheet, &labels, &columns.operation, words);
    }
    put_row(sheet, labels, &columns.events, &mount.events);
}

/// A transport's numbers, at the places that they have where it is TCP.
fn of_tcp<'a>(words: &[&'a str]) -> Vec<&'a str> {
    match words {
        // What counts connections and their idle time is not there.
        ["udp", port, bind, rest @ ..] => {
            let mut placed = vec![*port, *bind, "", "", ""];
            placed.extend(rest);
            placed
        }
        // Behind the tenth number it counts what is RDMA's own.
        ["rdma", rest @ ..] => rest.iter().take(10).copied().collect(),
        ["tcp", rest @ ..] => rest.to_vec(),
        _ => Vec::new(),
    }
}

fn put_row(sheet: &mut Sheet, labels: &Labels, columns: &[(usize, &'static Metric)], words: &[&str]) {
    for (at, metric) in columns {
        let Some(value) = words.get(*at).and_then(|word| word.parse::<u64>().ok()) else { continue };
        // The kernel's sums of times may be negative, and are written as if they were not.
        if i64::try_from(value).is_err() {
            continue;
        }
        if metric.kind == MetricKind::counter && metric.name.ends_with("_time_seconds_total") {
            #[allow(clippy::cast_precision_loss, reason = "milliseconds of thousands of years")]
            sheet.put_with(metric, labels, value as f64 / 1000.0);
        } else {
            sheet.put_with(metric, labels, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "device proc mounted on /proc with fstype proc\n\
        device /dev/sda1 mounted on / with fstype ext4\n";

    fn mount(point: &str, transport: &str, operations: &str) -> String {
        format!(
            "device 10.0.0.9:/home mounted on {point} with fstype nfs4 statvers=1.1\n\
             \topts:\trw,vers=4.1,proto=tcp,clientaddr=10.0.0.5,local_lock=none\n\tage:\t13968\n\
             \tcaps:\tcaps=0xfff7,wtmult=512\n\
             \tevents:\t52 226 3 4 1 13 398 8 9 331 11 47 13 14 77 16 17 77 99 20 21 22 23 24 25 26 27\n\
             \tbytes:\t1207640230 2 3 4 1210214218 6 295483 8\n\
             \tRPC iostats version: 1.1  p/v: 100003/4 (nfs)\n{transport}\tper-op statistics\n{operations}\n"
        )
    }

    const TCP: &str = "\txprt:\ttcp 832 2 1 0 11 6428 6427 0 12154 5 24 26 5726\n";
    const OPERATIONS: &str = "\t        NULL: 1 1 0 44 24 0 3 3 0\n\
        \t        READ: 1298 1299 1 207680 1210292152 6 79386 79407 2\n\
        \t      ACCESS: 5 5 0 1 1 18446743919241604546 7 8\n";

    const INFORMATION: &str = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        90 22 0:51 / /home rw,relatime shared:40 - nfs4 10.0.0.9:/home rw,vers=4.1,clientaddr=10.0.0.5,addr=10.0.0.9\n";

    /// What is made of such files, and what was left out.
    fn shown(statistics: &str, information: &str) -> (String, u64) {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("self")).unwrap();
        fs_err::write(folder.path().join("self/mountstats"), statistics).unwrap();
        fs_err::write(folder.path().join("self/mountinfo"), information).unwrap();
        let mut setting = Setting::default();
        setting.roots.proc = folder.path().to_owned();
        let mut sheet = Sheet::default();
        (COLLECTOR.make)(&setting).unwrap().collect(&mut sheet).unwrap();
        let page = sheet.into_page();
        (page.text(), page.dropped)
    }

    #[test]
    fn each_mount_has_the_names_of_node_exporter() {
        let (text, _) = shown(&format!("{HEAD}{}", mount("/home", TCP, OPERATIONS)), INFORMATION);
        let labels = "export=\"10.0.0.9:/home\",protocol=\"tcp\",mountaddr=\"10.0.0.9\"";
        for (name, label, value) in [
            ("mountpoint_info", ",mountpoint=\"/home\"", "1"),
            ("age_seconds_total", "", "13968"),
            ("read_bytes_total", "", "1207640230"),
            ("total_read_bytes_total", "", "1210214218"),
            ("write_pages_total", "", "8"),
            ("transport_bind_total", ",transport=\"0\"", "2"),
            ("transport_idle_time_seconds", ",transport=\"0\"", "11"),
            ("transport_receives_total", ",transport=\"0\"", "6427"),
            ("transport_backlog_queue_total", ",transport=\"0\"", "5"),
            ("transport_pending_queue_total", ",transport=\"0\"", "5726"),
            ("operations_transmissions_total", ",operation=\"READ\"", "1299"),
            ("operations_major_timeouts_total", ",operation=\"READ\"", "1"),
            ("operations_request_time_seconds_total", ",operation=\"READ\"", "79.407"),
            ("event_vfs_file_release_total", "", "77"),
            ("event_truncation_total", "", "20"),
            ("event_pnfs_write_total", "", "27"),
        ] {
            let line = format!("node_mountstats_nfs_{name}{{{labels}{label}}} {value}");
            assert!(text.lines().any(|found| found == line), "no {line} in {text}");
        }
        let wrapped = text.lines().find(|line| line.contains("queue_time_seconds_total") && line.contains("ACCESS"));
        assert_eq!(wrapped, None, "a negative time is no time");
    }

    #[test]
    fn an_export_that_is_mounted_twice_has_its_figures_once() {
        let twice = [mount("/home", TCP, OPERATIONS), mount("/old", TCP, OPERATIONS), mount("/home", TCP, "")].concat();
        let information = format!("{INFORMATION}{}", INFORMATION.replace(" /home rw", " /old rw"));
        let (text, _) = shown(&twice, &information);
        assert_eq!(text.matches("mountpoint_info{").count(), 2, "{text}");
        assert_eq!(text.matches("age_seconds_total{").count(), 1, "{text}");
    }

    #[test]
    fn a_transport_has_what_its_protocol_counts() {
        let udp = mount("/home", "\txprt:\tudp 832 2 6428 6427 1 12154 5 24 26 5726\n", "");
        let (text, _) = shown(&udp, INFORMATION);
        assert!(text.contains("transport_sends_total{export=\"10.0.0.9:/home\",protocol=\"udp\""), "{text}");
        assert!(!text.contains("transport_connect_total") && !text.contains("transport_idle_time"), "{text}");
        assert!(text.contains("bad_transaction_ids_total") && text.contains("transport=\"0\"} 5726\n"), "{text}");
        let rdma = mount("/home", "\txprt:\trdma 0 0 1 0 3 8 9 0 7 5 111 222 333 444\n", "");
        let (text, _) = shown(&rdma, "");
        assert!(
            text.contains("backlog_queue_total{export=\"10.0.0.9:/home\",protocol=\"rdma\",mountaddr=\"\""),
            "{text}"
        );
        assert!(!text.contains("111") && !text.contains("maximum_rpc_slots"), "{text}");
    }

    #[test]
    fn connections_of_one_mount_are_told_apart_and_bounded() {
        let (text, _) = shown(&mount("/home", &TCP.repeat(40), ""), INFORMATION);
        assert_eq!(text.matches("transport_sends_total{").count(), TRANSPORTS_MAX);
        assert!(text.contains("transport=\"15\"}"));
    }

    #[test]
    fn many_mounts_are_bounded_and_what_is_left_out_is_counted() {
        let operation = |number| format!("\t OP{number}: 1 1 1 1 1 1 1 1 1\n");
        let operations = (0..70).map(operation).collect::<Vec<_>>().concat();
        let many: String = (0..60)
            .map(|number| mount("/home", TCP, &operations).replace("10.0.0.9:/home", &format!("10.0.0.9:/{number}")))
            .collect();
        let (text, dropped) = shown(&many, INFORMATION);
        assert_eq!(text.lines().count(), SERIES_MAX);
        assert!(dropped > 10_000, "{dropped}");
    }

    #[test]
    fn hostile_text_makes_no_series_of_its_own() {
        let hostile = "device\ndevice x\ndevice a mounted on b with fstype nfs4\n\tage: -1 x\n\txprt:\n\txprt:\tcarrier 1\n\
            \tbytes: 1\n\tper-op statistics\n:\n\t: 1 2\ndevice c mounted on d with fstype ext4\n\tage: 7\n\txprt:\ttcp 1\n";
        assert_eq!(
            shown(hostile, " - \n - nfs4\nx - nfs x addr=\n").0.lines().filter(|line| line.contains("} 7")).count(),
            0
        );
        assert_eq!(shown("", "").0, "");
    }
}
