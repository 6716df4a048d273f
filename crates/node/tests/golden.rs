//! A golden scrape of every replay profile: what the agent shows of a machine of that type.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use trainyard_node::collect::{COLLECTORS, Setting};
use trainyard_node::exposition::{Format, read_line, write};
use trainyard_node::files::Roots;
use trainyard_node::replay::{PROFILES, Wanted, write as write_replay};
use trainyard_node::sheet::{Page, Sheet};

/// What all collectors make of a replay, twice read: some show what changed between two readings. Those that read the
/// machine itself find nothing.
fn scrape(profile: &str, faults: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let replay = folder.path().join("replay");
    let faults: Vec<String> = faults.iter().map(|fault| (*fault).to_owned()).collect();
    let mut wanted = Wanted { profile: profile.into(), faults, seconds: 3600, node: "gold".into() };
    write_replay(&wanted, &replay).unwrap();
    let nothing = folder.path().join("nothing");
    let roots =
        Roots { proc: nothing.clone(), sys: nothing.clone(), root: nothing, fabric_sys: Some(replay.join("sys")) };
    let setting = Setting { roots, replay: Some(replay.clone()), host: "node-1".into(), ..Setting::default() };
    let mut collectors: Vec<_> = COLLECTORS.iter().filter_map(|kind| (kind.make)(&setting)).collect();
    let mut pages: Vec<Arc<Page>> = Vec::new();
    for seconds in [3600, 3610] {
        wanted.seconds = seconds;
        write_replay(&wanted, &replay).unwrap();
        pages = Vec::new();
        for collector in &mut collectors {
            let mut sheet = Sheet::with_constant(&collector.constant_labels());
            let _ = collector.collect(&mut sheet); // those of the machine fail: there is none
            let page = sheet.into_page();
            if page.text().contains("replay=\"") {
                pages.push(Arc::new(page));
            }
        }
    }
    write(&pages, Format::Classic)
}

/// Of each metric the first two series, and the sum of the rest.
fn shortened(scrape: &str) -> String {
    let mut text = String::new();
    let mut rest = (0, 0.0);
    let mut seen = 0;
    for line in scrape.lines().chain(["# HELP"]) {
        if line.starts_with("# HELP") {
            if rest.0 > 0 {
                let _ = writeln!(text, "… {} more, which add up to {}", rest.0, rest.1);
            }
            (rest, seen) = ((0, 0.0), 0);
        }
        if line.starts_with('#') {
            let _ = writeln!(text, "{line}");
            continue;
        }
        seen += 1;
        if seen <= 2 {
            let _ = writeln!(text, "{line}");
        } else {
            rest = (rest.0 + 1, rest.1 + read_line(line).unwrap().2);
        }
    }
    text
}

#[test]
fn every_profile_has_its_golden_scrape() {
    for profile in PROFILES {
        insta::assert_snapshot!(profile.name, shortened(&scrape(profile.name, &[])));
    }
}

#[test]
fn every_sample_of_a_replay_says_that_it_is_one() {
    for profile in PROFILES {
        let scrape = scrape(profile.name, &[]);
        let samples = scrape.lines().filter(|line| !line.starts_with('#'));
        let mark = format!("replay=\"{}\"", profile.name);
        for line in samples {
            assert!(line.contains(&mark), "{line}");
        }
    }
}

/// Values of a series, by a part of its labels.
fn values(scrape: &str, name: &str, labels: &str) -> Vec<f64> {
    let is_it =
        |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{')) && line.contains(labels);
    scrape.lines().filter(is_it).map(|line| read_line(line).unwrap().2).collect()
}

#[test]
fn a_fault_shows_in_the_metrics_that_people_watch() {
    let cases: &[(&str, &str, &str, &[f64])] = &[
        ("gpu-lost", "trainyard_gpu_up", "gpu=\"3\"", &[0.0]),
        ("gpu-lost", "trainyard_gpu_up", "gpu=\"2\"", &[1.0]),
        ("gpu-lost", "DCGM_FI_DEV_GPU_UTIL", "gpu=\"3\"", &[]),
        ("gpu-lost", "trainyard_gpus", "", &[8.0]),
        ("ecc-uncorrectable", "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "gpu=\"1\"", &[1.0]),
        ("ecc-uncorrectable", "DCGM_FI_DEV_ROW_REMAP_PENDING", "gpu=\"1\"", &[1.0]),
        ("row-remap-failure", "DCGM_FI_DEV_ROW_REMAP_FAILURE", "gpu=\"2\"", &[1.0]),
        ("nvlink-errors", "trainyard_gpu_nvlink_up", "gpu=\"5\",UUID=\"GPU-", &[1.0; 18]),
        ("nvlink-errors", "DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", "gpu=\"5\"", &[2207.0]),
        ("thermal-throttle", "DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "gpu=\"6\"", &[104.0]),
        ("thermal-throttle", "DCGM_FI_DEV_THERMAL_VIOLATION", "gpu=\"6\"", &[3610.0 * 75e7]),
        ("power-brake", "trainyard_gpu_clocks_held", "reason=\"hw_power_brake_slowdown\"", &[1.0; 8]),
        ("slow-gpu", "DCGM_FI_DEV_SM_CLOCK", "gpu=\"4\"", &[990.0]),
        ("mig", "DCGM_FI_DEV_FB_TOTAL", "GPU_I_PROFILE=\"1g.10gb\"", &[9984.0; 7]),
        ("mig", "trainyard_gpu_mig_instances", "gpu=\"7\"", &[7.0]),
        // used / (used + available): all but a hundredth of what 99 hundredths are.
        ("full-ost", "trainyard_lustre_used_ratio", "-OST0001\"", &[98.0 / 99.0]),
        ("full-ost", "trainyard_lustre_used_ratio", "-OST0002\"", &[41.0 / 99.0]),
        ("full-ost", "trainyard_lustre_connected", "component=\"osc\"", &[1.0; 4]),
    ];
    let mut scrapes = BTreeMap::new();
    for (fault, name, labels, expected) in cases {
        let mut expected = expected.to_vec();
        if *fault == "nvlink-errors" && *name == "trainyard_gpu_nvlink_up" {
            expected[5] = 0.0;
        }
        let scrape = scrapes.entry(fault).or_insert_with(|| scrape("p5", &[fault]));
        assert_eq!(values(scrape, name, labels), expected, "{fault}: {name} {labels}");
    }
}

#[test]
fn memory_in_use_is_a_part_of_the_memory_and_not_of_the_bus_d_a40() {
    let scrape = scrape("p5", &[]);
    let of = |name| values(&scrape, name, "gpu=\"0\"")[0];
    let (used, free) = (of("DCGM_FI_DEV_FB_USED"), of("DCGM_FI_DEV_FB_FREE"));
    let ratio = of("trainyard_gpu_memory_used_ratio");
    assert!((ratio - used / (used + free)).abs() < 1e-12);
    assert!((ratio - of("DCGM_FI_DEV_MEM_COPY_UTIL") / 100.0).abs() > 0.1);
}

#[test]
fn labels_are_those_of_the_table_and_partitions_have_two_more() {
    let scrape = scrape("p5", &["mig"]);
    let mut partitions = 0;
    for line in scrape.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split('{').next().unwrap();
        let metric = trainyard_plan::metrics::find(name).unwrap();
        let (_, labels, _) = read_line(line).unwrap();
        let is_partition = line.contains(",GPU_I_PROFILE=");
        let parts = if is_partition { metric.part_labels } else { &[] };
        let expected: BTreeSet<&str> = metric.labels.iter().chain(parts).copied().chain(["replay"]).collect();
        assert_eq!(labels.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{line}");
        partitions += usize::from(is_partition);
    }
    assert!(partitions >= 28, "{partitions}");
}

#[test]
fn the_sticky_xid_gauge_is_not_shown() {
    assert!(!scrape("p5", &["gpu-lost"]).contains("DCGM_FI_DEV_XID_ERRORS"));
}
