//! EFA devices at work, as sysfs would tell of them.

use super::Profile;
use super::digits::digits;
use super::profiles::Fabric;

/// One device.
pub(super) struct Device {
    pub(super) name: String,
    /// Its PCI address.
    pub(super) address: String,
    pub(super) guid: String,
    pub(super) numa_node: u8,
    pub(super) gbit_s: u64,
    /// Its PCI number.
    pub(super) pci_id: &'static str,
    /// `ports/1/hw_counters`.
    pub(super) port: Vec<(&'static str, u64)>,
    /// `hw_counters`.
    pub(super) own: Vec<(&'static str, u64)>,
}

/// All devices of a node.
pub(super) fn at_work(profile: &Profile, seconds: u64, node: &str) -> Vec<Device> {
    let fabric = &profile.fabric;
    let count = fabric.buses.len();
    let one = |(at, bus): (usize, &u8)| {
        let name = format!("rdmap{bus}s{}", fabric.slot);
        let guid = digits(&format!("{}/{node}/{name}", profile.name));
        let quarter = |at: usize| guid.get(at * 4..at * 4 + 4).unwrap_or_default();
        Device {
            address: format!("0000:{bus:02x}:{:02x}.0", fabric.slot),
            guid: format!("{}:{}:{}:{}", quarter(0), quarter(1), quarter(2), quarter(3)),
            numa_node: u8::from(at >= count / 2),
            gbit_s: fabric.gbit_s,
            pci_id: fabric.pci_id,
            port: port(fabric, seconds),
            own: own(seconds),
            name,
        }
    };
    fabric.buses.iter().enumerate().map(one).collect()
}

/// A packet of data, without its headers.
const PACKET_BYTES: u64 = 8_192;

/// A request of NCCL's.
const REQUEST_BYTES: u64 = 524_288;

fn port(fabric: &Fabric, seconds: u64) -> Vec<(&'static str, u64)> {
    // Half of what the device can, in each direction.
    let bytes = fabric.gbit_s * 1_000_000_000 / 8 / 2 * seconds;
    let messages = seconds * 64;
    let requests = bytes / REQUEST_BYTES;
    let (read, written) = if fabric.can_write { (0, bytes) } else { (bytes, 0) };
    let mut counters = vec![
        ("lifespan", 10),
        ("tx_bytes", bytes + messages * 64),
        ("tx_pkts", bytes / PACKET_BYTES + messages),
        ("rx_bytes", bytes + messages * 64),
        ("rx_pkts", bytes / PACKET_BYTES + messages),
        ("rx_drops", 0),
        ("send_bytes", messages * 64),
        ("send_wrs", messages),
        ("recv_bytes", messages * 64),
        ("recv_wrs", messages),
        ("rdma_read_wrs", read / REQUEST_BYTES),
        ("rdma_read_bytes", read),
        ("rdma_read_wr_err", 0),
        ("rdma_read_resp_bytes", read),
    ];
    if fabric.can_write {
        counters.extend([
            ("rdma_write_wrs", requests),
            ("rdma_write_bytes", written),
            ("rdma_write_wr_err", 0),
            ("rdma_write_recv_bytes", written),
        ]);
    }
    if fabric.counts_retransmits {
        // A fabric at work always loses a little.
        let packets = seconds / 60;
        counters.extend([
            ("retrans_bytes", packets * PACKET_BYTES),
            ("retrans_pkts", packets),
            ("retrans_timeout_events", 0),
            ("unresponsive_remote_events", 0),
            ("impaired_remote_conn_events", 0),
        ]);
    }
    counters
}

fn own(seconds: u64) -> Vec<(&'static str, u64)> {
    let commands = 640 + seconds / 3600;
    vec![
        ("lifespan", 10),
        ("submitted_cmds", commands),
        ("completed_cmds", commands),
        ("cmds_err", 0),
        ("no_completion_cmds", 0),
        ("keep_alive_rcvd", seconds),
        ("alloc_pd_err", 0),
        ("create_qp_err", 0),
        ("create_cq_err", 0),
        ("reg_mr_err", 0),
        ("alloc_ucontext_err", 0),
        ("create_ah_err", 0),
        ("mmap_err", 0),
    ]
}
