//! File systems: what FSx sells, and where they are mounted.

use crate::{accepts, refuses};

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
            &lustre("deployment: scratch2, efa: true, metadata_iops: 1501"),
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
        &home("throughput_mb_s: 5120"),
        "storage: { data_bucket: { name: some-bucket } }",
        "storage: { shared: { kind: none }, data_bucket: { name: some-bucket, import: false, export: false } }",
    ]);
    refuses(&[
        (&home("throughput_mb_s: 64, multi_zone: true"), &["openzfs-throughput storage.home.throughput_mb_s"]),
        (&home("throughput_mb_s: 4096"), &["openzfs-throughput storage.home.throughput_mb_s"]),
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
