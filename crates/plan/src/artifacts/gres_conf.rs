//! gres.conf: GPUs that are declared and not there.

use std::fmt::Write as _;

use super::{Context, Kind, Render};
use crate::Artifact;

pub(super) static KIND: Kind =
    Kind { name: "gres", about: "gres.conf: the declared GPUs", render: Render::Local(render) };

/// Slurm numbers GPUs (`CUDA_VISIBLE_DEVICES`) only when each has a device file that is a real
/// character device; the supervisor links these names to /dev/null.
pub const GPU_FILES: &str = "run/gpus/gpu";

fn render(context: &Context<'_>) -> Vec<Artifact> {
    let mut text = String::from("# Declared GPUs: their device files are links to /dev/null.\n");
    for partition in context.partitions.iter().filter(|partition| partition.hardware.gpus > 0) {
        let count = partition.hardware.gpus;
        let kind =
            if partition.gpu_model.is_empty() { String::new() } else { format!(" Type={}", partition.gpu_model) };
        let file = context.rehearsed.layout.at(GPU_FILES);
        for node in &partition.nodes {
            let files = if count == 1 { format!("{file}0") } else { format!("{file}[0-{}]", count - 1) };
            let _ = writeln!(text, "NodeName={} Name=gpu{kind} File={files}", node.name);
        }
    }
    vec![Artifact::text("etc/gres.conf", text)]
}
