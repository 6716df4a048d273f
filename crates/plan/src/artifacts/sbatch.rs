//! Batch scripts to start from: `trainyard render sbatch --job ddp`.

use askama::Template;
use trainyard_spec::model::Queue;

use super::{Context, Kind, Render};
use crate::Artifact;
use crate::rehearsed::PartitionNodes;

pub(super) static KIND: Kind =
    Kind { name: "sbatch", about: "batch scripts: ddp, single, array, container", render: Render::Local(render) };

/// The jobs that there are scripts for.
pub static JOBS: &[&str] = &["ddp", "single", "array", "container"];

/// What every script needs to know about the default queue.
struct Shape {
    queue: String,
    nodes: u32,
    gpus: u32,
    fsx: String,
}

macro_rules! script {
    ($name:ident, $path:literal) => {
        #[derive(Template)]
        #[template(path = $path, escape = "none")]
        struct $name<'a> {
            shape: &'a Shape,
        }
    };
}

script!(Ddp, "ddp.sbatch");
script!(Single, "single.sbatch");
script!(Array, "array.sbatch");
script!(Container, "container.sbatch");

fn render(context: &Context<'_>) -> Vec<Artifact> {
    let shape = shape(context);
    let shape = &shape;
    let texts = [
        Ddp { shape }.to_string(),
        Single { shape }.to_string(),
        Array { shape }.to_string(),
        Container { shape }.to_string(),
    ];
    JOBS.iter().zip(texts).map(|(job, text)| Artifact::script(format!("etc/jobs/{job}.sbatch"), text)).collect()
}

fn shape(context: &Context<'_>) -> Shape {
    let queue: Option<&Queue> = context.spec.queues.first();
    let of_queue = |p: &&PartitionNodes| queue.is_some_and(|queue| p.queue == queue.name);
    let partition = context.partitions.iter().find(of_queue);
    let nodes = partition.map_or(1, |p| u32::try_from(p.nodes.len()).unwrap_or(u32::MAX));
    Shape {
        queue: queue.map_or_else(String::new, |queue| queue.name.to_string()),
        nodes: nodes.clamp(1, 4),
        gpus: partition.map_or(0, |p| p.hardware.gpus),
        fsx: context.rehearsed.layout.fsx.clone(),
    }
}
