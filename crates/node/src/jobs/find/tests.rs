//! Trees of processes, as they stand in /proc, that change between two looks.

use super::*;

struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        machine.process(1, 0, "systemd", "0::/init.scope", "/sbin/init");
        machine.process(2, 0, "kthreadd", "0::/", "");
        machine.process(90, 1, "slurmd", "0::/system.slice/slurmd.service", "slurmd");
        machine
    }

    fn process(&self, pid: u32, parent: u32, command: &str, cgroup: &str, title: &str) {
        let folder = self.folder.path().join(pid.to_string());
        fs_err::create_dir_all(&folder).unwrap();
        let started = 1000 + pid;
        let stat = format!("{pid} ({command}) S {parent} 1 1 0 -1 0 9 0 0 0 7 5 3 1 20 0 1 0 {started} 4096 17 0");
        fs_err::write(folder.join("stat"), stat).unwrap();
        fs_err::write(folder.join("cgroup"), cgroup).unwrap();
        fs_err::write(folder.join("status"), "Uid:\t0\t0\t0\t0\n").unwrap();
        fs_err::write(folder.join("cmdline"), title).unwrap();
    }

    /// Whose it is, where that is not root.
    fn belongs(&self, pid: u32, uid: u32) {
        let status = self.folder.path().join(pid.to_string()).join("status");
        fs_err::write(status, format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n")).unwrap();
    }

    fn end(&self, pid: u32) {
        fs_err::remove_dir_all(self.folder.path().join(pid.to_string())).unwrap();
    }
}

fn shown(found: &BTreeMap<String, Found>) -> Vec<String> {
    let step = |(name, pids): (&String, &Vec<u32>)| format!("{name}{pids:?}");
    let job = |(id, job): (&String, &Found)| {
        format!("{id} {} {:?}", job.steps.iter().map(step).collect::<Vec<_>>().join(" "), job.daemons)
    };
    found.iter().map(job).collect()
}

#[test]
fn descendants_of_slurmstepd_are_the_jobs_without_any_control_group() {
    let machine = Machine::new();
    let mut finder = Finder::new(machine.folder.path());
    assert!(finder.look().unwrap().jobs.is_empty());
    // As it is while it starts: Slurm's program, which has no title yet.
    machine.process(100, 1, "slurmstepd", "0::/", "/usr/sbin/slurmstepd");
    machine.process(101, 100, "slurmstepd", "0::/", "/usr/sbin/slurmstepd");
    assert!(finder.look().unwrap().jobs.is_empty());
    machine.process(100, 1, "slurmstepd", "0::/", "slurmstepd: [7.batch]");
    machine.process(101, 100, "bash", "0::/", "bash");
    machine.process(102, 101, "a) S) b", "0::/", "python3");
    machine.process(200, 1, "slurmstepd", "0::/", "slurmstepd: [7.0]");
    machine.process(201, 200, "python3", "0::/", "python3");
    machine.process(300, 1, "sshd", "0::/", "sshd");
    let found = finder.look().unwrap().jobs;
    assert_eq!(shown(&found), ["7 0[201] batch[101, 102] [100, 200]"].map(sorted_daemons(&found)));
    // What lives on when its parent ends stays the job's.
    machine.end(101);
    machine.process(102, 1, "a) S) b", "0::/", "python3");
    machine.process(103, 102, "python3", "0::/", "python3");
    assert_eq!(finder.look().unwrap().jobs["7"].steps["batch"], [102, 103]);
    for pid in [100, 102, 103, 200, 201] {
        machine.end(pid);
    }
    assert!(finder.look().unwrap().jobs.is_empty());
}

/// Daemons come in any order.
fn sorted_daemons(found: &BTreeMap<String, Found>) -> impl Fn(&str) -> String + '_ {
    |text| {
        let daemons = &found["7"].daemons;
        text.replace("[100, 200]", &format!("{daemons:?}"))
    }
}

#[test]
fn a_control_group_says_whose_a_process_is_whoever_started_it() {
    let machine = Machine::new();
    let scope = "0::/system.slice/slurmstepd.scope";
    machine.process(100, 1, "slurmstepd", &format!("{scope}/job_7/step_0/slurm"), "slurmstepd: [7.0]");
    machine.process(101, 1, "python3", &format!("{scope}/job_7/step_0/user/task_0"), "python3");
    machine.process(102, 1, "slurmstepd", &format!("{scope}/system"), "/usr/sbin/slurmstepd\0infinity\0");
    machine.process(103, 1, "python3", "9:memory:/slurm/uid_5/job_8/step_1/task_0\n0::/\n", "python3");
    let found = Finder::new(machine.folder.path()).look().unwrap().jobs;
    assert_eq!(shown(&found), ["7 0[101] [100]", "8 1[103] []"]);
    assert_eq!(found["7"].place.as_ref().unwrap().folders[0].1, "/system.slice/slurmstepd.scope/job_7");
    assert_eq!((found["8"].place.as_ref().unwrap().uid, found["7"].started), (Some(5), 1100));
}

#[test]
fn a_program_that_only_calls_itself_slurmstepd_has_no_job() {
    let machine = Machine::new();
    machine.process(100, 1, "slurmstepd", "0::/", "slurmstepd: [7.batch]");
    let mut finder = Finder::new(machine.folder.path());
    finder.own = 1234;
    // The last is a program that becomes root by its file's rights.
    for (uids, is_job) in [("0\t0\t0\t0", true), ("1234\t1234\t1234\t1234", true), ("5\t0\t0\t0", false)] {
        fs_err::write(machine.folder.path().join("100/status"), format!("Name:\tx\nUid:\t{uids}\n")).unwrap();
        finder.processes.clear();
        assert_eq!(!finder.look().unwrap().jobs.is_empty(), is_job, "{uids}");
    }
}

#[test]
fn a_number_that_was_given_to_another_process_is_noticed() {
    let machine = Machine::new();
    machine.process(100, 1, "slurmstepd", "0::/", "slurmstepd: [7.batch]");
    machine.process(101, 100, "bash", "0::/", "bash");
    let mut finder = Finder::new(machine.folder.path());
    assert_eq!(finder.look().unwrap().jobs["7"].pids().count(), 1);
    machine.process(101, 1, "sshd", "0::/", "sshd");
    let path = machine.folder.path().join("101/stat");
    let text = fs_err::read_to_string(&path).unwrap().replace(" 1101 ", " 9999 ");
    fs_err::write(path, text).unwrap();
    let left = (0..SLICES).map(|_| finder.look().unwrap().jobs["7"].pids().count()).last();
    assert_eq!(left, Some(0));
}

#[test]
fn what_ended_and_was_not_taken_notice_of_is_no_job() {
    let machine = Machine::new();
    machine.process(100, 1, "slurmstepd", "0::/", "slurmstepd: [7.batch]");
    machine.process(101, 100, "bash", "0::/", "bash");
    let mut finder = Finder::new(machine.folder.path());
    assert_eq!(finder.look().unwrap().jobs.len(), 1);
    for pid in [100, 101] {
        let path = machine.folder.path().join(format!("{pid}/stat"));
        fs_err::write(&path, fs_err::read_to_string(&path).unwrap().replace(") S ", ") Z ")).unwrap();
    }
    assert!(finder.look().unwrap().jobs.is_empty());
}

#[test]
fn a_line_of_stat_is_taken_apart_and_a_broken_one_left_out() {
    let text = "12 (a) S) b) R 1 12 12 0 -1 4194560 9 0 0 0 10 20 30 40 20 0 7 0 5 4096 17 0";
    assert_eq!(stat(text), Some(Stat { parent: 1, is_over: false, ticks: 100, started: 5, pages: 17 }));
    assert_eq!(command(text), "a) S) b");
    for bad in ["", "12 (a", "12 (a) R", "12 (a) R x 12 12 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 1 0 5 6 7"] {
        assert_eq!(stat(bad), None);
    }
}

/// What a program is called is its user's to choose.
#[test]
fn a_program_that_calls_itself_slurmd_is_still_its_jobs() {
    let machine = Machine::new();
    machine.process(100, 1, "slurmstepd", "0::/system.slice/slurmstepd.scope/job_7/step_0/slurm", "slurmstepd: [7.0]");
    for (pid, command) in [(101, "slurmd"), (102, "slurmstepd"), (103, "python3")] {
        machine.process(pid, 100, command, "0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_0", command);
        machine.belongs(pid, 4242);
    }
    // And where there is no control group.
    machine.process(200, 1, "slurmstepd", "0::/", "slurmstepd: [8.0]");
    machine.process(201, 200, "slurmstepd", "0::/", "slurmstepd: [9.0]");
    machine.belongs(201, 4242);
    // Root's number, by the file's rights.
    machine.process(300, 1, "slurmstepd", "0::/", "slurmstepd: [10.0]");
    std::os::unix::fs::symlink("/usr/bin/sudo", machine.folder.path().join("300/exe")).unwrap();
    let found = Finder::new(machine.folder.path()).look().unwrap().jobs;
    assert_eq!(shown(&found), ["7 0[101, 102, 103] [100]", "8 0[201] [200]"]);
}
