//! What a DCGM exporter shows.

use trainyard_node::gpus::dcgm::Told;

use crate::{Target, seeds};

pub(super) static TARGET: Target = Target {
    name: "dcgm",
    about: "what a DCGM exporter shows",
    seeds: || {
        seeds::texts(&[
            "# TYPE DCGM_FI_PROF_GR_ENGINE_ACTIVE gauge\nDCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu=\"0\",UUID=\"GPU-1\",device=\"nvidia0\"} \
             0.5\nDCGM_FI_PROF_SM_ACTIVE{gpu=\"1\",UUID=\"GPU-2\",GPU_I_ID=\"3\"} 1e-1\n",
        ])
    },
    run,
};

fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let told = Told::read(&text);
    let lines = text.lines().filter(|line| line.starts_with("DCGM_FI_PROF_")).count();
    assert!(told.count() as u64 + told.unread <= lines as u64, "{told:?}");
}
