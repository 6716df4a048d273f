//! Rules about AWS: every case is a text and what is said about it. What passes here, ParallelCluster's own
//! validators accept.

mod nodes;
mod replays;
mod storage;

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
fn operations_fit_what_they_run_on() {
    let arn = |service: &str, resource: &str| format!("\"arn:aws:{service}:us-east-1:111122223333:{resource}\"");
    let secret = arn("secretsmanager", "secret:x-AbCdEf");
    let directory = |domain: &str, address: &str, secret: &str| {
        format!(
            "directory: {{ kind: existing, domain: \"{domain}\", address: \"{address}\", password_secret: {secret}, read_only_user: cn=reader }}"
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

/// A rehearsal of the same file looks at none of it.
#[test]
fn a_rehearsal_is_not_judged_by_parallelclusters_rules() {
    let text = aws("parallelcluster: { os: alinux2 }\nmonitoring: { log_days: 31 }\nhead: { root_volume_gib: 40 }");
    assert_eq!(check(&text).1.len(), 3);
    assert_eq!(check(&text.replace("provider: aws", "provider: local")).1, []);
}

#[test]
fn text_is_text() {
    let script = |script: &str| format!("setup: {{ scripts: [{{ nodes: head, script: \"{script}\" }}] }}");
    let argument = |text: &str| {
        format!("setup: {{ scripts: [{{ nodes: head, script: \"s3://a-bucket/x\", args: [\"{text}\"] }}] }}")
    };
    accepts(&[&argument("$HOME {} }} ~"), "tags: { team: größe, \"a b\": \"1:30 @=+\" }"]);
    refuses(&[
        (&argument("${network.VpcId}"), &["reserved-text setup.scripts[0].args[0]"]),
        ("slurm: { settings: { MailDomain: \"{{resolve:ssm:/x}}\" } }", &["reserved-text slurm.settings.MailDomain"]),
        (&script("s3://a-bucket/*"), &["bad-format setup.scripts[0].script"]),
        ("tags: { a: \"\" }", &["tag-reserved tags.a"]),
        ("tags: { a: \"<x>\" }", &["tag-reserved tags.a"]),
        (
            "slurm: { settings: { MaxArraySize: 1, maxarraysize: 2 } }",
            &["setting-repeated slurm.settings.maxarraysize"],
        ),
        ("budget: { usd_per_month: 1, notify: [a@b.cc, a@b.cc] }", &["setting-repeated budget.notify[1]"]),
        ("name: train-data", &["name-clash name"]),
    ]);
}

#[test]
fn zones_are_of_the_region() {
    accepts(&[
        "region: ap-northeast-1\nnetwork: { zone: apne1-az4 }",
        "region: us-gov-west-1\nnetwork: { zone: usgw1-az1, second_zone: usgw1-az2 }",
    ]);
    refuses(&[
        ("network: { zone: eu-west-1a }", &["zone-elsewhere network.zone"]),
        ("network: { zone: us-east-1a, second_zone: use1-az2 }", &["zone-elsewhere network.second_zone"]),
    ]);
}

#[test]
fn ranges_fit_into_a_group() {
    let many: Vec<String> = (0..40).map(|number| format!("203.0.113.{number}/32")).collect();
    let many = many.join(", ");
    accepts(&[&format!("access: {{ cidrs: [{many}] }}")]);
    refuses(&[
        (&format!("head: {{ dcv: true }}\naccess: {{ cidrs: [{many}] }}"), &["access-ranges access.cidrs"]),
        ("access: { cidrs: [203.0.113.9/24] }", &["access-ranges access.cidrs[0]"]),
        ("access: { cidrs: [203.0.113.7/32, 203.0.113.7/32] }", &["access-ranges access.cidrs[1]"]),
        ("access: { cidrs: [0.0.0.0/1, 128.0.0.0/1] }", &["world-open access.cidrs[0]", "world-open access.cidrs[1]"]),
    ]);
}
