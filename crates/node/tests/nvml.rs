//! The way through NVML, with a stand-in for NVIDIA's library that is built from C for each test.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use trainyard_node::collect::{COLLECTORS, Collector, Made, Setting};
use trainyard_node::conductor::{Conductor, Happening, Tempo};
use trainyard_node::exposition::read_line;
use trainyard_node::gpus;
use trainyard_node::sheet::Sheet;
use trainyard_run::Command;

/// A library of its own for each test: what it keeps is not shared.
struct StandIn {
    _folder: TempDir,
    library: PathBuf,
}

impl StandIn {
    fn new(text: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libnvidia-ml.so.1");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testing/nvml/stand_in.c");
        let build = Command::new("cc").args(["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o"]);
        let build = build.arg(&library).arg(source).args(flags).arg("-ldl").deadline(Duration::from_mins(1));
        // Without a compiler nothing is proved, and that must not look like a pass.
        build.output().expect("the stand-in for NVML cannot be built: is there a C compiler called cc?");
        let stand_in = Self { _folder: folder, library };
        stand_in.now(text);
        stand_in
    }

    /// Changes what it answers from here on.
    fn now(&self, text: &str) {
        let path = self.library.with_file_name("libnvidia-ml.so.1.txt");
        let new = path.with_extension("new");
        fs_err::write(&new, text).unwrap();
        fs_err::rename(new, path).unwrap();
    }

    fn setting(&self) -> Setting {
        Setting { nvml: Some(self.library.clone()), host: "node-1".into(), ..Setting::default() }
    }

    fn collector(&self) -> Made {
        let kind = COLLECTORS.iter().find(|kind| kind.name == "gpu").unwrap();
        self.setting().make(kind).expect("the stand-in is not taken for NVML")
    }
}

/// The samples of one run.
fn collect(collector: &mut dyn Collector) -> String {
    let mut sheet = Sheet::default();
    collector.collect(&mut sheet).unwrap();
    sheet.into_page().text()
}

/// The values of a metric where the labels have these parts.
fn values(text: &str, name: &str, parts: &[&str]) -> Vec<f64> {
    let is_it = |line: &&str| {
        let name_ends = line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        name_ends && parts.iter().all(|part| line.contains(part))
    };
    text.lines().filter(is_it).map(|line| read_line(line).unwrap().2).collect()
}

fn check(text: &str, expected: &[(&str, &[&str], &[f64])]) {
    for (name, parts, expected) in expected {
        assert_eq!(values(text, name, parts), *expected, "{name} {parts:?} in\n{text}");
    }
}

/// D-A42: profiling values are asked of the driver that the GPUs have, so no exporter of another age is needed for them.
#[test]
fn nvmls_numbers_are_shown_in_dcgms_units() {
    let stand_in = StandIn::new("gpus 2\n", &[]);
    let mut collector = stand_in.collector().collector;
    let first = collect(&mut *collector);
    let zero: &[&str] = &["gpu=\"0\""];
    check(
        &first,
        &[
            ("trainyard_gpus", &[], &[2.0]),
            ("trainyard_gpu_up", &[], &[1.0, 1.0]),
            ("DCGM_FI_DEV_POWER_USAGE", zero, &[612.5]),
            ("DCGM_FI_DEV_POWER_MGMT_LIMIT", zero, &[700.0]),
            ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", zero, &[123_456_789.0]),
            ("DCGM_FI_DEV_GPU_TEMP", &[], &[50.0, 51.0]),
            ("DCGM_FI_DEV_MEMORY_TEMP", zero, &[71.0]),
            ("DCGM_FI_DEV_SHUTDOWN_TEMP", zero, &[95.0]),
            ("DCGM_FI_DEV_SM_CLOCK", zero, &[1755.0]),
            ("DCGM_FI_DEV_MEM_CLOCK", zero, &[2619.0]),
            ("DCGM_FI_DEV_GPU_UTIL", zero, &[97.0]),
            ("DCGM_FI_DEV_MEM_COPY_UTIL", zero, &[41.0]),
            ("DCGM_FI_DEV_FB_TOTAL", zero, &[81_920.0]),
            ("DCGM_FI_DEV_FB_USED", zero, &[40_960.0]),
            ("DCGM_FI_DEV_FB_RESERVED", zero, &[1_024.0]),
            ("DCGM_FI_DEV_POWER_VIOLATION", zero, &[1000.0]),
            ("DCGM_FI_DEV_RELIABILITY_VIOLATION", zero, &[1005.0]),
            ("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", zero, &[0.0]),
            ("DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", zero, &[11.0]),
            ("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", zero, &[1.0]),
            ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", zero, &[2.0]),
            ("DCGM_FI_DEV_RETIRED_SBE", zero, &[]),
            ("DCGM_FI_DEV_PCIE_LINK_WIDTH", zero, &[8.0]),
            ("trainyard_gpu_pcie_transmit_bytes_total", zero, &[5e9]),
            ("trainyard_gpu_pcie_receive_bytes_total", zero, &[]),
            ("trainyard_gpu_clocks_held", &["gpu=\"0\"", "sw_power_cap"], &[1.0]),
            ("trainyard_gpu_clocks_held", &["gpu=\"0\"", "hw_slowdown"], &[0.0]),
            ("trainyard_gpu_process_memory_bytes", &["pid=\"4712\""], &[f64::from(1 << 30)]),
            ("trainyard_gpu_p2p_ok", &["gpu=\"0\"", "peer=\"1\"", "status=\"not_supported\""], &[0.0]),
            ("trainyard_gpu_p2p_ok", &["gpu=\"1\"", "peer=\"0\"", "status=\"ok\""], &[1.0]),
            ("trainyard_gpu_nvlink_up", &["gpu=\"0\"", "link=\"17\""], &[0.0]),
            ("trainyard_gpu_nvlink_errors_total", &["gpu=\"0\"", "link=\"5\"", "crc_flit"], &[102.0]),
            ("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", zero, &[100.0]),
            ("trainyard_gpu_nvlink_transmit_bytes_total", &["gpu=\"0\"", "link=\"3\""], &[1_024_000_000.0]),
            // What needs two readings.
            ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", &[], &[]),
            ("DCGM_FI_PROF_SM_ACTIVE", &[], &[]),
        ],
    );
    let second = collect(&mut *collector);
    let mib = f64::from(1 << 20);
    check(
        &second,
        &[
            ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", zero, &[36_000.0]),
            ("DCGM_FI_DEV_NVLINK_BANDWIDTH_L0", zero, &[2_000.0]),
            ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", zero, &[0.01]),
            ("DCGM_FI_PROF_DRAM_ACTIVE", zero, &[0.1]),
            ("DCGM_FI_PROF_PIPE_FP64_ACTIVE", zero, &[]),
            ("DCGM_FI_PROF_PCIE_RX_BYTES", zero, &[21.0 * mib]),
            ("DCGM_FI_PROF_NVLINK_TX_BYTES", zero, &[61.0 * mib]),
        ],
    );
    // Samples are given back: the stand-in has no more than 16 at a time.
    for _ in 0..20 {
        check(&collect(&mut *collector), &[("DCGM_FI_PROF_SM_ACTIVE", zero, &[0.02])]);
    }
}

#[test]
fn a_lost_gpu_does_not_hide_the_others_and_keeps_its_name() {
    let stand_in = StandIn::new("gpus 3\n", &[]);
    let mut collector = stand_in.collector().collector;
    let before = collect(&mut *collector);
    assert_eq!(values(&before, "DCGM_FI_DEV_GPU_UTIL", &[]), [97.0; 3]);
    stand_in.now("gpus 3\nlost 1\n");
    // Its name is asked for again at the second reading, and not told.
    collect(&mut *collector);
    let text = collect(&mut *collector);
    let name = "UUID=\"GPU-00000000-0000-0000-0000-000000000001\",pci_bus_id=\"00000000:54:00.0\"";
    check(
        &text,
        &[
            ("trainyard_gpu_up", &[], &[1.0, 0.0, 1.0]),
            ("trainyard_gpu_up", &[name], &[0.0]),
            ("DCGM_FI_DEV_GPU_UTIL", &[], &[97.0, 97.0]),
            ("DCGM_FI_DEV_GPU_UTIL", &["gpu=\"1\""], &[]),
            ("trainyard_gpus", &[], &[3.0]),
        ],
    );
    stand_in.now("gpus 3\n");
    assert_eq!(values(&collect(&mut *collector), "trainyard_gpu_up", &[]), [1.0; 3]);
}

/// D-A42, the other way round: what the driver does not have is left out, and takes nothing else along.
#[test]
fn an_old_driver_shows_what_it_has() {
    let stand_in = StandIn::new("gpus 1\n", &["-DWITHOUT_GPM", "-DWITHOUT_FIELDS"]);
    let mut collector = stand_in.collector().collector;
    for _ in 0..2 {
        let text = collect(&mut *collector);
        check(
            &text,
            &[
                ("DCGM_FI_DEV_GPU_UTIL", &[], &[97.0]),
                ("DCGM_FI_DEV_MEMORY_TEMP", &[], &[]),
                ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", &[], &[]),
                ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", &[], &[]),
                ("trainyard_gpu_nvlink_up", &["link=\"0\""], &[1.0]),
                ("trainyard_gpu_nvlink_up", &["link=\"18\""], &[]),
                ("DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL", &[], &[103.0]),
            ],
        );
        assert!(!text.contains("DCGM_FI_PROF_"), "{text}");
    }
}

#[test]
fn a_function_that_fails_takes_only_its_own_values() {
    let stand_in = StandIn::new("gpus 1\n", &[]);
    let mut collector = stand_in.collector().collector;
    let healthy = collect(&mut *collector);
    let cases: &[(&str, &[&str])] = &[
        ("nvmlDeviceGetPowerUsage", &["DCGM_FI_DEV_POWER_USAGE"]),
        ("nvmlDeviceGetMigMode", &["DCGM_FI_DEV_MIG_MODE"]),
        ("nvmlDeviceGetComputeRunningProcesses_v3", &["trainyard_gpu_processes", "trainyard_gpu_process_memory_bytes"]),
        ("nvmlDeviceGetUtilizationRates", &["DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_MEM_COPY_UTIL"]),
        ("nvmlDeviceGetMemoryInfo_v2", &["DCGM_FI_DEV_FB_", "trainyard_gpu_memory_used_ratio"]),
        (
            "nvmlDeviceGetCurrentClocksThrottleReasons",
            &["DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "trainyard_gpu_clocks_held"],
        ),
    ];
    let names = |text: &str| -> Vec<String> {
        let mut names: Vec<String> = text.lines().filter_map(|line| Some(line.split_once('{')?.0.to_owned())).collect();
        names.dedup();
        // These come with the second reading.
        names.retain(|name| !name.contains("_PROF_") && !name.contains("BANDWIDTH"));
        names
    };
    for (function, gone) in cases {
        stand_in.now(&format!("gpus 1\nfail {function}\n"));
        let mut expected = names(&healthy);
        expected.retain(|name| !gone.iter().any(|gone| name.starts_with(gone)));
        assert_eq!(names(&collect(&mut *collector)), expected, "{function}");
    }
    stand_in.now("gpus 1\nfail nvmlDeviceGetCount_v2\n");
    let problem = collector.collect(&mut Sheet::default()).unwrap_err();
    assert!(problem.told().starts_with("NVML does not say how many GPUs there are: "), "{}", problem.told());
}

#[test]
fn a_divided_gpu_shows_its_partitions() {
    let stand_in = StandIn::new("gpus 2\nmig 1\n", &[]);
    let mut collector = stand_in.collector().collector;
    collect(&mut *collector);
    let text = collect(&mut *collector);
    let part = "gpu=\"1\",UUID=\"GPU-00000000-0000-0000-0000-000000000001\",pci_bus_id=\"00000000:54:00.0\",\
                device=\"nvidia1\",modelName=\"NVIDIA H100 80GB HBM3\",GPU_I_PROFILE=\"1g.10gb\",GPU_I_ID=\"8\",\
                Hostname=\"node-1\",DCGM_FI_DRIVER_VERSION=\"580.95.05\"";
    check(
        &text,
        &[
            ("DCGM_FI_DEV_MIG_MODE", &[], &[0.0, 1.0]),
            ("trainyard_gpu_mig_instances", &["gpu=\"1\""], &[2.0]),
            ("DCGM_FI_DEV_FB_TOTAL", &[part], &[10_240.0]),
            ("DCGM_FI_PROF_SM_ACTIVE", &[part], &[0.02]),
        ],
    );
}

#[test]
fn a_call_that_hangs_delays_no_round_and_old_values_are_called_stale() {
    let stand_in = StandIn::new("gpus 1\n", &[]);
    let deadline = Duration::from_millis(400);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = {
        let told = Arc::clone(&told);
        move |happening: Happening| told.lock().unwrap().push(format!("{happening:?}"))
    };
    let tempo = Tempo { interval: Duration::from_hours(1), deadline };
    let conductor = Conductor::start(vec![stand_in.collector()], tempo, Box::new(tell)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let text = || conductor.pages().iter().map(|page| page.text()).collect::<String>();
    let stale = |is_stale: f64| {
        check(
            &text(),
            &[
                ("trainyard_agent_collector_stale", &["collector=\"gpu\""], &[is_stale]),
                ("DCGM_FI_DEV_POWER_USAGE", &[], &[612.5]),
            ],
        );
    };
    runtime.block_on(conductor.begun());
    stale(0.0);
    stand_in.now("gpus 1\nhang nvmlDeviceGetPowerUsage\n");
    for _ in 0..2 {
        let started = Instant::now();
        runtime.block_on(conductor.fresh());
        assert!(started.elapsed() < deadline * 2, "{:?}", started.elapsed());
        stale(1.0);
    }
    stand_in.now("gpus 1\n");
    let until = Instant::now() + Duration::from_secs(20);
    while conductor.told()[0].problem.is_some() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
        runtime.block_on(conductor.fresh());
    }
    stale(0.0);
    assert!(told.lock().unwrap()[0].starts_with("Hangs(\"gpu\""), "{:?}", told.lock().unwrap());
}

#[test]
fn a_library_that_hangs_in_its_start_does_not_stop_the_agent() {
    let stand_in = StandIn::new("gpus 1\nhang nvmlInit_v2\n", &[]);
    let started = Instant::now();
    let mut collector = stand_in.collector().collector;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let problem = collector.collect(&mut Sheet::default()).unwrap_err();
    assert_eq!(problem.told(), "NVML hangs in its start: the driver is in trouble");
    stand_in.now("gpus 1\n");
    let until = Instant::now() + Duration::from_secs(20);
    while collector.collect(&mut Sheet::default()).is_err() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(values(&collect(&mut *collector), "trainyard_gpu_up", &[]), [1.0]);
}

#[test]
fn each_xid_is_told_once_with_its_gpu() {
    let stand_in = StandIn::new("gpus 2\nxid 1 31\n", &[]);
    let mut gpus = gpus::open(None, stand_in.setting().nvml.as_deref()).unwrap();
    let mut told = Vec::new();
    let mut wait_for = |count: usize| {
        let until = Instant::now() + Duration::from_secs(20);
        while told.len() < count && Instant::now() < until {
            told.extend(gpus.xids().into_iter().map(|xid| (xid.pci_bus_id, xid.xid)));
            std::thread::sleep(Duration::from_millis(10));
        }
        told.clone()
    };
    assert_eq!(wait_for(1), [("00000000:54:00.0".to_owned(), 31)]);
    stand_in.now("gpus 2\nxid 1 31\nxid 0 79\nxid 0 79\n");
    let zero = ("00000000:53:00.0".to_owned(), 79);
    assert_eq!(wait_for(3)[1..], [zero.clone(), zero]);
}

#[test]
fn a_machine_without_nvml_has_no_gpu_collector() {
    let kind = COLLECTORS.iter().find(|kind| kind.name == "gpu").unwrap();
    let nvml = Some("/nonexistent/libnvidia-ml.so.1".into());
    assert!((kind.make)(&Setting { nvml, ..Setting::default() }).is_none());
    // The library is there and the driver is not.
    let stand_in = StandIn::new("gpus 1\nfail nvmlInit_v2\n", &[]);
    assert!((kind.make)(&stand_in.setting()).is_none());
}
