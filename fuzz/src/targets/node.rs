//! Files of the kernel's, of a replay and of jobs, each read by the collectors that it is for. The first byte of an input says
//! which file; all others of the tree are as they should be.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use trainyard_node::collect::{COLLECTORS, Setting};
use trainyard_node::files::Roots;
use trainyard_node::replay;
use trainyard_node::sheet::Sheet;

use super::{folder, must_be_a_page, must_be_a_page_but_for_repetitions, put};
use crate::Target;

pub(super) static TARGET: Target = Target {
    name: "node",
    about: "files of the kernel's, of a replay and of jobs, read by every collector that they are for",
    seeds: || {
        (0_u8..=u8::MAX)
            .zip(&Tree::new().files)
            .map(|(which, file)| [&[which], file.text.as_slice()].concat())
            .collect()
    },
    run,
};

/// A file of the tree: where it is, which collectors read it, and what it says where the machine has none.
type Row = (&'static str, &'static [&'static str], &'static str);

const ENVIRONMENT: &str =
    "SLURM_JOB_ID=7\0SLURM_JOB_USER=ann\0SLURM_JOB_ACCOUNT=ml\0SLURM_JOB_NUM_NODES=2\0SLURM_JOB_GPUS=0\0";
const STAT: &str = "20 (slurmstepd) S 1 1 1 0 -1 0 9 0 0 0 70 30 0 0 20 0 1 0 100000 4096 256 0";
const TRAINING: &str = "{\"step\":120,\"step_seconds\":0.81,\"loss\":2.5,\"rank\":3}\n{\"step\":121,\"loss\":NaN}\n";
const FREQUENCY: &str = "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq";
const MOUNTSTATS: &str = "device s:/home mounted on /home with fstype nfs4 statvers=1.1\n\tage:\t7\n\tbytes:\t1 2 3 4 5 6 7 8\n\
    \tevents:\t1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27\n\
    \txprt:\ttcp 0 1 2 3 4 5 6 7 8 9 10 11 12\n\tper-op statistics\n\tREAD: 1 2 3 4 5 6 7 8 9\n";

const FILES: &[Row] = &[
    ("proc/sys/kernel/random/boot_id", &["jobs", "xid"], "one\n"),
    ("proc/uptime", &["jobs"], "1000.00 0.00\n"),
    ("proc/1/stat", &["jobs", "processes"], "1 (systemd) S 0 1 1 0 -1 0 9 0 0 0 7 3 0 0 20 0 1 0 1 4096 256 0"),
    ("proc/20/stat", &["jobs", "processes"], STAT),
    ("proc/20/cmdline", &["jobs"], "slurmstepd: [7.batch]"),
    ("proc/20/cgroup", &["jobs"], "0::/system.slice/slurmstepd.scope/job_7/step_batch/slurm\n"),
    (
        "proc/21/stat",
        &["jobs", "processes"],
        "21 (python3) R 20 1 1 0 -1 0 9 0 0 0 70 30 0 0 20 0 1 0 100001 4096 256 0",
    ),
    ("proc/21/cmdline", &["jobs"], "python3"),
    ("proc/21/environ", &["jobs"], ENVIRONMENT),
    ("proc/21/status", &["jobs"], "Name:\tx\nUid:\t0\t5\t5\t5\n"),
    ("sys/fs/cgroup/system.slice/slurmstepd.scope/job_7/cpu.stat", &["jobs"], "usage_usec 7000\nuser_usec 4000\n"),
    ("proc/stat", &["cpu", "stat"], "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nbtime 7\n"),
    ("proc/meminfo", &["meminfo"], "MemTotal: 7 kB\n"),
    ("proc/vmstat", &["vmstat"], "oom_kill 1\n"),
    ("proc/loadavg", &["loadavg"], "0.1 0.2 0.3 1/2 3\n"),
    ("proc/diskstats", &["diskstats"], "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"),
    ("proc/schedstat", &["schedstat"], "version 15\ncpu0 0 0 0 0 0 0 1 2 3\n"),
    ("proc/net/dev", &["netdev", "jobs"], "a\nb\n  eth0:0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n"),
    ("proc/net/arp", &["arp"], "IP HW Flags HW Mask Device\n10.0.0.1 0x1 0x2 0a:0b:0c:0d:0e:0f * eth0\n"),
    ("proc/net/snmp", &["netstat"], "Ip: InReceives OutRequests\nIp: 1 2\n"),
    ("proc/net/netstat", &["netstat"], "TcpExt: SyncookiesSent ListenDrops\nTcpExt: 1 2\n"),
    ("proc/net/snmp6", &["netstat"], "Ip6InReceives 7\n"),
    ("proc/net/sockstat", &["sockstat"], "sockets: used 7\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5\n"),
    ("proc/net/sockstat6", &["sockstat"], "TCP6: inuse 1\n"),
    ("proc/net/softnet_stat", &["softnet"], "00000001 00000002 00000003 0 0 0 0 0 0 0 0 0 00000000\n"),
    ("proc/net/tcp", &["tcpstat"], " sl\n 0: 0100007F:1F90 00000000:0000 0A 00000001:00000002 00:0 0 0 0 7\n"),
    ("proc/net/udp", &["udp_queues"], " sl\n 0: 0100007F:1F90 00000000:0000 07 00000001:00000002 00:0 0 0 0 7\n"),
    ("proc/net/rpc/nfs", &["nfs"], "net 1 2 3 4\nrpc 5 6 7\nproc4 3 1 2 3\n"),
    (
        "proc/net/rpc/nfsd",
        &["nfsd"],
        "rc 0 1 2\nfh 1 0 0 0 0\nio 1 2\nth 8 0\nra 32 0\nnet 1 2 3 4\nrpc 5 6 7 8 9\nproc4 2 1 2\n",
    ),
    ("proc/sys/net/netfilter/nf_conntrack_count", &["conntrack"], "7\n"),
    ("proc/net/stat/nf_conntrack", &["conntrack"], "entries searched found new invalid\n0000007 00 01 02 03\n"),
    ("proc/pressure/cpu", &["pressure"], "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"),
    ("proc/sys/fs/file-nr", &["filefd"], "1 0 7\n"),
    ("proc/self/mountstats", &["mountstats"], MOUNTSTATS),
    ("proc/self/mountinfo", &["mountstats"], "1 2 0:3 / /home rw - nfs4 s:/home rw,proto=tcp,addr=10.0.0.1\n"),
    ("proc/1/mounts", &["filesystem"], "/dev/a / ext4 rw 0 0\n"),
    ("sys/class/hwmon/hwmon0/name", &["hwmon"], "k10temp\n"),
    ("sys/class/hwmon/hwmon0/temp1_input", &["hwmon"], "42000\n"),
    ("sys/class/hwmon/hwmon0/temp1_label", &["hwmon"], "Tctl\n"),
    ("sys/class/thermal/thermal_zone0/type", &["thermal_zone"], "acpitz\n"),
    ("sys/class/thermal/thermal_zone0/temp", &["thermal_zone"], "42000\n"),
    ("sys/class/power_supply/AC/online", &["powersupply"], "1\n"),
    ("sys/class/net/eth0/speed", &["netclass"], "10000\n"),
    ("sys/class/net/eth0/operstate", &["netclass"], "up\n"),
    ("sys/devices/system/node/node0/meminfo", &["meminfo_numa"], "Node 0 MemTotal: 7 kB\n"),
    ("sys/devices/system/node/node0/numastat", &["meminfo_numa"], "numa_hit 7\n"),
    ("sys/devices/system/clocksource/clocksource0/available_clocksource", &["time"], "tsc kvm-clock\n"),
    (FREQUENCY, &["cpufreq"], "3000000\n"),
    ("root/etc/os-release", &["os"], "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian\"\n"),
    ("training/7/rank-3.jsonl", &["training"], TRAINING),
    ("textfile/backup.prom", &["textfile"], "# TYPE backup_seconds gauge\nbackup_seconds{of=\"home\"} 7\n"),
];

/// A machine with GPUs, one with Trainium.
const PROFILES: [&str; 2] = ["p5", "trn1"];

/// Files of a replay: a part of the path, and the collector. Of those that are alike one is enough.
const REPLAYED: &[(&str, &str)] = &[
    ("gpus/0.json", "gpu"),
    ("xids.json", "gpu"),
    ("kmsg", "xid"),
    ("neuron/monitor.json", "neuron"),
    ("hw_counters/rx_bytes", "efa"),
    ("ports/1/rate", "efa"),
    ("/import", "lustre"),
    ("/stats", "lustre"),
    ("/kbytesfree", "lustre"),
];

/// Those that read what people and their programs write.
const OF_PEOPLE: &[&str] = &["gpu", "jobs", "neuron", "textfile", "training", "xid"];

struct File {
    path: PathBuf,
    /// The replay that is beside it.
    profile: &'static str,
    collectors: Vec<&'static str>,
    text: Vec<u8>,
}

/// Puts a file back.
struct Back<'a>(&'a File);

impl Drop for Back<'_> {
    fn drop(&mut self) {
        put(&self.0.path, &self.0.text);
    }
}

struct Tree {
    folder: tempfile::TempDir,
    files: Vec<File>,
}

thread_local! {
    static TREE: RefCell<Tree> = RefCell::new(Tree::new());
}

fn run(data: &[u8]) {
    let Some((which, text)) = data.split_first() else { return };
    TREE.with_borrow(|tree| {
        let file = &tree.files[usize::from(*which) % tree.files.len()];
        put(&file.path, text);
        // Also where a judge panics: the next input must find the tree as it should be.
        let _back = Back(file);
        for name in &file.collectors {
            let _ = tree.collect(file.profile, name);
        }
    });
}

impl Tree {
    fn new() -> Self {
        let folder = folder();
        let at = folder.path();
        let mut files = Vec::new();
        for (path, collectors, text) in FILES {
            put(&at.join(path), text.as_bytes());
            files.push(File {
                path: at.join(path),
                profile: PROFILES[0],
                collectors: collectors.to_vec(),
                text: text.as_bytes().to_vec(),
            });
        }
        for profile in PROFILES {
            let wanted =
                replay::Wanted { profile: profile.into(), faults: Vec::new(), seconds: 3600, node: "n".into() };
            let replay = at.join(profile);
            replay::write(&wanted, &replay).unwrap_or_else(|what| panic!("{what}"));
            keep_one(&replay.join("gpus"));
            keep_one(&replay.join("sys/class/infiniband"));
            let mut paths = Vec::new();
            walk(&replay, &mut paths);
            for (part, collector) in REPLAYED {
                let found = paths.iter().find(|path| path.to_string_lossy().ends_with(part));
                let text = found.and_then(|path| fs_err::read(path).ok());
                files.extend(found.zip(text).map(|(path, text)| File {
                    path: path.clone(),
                    profile,
                    collectors: vec![collector],
                    text,
                }));
            }
        }
        Self { folder, files }
    }

    /// Makes one collector, and lets it collect twice: some show what changed. How many samples it had.
    fn collect(&self, profile: &str, name: &str) -> usize {
        let at = |path: &str| self.folder.path().join(path);
        let roots =
            Roots { proc: at("proc"), sys: at("sys"), root: at("root"), fabric_sys: Some(at(profile).join("sys")) };
        let (training, textfile) = (Some(at("training")), Some(at("textfile")));
        let setting = Setting { roots, replay: Some(at(profile)), training, textfile, ..Setting::default() };
        let kind = COLLECTORS.iter().find(|kind| kind.name == name).unwrap_or_else(|| panic!("no collector {name}"));
        let Some(mut made) = setting.make(kind) else { return 0 };
        let judge = if OF_PEOPLE.contains(&name) { must_be_a_page } else { must_be_a_page_but_for_repetitions };
        let mut collect = || {
            let mut sheet = Sheet::with_constant(&made.collector.constant_labels());
            let _ = made.collector.collect(&mut sheet); // saying what is wrong is right; a page that is none is not
            let samples = sheet.len();
            judge(sheet);
            samples
        };
        collect() + collect()
    }
}

/// What a folder has, in order.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

/// Of GPUs and devices one is enough, and read in a tenth of the time.
fn keep_one(folder: &Path) {
    for path in entries(folder).iter().skip(1) {
        let removed = if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
        removed.unwrap_or_else(|error| panic!("{error}"));
    }
}

/// All files below a folder, in order.
fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        if path.is_dir() { walk(&path, paths) } else { paths.push(path) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_there_and_every_collector_finds_something_to_tell() {
        let tree = Tree::new();
        let all = tree.files.iter().flat_map(|file| file.collectors.iter().map(|name| (file.profile, *name)));
        let all: BTreeSet<(&str, &str)> = all.collect();
        let silent: Vec<_> = all.iter().filter(|(profile, name)| tree.collect(profile, name) == 0).collect();
        assert!(silent.is_empty(), "these have nothing to tell: {silent:?}");
        for (part, _) in REPLAYED {
            assert!(tree.files.iter().any(|file| file.path.to_string_lossy().ends_with(part)), "there is no {part}");
        }
        assert!(u8::try_from(tree.files.len()).is_ok(), "the first byte cannot name them all");
    }
}
