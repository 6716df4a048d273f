//! What can go wrong with a node. A fault changes the node as the hardware would; nothing else knows of it.

use super::chips::FIRST_PID;
use super::node::Node;
use crate::gpus::{Memory, MigInstance, Profiling, Reading, Utilization};

/// One fault.
#[derive(Debug)]
pub struct Fault {
    /// What it is called.
    pub name: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    part: Part,
    change: fn(&mut Node),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Gpus,
    Fabric,
    Storage,
}

impl Fault {
    /// Whether a node without GPUs cannot have it.
    pub fn is_of_gpus(&self) -> bool {
        self.part == Part::Gpus
    }

    pub(super) fn happen(&self, node: &mut Node) {
        (self.change)(node);
    }
}

/// All faults.
pub static FAULTS: &[Fault] = &[
    Fault { name: "gpu-lost", about: "GPU 3 has fallen off the bus (Xid 79)", part: Part::Gpus, change: gpu_lost },
    Fault {
        name: "ecc-uncorrectable",
        about: "GPU 1 had an uncorrectable error of its memory (Xid 48)",
        part: Part::Gpus,
        change: ecc_uncorrectable,
    },
    Fault {
        name: "row-remap-failure",
        about: "GPU 2 has no row left to replace a broken one (Xid 64)",
        part: Part::Gpus,
        change: row_remap_failure,
    },
    Fault {
        name: "nvlink-errors",
        about: "link 5 of GPU 5 is down after errors (Xid 74, with NVLink 5 Xid 149)",
        part: Part::Gpus,
        change: nvlink_errors,
    },
    Fault { name: "thermal-throttle", about: "GPU 6 is too hot and slows down", part: Part::Gpus, change: hot },
    Fault { name: "power-brake", about: "the power supply slows all GPUs down", part: Part::Gpus, change: power_brake },
    Fault {
        name: "slow-gpu",
        about: "GPU 4 runs at half of its clock and says no reason",
        part: Part::Gpus,
        change: slow_gpu,
    },
    Fault { name: "mig", about: "GPU 7 is divided into 7 partitions", part: Part::Gpus, change: mig },
    Fault {
        name: "efa-retransmits",
        about: "the second EFA device sends one packet of a hundred again",
        part: Part::Fabric,
        change: efa_retransmits,
    },
    Fault {
        name: "efa-device-missing",
        about: "the last EFA device is not there",
        part: Part::Fabric,
        change: efa_device_missing,
    },
    Fault {
        name: "efa-old-driver",
        about: "the EFA driver has neither RDMA nor retransmission counters",
        part: Part::Fabric,
        change: efa_old_driver,
    },
    Fault {
        name: "efa-idle",
        about: "nothing goes over EFA, whatever the GPUs do",
        part: Part::Fabric,
        change: efa_idle,
    },
    Fault {
        name: "full-ost",
        about: "the second target of Lustre is full, though the file system has space",
        part: Part::Storage,
        change: full_ost,
    },
];

fn gpu_lost(node: &mut Node) {
    node.xid(3, 79, None, "GPU has fallen off the bus.");
    if let Some(gpu) = node.gpus.get_mut(3) {
        *gpu = Reading {
            index: gpu.index,
            uuid: gpu.uuid.take(),
            pci_bus_id: gpu.pci_bus_id.take(),
            lost: Some("the GPU has fallen off the bus or has otherwise become inaccessible".into()),
            ..Reading::default()
        };
    }
    for gpu in &mut node.gpus {
        gpu.peers.retain(|peer| peer.index != 3);
    }
}

fn ecc_uncorrectable(node: &mut Node) {
    node.xid(1, 48, Some(FIRST_PID + 1), "An uncorrectable double bit error (DBE) has been detected on GPU.");
    let Some(gpu) = node.gpus.get_mut(1) else { return };
    gpu.ecc.double_volatile = Some(1);
    gpu.ecc.double_aggregate = Some(1);
    gpu.remapped_rows.uncorrectable = Some(1);
    gpu.remapped_rows.pending = Some(true);
    // The process that met it was ended.
    gpu.processes = Some(Vec::new());
    gpu.utilization = Utilization { gpu: Some(0), memory: Some(0), encoder: Some(0), decoder: Some(0) };
}

fn row_remap_failure(node: &mut Node) {
    node.xid(2, 64, None, "Failed to remap a row of memory.");
    let Some(gpu) = node.gpus.get_mut(2) else { return };
    gpu.ecc.double_aggregate = Some(9);
    gpu.remapped_rows.uncorrectable = Some(8);
    gpu.remapped_rows.failed = Some(true);
}

fn nvlink_errors(node: &mut Node) {
    let is_nvlink_5 = node.profile.chip.as_ref().is_some_and(|chip| chip.compute_capability.starts_with("10."));
    if is_nvlink_5 {
        node.xid(5, 149, None, "NETIR_LINK_EVT  Fatal   XC0 i0 Link 05 (0x00000001 0x00000000 0x00000000 0x00000000)");
    } else {
        node.xid(5, 74, None, "NVLink: fatal error detected on link 5(0x0, 0x0, 0x10000, 0x0, 0x0, 0x0, 0x0)");
    }
    let Some(gpu) = node.gpus.get_mut(5) else { return };
    if let Some(link) = gpu.nvlinks.links.get_mut(5) {
        link.active = Some(false);
        link.crc_flit = Some(4_812);
        link.crc_data = Some(73);
        link.replay = Some(2_207);
        link.recovery = Some(11);
    }
}

/// Thermal slowdown, by the driver and by the hardware, and the slowdown that both mean.
const HOT: u64 = 0x08 | 0x20 | 0x40;

fn hot(node: &mut Node) {
    let seconds = node.seconds;
    let Some(gpu) = node.gpus.get_mut(6) else { return };
    gpu.temperatures.gpu = Some(91);
    gpu.temperatures.memory = Some(98);
    gpu.clocks.sm_mhz = Some(765);
    gpu.power.watts = slowed(gpu);
    gpu.clocks.event_reasons = Some(HOT);
    gpu.violations.thermal_ns = Some(seconds * 750_000_000);
}

fn power_brake(node: &mut Node) {
    let seconds = node.seconds;
    for gpu in &mut node.gpus {
        gpu.clocks.sm_mhz = gpu.clocks.sm_max_mhz.map(|most| most / 4);
        gpu.clocks.event_reasons = Some(0x08 | 0x80);
        gpu.power.watts = gpu.power.limit_watts.map(|limit| (limit / 3.0).round());
        gpu.violations.power_ns = Some(seconds * 500_000_000);
    }
}

fn slow_gpu(node: &mut Node) {
    let Some(gpu) = node.gpus.get_mut(4) else { return };
    gpu.clocks.sm_mhz = gpu.clocks.sm_max_mhz.map(|most| most / 2);
    gpu.power.watts = slowed(gpu);
}

/// What a GPU at half of its clock draws, busy as it is.
fn slowed(gpu: &Reading) -> Option<f64> {
    gpu.power.limit_watts.map(|limit| (limit * 0.55).round())
}

fn mig(node: &mut Node) {
    let Some(chip) = &node.profile.chip else { return };
    let (profile, mib) = chip.partition;
    let Some(gpu) = node.gpus.get_mut(7) else { return };
    gpu.mig_enabled = Some(true);
    // A divided GPU says nothing of the whole, and has no links.
    gpu.utilization = Utilization::default();
    gpu.profiling = Profiling::default();
    gpu.nvlinks = crate::gpus::NvLinks::default();
    let instance = |id: u32| MigInstance {
        id,
        profile: profile.into(),
        uuid: gpu.uuid.as_ref().map(|uuid| format!("{}{id}", uuid.replacen("GPU", "MIG", 1))),
        memory: Memory {
            total_mib: Some(mib),
            used_mib: Some(mib / 2),
            free_mib: Some(mib - mib / 2),
            reserved_mib: None,
        },
        profiling: Profiling { gr_engine_active: Some(0.5), dram_active: Some(0.25), ..Profiling::default() },
    };
    gpu.mig_instances = (7..14).map(instance).collect();
    // The whole uses what its parts do.
    let used = gpu.mig_instances.iter().filter_map(|instance| instance.memory.used_mib).sum();
    let rest =
        gpu.memory.total_mib.map(|total| total.saturating_sub(used + gpu.memory.reserved_mib.unwrap_or_default()));
    (gpu.memory.used_mib, gpu.memory.free_mib) = (Some(used), rest);
}

fn efa_retransmits(node: &mut Node) {
    let Some(device) = node.fabric.get_mut(1) else { return };
    let of =
        |counters: &[(&str, u64)], name| counters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let packets = of(&device.port, "tx_pkts").unwrap_or_default() / 100;
    let bytes = of(&device.port, "tx_bytes").unwrap_or_default() / 100;
    for (name, value) in &mut device.port {
        match *name {
            "retrans_pkts" => *value = packets,
            "retrans_bytes" => *value = bytes,
            "retrans_timeout_events" => *value = packets / 1000,
            "impaired_remote_conn_events" => *value = 3,
            "rx_drops" => *value = packets / 10,
            _ => {}
        }
    }
}

fn efa_device_missing(node: &mut Node) {
    let Some(device) = node.fabric.pop() else { return };
    node.say(3, 200, format!("efa {}: the device does not answer and is removed", device.address));
}

fn efa_old_driver(node: &mut Node) {
    for device in &mut node.fabric {
        device.port.retain(|(name, _)| !name.starts_with("rdma_") && !name.contains("retrans"));
        device.port.retain(|(name, _)| !name.ends_with("_events"));
        device.own.retain(|(name, _)| !["no_completion_cmds", "mmap_err"].contains(name));
    }
}

fn efa_idle(node: &mut Node) {
    for device in &mut node.fabric {
        for (_, value) in device.port.iter_mut().filter(|(name, _)| *name != "lifespan") {
            *value = 0;
        }
    }
}

fn full_ost(node: &mut Node) {
    let Some(target) = node.storage.targets.get_mut(1) else { return };
    target.free_kib = target.total_kib / 50;
    target.available_kib = target.total_kib / 100;
}
