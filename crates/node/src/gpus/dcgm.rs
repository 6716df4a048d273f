//! Where a GPU's time goes, as a DCGM exporter tells it: for parts before Hopper, whose driver does not.
//!
//! What the driver tells itself always counts. Never panics on any text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use trainyard_plan::metrics::{Metric, gpu as m};

use super::{GPUS_MAX, Gpus, Lost, Profiling, Reading, Xid};
use crate::exposition::read_line;
use crate::problem::Problem;

/// A line with the labels of a container and its pod has some 600 bytes.
const LINE_BYTES_MAX: usize = 4 << 10;

/// A GPU has seven partitions at the most.
const PARTS_MAX: usize = GPUS_MAX * 8;

/// What all names of profiling values begin with.
const BEGINNING: &str = "DCGM_FI_PROF_";

/// Where a value belongs.
type Place = fn(&mut Profiling) -> &mut Option<f64>;

static FIELDS: [(&Metric, Place); 12] = [
    (&m::DCGM_FI_PROF_GR_ENGINE_ACTIVE, |to| &mut to.gr_engine_active),
    (&m::DCGM_FI_PROF_SM_ACTIVE, |to| &mut to.sm_active),
    (&m::DCGM_FI_PROF_SM_OCCUPANCY, |to| &mut to.sm_occupancy),
    (&m::DCGM_FI_PROF_PIPE_TENSOR_ACTIVE, |to| &mut to.tensor_active),
    (&m::DCGM_FI_PROF_DRAM_ACTIVE, |to| &mut to.dram_active),
    (&m::DCGM_FI_PROF_PIPE_FP64_ACTIVE, |to| &mut to.fp64_active),
    (&m::DCGM_FI_PROF_PIPE_FP32_ACTIVE, |to| &mut to.fp32_active),
    (&m::DCGM_FI_PROF_PIPE_FP16_ACTIVE, |to| &mut to.fp16_active),
    (&m::DCGM_FI_PROF_PCIE_TX_BYTES, |to| &mut to.pcie_tx_bytes),
    (&m::DCGM_FI_PROF_PCIE_RX_BYTES, |to| &mut to.pcie_rx_bytes),
    (&m::DCGM_FI_PROF_NVLINK_TX_BYTES, |to| &mut to.nvlink_tx_bytes),
    (&m::DCGM_FI_PROF_NVLINK_RX_BYTES, |to| &mut to.nvlink_rx_bytes),
];

/// By a GPU's UUID, and the number of a partition.
type ByPart = BTreeMap<(String, Option<u32>), Profiling>;

/// What an exporter told.
#[derive(Debug, Default, PartialEq)]
pub struct Told {
    parts: ByPart,
    /// Values that could not be understood.
    pub unread: u64,
}

impl Told {
    /// From an exposition in the classic text format. All but profiling values are left aside.
    pub fn read(text: &str) -> Self {
        let mut told = Self::default();
        for line in text.lines().filter(|line| line.starts_with(BEGINNING)) {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let Some((_, place)) = FIELDS.iter().find(|(metric, _)| metric.name == name) else { continue };
            let read = || {
                let (_, labels, value) = read_line(line).filter(|_| line.len() <= LINE_BYTES_MAX)?;
                let uuid = labels.get("UUID").filter(|uuid| uuid.starts_with("GPU-"))?;
                let part = labels.get("GPU_I_ID").filter(|part| !part.is_empty());
                let part = part.map(|part| part.parse::<u32>()).transpose().ok()?;
                let is_sound = value.is_finite() && value >= 0.0;
                is_sound.then(|| ((uuid.clone(), part), value))
            };
            match read() {
                Some((part, value)) if told.parts.len() < PARTS_MAX || told.parts.contains_key(&part) => {
                    *place(told.parts.entry(part).or_default()) = Some(value);
                }
                _ => told.unread += 1,
            }
        }
        told
    }

    /// GPUs and partitions.
    pub fn count(&self) -> usize {
        self.parts.len()
    }

    /// The reading with what was told of its GPU, if anything was.
    fn fill(&self, reading: &Reading) -> Option<Reading> {
        let uuid = reading.uuid.clone()?;
        let of = |part| self.parts.get(&(uuid.clone(), part));
        let mut filled = reading.clone();
        filled.profiling = of(None).cloned().unwrap_or_default();
        for instance in &mut filled.mig_instances {
            instance.profiling = of(Some(instance.id)).cloned().unwrap_or_default();
        }
        Some(filled)
    }
}

/// What the exporter told last, for whoever reads the GPUs. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    told: Arc<Mutex<Arc<Told>>>,
}

impl Profiles {
    /// This is told now, and nothing else.
    pub fn set(&self, told: Told) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(told);
    }

    /// What is told now.
    pub fn told(&self) -> Arc<Told> {
        Arc::clone(&self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// GPUs, with what an exporter tells of those whose driver does not tell it.
pub fn beside(gpus: Box<dyn Gpus>, profiles: &Profiles) -> Box<dyn Gpus> {
    Box::new(Beside { gpus, profiles: profiles.clone(), telling: BTreeSet::new(), has_read: false })
}

struct Beside {
    gpus: Box<dyn Gpus>,
    profiles: Profiles,
    /// GPUs whose driver told at any time.
    telling: BTreeSet<u32>,
    /// A driver needs two readings before it can tell.
    has_read: bool,
}

impl Gpus for Beside {
    fn read(&mut self, show: &mut dyn FnMut(Result<&Reading, &Lost>)) -> Result<(), Problem> {
        let told = self.profiles.told();
        let Self { gpus, telling, has_read, .. } = self;
        let result = gpus.read(&mut |gpu| {
            let Ok(reading) = gpu else { return show(gpu) };
            if tells(reading) {
                telling.insert(reading.index);
            }
            let is_asked = *has_read && told.count() > 0 && !telling.contains(&reading.index);
            match told.fill(reading).filter(|_| is_asked) {
                Some(filled) => show(Ok(&filled)),
                None => show(Ok(reading)),
            }
        });
        self.has_read = true;
        result
    }

    fn xids(&mut self) -> Vec<Xid> {
        self.gpus.xids()
    }
}

fn tells(reading: &Reading) -> bool {
    let parts = reading.mig_instances.iter().map(|instance| &instance.profiling);
    parts.chain([&reading.profiling]).any(|profiling| *profiling != Profiling::default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::gpus::MigInstance;

    const TEXT: &str = "# HELP DCGM_FI_PROF_SM_ACTIVE Active.\n# TYPE DCGM_FI_PROF_SM_ACTIVE gauge\n\
        DCGM_FI_PROF_SM_ACTIVE{gpu=\"0\",UUID=\"GPU-a\",pci_bus_id=\"00000000:10:1C.0\",device=\"nvidia0\",modelName=\"NVIDIA A100-SXM4-40GB\",Hostname=\"x\"} 0.910000\n\
        DCGM_FI_PROF_PCIE_TX_BYTES{gpu=\"0\",UUID=\"GPU-a\",device=\"nvidia0\"} 123456\n\
        DCGM_FI_PROF_SM_ACTIVE{gpu=\"1\",UUID=\"GPU-b\",GPU_I_PROFILE=\"1g.5gb\",GPU_I_ID=\"7\"} 0.5\n\
        DCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-a\"} 99\n\
        DCGM_FI_PROF_PIPE_INT_ACTIVE{gpu=\"0\",UUID=\"GPU-a\"} 0.1\n";

    struct Fixed(Vec<Reading>);

    impl Gpus for Fixed {
        fn read(&mut self, show: &mut dyn FnMut(Result<&Reading, &Lost>)) -> Result<(), Problem> {
            self.0.iter().for_each(|reading| show(Ok(reading)));
            show(Err(&Lost::default()));
            Ok(())
        }

        fn xids(&mut self) -> Vec<Xid> {
            Vec::new()
        }
    }

    fn gpu(index: u32, uuid: &str, sm_active: Option<f64>) -> Reading {
        let profiling = Profiling { sm_active, ..Profiling::default() };
        Reading { index, uuid: Some(uuid.into()), profiling, ..Reading::default() }
    }

    fn shown(gpus: &mut dyn Gpus) -> Vec<(Option<f64>, Option<f64>, Option<f64>)> {
        let mut all = Vec::new();
        gpus.read(&mut |gpu| {
            if let Ok(reading) = gpu {
                let part = reading.mig_instances.first().and_then(|part| part.profiling.sm_active);
                all.push((reading.profiling.sm_active, reading.profiling.pcie_tx_bytes, part));
            }
        })
        .unwrap();
        all
    }

    #[test]
    fn what_the_driver_does_not_tell_comes_from_the_exporter_and_never_both() {
        let part = MigInstance { id: 7, profile: "1g.5gb".into(), ..MigInstance::default() };
        let parted = Reading { mig_instances: vec![part], ..gpu(1, "GPU-b", None) };
        let readings = vec![gpu(0, "GPU-a", None), parted, gpu(2, "GPU-c", Some(0.25)), gpu(3, "GPU-d", None)];
        let profiles = Profiles::default();
        let mut gpus = beside(Box::new(Fixed(readings.clone())), &profiles);
        let none = (None, None, None);
        profiles.set(Told::read(&TEXT.replace("GPU-b\"", "GPU-c\"")));
        // The driver may only need a second reading.
        assert_eq!(shown(&mut *gpus), [none, none, (Some(0.25), None, None), none]);
        profiles.set(Told::read(TEXT));
        let all = [(Some(0.91), Some(123_456.0), None), (None, None, Some(0.5)), (Some(0.25), None, None), none];
        assert_eq!(shown(&mut *gpus), all);
        profiles.set(Told::default());
        assert_eq!(shown(&mut *gpus), [none, none, (Some(0.25), None, None), none]);
    }

    #[test]
    fn a_gpu_whose_driver_told_once_is_never_taken_from_the_exporter() {
        let profiles = Profiles::default();
        profiles.set(Told::read(TEXT));
        let mut beside =
            Beside { gpus: Box::new(Fixed(vec![])), profiles, telling: BTreeSet::from([0]), has_read: true };
        beside.gpus = Box::new(Fixed(vec![gpu(0, "GPU-a", None)]));
        assert_eq!(shown(&mut beside), [(None, None, None)]);
    }

    #[test]
    fn values_that_make_no_sense_are_counted_and_left_out() {
        let told = Told::read(
            "DCGM_FI_PROF_SM_ACTIVE{gpu=\"0\",UUID=\"GPU-a\"} NaN\nDCGM_FI_PROF_SM_ACTIVE{gpu=\"0\",UUID=\"GPU-a\"} -1\n\
             DCGM_FI_PROF_SM_ACTIVE{gpu=\"0\"} 1\nDCGM_FI_PROF_SM_ACTIVE 1\nDCGM_FI_PROF_SM_ACTIVE{UUID=\"GPU-a\n\
             DCGM_FI_PROF_SM_ACTIVE{UUID=\"GPU-a\",GPU_I_ID=\"x\"} 1\n",
        );
        assert_eq!(told, Told { unread: 6, ..Told::default() });
        let long = format!("DCGM_FI_PROF_SM_ACTIVE{{UUID=\"GPU-{}\"}} 1\n", "x".repeat(LINE_BYTES_MAX));
        assert_eq!(Told::read(&long).unread, 1);
        let line = |part: u32| format!("DCGM_FI_PROF_SM_ACTIVE{{UUID=\"GPU-{part}\"}} 1");
        let many: Vec<String> = (0..10_000).map(line).collect();
        let many = many.join("\n");
        assert_eq!((Told::read(&many).count(), Told::read(&many).unread), (PARTS_MAX, 10_000 - PARTS_MAX as u64));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,100}", labels in "[{}\",=\\\\a-zA-Z0-9-]{0,60}") {
            Told::read(&text);
            Told::read(&format!("DCGM_FI_PROF_SM_ACTIVE{labels} 1\n{text}"));
        }
    }
}
