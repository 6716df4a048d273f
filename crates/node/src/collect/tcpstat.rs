//! TCP connections by state. At a pace of its own: the kernel walks a table of all places for connections, which takes
//! it milliseconds.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use trainyard_plan::metrics::tcpstat::node_tcp_connection_states;

use super::{Collector, Kind, Lane, Problem, Scope, Setting, unread};
use crate::files::each_line;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "tcpstat",
    about: "TCP connections by state",
    lane: Lane::Paced(Duration::from_mins(1)),
    scope: Scope::Namespace,
    make: |setting| Some(Box::new(Tcpstat::new(setting))),
};

/// As the kernel numbers them, from 1.
const STATES: [&str; 12] = [
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
    "new_syn_recv",
];

/// The state's number.
const LISTEN: usize = 10;

struct Tcpstat([PathBuf; 2]);

#[derive(Default)]
struct Counts {
    states: [u64; STATES.len()],
    sent: u64,
    received: u64,
}

impl Tcpstat {
    fn new(setting: &Setting) -> Self {
        Self(["tcp", "tcp6"].map(|name| setting.roots.proc.join("net").join(name)))
    }
}

impl Counts {
    fn take(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace().skip(3);
        // The first line has names in place of numbers.
        let state = words.next().and_then(|word| usize::from_str_radix(word, 16).ok());
        let Some(count) = state.and_then(|state| self.states.get_mut(state.checked_sub(1)?)) else { return };
        *count += 1;
        // What a socket that listens has in its queues are connections, not bytes.
        if state == Some(LISTEN) {
            return;
        }
        let Some((tx, rx)) = words.next().and_then(|queues| queues.split_once(':')) else { return };
        self.sent = self.sent.saturating_add(u64::from_str_radix(tx, 16).unwrap_or_default());
        self.received = self.received.saturating_add(u64::from_str_radix(rx, 16).unwrap_or_default());
    }
}

impl Collector for Tcpstat {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let mut counts = Counts::default();
        for path in &self.0 {
            match each_line(path, &mut |line| counts.take(line)) {
                // IPv6 may be switched off.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(unread(path)(error)),
                _ => {}
            }
        }
        for (state, count) in STATES.iter().zip(counts.states).filter(|(_, count)| *count > 0) {
            sheet.put(&node_tcp_connection_states, &[state], count);
        }
        sheet.put(&node_tcp_connection_states, &["rx_queued_bytes"], counts.received);
        sheet.put(&node_tcp_connection_states, &["tx_queued_bytes"], counts.sent);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
        0: 0100007F:1F90 00000000:0000 0A 00000080:00000003 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n   \
        1: 0100007F:1F90 0100007F:C350 01 00000010:00000020 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1\n   \
        2: 0100007F:C350 0100007F:1F90 01 00000001:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1\n   \
        3: 0100007F:C351 0100007F:1F90 06 00000000:00000000 03:00000EFC 00000000     0        0 0 3 0\n   \
        4: what is this\n";

    #[test]
    fn connections_are_counted_by_state_and_what_listens_has_no_bytes() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("net")).unwrap();
        fs_err::write(folder.path().join("net/tcp"), TCP).unwrap();
        let mut setting = Setting::default();
        setting.roots.proc = folder.path().to_owned();
        let mut sheet = Sheet::default();
        Tcpstat::new(&setting).collect(&mut sheet).unwrap();
        let expected =
            [("established", 2), ("time_wait", 1), ("listen", 1), ("rx_queued_bytes", 32), ("tx_queued_bytes", 17)];
        let line = |(state, count)| format!("node_tcp_connection_states{{state=\"{state}\"}} {count}\n");
        assert_eq!(sheet.into_page().text(), expected.map(line).concat());
    }
}
