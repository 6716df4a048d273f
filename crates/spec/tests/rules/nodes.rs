//! Names, instance types, capacity, zones, and what is set on nodes.

use crate::{accepts, node, refuses};

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
        (
            &node(
                "capacity: { kind: own_reservation, reservation: cr-0123456789abcdef0, placement_group: g }",
                "instance: t3.medium",
            ),
            &[&format!("placement-unsupported {at}.instance")],
        ),
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
