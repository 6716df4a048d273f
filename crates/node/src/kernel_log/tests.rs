//! A file that grows, a pipe that floods, and the machine's own log.

use std::io::Write as _;

use super::*;
use crate::conductor::ROUND_DEADLINE;

fn line(sequence: u64, text: &str) -> String {
    format!("3,{sequence},{},-;{text}\n SUBSYSTEM=pci\n", sequence * 10)
}

/// What one reading gives: sequences, and whether that was all.
fn read(log: &mut KernelLog) -> (Vec<u64>, Progress) {
    log.open().unwrap();
    let mut sequences = Vec::new();
    let progress = log.read(&mut |record| sequences.push(record.sequence)).unwrap();
    (sequences, progress)
}

/// All that is there, in as many readings as it takes.
fn drain(log: &mut KernelLog) -> (usize, usize) {
    let (mut records, mut readings) = (0, 0);
    loop {
        let started = Instant::now();
        let (sequences, progress) = read(log);
        // It ends by itself after `TIME_MAX`; a machine that is busy with other tests may be late to see that.
        assert!(started.elapsed() < ROUND_DEADLINE, "{:?}", started.elapsed());
        assert!(sequences.len() <= RECORDS_MAX + BUFFER_BYTES / 8 && log.buffer.len() == BUFFER_BYTES);
        records += sequences.len();
        readings += 1;
        if progress == Progress::Through {
            return (records, readings);
        }
    }
}

#[test]
fn a_file_is_read_on_from_where_it_was_read_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kmsg");
    let mut log = KernelLog::new(&path);
    assert_eq!(log.open().unwrap_err().kind(), io::ErrorKind::NotFound);
    let mut file = fs_err::File::create(&path).unwrap();
    let mut add = |text: &str| file.write_all(text.as_bytes()).unwrap();
    assert_eq!(read(&mut log), (vec![], Progress::Through));
    add(&line(1, "one"));
    add(&line(2, "two"));
    assert_eq!(read(&mut log).0, [1, 2]);
    assert_eq!(read(&mut log).0, [0; 0]);
    // A line that is not there whole waits for its end; a program's own line is not the kernel's.
    add("3,3,30,-;thr");
    assert_eq!(read(&mut log).0, [0; 0]);
    add("ee\n14,4,40,-;NVRM: Xid (PCI:0000:10:1c): 79, made up\n no record\n\n;\n");
    add(&line(5, &"y".repeat(300_000)));
    add(&line(6, "six"));
    assert_eq!(read(&mut log).0, [3, 5, 6]);
    assert_eq!((log.cursor(), log.lost()), (Some(6), 0));
    // After a restart old records are left out.
    let mut log = KernelLog::new(&path);
    log.after(Some(5));
    assert_eq!(read(&mut log).0, [6]);
}

#[test]
fn a_file_that_is_replaced_or_cut_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kmsg");
    fs_err::write(&path, line(7, "seven") + &line(8, "eight")).unwrap();
    let mut log = KernelLog::new(&path);
    let name = log.open().unwrap().unwrap();
    assert_eq!(read(&mut log).0, [7, 8]);
    assert_eq!(log.open().unwrap(), None);
    fs_err::write(&path, line(1, "x")).unwrap();
    assert_eq!(log.open().unwrap(), Some(name.clone()));
    assert_eq!(read(&mut log).0, [1]);
    fs_err::write(folder.path().join("new"), line(1, "one") + &line(2, "two")).unwrap();
    fs_err::rename(folder.path().join("new"), &path).unwrap();
    assert_ne!(log.open().unwrap(), Some(name));
    assert_eq!(read(&mut log).0, [1, 2]);
}

#[test]
fn a_burst_of_100_mb_neither_holds_up_a_collection_nor_grows_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kmsg");
    let mut file = io::BufWriter::new(fs_err::File::create(&path).unwrap());
    let filler = "nfs: server fsx not responding, still trying ".repeat(4);
    let (mut sequence, mut bytes) = (0, 0);
    while bytes < 100_000_000 {
        sequence += 1;
        let line = line(sequence, &filler);
        bytes += line.len();
        file.write_all(line.as_bytes()).unwrap();
    }
    file.into_inner().unwrap().flush().unwrap();
    let (records, readings) = drain(&mut KernelLog::new(&path));
    assert_eq!(u64::try_from(records).unwrap(), sequence);
    assert!(readings > 1, "{records} records in one reading");
}

#[test]
fn a_pipe_that_floods_is_read_a_part_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kmsg");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut log = KernelLog::new(&path);
    assert_eq!(read(&mut log), (vec![], Progress::Through), "nobody writes");
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut pipe = fs_err::OpenOptions::new().write(true).open(path).unwrap();
            for sequence in 1..=40_000 {
                pipe.write_all(line(sequence, "mlx5_core: link is up").as_bytes()).unwrap();
            }
        }
    });
    let mut records = 0;
    while !writer.is_finished() {
        records += drain(&mut log).0;
    }
    writer.join().unwrap();
    assert_eq!(records + drain(&mut log).0, 40_000);
}

#[test]
fn records_that_the_kernel_overwrote_are_counted() {
    let mut log = KernelLog::new("/dev/null");
    let take = |log: &mut KernelLog, sequence: u64| log.take(line(sequence, "x").as_bytes(), &mut |_| {});
    take(&mut log, 10);
    // A gap alone proves nothing: the kernel says when it overwrote something.
    take(&mut log, 20);
    assert_eq!(log.lost(), 0);
    log.is_overwritten = true;
    take(&mut log, 25);
    take(&mut log, 26);
    assert_eq!(log.lost(), 4);
}

#[test]
fn the_machines_own_log_is_read_or_its_refusal_told() {
    let mut log = KernelLog::new("/dev/kmsg");
    match log.open() {
        Ok(name) => {
            assert!(name.is_some());
            let mut last = 0;
            log.read(&mut |record| {
                assert!(record.sequence >= last && record.is_kernels);
                last = record.sequence;
            })
            .unwrap();
            assert!(log.cursor() >= Some(last));
        }
        Err(error) => {
            let refusals = [io::ErrorKind::PermissionDenied, io::ErrorKind::NotFound];
            assert!(refusals.contains(&error.kind()), "{error}");
        }
    }
}
