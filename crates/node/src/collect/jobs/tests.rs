//! A node whose processes, GPUs and fabric change between two rounds.

use std::path::Path;

use super::*;
use crate::jobs::Job;
use crate::meters::GpuMeter;

struct Node {
    folder: tempfile::TempDir,
    setting: Setting,
    uptime: u32,
}

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let roots = Roots { proc: path("proc"), sys: path("sys"), root: path("root"), fabric_sys: None };
        let setting = Setting { roots, state: Some(path("state")), ..Setting::default() };
        let mut node = Self { folder, setting, uptime: 0 };
        node.write("proc/sys/kernel/random/boot_id", "one\n");
        node.write("proc/net/dev", "a\nb\n  eth0:0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
        node.passes(1000);
        node.process(1, 0, "systemd", "/sbin/init", "");
        node
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn passes(&mut self, seconds: u32) {
        self.uptime += seconds;
        self.write("proc/uptime", &format!("{}.00 0.00\n", self.uptime));
    }

    /// A process that began now, of nobody special.
    fn process(&self, pid: u32, parent: u32, command: &str, title: &str, environment: &str) {
        let started = self.uptime * 100;
        let stat = format!("{pid} ({command}) S {parent} 1 1 0 -1 0 9 0 0 0 70 30 0 0 20 0 1 0 {started} 4096 256 0");
        self.write(&format!("proc/{pid}/stat"), &stat);
        self.write(&format!("proc/{pid}/cmdline"), title);
        self.write(&format!("proc/{pid}/environ"), environment);
        self.write(&format!("proc/{pid}/status"), "Name:\tx\nUid:\t0\t5\t5\t5\n");
    }

    /// A job whose script runs here, with a process of it at `pid + 1`.
    fn job(&self, id: u32, pid: u32, more: &str) {
        self.process(pid, 1, "slurmstepd", &format!("slurmstepd: [{id}.batch]"), "");
        let environment = format!("SLURM_JOB_ID={id}\0SLURM_JOB_ACCOUNT=ml\0SLURM_JOB_NUM_NODES=2\0{more}");
        self.process(pid + 1, pid, "python3", "python3", &environment);
    }

    fn end(&self, pid: u32) {
        for pid in [pid, pid + 1] {
            fs_err::remove_dir_all(self.folder.path().join("proc").join(pid.to_string())).unwrap();
        }
    }

    fn gpus(&self, percents: &[u32]) {
        let gpu = |(index, percent): (u32, &u32)| GpuMeter {
            index,
            minor: Some(7 - index),
            uuid: format!("GPU-{index}"),
            percent: Some(*percent),
            pids: if index == 0 { vec![31] } else { Vec::new() },
            ..GpuMeter::default()
        };
        self.setting.meters.gpus((0..).zip(percents).map(gpu).collect());
    }

    fn events(&self) -> Vec<String> {
        self.setting.events.kept().into_iter().map(|event| event.text).collect()
    }

    fn ended(&self) -> Vec<Summary> {
        Record::new(&self.folder.path().join("state")).ended(99)
    }
}

fn round(collected: &mut Collected) -> String {
    let mut sheet = Sheet::default();
    collected.collect(&mut sheet).unwrap();
    sheet.into_page().text()
}

/// The samples of one job, by name, without its number.
fn of(page: &str, name: &str) -> Vec<String> {
    page.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{').map(str::to_owned)).collect()
}

#[test]
fn a_job_is_shown_with_what_is_its_own_and_others_can_ask_for_it() {
    let mut node = Node::new();
    let mut collected = Collected::new(&node.setting);
    assert_eq!(round(&mut collected), "trainyard_jobs 0\ntrainyard_jobs_ended_total 0\n");
    node.job(7, 20, "SLURM_JOB_PARTITION=gpu\0SLURM_JOB_NAME=a \"b\"\0SLURM_JOB_GPUS=6-7\0");
    node.job(8, 30, "SLURM_ARRAY_JOB_ID=8\0SLURM_ARRAY_TASK_ID=0\0");
    node.passes(10);
    node.gpus(&[50, 50, 50]);
    let page = round(&mut collected);
    assert_eq!(
        of(&page, "trainyard_job_info"),
        [
            r#"jobid="7",user="root",account="ml",partition="gpu",name="a \"b\"",nodes="2",array_job_id="",array_task_id="",measured="processes"} 1"#,
            r#"jobid="8",user="root",account="ml",partition="",name="",nodes="2",array_job_id="8",array_task_id="0",measured="processes"} 1"#,
        ]
    );
    // 7 has what Slurm says, by the numbers of device files; 8 has what NVML sees it use.
    assert_eq!(
        of(&page, "trainyard_job_gpu_info"),
        [
            r#"jobid="7",gpu="0",UUID="GPU-0"} 1"#,
            r#"jobid="7",gpu="1",UUID="GPU-1"} 1"#,
            r#"jobid="8",gpu="0",UUID="GPU-0"} 1"#,
        ]
    );
    assert_eq!(of(&page, "trainyard_job_cpu_seconds_total"), [r#"jobid="7"} 2"#, r#"jobid="8"} 2"#]);
    assert_eq!(of(&page, "trainyard_job_processes")[0], r#"jobid="7"} 1"#);
    let running = node.setting.jobs.running();
    let ids: Vec<_> = running.iter().map(|job| (job.id.as_str(), job.pids.clone(), job.is_multi_node())).collect();
    assert_eq!(ids, [("7", vec![21], true), ("8", vec![31], true)]);
    let age = Timestamp::now().as_second() - running[0].started.unwrap().as_second();
    assert!((9..=12).contains(&age), "{age}");
}

#[test]
fn whose_a_job_is_does_not_depend_on_what_may_be_read_of_it() {
    let node = Node::new();
    let mut collected = Collected::new(&node.setting);
    node.job(7, 20, "");
    fs_err::remove_file(node.folder.path().join("proc/21/environ")).unwrap();
    let pages: Vec<String> = (0..20).map(|_| round(&mut collected)).collect();
    let users = |page: &String| {
        of(page, "trainyard_job_info").iter().map(|labels| labels.contains("user=\"root\",account=\"\"")).collect()
    };
    let users: Vec<Vec<bool>> = pages.iter().map(users).collect();
    assert_eq!((&users[0], &users[9], &users[19]), (&vec![], &vec![false], &vec![true]));
}

/// A job that ended had its part of what moved since the last round.
#[test]
fn what_the_node_moves_is_a_jobs_only_while_no_other_was_there() {
    let node = Node::new();
    let mut collected = Collected::new(&node.setting);
    let moved = |bytes: u64| {
        node.write("proc/net/dev", &format!("a\nb\n  eth0:{bytes} 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"));
    };
    node.job(7, 20, "");
    node.job(8, 30, "");
    round(&mut collected);
    moved(2_000_000);
    round(&mut collected);
    node.end(30);
    moved(9_000_000);
    round(&mut collected);
    assert_eq!(collected.known["7"].tally.ordinary_bytes, None);
    moved(9_000_500);
    round(&mut collected);
    let tally = &collected.known["7"].tally;
    assert_eq!(tally.ordinary_bytes, Some(500));
    assert!(tally.alone_seconds > 0.0 && tally.alone_seconds < tally.seconds);
}

#[test]
fn a_gpu_that_two_jobs_share_is_one_on_the_node() {
    let node = Node::new();
    let mut collected = Collected::new(&node.setting);
    node.job(7, 20, "SLURM_JOB_GPUS=6-7\0");
    node.job(8, 30, "");
    for _ in 0..3 {
        node.gpus(&[50, 0]);
        round(&mut collected);
        std::thread::sleep(Duration::from_millis(20));
    }
    let of_job = |id: &str| collected.known[id].tally.gpu_sum(|gpu| gpu.seconds);
    assert!(of_job("8") > 0.0, "it has GPU 0, too");
    assert!((collected.gpu_seconds - of_job("7")).abs() < 1e-9);
    assert!((collected.idle_gpu_seconds - collected.gpu_seconds / 2.0).abs() < 1e-9);
}

#[test]
fn a_jobs_processor_time_does_not_fall_when_its_processes_end() {
    let node = Node::new();
    let mut collected = Collected::new(&node.setting);
    node.job(7, 20, "");
    for expected in [r#"jobid="7"} 2"#, r#"jobid="7"} 2"#] {
        assert_eq!(of(&round(&mut collected), "trainyard_job_cpu_seconds_total"), [expected]);
        // One took over nothing of what its children had.
        let stat = node.folder.path().join("proc/21/stat");
        let less = fs_err::read_to_string(&stat).unwrap().replace(" 70 30 ", " 1 0 ");
        fs_err::write(&stat, less).unwrap();
    }
}

/// The job is real, its GPU is not.
#[test]
fn what_stands_between_a_job_and_replayed_gpus_says_that_they_are() {
    let node = Node::new();
    let replay = Some(node.folder.path().join("replay"));
    let mut collected = Collected::new(&Setting { replay, ..node.setting.clone() });
    node.job(7, 20, "SLURM_JOB_GPUS=7\0");
    node.gpus(&[50]);
    let page = round(&mut collected);
    assert_eq!(of(&page, "trainyard_job_gpu_info"), [r#"jobid="7",gpu="0",UUID="GPU-0",replay="unknown"} 1"#]);
    assert!(of(&page, "trainyard_jobs_gpu_seconds_total")[0].starts_with("replay=\"unknown\"} "), "{page}");
    assert!(!of(&page, "trainyard_job_info")[0].contains("replay"));
}

#[test]
fn a_job_that_ends_leaves_a_summary_in_the_record_and_an_event() {
    let node = Node::new();
    let mut collected = Collected::new(&node.setting);
    node.job(7, 20, "SLURM_JOB_GPUS=6-7\0");
    for percents in [[80, 0], [80, 0], [40, 1]] {
        node.gpus(&percents);
        round(&mut collected);
        std::thread::sleep(Duration::from_millis(20));
    }
    node.end(20);
    let page = round(&mut collected);
    assert!(page.contains("trainyard_jobs 0\ntrainyard_jobs_ended_total 1\n"), "{page}");
    let ended = node.ended();
    let [summary] = ended.as_slice() else { panic!("{ended:?}") };
    let percent = summary.gpu_percent.unwrap();
    assert!((20.0..40.0).contains(&percent), "{percent}");
    let [first, second] = [&summary.tally.gpus[&0], &summary.tally.gpus[&1]];
    assert!(first.idle_seconds == 0.0 && second.idle_seconds >= 0.04);
    assert!((second.idle_seconds - second.seconds).abs() < 1e-9);
    assert_eq!(node.events(), [summary.sentence()]);
    let idle: f64 = page.lines().last().unwrap().rsplit_once(' ').unwrap().1.parse().unwrap();
    assert!((idle - second.idle_seconds).abs() < 1e-9);
    assert!(node.setting.jobs.running().is_empty());
}

#[test]
fn sums_go_on_over_a_restart_and_what_was_not_seen_is_said() {
    let node = Node::new();
    node.job(7, 20, "SLURM_JOB_GPUS=6-7\0");
    node.job(8, 30, "");
    let mut first = Collected::new(&node.setting);
    node.gpus(&[80, 80]);
    round(&mut first);
    std::thread::sleep(Duration::from_millis(30));
    round(&mut first);
    first.kept = None;
    round(&mut first);
    let before = first.known["7"].tally.clone();
    assert!(before.gpus[&0].percent_seconds > 0.0);
    drop(first);
    // 8 ends while no agent runs.
    node.end(30);
    std::thread::sleep(Duration::from_millis(50));
    let mut second = Collected::new(&node.setting);
    round(&mut second);
    let ended = node.ended();
    assert_eq!(ended.iter().map(|ended| ended.tally.jobid.as_str()).collect::<Vec<_>>(), ["8"]);
    let after = &second.known["7"].tally;
    assert_eq!((&after.gpus, after.seen_since), (&before.gpus, before.seen_since));
    assert!(after.unseen_seconds >= 0.05, "{}", after.unseen_seconds);
    drop(second);
    // After a reboot nothing of it runs, whatever Slurm starts again under its number.
    node.write("proc/sys/kernel/random/boot_id", "two\n");
    let mut third = Collected::new(&node.setting);
    round(&mut third);
    assert_eq!(node.ended().len(), 2);
    assert!(third.known["7"].tally.unseen_seconds < 1e-9);
}

#[test]
fn a_job_that_slurm_starts_again_under_its_number_is_another_run() {
    let mut node = Node::new();
    let mut collected = Collected::new(&node.setting);
    node.job(7, 20, "");
    round(&mut collected);
    node.end(20);
    node.passes(1);
    node.job(7, 40, "");
    round(&mut collected);
    assert_eq!((node.ended().len(), collected.known["7"].job.pids.clone()), (1, vec![41]));
}

#[test]
fn between_two_steps_a_job_without_its_script_here_has_not_ended() {
    let node = Node::new();
    let mut collected = Collected::new(&node.setting);
    let step = |pid: u32, step: u32| {
        node.process(pid, 1, "slurmstepd", &format!("slurmstepd: [7.{step}]"), "");
        node.process(pid + 1, pid, "python3", "python3", "SLURM_JOB_ID=7\0SLURM_JOB_GPUS=0\0SLURM_STEP_GPUS=7\0");
    };
    node.gpus(&[50; 8]);
    step(20, 0);
    round(&mut collected);
    node.end(20);
    assert!(round(&mut collected).contains("trainyard_jobs 0\n"));
    assert!(node.ended().is_empty());
    step(30, 1);
    // The numbers of the node where the script runs are not this one's.
    assert_eq!(of(&round(&mut collected), "trainyard_job_gpu_info"), [r#"jobid="7",gpu="0",UUID="GPU-0"} 1"#]);
    node.end(30);
    round(&mut collected);
    collected.known.get_mut("7").unwrap().gone = Instant::now().checked_sub(GONE_FOR);
    round(&mut collected);
    assert_eq!(node.ended().len(), 1);
}

#[test]
fn a_job_has_the_fabric_that_it_opened_or_that_came_with_the_whole_node() {
    let node = Node::new();
    node.write("sys/class/infiniband/rdmap1/fw_ver", "1");
    node.write("sys/class/infiniband_verbs/uverbs1/ibdev", "rdmap1\n");
    let fabric = |bytes: u64| {
        node.setting.meters.fabric(vec![("rdmap1".to_owned(), bytes), ("rdmap2".to_owned(), bytes * 10)]);
    };
    let mut collected = Collected::new(&node.setting);
    node.job(7, 20, "");
    let files = node.folder.path().join("proc/21/fd");
    fs_err::create_dir(&files).unwrap();
    std::os::unix::fs::symlink("/dev/infiniband/uverbs1", files.join("9")).unwrap();
    for bytes in [0, 5, 12] {
        fabric(bytes);
        node.gpus(&[50]);
        let page = round(&mut collected);
        assert_eq!(of(&page, "trainyard_job_efa_info"), [r#"jobid="7",device="rdmap1"} 1"#]);
    }
    assert_eq!(collected.known["7"].tally.efa_bytes, Some(12));
    // Another that has it too: nobody can say whose bytes they are.
    node.job(8, 30, "");
    let files = node.folder.path().join("proc/31/fd");
    fs_err::create_dir(&files).unwrap();
    std::os::unix::fs::symlink("/dev/infiniband/uverbs1", files.join("9")).unwrap();
    fabric(100);
    round(&mut collected);
    assert_eq!(collected.known["7"].tally.efa_bytes, Some(12));
    node.end(20);
    node.end(30);
    node.job(9, 40, "SLURM_JOB_GPUS=7\0");
    assert_eq!(of(&round(&mut collected), "trainyard_job_efa_info").len(), 2);
}

#[test]
fn what_cannot_be_kept_is_a_problem_and_the_jobs_are_shown_all_the_same() {
    let mut node = Node::new();
    node.write("file", "");
    node.setting.state = Some(node.folder.path().join("file/state"));
    node.job(7, 20, "");
    let mut collected = Collected::new(&node.setting);
    let mut sheet = Sheet::default();
    let problem = collected.collect(&mut sheet).unwrap_err();
    assert!(problem.told().contains("cannot be"), "{}", problem.told());
    assert!(sheet.into_page().text().contains("trainyard_jobs 1\n"));
    let nowhere = Roots { proc: Path::new("/nowhere").to_owned(), ..Roots::default() };
    let setting = Setting { roots: nowhere, ..Setting::default() };
    setting.jobs.set(vec![Job::default()]);
    assert!(Collected::new(&setting).collect(&mut Sheet::default()).is_err());
}
