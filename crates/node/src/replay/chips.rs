//! GPUs at work, as they would tell of it.

use super::Profile;
use super::digits::digits;
use super::profiles::Chip;
use crate::gpus::{
    Clocks, Ecc, Memory, NvLink, NvLinks, Pcie, Peer, Power, Process, Profiling, Reading, RemappedRows, Temperatures,
    Utilization, Violations,
};

/// The driver that every profile has.
pub(super) const DRIVER: &str = "580.95.05";

/// The first rank's process. The others follow.
pub(super) const FIRST_PID: u32 = 41_001;

/// All GPUs of a node.
pub(super) fn at_work(profile: &Profile, seconds: u64, node: &str) -> Vec<Reading> {
    let Some(chip) = &profile.chip else { return Vec::new() };
    let count = u32::try_from(profile.buses.len()).unwrap_or(u32::MAX);
    let one = |(index, bus): (u32, &&str)| Reading {
        uuid: Some(uuid(profile, index, node)),
        pci_bus_id: Some(format!("00000000:{bus}")),
        serial: Some(serial(profile, index, node)),
        ..one(chip, index, count, seconds)
    };
    (0..).zip(profile.buses).map(one).collect()
}

fn uuid(profile: &Profile, index: u32, node: &str) -> String {
    let name = format!("{}/{node}/{index}", profile.name);
    let (a, b) = (digits(&name), digits(&format!("{name}/gpu")));
    let part = |text: &str, from, to| text.get(from..to).unwrap_or_default().to_owned();
    format!("GPU-{}-{}-{}-{}-{}", part(&a, 0, 8), part(&a, 8, 12), part(&a, 12, 16), part(&b, 0, 4), part(&b, 4, 16))
}

/// Thirteen decimal digits, as boards have them.
fn serial(profile: &Profile, index: u32, node: &str) -> String {
    let number = u64::from_str_radix(&digits(&format!("{}/{node}/{index}/board", profile.name)), 16).unwrap_or(0);
    format!("165{:010}", number % 10_000_000_000)
}

fn one(chip: &Chip, index: u32, count: u32, seconds: u64) -> Reading {
    let watts = chip.limit_watts * 9 / 10 + index * 3 % 7;
    Reading {
        index,
        minor: Some(index),
        name: Some(chip.name.into()),
        compute_capability: Some(chip.compute_capability.into()),
        vbios_version: Some("96.00.A5.00.01".into()),
        driver_version: Some(DRIVER.into()),
        cuda_version: Some("13.0".into()),
        nvml_version: Some(format!("13.{DRIVER}")),
        utilization: Utilization {
            gpu: Some(100 - index % 3),
            memory: Some(46 + index % 5),
            encoder: Some(0),
            decoder: Some(0),
        },
        memory: memory(chip),
        clocks: clocks(chip, index),
        violations: violations(seconds),
        temperatures: Temperatures {
            gpu: Some(58 + index * 5 % 9),
            memory: Some(70 + index * 7 % 8),
            gpu_max: Some(87),
            memory_max: Some(95),
            slowdown: Some(92),
            shutdown: Some(95),
        },
        power: Power {
            watts: Some(watts.into()),
            limit_watts: Some(chip.limit_watts.into()),
            energy_mj: Some(u64::from(watts) * 1000 * seconds),
        },
        ecc: Ecc {
            single_volatile: Some(0),
            double_volatile: Some(0),
            single_aggregate: Some(0),
            double_aggregate: Some(0),
        },
        remapped_rows: RemappedRows {
            correctable: Some(0),
            uncorrectable: Some(0),
            pending: Some(false),
            failed: Some(false),
        },
        pcie: pcie(chip, seconds),
        nvlinks: nvlinks(chip, seconds),
        peers: (0..count).filter(|peer| *peer != index).map(|index| Peer { index, status: "ok".into() }).collect(),
        mig_enabled: Some(false),
        vgpu_licensed: Some(false),
        processes: Some(vec![Process { pid: FIRST_PID + index, used_bytes: Some((chip.memory_mib * 9 / 10) << 20) }]),
        profiling: if chip.has_profiling { profiling(chip) } else { Profiling::default() },
        ..Reading::default()
    }
}

fn memory(chip: &Chip) -> Memory {
    let (reserved, used) = (600, chip.memory_mib * 9 / 10 + 512);
    Memory {
        total_mib: Some(chip.memory_mib),
        used_mib: Some(used),
        free_mib: Some(chip.memory_mib - used - reserved),
        reserved_mib: Some(reserved),
    }
}

fn clocks(chip: &Chip, index: u32) -> Clocks {
    Clocks {
        sm_mhz: Some(chip.sm_max_mhz - 15 * (index % 4)),
        memory_mhz: Some(chip.memory_mhz),
        video_mhz: Some(chip.video_max_mhz - 15 * (index % 4)),
        sm_max_mhz: Some(chip.sm_max_mhz),
        memory_max_mhz: Some(chip.memory_mhz),
        video_max_mhz: Some(chip.video_max_mhz),
        event_reasons: Some(0),
    }
}

fn violations(seconds: u64) -> Violations {
    Violations {
        power_ns: Some(seconds * 1_000_000),
        thermal_ns: Some(0),
        sync_boost_ns: Some(0),
        board_limit_ns: Some(0),
        low_utilization_ns: Some(0),
        reliability_ns: Some(0),
    }
}

fn pcie(chip: &Chip, seconds: u64) -> Pcie {
    Pcie {
        replays: Some(0),
        generation: Some(chip.pcie_generation),
        generation_max: Some(chip.pcie_generation),
        width: Some(16),
        width_max: Some(16),
        tx_bytes: chip.has_profiling.then_some(PCIE_BYTES_S * seconds),
        rx_bytes: chip.has_profiling.then_some(PCIE_BYTES_S * 2 * seconds),
    }
}

/// A loader's traffic.
const PCIE_BYTES_S: u64 = 1 << 30;

/// What a link carries: two fifths of what it can, which is a whole number for every chip.
fn link_bytes_s(chip: &Chip) -> u64 {
    chip.link_gb_s * 400_000_000
}

fn nvlinks(chip: &Chip, seconds: u64) -> NvLinks {
    let bytes = link_bytes_s(chip) * seconds;
    let rate = |links: u32| Some(link_bytes_s(chip) * 2 * u64::from(links) / 1024 / 1000);
    let link = |link| NvLink {
        link,
        active: Some(true),
        tx_bytes: Some(bytes),
        rx_bytes: Some(bytes),
        crc_flit: Some(0),
        crc_data: Some(0),
        replay: Some(0),
        recovery: Some(0),
    };
    NvLinks { rate: rate(chip.links), first_rate: rate(1), links: (0..chip.links).map(link).collect() }
}

#[allow(clippy::cast_precision_loss, reason = "a rate, far below 2^52")]
fn profiling(chip: &Chip) -> Profiling {
    let nvlink = (link_bytes_s(chip) * u64::from(chip.links)) as f64;
    Profiling {
        gr_engine_active: Some(0.98),
        sm_active: Some(0.91),
        sm_occupancy: Some(0.33),
        tensor_active: Some(0.52),
        dram_active: Some(0.47),
        fp64_active: Some(0.0),
        fp32_active: Some(0.08),
        fp16_active: Some(0.02),
        pcie_tx_bytes: Some(PCIE_BYTES_S as f64),
        pcie_rx_bytes: Some(PCIE_BYTES_S as f64 * 2.0),
        nvlink_tx_bytes: Some(nvlink),
        nvlink_rx_bytes: Some(nvlink),
    }
}
