//! The nodes' /etc/hosts, so that ranks find each other by name.

use std::fmt::Write as _;

use super::{Context, Kind, Render};
use crate::Artifact;

pub(super) static KIND: Kind = Kind { name: "hosts", about: "the nodes' /etc/hosts", render: Render::Local(render) };

fn render(context: &Context<'_>) -> Vec<Artifact> {
    let mut text = String::from("127.0.0.1 localhost\n::1 localhost\n");
    for node in &context.rehearsed.nodes {
        let _ = writeln!(text, "{} {}", node.address, node.name);
    }
    vec![Artifact::text("etc/hosts", text)]
}
