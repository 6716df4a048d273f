//! A Lustre file system that the node has mounted, as the kernel would tell of it: FSx for Lustre, a client of 2.15.

use super::Profile;
use super::digits::digits;

/// What is mounted.
pub(super) struct Storage {
    pub(super) filesystem: &'static str,
    /// The mount's address, which ends the names of its devices.
    pub(super) mount: String,
    pub(super) targets: Vec<Target>,
    pub(super) metadata: Target,
    /// `llite/*/stats`: name, count, unit, and the sum where there is one.
    pub(super) operations: Vec<(&'static str, u64, &'static str, u64)>,
    /// `llite/*/read_ahead_stats`.
    pub(super) read_ahead: Vec<(&'static str, u64)>,
}

/// One target of it.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) total_kib: u64,
    pub(super) free_kib: u64,
    /// Without what is kept back for the server.
    pub(super) available_kib: u64,
    pub(super) files: u64,
    pub(super) files_free: u64,
    pub(super) dirty_bytes: u64,
    pub(super) in_flight: u64,
}

/// Names of file systems are eight letters and digits on FSx. All nodes mount the same one.
const FILESYSTEM: &str = "kjb7xbev";

/// FSx has a target of so much for each 1.2 TiB.
const TARGET_KIB: u64 = 1_168_351_200;

const TARGETS: u64 = 4;

/// What a node of a training reads, and what it writes of its checkpoints.
const READ_BYTES_S: u64 = 800 << 20;
const WRITTEN_BYTES_S: u64 = 120 << 20;

/// Programs move so much at once.
const CALL_BYTES: u64 = 4 << 20;

/// At work, in the midst of a job.
pub(super) fn at_work(profile: &Profile, seconds: u64, node: &str) -> Storage {
    let target = |number: u64| Target {
        name: format!("{FILESYSTEM}-OST{number:04x}"),
        total_kib: TARGET_KIB,
        free_kib: TARGET_KIB * (61 - number) / 100,
        available_kib: TARGET_KIB * (60 - number) / 100,
        files: 60_000_000,
        files_free: 57_000_000 - number * 1000,
        dirty_bytes: 16 << 20,
        in_flight: 2 + number % 2,
    };
    let metadata = Target {
        name: format!("{FILESYSTEM}-MDT0000"),
        total_kib: 28_000_000,
        free_kib: 27_400_000,
        available_kib: 26_800_000,
        files: 140_000_000,
        files_free: 128_000_000,
        dirty_bytes: 0,
        in_flight: 0,
    };
    let (reads, writes) = (seconds * READ_BYTES_S / CALL_BYTES, seconds * WRITTEN_BYTES_S / CALL_BYTES);
    let operations = vec![
        ("read_bytes", reads, "bytes", seconds * READ_BYTES_S),
        ("write_bytes", writes, "bytes", seconds * WRITTEN_BYTES_S),
        ("read", reads, "usec", reads * 4_000),
        ("write", writes, "usec", writes * 2_500),
        ("open", seconds * 8, "usec", seconds * 8 * 900),
        ("close", seconds * 8, "usec", seconds * 8 * 300),
        ("getattr", seconds * 40, "usec", seconds * 40 * 120),
        ("inode_permission", seconds * 60, "usec", seconds * 60),
    ];
    let pages = seconds * READ_BYTES_S / 4096;
    let read_ahead = vec![("hits", pages - pages / 50), ("misses", pages / 50), ("read but discarded", pages / 1000)];
    let mount = format!("ffff{}", digits(&format!("{}/{node}/mount", profile.name)).get(..12).unwrap_or_default());
    Storage {
        filesystem: FILESYSTEM,
        mount,
        targets: (0..TARGETS).map(target).collect(),
        metadata,
        operations,
        read_ahead,
    }
}

impl Storage {
    /// Files and their texts, below the folder's top.
    pub(super) fn files(&self) -> Vec<(String, String)> {
        let Self { filesystem, mount, .. } = self;
        let mut files = Vec::new();
        for target in &self.targets {
            files.extend(target.files_of(&format!("osc/{}-osc-{mount}", target.name)));
        }
        files.extend(self.metadata.files_of(&format!("mdc/{}-mdc-{mount}", self.metadata.name)));
        let client = format!("llite/{filesystem}-{mount}");
        let sum = |of: fn(&Target) -> u64| self.targets.iter().map(of).sum();
        let whole = [
            ("kbytestotal", sum(|target| target.total_kib)),
            ("kbytesfree", sum(|target| target.free_kib)),
            ("kbytesavail", sum(|target| target.available_kib)),
            ("filestotal", self.metadata.files),
            ("filesfree", self.metadata.files_free),
        ];
        files.extend(whole.map(|(name, value)| (format!("sys/fs/lustre/{client}/{name}"), format!("{value}\n"))));
        let operation = |(name, count, unit, sum): &(&str, u64, &str, u64)| {
            // The least and the most say nothing of a replay.
            format!("{name:<25} {count} samples [{unit}] 1 1 {sum}\n")
        };
        let pages = |(name, count): &(&str, u64)| format!("{name:<25} {count} samples [pages]\n");
        let debug = format!("sys/kernel/debug/lustre/{client}");
        files.push((format!("{debug}/stats"), self.operations.iter().map(operation).collect()));
        files.push((format!("{debug}/read_ahead_stats"), self.read_ahead.iter().map(pages).collect()));
        files
    }
}

impl Target {
    fn files_of(&self, device: &str) -> Vec<(String, String)> {
        let numbers = [
            ("kbytestotal", self.total_kib),
            ("kbytesfree", self.free_kib),
            ("kbytesavail", self.available_kib),
            ("filestotal", self.files),
            ("filesfree", self.files_free),
            ("cur_dirty_bytes", self.dirty_bytes),
            ("cur_grant_bytes", 128 << 20),
        ];
        // A metadata target has nothing that waits to be written.
        let is_shown = |(name, _): &(&str, u64)| !device.starts_with("mdc/") || !name.starts_with("cur_");
        let file = |(name, value)| (format!("sys/fs/lustre/{device}/{name}"), format!("{value}\n"));
        let mut files: Vec<(String, String)> = numbers.into_iter().filter(is_shown).map(file).collect();
        let (name, in_flight) = (&self.name, self.in_flight);
        let import = format!(
            "import:\n    target: {name}_UUID\n    state: FULL\n    rpcs:\n       inflight: {in_flight}\n       \
             timeouts: 0\n       avg_waittime: 1800 usec\n"
        );
        files.push((format!("proc/fs/lustre/{device}/import"), import));
        files
    }
}
