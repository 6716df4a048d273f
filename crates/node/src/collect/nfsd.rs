//! What the NFS server of this machine did, where it is one.

use trainyard_plan::metrics::nfsd as m;

use super::nfs::{Place, Procedures, put_places, put_procedures};
use super::{Collector, Kind, Lane, Problem, Scope};
use crate::files::Text;
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "nfsd",
    about: "the NFS server",
    lane: Lane::Shared,
    scope: Scope::Machine,
    make: |setting| Some(Box::new(Nfsd(Text::new(setting.roots.proc.join("net/rpc/nfsd"))))),
};

static PLACES: &[Place] = &[
    Place("rc", 0, &m::node_nfsd_reply_cache_hits_total, &[]),
    Place("rc", 1, &m::node_nfsd_reply_cache_misses_total, &[]),
    Place("rc", 2, &m::node_nfsd_reply_cache_nocache_total, &[]),
    Place("fh", 0, &m::node_nfsd_file_handles_stale_total, &[]),
    Place("io", 0, &m::node_nfsd_disk_bytes_read_total, &[]),
    Place("io", 1, &m::node_nfsd_disk_bytes_written_total, &[]),
    Place("th", 0, &m::node_nfsd_server_threads, &[]),
    Place("ra", 0, &m::node_nfsd_read_ahead_cache_size_blocks, &[]),
    Place("ra", 11, &m::node_nfsd_read_ahead_cache_not_found_total, &[]),
    Place("net", 1, &m::node_nfsd_packets_total, &["udp"]),
    Place("net", 2, &m::node_nfsd_packets_total, &["tcp"]),
    Place("net", 3, &m::node_nfsd_connections_total, &[]),
    Place("rpc", 2, &m::node_nfsd_rpc_errors_total, &["fmt"]),
    Place("rpc", 3, &m::node_nfsd_rpc_errors_total, &["auth"]),
    Place("rpc", 4, &m::node_nfsd_rpc_errors_total, &["cInt"]),
    Place("rpc", 0, &m::node_nfsd_server_rpcs_total, &[]),
];

/// Those that node_exporter does not show have no names here either.
#[rustfmt::skip]
static PROCEDURES: &[Procedures] = &[
    Procedures { line: "proc2", version: "2", names: &[
        "", "GetAttr", "SetAttr", "Root", "Lookup", "ReadLink", "Read", "WrCache", "Write", "Create", "Remove", "Rename",
        "Link", "SymLink", "MkDir", "RmDir", "ReadDir", "FsStat",
    ] },
    Procedures { line: "proc3", version: "3", names: &[
        "", "GetAttr", "SetAttr", "Lookup", "Access", "ReadLink", "Read", "Write", "Create", "MkDir", "SymLink", "MkNod",
        "Remove", "RmDir", "Rename", "Link", "ReadDir", "ReadDirPlus", "FsStat", "FsInfo", "PathConf", "Commit",
    ] },
    Procedures { line: "proc4ops", version: "4", names: &[
        "", "", "", "Access", "Close", "Commit", "Create", "DelegPurge", "DelegReturn", "GetAttr", "GetFH", "Link", "Lock",
        "Lockt", "Locku", "Lookup", "LookupRoot", "Nverify", "Open", "OpenAttr", "OpenConfirm", "OpenDgrd", "PutFH", "", "",
        "Read", "ReadDir", "ReadLink", "Remove", "Rename", "Renew", "RestoreFH", "SaveFH", "SecInfo", "SetAttr",
        "SetClientID", "SetClientIDConfirm", "Verify", "Write", "RelLockOwner",
    ] },
];

struct Nfsd(Text);

impl Collector for Nfsd {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let text = self.0.read_if_there()?.unwrap_or_default();
        put_places(sheet, text, PLACES);
        put_procedures(sheet, text, PROCEDURES, &m::node_nfsd_requests_total);
        // A line of its own, without a count of numbers.
        let delegations =
            text.lines().find_map(|line| line.strip_prefix("wdeleg_getattr ")?.trim().parse::<u64>().ok());
        if let Some(count) = delegations {
            sheet.put(&m::node_nfsd_requests_total, &["4", "WdelegGetattr"], count);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::Setting;

    const SERVER: &str = "rc 1 6 18622\nfh 4 0 0 0 0\nio 157286400 72864\nth 8 0 0.000 0.000\n\
        ra 32 0 0 0 0 0 0 0 0 0 0 3\nnet 972 55 917 1\nrpc 18628 3 1 2 0\n\
        proc2 18 2 69 0 0 4410 0 0 0 0 0 0 0 0 0 0 0 99 2\nproc3 22 2 112 0 2719\nproc4 2 2 10853\n\
        proc4ops 72 0 0 0 1098 2 0 0 0 0 8179 5896 0 0 0 0 5900 0 0 2 0 2 0 9609 0 5 150 1272\nwdeleg_getattr 15\n";

    #[test]
    fn the_servers_figures_have_the_names_of_node_exporter() {
        let folder = tempfile::tempdir().unwrap();
        let mut setting = Setting::default();
        setting.roots.proc = folder.path().to_owned();
        let mut collector = (COLLECTOR.make)(&setting).unwrap();
        let mut sheet = Sheet::default();
        collector.collect(&mut sheet).unwrap();
        assert!(sheet.is_empty(), "a machine that is no server has no series");
        fs_err::create_dir_all(folder.path().join("net/rpc")).unwrap();
        fs_err::write(folder.path().join("net/rpc/nfsd"), SERVER).unwrap();
        collector.collect(&mut sheet).unwrap();
        let page = sheet.into_page();
        for line in [
            "node_nfsd_reply_cache_nocache_total 18622",
            "node_nfsd_file_handles_stale_total 4",
            "node_nfsd_disk_bytes_read_total 157286400",
            "node_nfsd_server_threads 8",
            "node_nfsd_read_ahead_cache_size_blocks 32",
            "node_nfsd_read_ahead_cache_not_found_total 3",
            "node_nfsd_packets_total{proto=\"tcp\"} 917",
            "node_nfsd_connections_total 1",
            "node_nfsd_rpc_errors_total{error=\"auth\"} 2",
            "node_nfsd_server_rpcs_total 18628",
            "node_nfsd_requests_total{proto=\"2\",method=\"ReadDir\"} 99",
            "node_nfsd_requests_total{proto=\"3\",method=\"Lookup\"} 2719",
            "node_nfsd_requests_total{proto=\"4\",method=\"Access\"} 1098",
            "node_nfsd_requests_total{proto=\"4\",method=\"PutFH\"} 9609",
            "node_nfsd_requests_total{proto=\"4\",method=\"Read\"} 150",
            "node_nfsd_requests_total{proto=\"4\",method=\"WdelegGetattr\"} 15",
        ] {
            assert!(page.text().lines().any(|found| found == line), "no {line} in {}", page.text());
        }
        assert!(!page.text().contains("Null") && !page.text().contains("method=\"\""));
    }
}
