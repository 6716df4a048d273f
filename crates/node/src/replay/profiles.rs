//! The machines that can be shown. Data: names and sizes as the makers give them, the rest plausible.

/// A machine.
#[derive(Debug)]
pub struct Profile {
    /// What it is called.
    pub name: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// The name that AWS sells it under.
    pub instance_type: &'static str,
    pub(super) chip: Option<Chip>,
    /// Where the GPUs are, as in `lspci`.
    pub(super) buses: &'static [&'static str],
    pub(super) fabric: Fabric,
    /// Whether it has Neuron devices.
    pub(super) has_neuron: bool,
}

/// What its GPUs are.
#[derive(Debug)]
pub(super) struct Chip {
    pub(super) name: &'static str,
    pub(super) compute_capability: &'static str,
    pub(super) memory_mib: u64,
    pub(super) sm_max_mhz: u32,
    pub(super) memory_mhz: u32,
    pub(super) video_max_mhz: u32,
    pub(super) limit_watts: u32,
    pub(super) pcie_generation: u32,
    pub(super) links: u32,
    /// What a link carries in one direction.
    pub(super) link_gb_s: u64,
    /// Hopper and newer say where their time goes.
    pub(super) has_profiling: bool,
    /// The smallest partition.
    pub(super) partition: (&'static str, u64),
}

/// What its EFA devices are.
#[derive(Debug)]
pub(super) struct Fabric {
    /// PCI buses; a device is named after its own.
    pub(super) buses: &'static [u8],
    pub(super) slot: u8,
    pub(super) gbit_s: u64,
    /// The device's PCI number.
    pub(super) pci_id: &'static str,
    /// Whether it can write to another node's memory.
    pub(super) can_write: bool,
    /// Whether it counts what it had to send again (Nitro 4 and newer).
    pub(super) counts_retransmits: bool,
}

const A100: Chip = Chip {
    name: "NVIDIA A100-SXM4-40GB",
    compute_capability: "8.0",
    memory_mib: 40_960,
    sm_max_mhz: 1410,
    memory_mhz: 1215,
    video_max_mhz: 1290,
    limit_watts: 400,
    pcie_generation: 4,
    links: 12,
    link_gb_s: 25,
    has_profiling: false,
    partition: ("1g.5gb", 4_864),
};

const H100: Chip = Chip {
    name: "NVIDIA H100 80GB HBM3",
    compute_capability: "9.0",
    memory_mib: 81_559,
    sm_max_mhz: 1980,
    memory_mhz: 2619,
    video_max_mhz: 1545,
    limit_watts: 700,
    pcie_generation: 5,
    links: 18,
    link_gb_s: 25,
    has_profiling: true,
    partition: ("1g.10gb", 9_984),
};

const H200: Chip =
    Chip { name: "NVIDIA H200", memory_mib: 143_771, memory_mhz: 3201, partition: ("1g.18gb", 16_384), ..H100 };

const B200: Chip = Chip {
    name: "NVIDIA B200",
    compute_capability: "10.0",
    memory_mib: 183_359,
    sm_max_mhz: 1965,
    memory_mhz: 3996,
    video_max_mhz: 1830,
    limit_watts: 1000,
    link_gb_s: 50,
    partition: ("1g.23gb", 22_272),
    ..H100
};

const B300: Chip = Chip {
    name: "NVIDIA B300 SXM6 AC",
    compute_capability: "10.3",
    memory_mib: 275_040,
    sm_max_mhz: 2032,
    limit_watts: 1100,
    pcie_generation: 6,
    partition: ("1g.34gb", 33_280),
    ..B200
};

const NITRO_5: Fabric =
    Fabric { buses: &[], slot: 0, gbit_s: 200, pci_id: "0xefa3", can_write: true, counts_retransmits: true };

const SXM5_BUSES: &[&str] = &["53:00.0", "64:00.0", "75:00.0", "86:00.0", "97:00.0", "A8:00.0", "B9:00.0", "CA:00.0"];

/// All that can be shown.
pub static PROFILES: &[Profile] = &[
    Profile {
        name: "p4d",
        about: "8 A100 40 GB, 4 EFA of 100 Gbit/s",
        instance_type: "p4d.24xlarge",
        chip: Some(A100),
        buses: &["10:1C.0", "10:1D.0", "20:1C.0", "20:1D.0", "90:1C.0", "90:1D.0", "A0:1C.0", "A0:1D.0"],
        fabric: Fabric {
            buses: &[16, 32, 144, 160],
            slot: 27,
            gbit_s: 100,
            pci_id: "0xefa1",
            can_write: false,
            counts_retransmits: false,
        },
        has_neuron: false,
    },
    Profile {
        name: "p5",
        about: "8 H100 80 GB, 32 EFA of 100 Gbit/s",
        instance_type: "p5.48xlarge",
        chip: Some(H100),
        buses: SXM5_BUSES,
        fabric: Fabric {
            buses: &[
                79, 80, 81, 82, 96, 97, 98, 99, 113, 114, 115, 116, 130, 131, 132, 133, 147, 148, 149, 150, 164, 165,
                166, 167, 181, 182, 183, 184, 198, 199, 200, 201,
            ],
            gbit_s: 100,
            pci_id: "0xefa2",
            ..NITRO_5
        },
        has_neuron: false,
    },
    Profile {
        name: "p5en",
        about: "8 H200 141 GB, 16 EFA of 200 Gbit/s",
        instance_type: "p5en.48xlarge",
        chip: Some(H200),
        buses: SXM5_BUSES,
        fabric: Fabric {
            buses: &[85, 86, 87, 88, 110, 111, 112, 113, 135, 136, 137, 138, 160, 161, 162, 163],
            ..NITRO_5
        },
        has_neuron: false,
    },
    Profile {
        name: "p6-b200",
        about: "8 B200 180 GB, 8 EFA of 400 Gbit/s",
        instance_type: "p6-b200.48xlarge",
        chip: Some(B200),
        buses: SXM5_BUSES,
        fabric: Fabric { buses: &[88, 99, 110, 121, 149, 160, 171, 182], gbit_s: 400, ..NITRO_5 },
        has_neuron: false,
    },
    Profile {
        name: "p6-b300",
        about: "8 B300 269 GB, 16 EFA of 400 Gbit/s",
        instance_type: "p6-b300.48xlarge",
        chip: Some(B300),
        buses: SXM5_BUSES,
        fabric: Fabric {
            buses: &[85, 86, 96, 97, 107, 108, 118, 119, 146, 147, 157, 158, 168, 169, 179, 180],
            gbit_s: 400,
            ..NITRO_5
        },
        has_neuron: false,
    },
    Profile {
        name: "trn1",
        about: "16 Trainium, 8 EFA of 100 Gbit/s",
        instance_type: "trn1.32xlarge",
        chip: None,
        buses: &[],
        fabric: Fabric {
            buses: &[16, 32, 48, 64, 144, 160, 176, 192],
            slot: 29,
            gbit_s: 100,
            pci_id: "0xefa2",
            ..NITRO_5
        },
        has_neuron: true,
    },
];
