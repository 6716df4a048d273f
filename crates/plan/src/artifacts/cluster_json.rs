//! What the supervisor is started with: every node and where things lie.

use super::{Context, Kind, Render};
use crate::Artifact;

pub(super) static KIND: Kind = Kind {
    name: "layout",
    about: "cluster.json: nodes, addresses and folders, for the supervisor",
    render: Render::Local(render),
};

fn render(context: &Context<'_>) -> Vec<Artifact> {
    // Our own plain types always serialize.
    let text = serde_json::to_string_pretty(context.rehearsed).unwrap_or_default();
    vec![Artifact::text("etc/cluster.json", text + "\n")]
}
