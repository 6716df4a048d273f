//! ParallelCluster's configuration.

use super::{Kind, Render};
use crate::Artifact;
use crate::aws::{Context, START, Stage, WHOLE, configuration, yaml};

pub(super) static KIND: Kind =
    Kind { name: "pcluster", about: "ParallelCluster's configuration", render: Render::Aws(render) };

fn render(context: &Context<'_>) -> Vec<Artifact> {
    let text = |stage| {
        let head = format!(
            "# ParallelCluster {}, cluster {}: made by trainyard from its spec.\n",
            context.spec.parallelcluster.version, context.spec.name
        );
        head + &yaml(&configuration(context, stage))
    };
    let mut all = vec![Artifact::text(WHOLE, text(Stage::Whole))];
    if context.timeouts.starts_at_zero {
        all.push(Artifact::text(START, text(Stage::Start)));
    }
    all
}
