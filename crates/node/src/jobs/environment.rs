//! What a job's processes carry with them: Slurm's variables in `/proc/PID/environ`, and the files that they have open.
//!
//! The variables are those that the process was started with. Its owner can set them as he likes, so that account, name
//! and GPUs are what the job says of itself. Whose process it is comes from the kernel.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The kernel takes 128 KiB of a single variable and some MiB of all; Slurm's stand before what a user's shell adds.
const BYTES_MAX: u64 = 512 << 10;

/// Longer values are cut: they become labels.
const VALUE_CHARACTERS_MAX: usize = 128;

/// More than a node has.
const GPUS_MAX: usize = 64;

/// What one process was told by Slurm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The number of its job.
    pub job: String,
    /// Of a part of a heterogeneous job, the number that the whole goes by.
    pub whole: Option<String>,
    /// What it is charged to.
    pub account: String,
    /// Where it was sent.
    pub partition: String,
    /// What it is called.
    pub name: String,
    /// On how many nodes it runs.
    pub node_count: Option<u32>,
    /// The array's number and its own in it.
    pub array: Option<(String, String)>,
    /// The job's GPUs on the node where its script runs, by Slurm's numbers, which are those of /dev/nvidiaN.
    pub job_gpus: BTreeSet<u32>,
    /// The step's GPUs on this node.
    pub step_gpus: BTreeSet<u32>,
}

impl Told {
    /// Whether it is of that job.
    pub fn is_of(&self, job: &str) -> bool {
        self.job == job || self.whole.as_deref() == Some(job)
    }
}

/// What the process was told. `None` where it cannot be read, or is no job's.
pub fn read(proc: &Path, pid: u32) -> Option<Told> {
    let mut bytes = Vec::new();
    let file = File::open(proc.join(pid.to_string()).join("environ")).ok()?;
    file.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    understand(&bytes)
}

fn understand(bytes: &[u8]) -> Option<Told> {
    let mut told = Told::default();
    let (mut array_job, mut array_task) = (None, None);
    for variable in bytes.split(|byte| *byte == 0) {
        let Some(variable) = variable.strip_prefix(b"SLURM_") else { continue };
        let text = String::from_utf8_lossy(variable);
        let Some((name, value)) = text.split_once('=') else { continue };
        match name {
            "JOB_ID" => told.job = plain(value),
            "HET_JOB_ID" => told.whole = Some(plain(value)),
            "JOB_ACCOUNT" => told.account = plain(value),
            "JOB_PARTITION" => told.partition = plain(value),
            "JOB_NAME" => told.name = plain(value),
            "JOB_NUM_NODES" => told.node_count = value.parse().ok().or(told.node_count),
            "NNODES" => told.node_count = told.node_count.or_else(|| value.parse().ok()),
            "ARRAY_JOB_ID" => array_job = Some(plain(value)),
            "ARRAY_TASK_ID" => array_task = Some(plain(value)),
            "JOB_GPUS" => told.job_gpus = numbers(value),
            "STEP_GPUS" => told.step_gpus = numbers(value),
            _ => {}
        }
    }
    told.array = array_job.zip(array_task);
    (!told.job.is_empty()).then_some(told)
}

fn plain(value: &str) -> String {
    let plain = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    value.chars().take(VALUE_CHARACTERS_MAX).map(plain).collect()
}

/// `0,2-4`. What is no number is left out.
fn numbers(text: &str) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for part in text.split(',').take(GPUS_MAX) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
            numbers.extend((first..=last).take(GPUS_MAX.saturating_sub(numbers.len())));
        }
    }
    numbers
}

/// Whose process it is: the real user's number in `/proc/PID/status`. The folder's owner is root's where the program may
/// not be looked into.
pub fn uid(proc: &Path, pid: u32) -> Option<u32> {
    let status = crate::files::word(&proc.join(pid.to_string()).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// The user's name, or the number where the machine knows none.
pub fn user_name(uid: u32) -> String {
    let user = nix::unistd::User::from_uid(uid.into()).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| plain(&user.name))
}

/// The RDMA devices that a process has open, by the names that they have below /sys/class/infiniband; of its first `most`
/// open files.
pub fn devices(proc: &Path, sys: &Path, pid: u32, most: usize) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(proc.join(pid.to_string()).join("fd")) else { return BTreeSet::new() };
    let device = |entry: std::fs::DirEntry| {
        let target = std::fs::read_link(entry.path()).ok()?;
        let name = target.to_str()?.strip_prefix("/dev/infiniband/")?;
        let number = name.strip_prefix("uverbs")?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let ibdev = sys.join("class/infiniband_verbs").join(name).join("ibdev");
        is_number.then(|| crate::files::word(&ibdev)).flatten().map(|name| plain(&name))
    };
    entries.flatten().take(most).filter_map(device).take(GPUS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slurms_variables_are_understood_and_others_left_alone() {
        let text = b"PATH=/bin\0SLURM_JOB_ID=7\0SLURM_JOB_ACCOUNT=ml\0SLURM_NNODES=1\0SLURM_JOB_NUM_NODES=2\0\
            SLURM_JOB_PARTITION=gpu\0SLURM_JOB_NAME=a\nb\0SLURM_JOB_GPUS=0,2-4\0SLURM_STEP_GPUS=3\0\
            SLURM_ARRAY_JOB_ID=6\0SLURM_ARRAY_TASK_ID=1\0X_SLURM_JOB_ID=9\0";
        let told = understand(text).unwrap();
        assert_eq!((told.job.as_str(), told.account.as_str(), told.node_count), ("7", "ml", Some(2)));
        assert_eq!((told.partition.as_str(), told.name.as_str()), ("gpu", "a\u{fffd}b"));
        assert_eq!((told.job_gpus, told.step_gpus), (BTreeSet::from([0, 2, 3, 4]), BTreeSet::from([3])));
        assert_eq!(told.array, Some(("6".to_owned(), "1".to_owned())));
        assert_eq!(understand(b"PATH=/bin\0HOME=/"), None);
        // slurmstepd's title has the number of the whole, the variables that of the part.
        let part = understand(b"SLURM_JOB_ID=8\0SLURM_HET_JOB_ID=7\0").unwrap();
        assert_eq!(["7", "8", "9"].map(|job| part.is_of(job)), [true, true, false]);
    }

    #[test]
    fn what_a_job_says_of_itself_is_bounded() {
        let long = "x".repeat(100_000);
        let text =
            format!("SLURM_JOB_ID=7\0SLURM_JOB_ACCOUNT={long}\0SLURM_JOB_GPUS=0-4294967295,{long}\0SLURM_NNODES=-1");
        let told = understand(text.as_bytes()).unwrap();
        assert_eq!((told.account.len(), told.job_gpus.len(), told.node_count), (VALUE_CHARACTERS_MAX, GPUS_MAX, None));
        assert!(numbers("5-2,,-,a,1-").is_empty());
        assert!(understand(b"\xff\xfe\0SLURM_JOB_ID=\0SLURM_\0=").is_none());
    }

    #[test]
    fn an_open_device_is_found_by_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (proc, sys) = (folder.path().join("proc"), folder.path().join("sys"));
        let (files, verbs) = (proc.join("9/fd"), sys.join("class/infiniband_verbs/uverbs3"));
        fs_err::create_dir_all(&files).unwrap();
        fs_err::create_dir_all(&verbs).unwrap();
        fs_err::write(verbs.join("ibdev"), "rdmap79s0\n").unwrap();
        for (nth, target) in
            ["/dev/infiniband/uverbs3", "/dev/null", "/dev/infiniband/uverbs../../x", "socket:[5]"].iter().enumerate()
        {
            std::os::unix::fs::symlink(target, files.join(nth.to_string())).unwrap();
        }
        assert_eq!(devices(&proc, &sys, 9, 100), BTreeSet::from(["rdmap79s0".to_owned()]));
        assert!(devices(&proc, &sys, 10, 100).is_empty());
    }

    #[test]
    fn the_kernel_says_whose_a_process_is() {
        let own = nix::unistd::getuid().as_raw();
        assert_eq!(uid(Path::new("/proc"), std::process::id()), Some(own));
        assert_eq!(user_name(0), "root");
        assert_eq!(user_name(3_999_999_999), "3999999999");
    }
}
