//! Rules about AWS: every case is a text and what is said about it. What passes here, ParallelCluster's own
//! validators accept.

use trainyard_spec::{Diagnostic, Severity, check, parallelcluster};

const QUEUES: &str = "queues: [{ name: cpu, compute: [{ name: node, instance: c6i.large, max: 4 }] }]";

/// A spec for AWS with these lines; the queue is there unless they have their own.
fn aws(lines: &str) -> String {
    let has = |key: &str| lines.lines().any(|line| line.starts_with(key));
    let mut text = "version: 1\nprovider: aws\n".to_owned();
    for (key, line) in [("name:", "name: demo"), ("region:", "region: us-east-1"), ("queues:", QUEUES)] {
        if !has(key) {
            text += line;
            text.push('\n');
        }
    }
    text + lines
}

/// One queue of one compute resource with these settings.
fn node(queue: &str, resource: &str) -> String {
    let comma = if queue.is_empty() { "" } else { ", " };
    format!("queues: [{{ name: cpu{comma}{queue}, compute: [{{ name: node, max: 4, {resource} }}] }}]")
}

fn lines(found: &[Diagnostic]) -> Vec<String> {
    found.iter().map(|d| format!("{} {}", d.code, d.path)).collect()
}

#[track_caller]
fn accepts(cases: &[&str]) {
    for case in cases {
        let (spec, found) = check(&aws(case));
        assert!(spec.is_some() && found.is_empty(), "{case}: {found:#?}");
    }
}

/// Each is refused for these reasons alone. Where a fix is an edit, the edit mends it.
#[track_caller]
fn refuses(cases: &[(&str, &[&str])]) {
    for (case, expected) in cases {
        let text = aws(case);
        let found = check(&text).1;
        assert_eq!(lines(&found), *expected, "{case}");
        for diagnostic in &found {
            assert!(diagnostic.fix.is_some(), "{case}: no way out: {diagnostic:?}");
            let Some(edit) = diagnostic.fix.iter().flat_map(|fix| &fix.edits).next() else { continue };
            let mended = format!("{}{}{}", &text[..edit.start], edit.text, &text[edit.end..]);
            let left = lines(&check(&mended).1);
            let said = format!("{} {}", diagnostic.code, diagnostic.path);
            assert!(!left.contains(&said) && left.len() < expected.len(), "{mended}\nstill: {left:?}");
        }
    }
}

#[test]
fn releases_are_those_that_were_read() {
    let known: Vec<&str> = parallelcluster::versions().collect();
    assert_eq!((known.first(), known.last(), known.len()), (Some(&"3.13.0"), Some(&"3.16.1"), 10));
    for version in known {
        let release = parallelcluster::release(version).expect(version);
        assert!(release.constants.regions.len() > 20, "{version}");
        assert_eq!(release.constants.limits.compute_resources_per_cluster, 50, "{version}");
    }
    assert!(parallelcluster::release("3.12.0").is_none());
    assert_eq!(parallelcluster::newest().version, "3.16.1");
}

#[test]
fn versions_systems_and_regions_are_parallelclusters() {
    accepts(&[
        "parallelcluster: { version: 3.13.2, os: alinux2 }",
        "parallelcluster: { os: rocky9 }\nhead: { image: ami-0123456789abcdef0 }",
        "parallelcluster: { version: 3.14.2, os: alinux2023 }\nhead: { dcv: true }",
        "region: us-gov-west-1",
    ]);
    refuses(&[
        ("parallelcluster: { version: 3.16.9 }", &["version-unknown parallelcluster.version"]),
        ("parallelcluster: { version: 3.12.0 }", &["version-unknown parallelcluster.version"]),
        ("parallelcluster: { os: alinux2 }", &["os-unsupported parallelcluster.os"]),
        ("parallelcluster: { os: rocky8 }", &["os-unsupported parallelcluster.os"]),
        ("region: us-north-1", &["region-unsupported region"]),
        ("parallelcluster: { version: 3.13.2, os: alinux2023 }\nhead: { dcv: true }", &["dcv-unsupported head.dcv"]),
        ("head: { instance: p3.2xlarge }", &["instance-unknown head.instance", "instance-unsupported head.instance"]),
        ("head: { instance: p3.2xlarge, image: ami-0123456789abcdef0 }", &["instance-unknown head.instance"]),
        (
            "parallelcluster: { os: rhel9 }\nhead: { instance: m6g.large }\nqueues: [{ name: q, capacity: { kind: capacity_block, \
             reservation: cr-0123456789abcdef0 }, compute: [{ name: n, instance: p6e-gb200.36xlarge, min: 4, max: 4 }] }]",
            &["instance-unsupported queues[0].compute[0].instance"],
        ),
    ]);
    // The list of regions may be longer by now.
    assert_eq!(check(&aws("region: us-north-1")).1[0].severity, Severity::Warning);
}

#[test]
fn names_do_not_meet() {
    let queues = |pairs: [(&str, &str); 2]| {
        let queue = |(queue, resource)| {
            format!("{{ name: {queue}, compute: [{{ name: {resource}, instance: c6i.large, max: 1 }}] }}")
        };
        format!("queues: [{}]", pairs.map(queue).join(", "))
    };
    let long = format!("name: {}", "a".repeat(41));
    accepts(&[
        &queues([("a-b", "c"), ("a-c", "b")]),
        "login: [{ name: one }, { name: two }]",
        &long,
        &format!("name: {}\naccounting: {{ kind: new }}", "a".repeat(40)),
    ]);
    refuses(&[
        (&queues([("a-b", "c"), ("a", "b-c")]), &["name-repeated queues[1].compute[0].name"]),
        (&queues([("ab", "c"), ("a", "bc")]), &["name-repeated queues[1].compute[0].name"]),
        (
            &format!("{}\nlogin: [{{ name: a-b }}]", queues([("a", "b"), ("c", "d")])),
            &["name-repeated queues[0].compute[0].name"],
        ),
        ("login: [{ name: one }, { name: one }]", &["name-repeated login[1].name"]),
        ("login: [{ name: default }]", &["name-repeated login[0].name"]),
        (&format!("{long}\naccounting: {{ kind: new }}"), &["name-too-long name"]),
    ]);
}

#[test]
fn a_cluster_has_fifty_compute_resources() {
    let queues = |count: usize| {
        let queue = |q: usize| {
            let nodes = (0..count.div_ceil(2)).map(|n| format!("{{ name: n{n}, instance: c6i.large, max: 1 }}"));
            format!("{{ name: q{q}x, compute: [{}] }}", nodes.collect::<Vec<_>>().join(", "))
        };
        format!("queues: [{}, {}]", queue(1), queue(2))
    };
    accepts(&[&queues(50)]);
    refuses(&[(&queues(52), &["too-many-resources queues[1].compute[24].name"])]);
}

#[test]
fn instance_types_are_one_or_of_one_shape() {
    accepts(&[
        &node("", "instances: [c6i.8xlarge, c7i.8xlarge, c6a.8xlarge], efa: disabled"),
        // 16 cores each, with 32 and 16 threads.
        &node("", "instances: [c6i.8xlarge, c7a.4xlarge], hyperthreads: disabled"),
        &node(
            "capacity: { kind: reservation_group, group: \"arn:aws:resource-groups:us-east-1:111122223333:group/g\" }",
            "instances: [c6i.8xlarge, c7i.8xlarge]",
        ),
    ]);
    let at = "queues[0].compute[0]";
    refuses(&[
        (&node("", "min: 0"), &[&format!("instance-needed {at}.instance")]),
        (&node("", "instance: c6i.large, instances: [c6i.large]"), &[&format!("instance-or-instances {at}.instances")]),
        (&node("", "instances: [c6i.large, c6i.large]"), &[&format!("instance-or-instances {at}.instances[1]")]),
        (
            &node(
                "capacity: { kind: targeted_reservation, reservation: cr-0123456789abcdef0 }",
                "instances: [c6i.large]",
            ),
            &[&format!("instance-or-instances {at}.instances")],
        ),
        (&node("", "instances: [c6i.large, c6i.xlarge]"), &[&format!("instances-differ {at}.instances[1]")]),
        (&node("", "instances: [g5.12xlarge, m5.12xlarge]"), &[&format!("instances-differ {at}.instances[1]")]),
        (&node("", "instances: [c6i.large, c6.large]"), &[&format!("instance-unknown {at}.instances[1]")]),
        ("head: { instance: m5.8xlrge }", &["instance-unknown head.instance"]),
    ]);
}

#[test]
fn capacity_is_of_a_kind_that_is_sold() {
    let reserved = "kind: targeted_reservation, reservation: cr-0123456789abcdef0";
    let two = |first: &str, second: &str| {
        format!(
            "queues:\n- {{ name: a, capacity: {{ {first} }}, compute: [{{ name: x, instance: p5.48xlarge, max: 2 }}] }}\n\
             - {{ name: b, capacity: {{ {second} }}, compute: [{{ name: y, instance: p5.48xlarge, max: 2 }}] }}"
        )
    };
    accepts(&[
        &two(reserved, reserved),
        &node("capacity: { kind: spot, max_price_cents: 1 }", "instance: c6i.large"),
        &node("capacity: { kind: on_demand, placement_group: false }", "instance: t3.medium"),
        &node("allocation: price_capacity_optimized, capacity: { kind: spot }", "instances: [c6i.large, c6a.large]"),
        &node("allocation: prioritized", "instances: [c6i.large, c6a.large]"),
    ]);
    let at = "queues[0].compute[0]";
    refuses(&[
        (
            &node(
                "capacity: { kind: capacity_block, reservation: cr-0123456789abcdef0 }",
                "instance: c6i.large, min: 4",
            ),
            &[&format!("capacity-not-sold {at}.instance")],
        ),
        (&node("capacity: { kind: spot }", "instance: hpc7a.96xlarge"), &[&format!("capacity-not-sold {at}.instance")]),
        (
            &node("capacity: { kind: spot, max_price_cents: 0 }", "instance: c6i.large"),
            &["spot-price queues[0].capacity.max_price_cents"],
        ),
        (&node("", "instance: t3.medium"), &[&format!("placement-unsupported {at}.instance")]),
        (
            &two(reserved, "kind: own_reservation, reservation: cr-0123456789abcdef0, placement_group: g"),
            &["reservation-shared queues[1].capacity"],
        ),
        (
            &two(reserved, reserved).replacen("p5.48xlarge", "p4d.24xlarge", 1),
            &["reservation-shared queues[1].compute[0].instance"],
        ),
        (&node("allocation: lowest_price", "instance: c6i.large"), &["allocation-unsupported queues[0].allocation"]),
        (
            &node("allocation: capacity_optimized", "instances: [c6i.large]"),
            &["allocation-unsupported queues[0].allocation"],
        ),
        (
            &node("allocation: prioritized, capacity: { kind: spot }", "instances: [c6i.large]"),
            &["allocation-unsupported queues[0].allocation"],
        ),
        (
            &(node("allocation: prioritized", "instances: [c6i.large]") + "\nparallelcluster: { version: 3.13.2 }"),
            &["allocation-unsupported queues[0].allocation"],
        ),
        (
            &node(&format!("allocation: lowest_price, capacity: {{ {reserved} }}"), "instance: c6i.large"),
            &["allocation-unsupported queues[0].allocation"],
        ),
    ]);
}

#[test]
fn hardware_is_there_to_be_used() {
    accepts(&[
        &node("", "instance: p5.48xlarge, efa: enabled, gpu_health_check: enabled"),
        &(node("", "instance: c6i.large, schedulable_memory_mib: 3000") + "\nslurm: { memory_scheduling: true }"),
        "head: { instance: m6g.large }\nqueues: [{ name: q, compute: [{ name: n, instance: c7g.large, max: 4 }] }]",
        "head: { instance: m5.large }\nqueues: [{ name: q, compute: [{ name: n, instance: c6i.large, max: 185 }] }]",
        "head: { instance: m5.xlarge }\nqueues: [{ name: q, compute: [{ name: n, instance: c6i.large, max: 4096 }] }]",
    ]);
    let at = "queues[0].compute[0]";
    refuses(&[
        (&node("", "instance: c6i.large, efa: enabled"), &[&format!("efa-unsupported {at}.efa")]),
        (&node("", "instances: [c6i.32xlarge, c6a.32xlarge], efa: enabled"), &[&format!("efa-unsupported {at}.efa")]),
        (
            &node("", "instance: trn1.32xlarge, gpu_health_check: enabled"),
            &[&format!("gpu-check-unsupported {at}.gpu_health_check")],
        ),
        (
            &node("", "instance: c6i.large, schedulable_memory_mib: 3000"),
            &[&format!("schedulable-memory {at}.schedulable_memory_mib")],
        ),
        (
            &(node("", "instance: c6i.large, schedulable_memory_mib: 5000") + "\nslurm: { memory_scheduling: true }"),
            &[&format!("schedulable-memory {at}.schedulable_memory_mib")],
        ),
        (&node("", "instance: c7g.large"), &[&format!("architectures-differ {at}.instance")]),
        ("login: [{ instance: m6g.large }]", &["architectures-differ login[0].instance"]),
        (
            "head: { instance: m5.large }\nqueues: [{ name: q, compute: [{ name: n, instance: c6i.large, max: 186 }] }]",
            &["head-memory head.instance"],
        ),
        (
            "head: { instance: m6g.medium }\nqueues: [{ name: q, compute: [{ name: n, instance: c7g.large, max: 4096 }] }]",
            &["head-memory head.instance"],
        ),
    ]);
}

#[test]
fn root_volumes_hold_the_image_and_keep_gp3s_ratio() {
    accepts(&["head: { root_volume_gib: 45, root_volume_speed: { iops: 4000, mb_s: 1000 } }"]);
    refuses(&[
        ("head: { root_volume_gib: 44 }", &["root-volume-small head.root_volume_gib"]),
        (&node("root_volume_gib: 40", "instance: c6i.large"), &["root-volume-small queues[0].root_volume_gib"]),
        ("head: { root_volume_speed: { iops: 3000, mb_s: 1000 } }", &["volume-speed head.root_volume_speed.iops"]),
        (
            &node("root_volume_speed: { iops: 3999, mb_s: 1000 }", "instance: c6i.large"),
            &["volume-speed queues[0].root_volume_speed.iops"],
        ),
    ]);
}

#[test]
fn several_zones_are_the_networks_and_have_no_fabric() {
    let zones = "network: { zone: us-east-1a, second_zone: us-east-1b }\n";
    let existing = "network: { existing: { vpc: vpc-01234567, head_subnet: subnet-01234567, compute_subnets: \
                    [subnet-01234567, subnet-01234568] } }\n";
    let both = "zones: [us-east-1a, us-east-1b]";
    accepts(&[
        &(zones.to_owned() + &node(both, "instances: [c6i.large, c6a.large]")),
        &(zones.to_owned() + &node(both, "instances: [p4d.24xlarge], efa: disabled")),
        &(zones.to_owned() + &node("zones: [us-east-1b]", "instance: p4d.24xlarge")),
        &(existing.to_owned() + &node("subnets: [subnet-01234567, subnet-01234568]", "instances: [c6i.large]")),
    ]);
    let at = "queues[0].compute[0]";
    refuses(&[
        (&(zones.to_owned() + &node(both, "instance: c6i.large")), &[&format!("several-zones {at}.instance")]),
        (&(zones.to_owned() + &node(both, "instances: [p4d.24xlarge]")), &[&format!("several-zones {at}.efa")]),
        (
            &(zones.to_owned() + &node(both, "instances: [p4d.24xlarge], efa: enabled")),
            &[&format!("several-zones {at}.efa")],
        ),
        (
            &(existing.to_owned() + &node("subnets: [subnet-01234567, subnet-01234567]", "instances: [c6i.large]")),
            &["several-zones queues[0].subnets[1]"],
        ),
        (&existing.replace('8', "7"), &["several-zones network.existing.compute_subnets[1]"]),
        (&(zones.to_owned() + &node("zones: [use1-az1]", "instance: c6i.large")), &["queue-zone queues[0].zones[0]"]),
        (&node("zones: [us-east-1a]", "instance: c6i.large"), &["queue-zone queues[0].zones"]),
        (&(existing.to_owned() + &node("zones: [us-east-1a]", "instance: c6i.large")), &["queue-zone queues[0].zones"]),
        (
            &(zones.to_owned() + &node("zones: [us-east-1a], subnets: [subnet-01234567]", "instance: c6i.large")),
            &["queue-zone queues[0].zones"],
        ),
    ]);
}

#[test]
fn an_existing_network_has_two_zones_for_what_needs_them() {
    let with = |service: &str, rest: &str| {
        format!(
            "network: {{ existing: {{ vpc: vpc-01234567, head_subnet: subnet-01234567, compute_subnets: \
             [subnet-01234567]{service} }} }}\n{rest}"
        )
    };
    let two = ", service_subnets: [subnet-01234567, subnet-01234568]";
    let at = "two-zones-needed network.existing.service_subnets";
    let certificate = "certificate: \"arn:aws:acm:us-east-1:111122223333:certificate/1\"";
    accepts(&[
        "accounting: { kind: new }",
        &with("", "storage: { home: { kind: openzfs } }"),
        &with(two, "accounting: { kind: new }"),
        &with("", "head: { elastic_ip: true }"),
        "head: { elastic_ip: true, subnet: public }\naccess: { cidrs: [203.0.113.7/32] }",
    ]);
    refuses(&[
        (&with("", "accounting: { kind: new }"), &[at]),
        (
            &with(", service_subnets: [subnet-01234567]", "storage: { home: { kind: openzfs, multi_zone: true } }"),
            &[at],
        ),
        (&with("", &format!("monitoring: {{ mode: self_hosted, {certificate} }}")), &[at]),
        (&with(&two.replace('8', "7"), "accounting: { kind: new }"), &[at]),
        ("head: { elastic_ip: true }", &["elastic-ip-private head.elastic_ip"]),
    ]);
}

#[test]
fn a_new_vpc_has_two_ranges_that_ec2_takes() {
    let network = |public: &str, private: &str| format!("network: {{ cidr: {public}, private_cidr: {private} }}");
    accepts(&[
        &network("172.16.0.0/24", "172.16.1.0/24"),
        &network("10.0.0.0/16", "100.64.0.0/16"),
        "network: { cidr: 10.0.0.0/30, existing: { vpc: vpc-01234567, head_subnet: subnet-01234567, compute_subnets: [subnet-01234567] } }",
    ]);
    refuses(&[
        (&network("10.0.0.0/15", "10.4.0.0/16"), &["network-addresses network.cidr"]),
        (&network("10.0.0.0/16", "10.1.0.0/25"), &["network-addresses network.private_cidr"]),
        (&network("10.0.0.1/16", "10.1.0.0/16"), &["network-addresses network.cidr"]),
        (&network("10.0.0.0/16", "10.0.128.0/20"), &["network-addresses network.private_cidr"]),
        (&network("10.0.0.0/16", "192.168.0.0/16"), &["network-addresses network.private_cidr"]),
        (&network("100.64.0.0/16", "10.0.0.0/16"), &["network-addresses network.private_cidr"]),
    ]);
}

#[test]
fn lustre_is_what_fsx_sells() {
    let lustre = |settings: &str| format!("storage: {{ shared: {{ kind: lustre, {settings} }} }}");
    let at = "storage.shared";
    accepts(&[
        &lustre("size_gib: 38400, efa: true, throughput_mb_s_per_tib: 125, metadata_iops: 12000"),
        &lustre("size_gib: 19200, efa: true"),
        &lustre("size_gib: 4800, efa: true, throughput_mb_s_per_tib: 1000"),
        &lustre("deployment: persistent1, throughput_mb_s_per_tib: 50"),
        &lustre("deployment: scratch2"),
        &lustre("metadata_iops: 192000"),
    ]);
    refuses(&[
        (&lustre("size_gib: 2400, efa: true"), &[&format!("lustre-size {at}.size_gib")]),
        (&lustre("size_gib: 3600"), &[&format!("lustre-size {at}.size_gib")]),
        (&lustre("throughput_mb_s_per_tib: 200"), &[&format!("lustre-throughput {at}.throughput_mb_s_per_tib")]),
        (
            &lustre("deployment: persistent1, throughput_mb_s_per_tib: 250"),
            &[&format!("lustre-throughput {at}.throughput_mb_s_per_tib")],
        ),
        (
            &lustre("deployment: scratch2, throughput_mb_s_per_tib: 200"),
            &[&format!("lustre-throughput {at}.throughput_mb_s_per_tib")],
        ),
        (
            &lustre("deployment: scratch2, efa: true, metadata_iops: 1500"),
            &[&format!("lustre-persistent2 {at}.efa"), &format!("lustre-persistent2 {at}.metadata_iops")],
        ),
        (&lustre("metadata_iops: 7000"), &[&format!("lustre-metadata {at}.metadata_iops")]),
        (&lustre("metadata_iops: 200000"), &[&format!("lustre-metadata {at}.metadata_iops")]),
    ]);
}

#[test]
fn home_and_the_data_bucket_are_what_fsx_does() {
    let home = |settings: &str| format!("storage: {{ home: {{ kind: openzfs, {settings} }} }}");
    accepts(&[
        &home("throughput_mb_s: 320, multi_zone: true"),
        &home("throughput_mb_s: 4096"),
        "storage: { data_bucket: { name: some-bucket } }",
        "storage: { shared: { kind: none }, data_bucket: { name: some-bucket, import: false, export: false } }",
    ]);
    refuses(&[
        (&home("throughput_mb_s: 64, multi_zone: true"), &["openzfs-throughput storage.home.throughput_mb_s"]),
        (&home("throughput_mb_s: 100"), &["openzfs-throughput storage.home.throughput_mb_s"]),
        (
            "storage: { shared: { kind: none }, data_bucket: { name: some-bucket, import: false } }",
            &["data-bucket-unlinked storage.data_bucket"],
        ),
    ]);
}

#[test]
fn mounts_do_not_meet() {
    let mounts = |storage: &str, mounts: &[&str]| {
        format!(
            "storage: {{ {storage}mounts: [{}] }}",
            mounts.iter().map(|m| format!("{{ {m} }}")).collect::<Vec<_>>().join(", ")
        )
    };
    let efs = |path: &str| format!("kind: efs, path: {path}, id: fs-01234567");
    let volume = |n: usize| format!("kind: volume, path: /v{n}, id: vol-0123456{n}");
    let volumes: Vec<String> = (1..=5).map(volume).collect();
    let volumes: Vec<&str> = volumes.iter().map(String::as_str).collect();
    let first = "storage.mounts[0]";
    accepts(&[
        &mounts("", &[&efs("/mnt/data")]),
        &mounts("", &[&efs("/fsx2")]),
        &mounts("shared: { kind: none }, ", &[&efs("/fsx")]),
        &mounts("home: { kind: ephemeral }, ", &[&efs("/home")]),
        &mounts("scratch: { enabled: false }, ", &[&efs("/scratch")]),
        &mounts("", &volumes[..4]),
        &mounts("home: { kind: openzfs }, ", &volumes),
    ]);
    refuses(&[
        (&mounts("", &[&efs("/opt")]), &[&format!("mount-path {first}.path")]),
        (&mounts("", &[&efs("/home")]), &[&format!("mount-path {first}.path")]),
        (&mounts("", &[&efs("/fsx/more")]), &[&format!("mount-path {first}.path")]),
        (&mounts("", &[&efs("/scratch")]), &[&format!("mount-path {first}.path")]),
        (
            &mounts("", &[&efs("/a/b"), "kind: volume, path: /a, id: vol-01234567"]),
            &["mount-path storage.mounts[1].path"],
        ),
        ("storage: { scratch: { path: /fsx } }", &["mount-path storage.scratch.path"]),
        (
            &mounts("home: { kind: ephemeral }, ", &["kind: file_cache, path: /home, id: fc-0123456789abcdef0"]),
            &[&format!("mount-path {first}.path")],
        ),
        (&mounts("", &[&efs("/a"), &efs("/b")]), &["mount-repeated storage.mounts[1].id"]),
        (
            &mounts(
                "shared: { kind: existing, id: fs-0123456789abcdef0 }, ",
                &["kind: lustre, path: /a, id: fs-0123456789abcdef0"],
            ),
            &["mount-repeated storage.mounts[0].id"],
        ),
        (&mounts("", &volumes), &["too-many-mounts storage.mounts[4]"]),
    ]);
}

#[test]
fn operations_fit_what_they_run_on() {
    let arn = |service: &str, resource: &str| format!("\"arn:aws:{service}:us-east-1:111122223333:{resource}\"");
    let secret = arn("secretsmanager", "secret:x-AbCdEf");
    let directory = |domain: &str, address: &str, secret: &str| {
        format!(
            "directory: {{ domain: \"{domain}\", address: \"{address}\", password_secret: {secret}, read_only_user: cn=reader }}"
        )
    };
    accepts(&[
        "monitoring: { log_days: 731 }",
        "monitoring: { logs: false, log_days: 2 }",
        &format!("monitoring: {{ mode: self_hosted, certificate: {} }}", arn("acm", "certificate/1")),
        "timeouts: { head_seconds: 3000, compute_seconds: 900 }",
        "timeouts: { head_seconds: 3600, compute_seconds: 900 }\nparallelcluster: { engine: cli }",
        "accounting: { kind: new, min_acu: 2, max_acu: 2 }",
        &directory("corp.example.com", "ldaps://ldap.example.com", &secret),
        &directory("DC=corp,dc=com", "ldaps://ldap.example.com", &secret),
        &format!("slurm: {{ munge_key_secret: {secret} }}"),
    ]);
    refuses(&[
        ("monitoring: { log_days: 31 }", &["log-days monitoring.log_days"]),
        ("monitoring: { mode: self_hosted }", &["certificate-needed monitoring.certificate"]),
        ("timeouts: { head_seconds: 3001, compute_seconds: 900 }", &["timeouts timeouts.head_seconds"]),
        ("timeouts: { head_seconds: 599, compute_seconds: 900 }", &["timeouts timeouts.head_seconds"]),
        (
            "timeouts: { head_seconds: 700, compute_seconds: 900 }\n\
             setup: { scripts: [{ nodes: head, script: \"s3://bucket/x\", seconds: 100 }] }",
            &["timeouts timeouts.head_seconds"],
        ),
        (
            "setup: { scripts: [{ nodes: head, script: \"s3://bucket/x\", seconds: 2000 }] }",
            &["timeouts setup.scripts"],
        ),
        ("accounting: { kind: new, min_acu: 8, max_acu: 4 }", &["accounting-capacity accounting.min_acu"]),
        (&directory("cn=users,dc=com", "ldaps://x", &secret), &["directory directory.domain"]),
        (&directory("example.com", "ldap://x", &secret), &["directory directory.address"]),
        (
            &directory("example.com", "ldaps://x", &arn("ssm", "parameter/x")),
            &["arn-service directory.password_secret"],
        ),
        (
            &format!("region: us-west-2\nslurm: {{ munge_key_secret: {secret} }}"),
            &["arn-service slurm.munge_key_secret"],
        ),
        (
            &format!("monitoring: {{ mode: self_hosted, certificate: {secret} }}"),
            &["arn-service monitoring.certificate"],
        ),
    ]);
}

#[test]
fn scripts_can_be_fetched_and_run() {
    let script = |settings: &str| format!("setup: {{ scripts: [{{ {settings} }}] }}");
    let web = "nodes: compute, script: \"https://example.com/x.sh\"";
    let s3 = "script: \"s3://bucket/x.sh\"";
    accepts(&[
        &script(&format!("nodes: compute, queue: cpu, {s3}, args: [\"a b\", größe]")),
        &script(web),
        &format!("{}\nnetwork: {{ nat: false, http_proxy: \"http://proxy:3128\" }}", script(web)),
    ]);
    refuses(&[
        (&script(&format!("nodes: compute, queue: gpu, {s3}")), &["setup-script setup.scripts[0].queue"]),
        (&script(&format!("nodes: head, queue: cpu, {s3}")), &["setup-script setup.scripts[0].queue"]),
        (&format!("{}\nnetwork: {{ nat: false }}", script(web)), &["setup-script setup.scripts[0].script"]),
        (&script(&format!("nodes: head, {s3}, args: [\"a\\nb\"]")), &["setup-script setup.scripts[0].args[0]"]),
    ]);
}

#[test]
fn slurm_settings_and_tags_leave_others_theirs() {
    accepts(&[
        "slurm: { settings: { JobAcctGatherType: jobacct_gather/linux } }",
        &node("settings: { MaxTime: 60 }, tags: { team: a }", "instance: c6i.large, settings: { Sockets: 1 }"),
        "tags: { name: x }",
    ]);
    let many: Vec<String> = (0..38).map(|n| format!("t{n}: x")).collect();
    let many = format!("tags: {{ {} }}", many.join(", "));
    accepts(&[&many, &format!("{many}\n{}", node("tags: { t0: y }", "instance: c6i.large"))]);
    refuses(&[
        ("slurm: { settings: { TreeWidth: 3 } }", &["slurm-setting-denied slurm.settings.TreeWidth"]),
        ("slurm: { settings: { NodeName: x } }", &["slurm-setting-owned slurm.settings.NodeName"]),
        (
            "accounting: { kind: new }\nslurm: { settings: { JobAcctGatherType: jobacct_gather/linux } }",
            &["slurm-setting-denied slurm.settings.JobAcctGatherType"],
        ),
        (
            &node("settings: { oversubscribe: \"NO\" }", "instance: c6i.large"),
            &["slurm-setting-denied queues[0].settings.oversubscribe"],
        ),
        (
            &node("", "instance: c6i.large, settings: { Weight: 1 }"),
            &["slurm-setting-denied queues[0].compute[0].settings.Weight"],
        ),
        (
            &(node("", "instance: c6i.large, settings: { Features: x }") + "\nparallelcluster: { version: 3.13.2 }"),
            &["slurm-setting-denied queues[0].compute[0].settings.Features"],
        ),
        ("tags: { Name: x }", &["tag-reserved tags.Name"]),
        (&node("tags: { \"aws:x\": y }", "instance: c6i.large"), &["tag-reserved queues[0].tags.aws:x"]),
        (&format!("{many}\n{}", node("tags: { more: y }", "instance: c6i.large")), &["too-many-tags queues[0].tags"]),
    ]);
}

/// A rehearsal of the same file looks at none of it.
#[test]
fn a_rehearsal_is_not_judged_by_parallelclusters_rules() {
    let text = aws("parallelcluster: { os: alinux2 }\nmonitoring: { log_days: 31 }\nhead: { root_volume_gib: 40 }");
    assert_eq!(check(&text).1.len(), 3);
    assert_eq!(check(&text.replace("provider: aws", "provider: local")).1, []);
}
