//! Who descends from whom, and ending a whole family.

use std::collections::HashMap;
use std::time::Duration;

use fs_err as fs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Whether a process is there and not a zombie.
pub fn is_alive(pid: i32) -> bool {
    stat(pid).is_some_and(|(_, state)| state != 'Z')
}

/// Parent and state of a process. The name in `/proc/PID/stat` may hold anything, even `)`.
fn stat(pid: i32) -> Option<(i32, char)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

/// Every process below `pid`, itself not included.
pub fn descendants(pid: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(child) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        if let Some((parent, state)) = stat(child)
            && state != 'Z'
        {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![pid];
    while let Some(parent) = next.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            found.push(child);
            next.push(child);
        }
    }
    found
}

/// Ends everything below `pid`. A process may fork while it is being looked for, so this looks again
/// until nobody is left (`pid` must be a child subreaper, so that nobody slips away).
pub fn end_descendants(pid: i32) {
    for _ in 0..500 {
        let family = descendants(pid);
        if family.is_empty() {
            return;
        }
        for member in family {
            let _ = kill(Pid::from_raw(member), Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The direct children of `pid`.
pub fn children(pid: i32) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse::<i32>().ok());
    ids.filter(|child| stat(*child).is_some_and(|(parent, _)| parent == pid)).collect()
}

/// The program that a process runs; `None` when it is gone or not ours to see.
pub fn program(pid: i32) -> Option<std::path::PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Whether a process was started with an environment variable of that name.
pub fn has_variable(pid: i32, name: &str) -> bool {
    let start = format!("{name}=");
    let bytes = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    bytes.split(|byte| *byte == 0).any(|entry| entry.starts_with(start.as_bytes()))
}

/// Ends one adopted process and takes note of its end.
pub fn end(pid: i32) {
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    let _ = nix::sys::wait::waitpid(Pid::from_raw(pid), None);
}
