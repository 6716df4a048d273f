//! How full file systems are. One that does not answer, as a network file system whose server is gone, neither delays nor
//! hides the others: each that may hang is asked by a thread of its own, once, until it answers.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::sys::statvfs::{Statvfs, statvfs};
use trainyard_plan::metrics::filesystem as m;

use super::{Collector, Kind, Lane, Problem, Scope, Setting};
use crate::files::Text;
use crate::sheet::{Labels, Sheet};

pub(super) static COLLECTOR: Kind = Kind {
    name: "filesystem",
    about: "how full file systems are",
    lane: Lane::Own,
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Filesystem::new(setting, ask))),
};

/// Kinds that hold no files of people's.
const LEFT_OUT: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "procfs",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "erofs",
    "sysfs",
    "tracefs",
];

/// Folders below which nothing is shown: the kernel's own, and those of containers.
const FOLDERS_LEFT_OUT: &[&str] =
    &["/dev", "/proc", "/sys", "/run/credentials", "/var/lib/docker", "/var/lib/containers/storage"];

/// Kinds that another machine or process serves, which may never answer.
const REMOTE: &[&str] =
    &["nfs", "nfs4", "lustre", "cifs", "smb3", "ceph", "9p", "virtiofs", "beegfs", "gpfs", "wekafs", "afs"];

/// What a file system has to answer in. All are asked at once.
const PATIENCE: Duration = Duration::from_millis(250);

/// A node of the field has some twenty; a container host may have thousands of which nobody wants to see all.
const MOUNTS_MAX: usize = 1000;

type Answer = Result<Statvfs, nix::Error>;
type Ask = fn(&Path) -> Answer;

fn ask(path: &Path) -> Answer {
    statvfs(path)
}

struct Filesystem {
    mounts: Text,
    root: PathBuf,
    ask: Ask,
    /// File systems that were asked and have not answered, and when.
    waiting: HashMap<PathBuf, (Receiver<Answer>, Instant)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    device: String,
    point: PathBuf,
    kind: String,
    is_read_only: bool,
}

impl Filesystem {
    fn new(setting: &Setting, ask: Ask) -> Self {
        // Those of the first process are the node's; this one may have been started with others.
        let of = |process: &str| setting.roots.proc.join(process).join("mounts");
        let path = if std::fs::File::open(of("1")).is_ok() { of("1") } else { of("self") };
        Self { mounts: Text::new(path), root: setting.roots.root.clone(), ask, waiting: HashMap::new() }
    }

    /// Begins to ask, where nobody waits for an answer yet.
    fn begin(&mut self, path: &Path) {
        if self.waiting.contains_key(path) {
            return;
        }
        let (sender, receiver) = channel();
        let (ask, of) = (self.ask, path.to_owned());
        let work = move || {
            let _ = sender.send(ask(&of)); // nobody waits any more: the agent ends
        };
        if std::thread::Builder::new().name("statvfs".into()).stack_size(64 << 10).spawn(work).is_ok() {
            self.waiting.insert(path.to_owned(), (receiver, Instant::now()));
        }
    }

    fn end(&mut self, path: &Path, until: Instant) -> Option<Answer> {
        let (receiver, _) = self.waiting.get(path)?;
        match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(answer) => {
                self.waiting.remove(path);
                Some(answer)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                self.waiting.remove(path);
                None
            }
        }
    }
}

impl Collector for Filesystem {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let mounts = mounts(self.mounts.read()?);
        let at = |root: &Path, mount: &Mount| root.join(mount.point.strip_prefix("/").unwrap_or(&mount.point));
        let root = self.root.clone();
        let may_hang = |mount: &Mount| REMOTE.contains(&mount.kind.as_str()) || mount.kind.starts_with("fuse");
        for mount in mounts.iter().filter(|mount| may_hang(mount)) {
            self.begin(&at(&root, mount));
        }
        let until = Instant::now() + PATIENCE;
        let mut silent = Vec::new();
        for mount in &mounts {
            let path = at(&root, mount);
            let answer = if may_hang(mount) { self.end(&path, until) } else { Some((self.ask)(&path)) };
            if answer.is_none() {
                let since = self.waiting.get(&path).map_or(PATIENCE, |(_, begun)| begun.elapsed());
                silent.push(format!("{} for {:.1} s", mount.point.display(), since.as_secs_f64()));
            }
            put(sheet, mount, answer.and_then(Result::ok));
        }
        // One that is no longer mounted is not waited for; its thread ends when the kernel lets it.
        let there: BTreeSet<PathBuf> = mounts.iter().map(|mount| at(&root, mount)).collect();
        self.waiting.retain(|path, _| there.contains(path));
        if silent.is_empty() {
            return Ok(());
        }
        Err(Problem::new(format!("file systems do not answer: {}", silent.join(", "))))
    }
}

#[allow(clippy::useless_conversion, reason = "the widths of statvfs differ between architectures")]
fn put(sheet: &mut Sheet, mount: &Mount, answer: Option<Statvfs>) {
    let point = mount.point.to_string_lossy();
    let labels = Labels::new(&[("device", &mount.device), ("fstype", &mount.kind), ("mountpoint", &point)]);
    sheet.put_with(&m::node_filesystem_device_error, &labels, answer.is_none());
    sheet.put_with(&m::node_filesystem_readonly, &labels, mount.is_read_only);
    let Some(answer) = answer else { return };
    let block = u64::from(answer.fragment_size());
    let bytes = |blocks: u64| blocks.saturating_mul(block);
    sheet.put_with(&m::node_filesystem_size_bytes, &labels, bytes(answer.blocks().into()));
    sheet.put_with(&m::node_filesystem_free_bytes, &labels, bytes(answer.blocks_free().into()));
    sheet.put_with(&m::node_filesystem_avail_bytes, &labels, bytes(answer.blocks_available().into()));
    sheet.put_with(&m::node_filesystem_files, &labels, u64::from(answer.files()));
    sheet.put_with(&m::node_filesystem_files_free, &labels, u64::from(answer.files_free()));
}

/// What is mounted and has files of people's. What is mounted twice at one place is shown once.
fn mounts(text: &str) -> Vec<Mount> {
    let mut seen = BTreeSet::new();
    let mount = |line: &str| {
        let mut words = line.split(' ');
        let (device, point) = (plain(words.next()?), plain(words.next()?));
        let (kind, options) = (words.next()?.to_owned(), words.next()?);
        let is_below =
            |folder: &&str| point.strip_prefix(*folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if LEFT_OUT.contains(&kind.as_str()) || FOLDERS_LEFT_OUT.iter().any(is_below) {
            return None;
        }
        let is_read_only = options.split(',').any(|option| option == "ro");
        Some(Mount { device, point: point.into(), kind, is_read_only })
    };
    let is_new = |mount: &Mount| seen.insert((mount.device.clone(), mount.point.clone(), mount.kind.clone()));
    text.lines().filter_map(mount).filter(is_new).take(MOUNTS_MAX).collect()
}

/// The kernel writes blanks, tabs, newlines and backslashes in octal.
fn plain(word: &str) -> String {
    let mut plain = word.to_owned();
    for (octal, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        plain = plain.replace(octal, character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "/dev/vda / ext4 rw,relatime 0 0\n\
        proc /proc proc rw 0 0\n\
        tmpfs /dev/shm tmpfs rw 0 0\n\
        /dev/vdb /devices ext4 ro,noatime 0 0\n\
        10.0.0.5@tcp:/abc /fsx lustre rw,flock 0 0\n\
        /dev/vdc /mnt/a\\040b xfs rw 0 0\n\
        /dev/vdc /mnt/a\\040b xfs rw 0 0\n\
        short line\n";

    fn hangs_at_fsx(path: &Path) -> Answer {
        if path.ends_with("fsx") {
            std::thread::sleep(Duration::from_secs(2));
        }
        statvfs("/")
    }

    #[test]
    fn only_file_systems_with_files_are_shown() {
        let shown: Vec<_> =
            mounts(MOUNTS).into_iter().map(|m| (m.point.display().to_string(), m.is_read_only)).collect();
        let expected = [("/", false), ("/devices", true), ("/fsx", false), ("/mnt/a b", false)];
        assert_eq!(shown, expected.map(|(point, is_read_only)| (point.to_owned(), is_read_only)));
    }

    #[test]
    fn a_hanging_file_system_neither_delays_nor_hides_the_others() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(folder.path().join("1")).unwrap();
        fs_err::write(folder.path().join("1/mounts"), MOUNTS).unwrap();
        let mut setting = Setting::default();
        setting.roots.proc = folder.path().to_owned();
        let mut collector = Filesystem::new(&setting, hangs_at_fsx);
        for _ in 0..2 {
            let (begun, mut sheet) = (Instant::now(), Sheet::default());
            let problem = collector.collect(&mut sheet).unwrap_err().told();
            assert!(problem.contains("/fsx for 0."), "{problem}");
            assert!(begun.elapsed() < Duration::from_secs(1));
            let page = sheet.into_page();
            let error = |device: &str, point: &str, kind: &str, value: u32| {
                let labels = format!("device=\"{device}\",fstype=\"{kind}\",mountpoint=\"{point}\"");
                assert!(
                    page.text().contains(&format!("node_filesystem_device_error{{{labels}}} {value}\n")),
                    "{}",
                    page.text()
                );
            };
            error("/dev/vda", "/", "ext4", 0);
            error("10.0.0.5@tcp:/abc", "/fsx", "lustre", 1);
            assert!(!page.text().contains("node_filesystem_size_bytes{device=\"10.0.0.5"));
        }
        assert_eq!(collector.waiting.len(), 1, "it is asked once, not at every collection");
        std::thread::sleep(Duration::from_secs(2));
        collector
            .collect(&mut Sheet::default())
            .unwrap_or_else(|problem| panic!("it answers again: {}", problem.told()));
    }
}
