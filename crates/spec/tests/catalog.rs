//! The catalogue of instance types: what it holds, and how it is read.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trainyard_spec::catalog::{
    self, AcceleratorKind, Architecture, Column, EfaLayout, Instance, TABLE, find, instances, read, write,
};

/// Families that heads, logins and queues are made of.
const FAMILIES: &str = "p4d p4de p5 p5e p5en p6-b200 p6-b300 p6e-gb200 g4dn g5 g6 g6e trn1 trn1n trn2 \
    c5 c5a c5ad c5d c5n c6a c6g c6gd c6gn c6i c6id c6in c7a c7g c7gd c7gn c7i c7i-flex c8a c8g c8gd c8gn c8i \
    m5 m5a m5ad m5d m5dn m5n m5zn m6a m6g m6gd m6i m6id m6idn m6in m7a m7g m7gd m7i m7i-flex m8a m8g m8gd m8i \
    r5 r5a r5ad r5b r5d r5dn r5n r6a r6g r6gd r6i r6id r6idn r6in r7a r7g r7gd r7i r7iz r8a r8g r8gd r8i \
    t3 t3a hpc6a hpc6id hpc7a hpc7g";

fn known(name: &str) -> &'static Instance {
    find(name).unwrap_or_else(|| panic!("{name} is not there"))
}

#[test]
fn every_row_can_be_read_and_is_written_as_it_stands() {
    let read = read(TABLE).expect("readable");
    assert_eq!(read, instances());
    assert!(read.len() > 900, "{}", read.len());
    let head: Vec<&str> = TABLE.lines().filter(|line| line.starts_with('#')).collect();
    let head = head.join("\n");
    assert_eq!(format!("{head}\n{}", write(&read)), TABLE);
    assert!(head.contains("Source: "), "a table without a source cannot be reviewed");
}

#[test]
fn names_are_sorted_and_unique_and_each_is_found() {
    for pair in instances().windows(2) {
        assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
    }
    for instance in instances() {
        assert_eq!(find(&instance.name), Some(instance));
    }
    assert_eq!(find("p5.4xlarg"), None);
    assert_eq!(find(""), None);
}

#[test]
fn no_family_that_a_cluster_is_made_of_is_missing() {
    let there: BTreeSet<&str> = instances().iter().map(Instance::family).collect();
    let missing: Vec<&str> = FAMILIES.split_whitespace().filter(|family| !there.contains(family)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn what_a_row_says_agrees_with_itself() {
    for instance in instances() {
        let name = &*instance.name;
        assert_eq!(instance.check(), Ok(()), "{name}");
        let hardware = instance.hardware();
        assert_eq!(hardware.cpus(), instance.vcpus, "{name}");
        assert!((1..=2).contains(&instance.sockets), "{name}");
        assert!(instance.efa_interfaces <= instance.network_cards, "{name}");
        assert_eq!(instance.nvme_disks > 0, instance.nvme_gb > 0, "{name}");
        assert!(instance.capacity.on_demand || instance.capacity.capacity_block, "{name}");
        assert!(instance.network_baseline_mbit_s <= instance.network_peak_mbit_s, "{name}");
        assert!(instance.network_peak_mbit_s.is_some(), "{name}");
        assert_eq!(instance.gpus > 0, instance.gpu_memory_mib > 0, "{name}");
        assert!(instance.nvlink_gb_s == 0 || instance.gpu_kind == AcceleratorKind::Gpu, "{name}");
        let arm = instance.family().starts_with("p6e-") || {
            let family = instance.family().trim_start_matches("hpc");
            family.chars().skip_while(|c| !c.is_ascii_digit()).nth(1) == Some('g') && instance.gpus == 0
        };
        assert_eq!(instance.architecture == Architecture::Arm64, arm, "{name}");
    }
}

/// What a plan for training depends on. A wrong number here is a cluster that does not start, or a slow one.
#[test]
fn the_accelerated_types_are_as_aws_sells_them() {
    // name, (count, model, MiB each), (sockets, cores, threads), GiB, (EFA, cards), Gbit/s, NVLink GB/s one way
    type Row = (&'static str, (u32, &'static str, u32), (u32, u32, u32), u32, (u32, u32), u32, u32);
    let rows: &[Row] = &[
        ("p4d.24xlarge", (8, "a100", 40_960), (2, 24, 2), 1152, (4, 4), 400, 300),
        ("p4de.24xlarge", (8, "a100", 81_920), (2, 24, 2), 1152, (4, 4), 400, 300),
        ("p5.4xlarge", (1, "h100", 81_920), (1, 8, 2), 256, (1, 1), 100, 0),
        ("p5.48xlarge", (8, "h100", 81_920), (2, 48, 2), 2048, (32, 32), 3200, 450),
        ("p5e.48xlarge", (8, "h200", 144_384), (2, 48, 2), 2048, (32, 32), 3200, 450),
        ("p5en.48xlarge", (8, "h200", 144_384), (2, 48, 2), 2048, (16, 16), 3200, 450),
        ("p6-b200.48xlarge", (8, "b200", 183_359), (2, 48, 2), 2048, (8, 8), 3200, 900),
        ("p6-b300.48xlarge", (8, "b300", 275_040), (2, 48, 2), 4096, (16, 17), 6400, 900),
        ("p6e-gb200.36xlarge", (4, "gb200", 189_440), (2, 72, 1), 960, (8, 17), 1600, 900),
        ("g5.12xlarge", (4, "a10g", 22_888), (1, 24, 2), 192, (1, 1), 40, 0),
        ("g5.48xlarge", (8, "a10g", 22_888), (2, 48, 2), 768, (1, 1), 100, 0),
        ("g6.48xlarge", (8, "l4", 22_888), (2, 48, 2), 768, (1, 1), 100, 0),
        ("g6e.48xlarge", (8, "l40s", 45_776), (2, 48, 2), 1536, (4, 4), 400, 0),
        ("g4dn.metal", (8, "t4", 16_384), (2, 24, 2), 384, (1, 1), 100, 0),
        ("trn1.32xlarge", (16, "trainium", 32_768), (2, 32, 2), 512, (8, 8), 800, 0),
        ("trn1n.32xlarge", (16, "trainium", 32_768), (2, 32, 2), 512, (16, 16), 1600, 0),
        ("trn2.48xlarge", (16, "trainium2", 98_304), (2, 48, 2), 2048, (16, 16), 3200, 0),
    ];
    for (name, gpus, shape, memory_gib, (efa, cards), gbit_s, nvlink) in rows {
        let instance = known(name);
        assert_eq!((instance.gpus, &*instance.gpu_model, instance.gpu_memory_mib), *gpus, "{name}");
        assert_eq!((instance.sockets, instance.cores_per_socket, instance.threads_per_core), *shape, "{name}");
        assert_eq!(instance.memory_gib(), *memory_gib, "{name}");
        assert_eq!((instance.efa_interfaces, instance.network_cards), (*efa, *cards), "{name}");
        assert_eq!(instance.network_peak_mbit_s, Some(gbit_s * 1000), "{name}");
        assert_eq!(instance.nvlink_gb_s, *nvlink, "{name}");
    }
    assert_eq!(known("p6-b300.48xlarge").efa_layout, EfaLayout::Card0Ena);
    assert_eq!(known("p5en.48xlarge").efa_layout, EfaLayout::EfaOnlySecondary);
    assert_eq!(known("p5.4xlarge").efa_layout, EfaLayout::Single);
    assert_eq!(known("trn1.32xlarge").gpu_kind, AcceleratorKind::Neuron);
}

#[test]
fn how_a_type_can_be_bought_is_known() {
    for family in ["p4d", "p4de", "p5", "p5e", "p5en", "p6-b200", "p6-b300", "trn2"] {
        for instance in instances().iter().filter(|instance| instance.family() == family) {
            assert_eq!(instance.capacity.words(), ["on_demand", "spot", "capacity_block"], "{}", instance.name);
        }
    }
    assert_eq!(known("p6e-gb200.36xlarge").capacity.words(), ["capacity_block"]);
    assert_eq!(known("hpc7a.96xlarge").capacity.words(), ["on_demand"]);
    assert!(!known("t3.medium").cluster_placement);
    assert!(known("c6i.32xlarge").cluster_placement);
}

#[test]
fn types_of_two_sockets_are_declared_so() {
    let two = "c5.18xlarge c5n.18xlarge c6i.32xlarge c6a.48xlarge m7i.48xlarge r7iz.metal-32xl c7a.48xlarge \
               c8g.48xlarge c8i.96xlarge hpc6a.48xlarge hpc6id.32xlarge hpc7a.12xlarge hpc7a.96xlarge g6.48xlarge";
    for name in two.split_whitespace() {
        assert_eq!(known(name).sockets, 2, "{name}");
    }
    for name in "c5.12xlarge c6i.16xlarge c7i.metal-24xl c7g.metal c8g.24xlarge hpc7g.16xlarge m5.4xlarge".split(' ') {
        assert_eq!(known(name).sockets, 1, "{name}");
    }
}

/// A small answer of EC2, as the AWS CLI prints one type.
fn answer() -> Value {
    json!({
        "InstanceType": "p9.96xlarge",
        "ProcessorInfo": { "SupportedArchitectures": ["x86_64"] },
        "VCpuInfo": { "DefaultVCpus": 8, "DefaultCores": 4, "DefaultThreadsPerCore": 2 },
        "MemoryInfo": { "SizeInMiB": 5376 },
        "SupportedUsageClasses": ["on-demand", "capacity-block", "something-new"],
        "PlacementGroupInfo": { "SupportedStrategies": ["cluster", "spread"] },
        "GpuInfo": { "Gpus": [{ "Name": "RTX PRO 9", "Manufacturer": "NVIDIA", "Count": 2, "MemoryInfo": { "SizeInMiB": 7 } }] },
        "InstanceStorageInfo": { "NvmeSupport": "required", "TotalSizeInGB": 900, "Disks": [{ "Count": 3, "SizeInGB": 300 }] },
        "NetworkInfo": {
            "NetworkPerformance": "2x 12.5 Gigabit",
            "MaximumNetworkCards": 2,
            "EfaInfo": { "MaximumEfaInterfaces": 2 },
            "NetworkCards": [
                { "NetworkCardIndex": 0, "InterfaceTypes": ["interface", "efa"] },
                { "NetworkCardIndex": 1, "InterfaceTypes": ["interface", "efa", "efa-only"] },
            ],
        },
    })
}

#[test]
fn a_new_type_is_understood_from_its_answer_alone() {
    let instance = catalog::surveyed(&answer()).expect("understood");
    assert_eq!((&*instance.name, instance.vcpus, instance.sockets), ("p9.96xlarge", 8, 1));
    assert_eq!((instance.gpus, &*instance.gpu_model, instance.gpu_memory_mib), (2, "rtxpro9", 7));
    assert_eq!((instance.memory_mib, instance.memory_gib()), (5376, 5));
    assert_eq!((instance.nvme_disks, instance.nvme_gb), (3, 900));
    assert_eq!((instance.network_baseline_mbit_s, instance.network_peak_mbit_s), (Some(25_000), Some(25_000)));
    assert_eq!(instance.efa_layout, EfaLayout::EfaOnlySecondary);
    assert_eq!(instance.capacity.words(), ["on_demand", "capacity_block"]);
    // What EC2 does not tell is said to be so.
    assert_eq!(instance.unverified, ["sockets", "nvlink_gb_s"]);
    let saved = serde_json::to_string(&instance).expect("saved");
    assert_eq!(serde_json::from_str::<Instance>(&saved).expect("replayed"), instance);
}

#[test]
fn an_answer_overrides_the_catalogue_but_for_what_ec2_does_not_tell() {
    let mut answer = answer();
    answer["InstanceType"] = "p5.48xlarge".into();
    answer["VCpuInfo"] = json!({ "DefaultVCpus": 192, "DefaultCores": 96, "DefaultThreadsPerCore": 2 });
    answer["GpuInfo"]["Gpus"][0]["Name"] = "H100".into();
    let instance = catalog::surveyed(&answer).expect("understood");
    assert_eq!((instance.gpus, instance.memory_mib), (2, 5376));
    assert_eq!((instance.sockets, instance.cores_per_socket, instance.nvlink_gb_s), (2, 48, 450));
    assert!(instance.is_verified(Column::Sockets) && instance.is_verified(Column::NvlinkGbS));
    // Other cores than the catalogue's, so its sockets say nothing.
    answer["VCpuInfo"] = json!({ "DefaultVCpus": 10, "DefaultCores": 5, "DefaultThreadsPerCore": 2 });
    let instance = catalog::surveyed(&answer).expect("understood");
    assert_eq!((instance.sockets, instance.is_verified(Column::Sockets)), (1, false));
}

#[test]
fn an_answer_that_does_not_fit_is_an_error_with_its_place() {
    let cases: &[(&str, Value, &str)] = &[
        ("/InstanceType", json!("no point"), "name: "),
        ("/InstanceType", json!(7), "InstanceType: there is no text"),
        ("/VCpuInfo", json!([]), "VCpuInfo.DefaultVCpus: there is no number"),
        ("/VCpuInfo/DefaultVCpus", json!(-8), "VCpuInfo.DefaultVCpus: it is no whole number"),
        ("/VCpuInfo/DefaultVCpus", json!(9), "vcpus: sockets × cores × threads is 1 × 4 × 2"),
        ("/VCpuInfo/DefaultCores", json!(4_294_967_296_u64), "VCpuInfo.DefaultCores: it is no whole number"),
        ("/VCpuInfo/DefaultCores", json!(u32::MAX), "vcpus: "),
        ("/MemoryInfo/SizeInMiB", json!(0), "memory_mib: "),
        ("/ProcessorInfo/SupportedArchitectures", json!(["i386"]), "ProcessorInfo.SupportedArchitectures: "),
        ("/GpuInfo/Gpus", json!("many"), "GpuInfo.Gpus: it is no list"),
        ("/GpuInfo/Gpus/0/Count", json!(1.5), "GpuInfo.Gpus.Count: "),
        ("/GpuInfo/Gpus/0/Name", json!("a\tb=;"), "gpu_model: "),
        ("/NetworkInfo/NetworkCards", json!(vec![json!({}); 1000]), "NetworkInfo.NetworkCards: 1000 are more"),
        ("/InstanceStorageInfo/TotalSizeInGB", json!("x"), "InstanceStorageInfo.TotalSizeInGB: "),
    ];
    for (place, value, expected) in cases {
        let mut answer = answer();
        *answer.pointer_mut(place).expect("there") = value.clone();
        let error = catalog::surveyed(&answer).expect_err(place).to_string();
        assert!(error.starts_with(expected), "{place}: {error}");
    }
}

#[test]
fn a_broken_table_is_an_error_with_its_line() {
    let table = |row: &str| -> &'static str {
        let heading = Column::ALL.iter().map(|column| column.name()).collect::<Vec<_>>().join("\t");
        Box::leak(format!("# made\n{heading}\n{row}\n").into_boxed_str())
    };
    let good = "c5.large\tx86_64\t2\t1\t1\t2\t4096\t0\t-\t-\t0\t0\t1\t0\t-\t750\t-\t0\t0\ton_demand\tyes\t-";
    assert_eq!(read(table(good)).expect("readable").len(), 1);
    let cases = [
        (good.replace("c5.large", "c5 large"), "name: "),
        (good.replace("x86_64", "riscv"), "architecture: `riscv` is not one of its words"),
        (good.replace("4096", "+4096"), "memory_mib: `+4096` is no number that fits"),
        (good.replace("4096", "99999999999"), "memory_mib: "),
        (good.replace("\t2\t1\t1\t2", "\t2\t2\t1\t2"), "vcpus: sockets × cores × threads is 2 × 1 × 2"),
        (good.replace("on_demand", "on_loan"), "capacity: `on_loan`"),
        (format!("{good}\tmore"), "columns: there are more fields"),
        (good.replace("\tyes\t-", ""), "cluster_placement: it is not there"),
        (good.replace("yes\t-", "yes\tcolour"), "unverified: `colour` is no column"),
    ];
    for (row, expected) in cases {
        let (line, error) = read(table(&row)).expect_err(expected);
        assert_eq!(line, 3, "{expected}");
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    assert!(read("").is_err());
    assert!(read("name\n").is_err());
}
