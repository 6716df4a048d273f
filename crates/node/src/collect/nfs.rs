//! What the NFS client did, over all mounts. Each mount's own figures are those of `mountstats`.

use trainyard_plan::metrics::Metric;
use trainyard_plan::metrics::nfs as m;

use super::{Collector, Kind, Lane, Problem, Scope};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "nfs",
    about: "the NFS client, over all mounts",
    lane: Lane::Shared,
    scope: Scope::Machine,
    // Also where there is no client yet: it comes with the first mount, which may be minutes after the agent.
    make: |setting| Some(Box::new(Nfs(Text::new(setting.roots.proc.join("net/rpc/nfs"))))),
};

/// A value that stands alone: its line, its place there, its metric, and the values of the metric's labels.
pub(super) struct Place(
    pub(super) &'static str,
    pub(super) usize,
    pub(super) &'static Metric,
    pub(super) &'static [&'static str],
);

static PLACES: &[Place] = &[
    Place("net", 1, &m::node_nfs_packets_total, &["udp"]),
    Place("net", 2, &m::node_nfs_packets_total, &["tcp"]),
    Place("net", 3, &m::node_nfs_connections_total, &[]),
    Place("rpc", 0, &m::node_nfs_rpcs_total, &[]),
    Place("rpc", 1, &m::node_nfs_rpc_retransmissions_total, &[]),
    Place("rpc", 2, &m::node_nfs_rpc_authentication_refreshes_total, &[]),
];

/// Calls of one version, in the order of the kernel's numbers, by the names that node_exporter gives them. One that has no
/// name is not shown.
pub(super) struct Procedures {
    /// The line's first word.
    pub(super) line: &'static str,
    pub(super) version: &'static str,
    pub(super) names: &'static [&'static str],
}

#[rustfmt::skip]
static PROCEDURES: &[Procedures] = &[
    Procedures { line: "proc2", version: "2", names: &[
        "Null", "GetAttr", "SetAttr", "Root", "Lookup", "ReadLink", "Read", "WrCache", "Write", "Create", "Remove", "Rename",
        "Link", "SymLink", "MkDir", "RmDir", "ReadDir", "FsStat",
    ] },
    Procedures { line: "proc3", version: "3", names: &[
        "Null", "GetAttr", "SetAttr", "Lookup", "Access", "ReadLink", "Read", "Write", "Create", "MkDir", "SymLink", "MkNod",
        "Remove", "RmDir", "Rename", "Link", "ReadDir", "ReadDirPlus", "FsStat", "FsInfo", "PathConf", "Commit",
    ] },
    Procedures { line: "proc4", version: "4", names: &[
        "Null", "Read", "Write", "Commit", "Open", "OpenConfirm", "OpenNoattr", "OpenDowngrade", "Close", "Setattr", "FsInfo",
        "Renew", "SetClientID", "SetClientIDConfirm", "Lock", "Lockt", "Locku", "Access", "Getattr", "Lookup", "LookupRoot",
        "Remove", "Rename", "Link", "Symlink", "Create", "Pathconf", "StatFs", "ReadLink", "ReadDir", "ServerCaps",
        "DelegReturn", "GetACL", "SetACL", "FsLocations", "ReleaseLockowner", "Secinfo", "FsidPresent", "ExchangeID",
        "CreateSession", "DestroySession", "Sequence", "GetLeaseTime", "ReclaimComplete", "GetDeviceInfo", "LayoutGet",
        "LayoutCommit", "LayoutReturn", "SecinfoNoName", "TestStateID", "FreeStateID", "GetDeviceList", "BindConnToSession",
        "DestroyClientID", "Seek", "Allocate", "DeAllocate", "LayoutStats", "Clone",
    ] },
];

struct Nfs(Text);

impl Collector for Nfs {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let text = self.0.read_if_there()?.unwrap_or_default();
        put_places(sheet, text, PLACES);
        put_procedures(sheet, text, PROCEDURES, &m::node_nfs_requests_total);
        Ok(())
    }
}

/// Values that stand alone.
pub(super) fn put_places(sheet: &mut Sheet, text: &str, places: &[Place]) {
    for Place(line, at, metric, labels) in places {
        let found = text.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(' '));
        let word = found.and_then(|rest| rest.split_ascii_whitespace().nth(*at));
        if let Some(value) = word.and_then(|word| word.parse::<u64>().ok()) {
            sheet.put(metric, labels, value);
        }
    }
}

/// Requests by version and procedure. A kernel that knows fewer procedures has fewer numbers.
pub(super) fn put_procedures(sheet: &mut Sheet, text: &str, all: &[Procedures], metric: &'static Metric) {
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(first) = words.next() else { continue };
        let Some(procedures) = all.iter().find(|procedures| procedures.line == first) else { continue };
        // The second word is the count of those that follow.
        for (name, word) in procedures.names.iter().zip(words.skip(1)) {
            if let Ok(value) = word.parse::<u64>()
                && !name.is_empty()
            {
                sheet.put(metric, &[procedures.version, name], value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::Setting;

    const CLIENT: &str = "net 70 7 63 45\nrpc 1218 37 9\n\
        proc2 18 16 57 74 52 71 73 45 86 0 52 83 61 17 53 50 23 70 82\n\
        proc3 22 0 1061909262 48906 4077635 117661341 5 29391916 2570425 2993289 590 0 0 7815 15 1130 0 3983 92385 13332 2 1 23729\n\
        proc4 5 1 98 51 54 83\n";

    /// What is made of a file with this text; of none without it.
    fn shown(text: Option<&[u8]>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut setting = Setting::default();
        setting.roots.proc = folder.path().to_owned();
        fs_err::create_dir_all(folder.path().join("net/rpc")).unwrap();
        if let Some(text) = text {
            fs_err::write(folder.path().join("net/rpc/nfs"), text).unwrap();
        }
        let mut sheet = Sheet::default();
        (COLLECTOR.make)(&setting).unwrap().collect(&mut sheet).unwrap();
        sheet.into_page().text()
    }

    #[test]
    fn calls_and_procedures_have_the_names_of_node_exporter() {
        let text = shown(Some(CLIENT.as_bytes()));
        for line in [
            "node_nfs_packets_total{protocol=\"udp\"} 7",
            "node_nfs_packets_total{protocol=\"tcp\"} 63",
            "node_nfs_connections_total 45",
            "node_nfs_rpcs_total 1218",
            "node_nfs_rpc_retransmissions_total 37",
            "node_nfs_rpc_authentication_refreshes_total 9",
            "node_nfs_requests_total{proto=\"2\",method=\"FsStat\"} 82",
            "node_nfs_requests_total{proto=\"3\",method=\"Read\"} 29391916",
            "node_nfs_requests_total{proto=\"3\",method=\"Commit\"} 23729",
            "node_nfs_requests_total{proto=\"4\",method=\"Open\"} 83",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in {text}");
        }
        assert!(!text.contains("proto=\"4\",method=\"OpenConfirm\""), "what an old kernel does not count is left out");
    }

    #[test]
    fn a_machine_without_nfs_has_no_series_and_no_problem() {
        assert_eq!(shown(None), "");
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let text = shown(Some(b"net\nrpc x -1\nproc3 22 \xff 7\nproc4 99999999999999999999 1\nproc9 1 1\n\n \n"));
        assert_eq!(
            text,
            "node_nfs_requests_total{proto=\"3\",method=\"GetAttr\"} 7\n\
             node_nfs_requests_total{proto=\"4\",method=\"Null\"} 1\n"
        );
    }
}
