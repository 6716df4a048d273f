//! The machine's GPUs, through NVML, which is loaded when the agent starts.
//!
//! What a driver or a part does not know stays unknown. The library is never unloaded: a thread may hang in it.

mod events;
mod links;
mod numbers;
mod partitions;
mod profiling;

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::time::Duration;

use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureThreshold};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml as Library};

use super::{GPUS_MAX, Gpus, Lost, Reading, Xid};
use crate::problem::Problem;

/// What changes with a reset only (peers, firmware, limits) is read again after so many readings.
const IDENTITY_READINGS: u32 = 60;

/// How long the agent's start waits for the library's. A driver in trouble may let it hang for ever.
const START_PATIENCE: Duration = Duration::from_secs(2);

/// The machine's GPUs.
pub(super) struct Nvml {
    library: Loading,
    gpus: Vec<Gpu>,
    xids: Option<Receiver<Xid>>,
}

/// One GPU, and what is kept between readings.
struct Gpu {
    index: u32,
    /// What stays the same from one reading to the next.
    identity: Reading,
    /// Readings until it is read again.
    fresh_for: u32,
    links: links::Links,
    profiler: profiling::Profiler,
}

/// Takes answers apart: what is unknown, and what says that the GPU is gone.
#[derive(Default)]
struct Answers {
    lost: Option<String>,
}

impl Answers {
    fn known<T>(&mut self, answer: Result<T, NvmlError>) -> Option<T> {
        if let Err(error @ NvmlError::GpuLost) = &answer {
            self.lost = Some(error.to_string());
        }
        answer.ok()
    }
}

/// The library, or who will bring it.
enum Loading {
    Loaded(&'static Library),
    Waiting(Receiver<Option<&'static Library>>),
}

impl Nvml {
    /// `None` where there is no NVML or no driver.
    pub(super) fn open(path: Option<&Path>) -> Option<Self> {
        // The name without a version belongs to development packages.
        let path = path.unwrap_or("libnvidia-ml.so.1".as_ref()).to_owned();
        let (sender, loaded) = sync_channel(1);
        let load = move || {
            let library = Library::builder().lib_path(path.as_os_str()).init().ok();
            let _ = sender.send(library.map(|library| &*Box::leak(Box::new(library)))); // nobody waits any more
        };
        std::thread::Builder::new().name("nvml".into()).spawn(load).ok()?;
        let library = match loaded.recv_timeout(START_PATIENCE) {
            Ok(library) => Loading::Loaded(library?),
            Err(RecvTimeoutError::Timeout) => Loading::Waiting(loaded),
            Err(RecvTimeoutError::Disconnected) => return None,
        };
        Some(Self { library, gpus: Vec::new(), xids: None })
    }

    fn library(&mut self) -> Result<&'static Library, Problem> {
        let loaded = match &self.library {
            Loading::Loaded(library) => return Ok(library),
            Loading::Waiting(loaded) => loaded.try_recv(),
        };
        match loaded {
            Ok(Some(library)) => {
                self.library = Loading::Loaded(library);
                Ok(library)
            }
            Err(TryRecvError::Empty) => Err(Problem::new("NVML hangs in its start: the driver is in trouble")),
            Ok(None) | Err(TryRecvError::Disconnected) => Err(Problem::new("NVML does not start")),
        }
    }
}

impl Gpus for Nvml {
    fn read(&mut self, show: &mut dyn FnMut(Result<&Reading, &Lost>)) -> Result<(), Problem> {
        let library = self.library()?;
        let count = library.device_count();
        let count = count.map_err(|error| Problem::new("NVML does not say how many GPUs there are").because(error))?;
        let count = count.min(u32::try_from(GPUS_MAX).unwrap_or(u32::MAX));
        self.gpus.truncate(count as usize);
        for index in self.gpus.len()..count as usize {
            self.gpus.push(Gpu::new(index));
        }
        for gpu in &mut self.gpus {
            match gpu.read(library, count) {
                Ok(reading) => show(Ok(&reading)),
                Err(why) => {
                    gpu.fresh_for = 0;
                    let (uuid, pci_bus_id) = (gpu.identity.uuid.clone(), gpu.identity.pci_bus_id.clone());
                    show(Err(&Lost { index: gpu.index, uuid, pci_bus_id, why }));
                }
            }
        }
        Ok(())
    }

    fn xids(&mut self) -> Vec<Xid> {
        let Ok(library) = self.library() else { return Vec::new() };
        self.xids.get_or_insert_with(|| events::listen(library)).try_iter().collect()
    }
}

impl Gpu {
    fn new(index: usize) -> Self {
        Self {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            identity: Reading::default(),
            fresh_for: 0,
            links: links::Links::default(),
            profiler: profiling::Profiler::default(),
        }
    }

    /// An error says why it does not answer.
    fn read(&mut self, library: &'static Library, count: u32) -> Result<Reading, String> {
        let device = library.device_by_index(self.index).map_err(|error| error.to_string())?;
        let mut answers = Answers::default();
        if self.fresh_for == 0 {
            let identity = identity(library, &device, self.index, &mut answers);
            // A GPU that is lost still has the name that it had.
            if answers.lost.is_none() || self.identity.uuid.is_none() {
                self.identity = identity;
            }
            self.identity.peers = links::peers(library, &device, self.index, count);
            self.fresh_for = IDENTITY_READINGS;
        }
        self.fresh_for -= 1;
        let mut reading = self.identity.clone();
        numbers::read(library, &device, &mut reading, &mut answers);
        if let Some(why) = answers.lost {
            return Err(why);
        }
        reading.nvlinks = self.links.read(library, &device);
        if reading.mig_enabled == Some(true) {
            reading.mig_instances = partitions::read(library, &device, &mut self.profiler);
        } else {
            reading.profiling = self.profiler.read(library, &device, None);
        }
        Ok(reading)
    }
}

fn identity(library: &Library, device: &Device<'_>, index: u32, answers: &mut Answers) -> Reading {
    let mut gpu = Reading { index, ..Reading::default() };
    gpu.uuid = answers.known(device.uuid());
    gpu.pci_bus_id = answers.known(device.pci_info()).map(|pci| pci.bus_id);
    gpu.minor = answers.known(device.minor_number());
    gpu.name = answers.known(device.name());
    gpu.serial = answers.known(device.serial());
    gpu.vbios_version = answers.known(device.vbios_version());
    let capability = answers.known(device.cuda_compute_capability());
    gpu.compute_capability = capability.map(|version| format!("{}.{}", version.major, version.minor));
    gpu.driver_version = library.sys_driver_version().ok();
    gpu.nvml_version = library.sys_nvml_version().ok();
    let cuda = library.sys_cuda_driver_version().ok();
    gpu.cuda_version = cuda.map(|version| format!("{}.{}", version / 1000, version % 1000 / 10));
    gpu.clocks.sm_max_mhz = answers.known(device.max_clock_info(Clock::SM));
    gpu.clocks.memory_max_mhz = answers.known(device.max_clock_info(Clock::Memory));
    gpu.clocks.video_max_mhz = answers.known(device.max_clock_info(Clock::Video));
    let mut threshold = |threshold| answers.known(device.temperature_threshold(threshold));
    gpu.temperatures.gpu_max = threshold(TemperatureThreshold::GpuMax);
    gpu.temperatures.memory_max = threshold(TemperatureThreshold::MemoryMax);
    gpu.temperatures.slowdown = threshold(TemperatureThreshold::Slowdown);
    gpu.temperatures.shutdown = threshold(TemperatureThreshold::Shutdown);
    gpu.pcie.generation_max = answers.known(device.max_pcie_link_gen());
    gpu.pcie.width_max = answers.known(device.max_pcie_link_width());
    gpu.vgpu_licensed = answers.known(device.virtualization_mode()).as_ref().and_then(partitions::licence);
    gpu
}
