//! Bytes over the ordinary network: `/proc/net/dev` without what never leaves the machine.

use std::collections::BTreeMap;
use std::path::Path;

use crate::files::{Buffer, KeptFile};
use crate::growth::Growth;
use crate::problem::{Problem, misread, unread};
use crate::tripwire::Traffic;

/// What stays on the machine, or passes a card that is counted itself.
const INNER: &[&str] =
    &["lo", "docker", "br-", "veth", "virbr", "cni", "flannel", "cali", "tun", "tap", "ifb", "dummy"];

/// More than a node with a container for every processor has.
const INTERFACES_MAX: usize = 4096;

/// Reads what the cards of the ordinary network moved.
pub struct Ordinary {
    file: KeptFile,
    interfaces: BTreeMap<String, [Growth; 2]>,
    traffic: Traffic,
}

impl Ordinary {
    /// Below this `/proc`.
    pub fn new(proc: &Path) -> Self {
        // The agent's own: `net` is a link to `self/net`.
        Self { file: KeptFile::new(proc.join("net/dev")), interfaces: BTreeMap::new(), traffic: Traffic::default() }
    }

    /// What was received and sent since the agent started.
    pub fn read(&mut self, buffer: &mut Buffer) -> Result<Traffic, Problem> {
        let text = match self.file.read(buffer) {
            Ok(text) => text,
            Err(error) => return Err(unread(&self.file.path())(error)),
        };
        let mut is_any = false;
        for (name, received, sent) in text.lines().filter_map(interface).take(INTERFACES_MAX) {
            is_any = true;
            if is_inner(name) {
                continue;
            }
            // Names are the kernel's: at most 15 bytes.
            if !self.interfaces.contains_key(name) && self.interfaces.len() < INTERFACES_MAX {
                self.interfaces.insert(name.to_owned(), Default::default());
            }
            let Some([receiving, sending]) = self.interfaces.get_mut(name) else { continue };
            receiving.see(Some(received));
            sending.see(Some(sent));
            let add = |sum: u64, growth: &mut Growth| sum.saturating_add(growth.grown().unwrap_or_default());
            self.traffic.received = add(self.traffic.received, receiving);
            self.traffic.sent = add(self.traffic.sent, sending);
        }
        if is_any { Ok(self.traffic) } else { Err(misread(&self.file.path(), "interfaces")) }
    }
}

/// Whether what an interface moves stays on the machine, or passes a card that is counted itself.
pub fn is_inner(name: &str) -> bool {
    INNER.iter().any(|inner| name == *inner || (*inner != "lo" && name.starts_with(inner)))
}

/// A line's name, received and sent bytes.
fn interface(line: &str) -> Option<(&str, u64, u64)> {
    // An alias has a colon in its name, and figures follow the last one.
    let (name, figures) = line.rsplit_once(':')?;
    let mut figures = figures.split_ascii_whitespace();
    let received = figures.next()?.parse().ok()?;
    Some((name.trim(), received, figures.nth(7)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "Inter-|   Receive   |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes\n";

    #[test]
    fn only_what_leaves_the_machine_counts() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("net")).unwrap();
        let mut ordinary = Ordinary::new(folder.path());
        let mut read = |lines: &[(&str, u64, u64)]| {
            let line = |(name, received, sent): &(&str, u64, u64)| {
                format!("{name:>6}:{received} 1 0 0 0 0 0 0 {sent} 1 0 0 0 0 0 0\n")
            };
            let lines: String = lines.iter().map(line).collect();
            fs_err::write(folder.path().join("net/dev"), format!("{HEAD}{lines}")).unwrap();
            let traffic = ordinary.read(&mut Buffer::default()).unwrap();
            (traffic.received, traffic.sent)
        };
        assert_eq!(read(&[("lo", 5, 5), ("eth0", 100, 200)]), (0, 0));
        let inner = [("lo", 900, 900), ("docker0", 900, 900), ("veth1a", 900, 900), ("virbr0", 9, 9)];
        assert_eq!(read(&[&inner[..], &[("eth0", 101, 202)]].concat()), (1, 2));
        // An interface that comes has moved nothing yet; one that begins anew has moved what it shows.
        assert_eq!(read(&[("eth0", 10, 20), ("ens33", 1000, 1000)]), (11, 22));
        assert_eq!(read(&[("ens33", 1001, 1005), ("lost", 1, 1)]), (12, 27));
    }

    #[test]
    fn a_file_that_says_nothing_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("net")).unwrap();
        let mut ordinary = Ordinary::new(folder.path());
        assert!(ordinary.read(&mut Buffer::default()).is_err());
        fs_err::write(folder.path().join("net/dev"), HEAD).unwrap();
        assert!(ordinary.read(&mut Buffer::default()).unwrap_err().told().contains("no interfaces"));
    }
}
