//! What Slurm's programs and pages say to the agent. The first byte says which.

use trainyard_node::collect::slurm::output::Output;

use super::must_be_a_page;
use crate::{Target, seeds};

pub(super) static TARGET: Target =
    Target { name: "slurm", about: "what Slurm's programs and pages say to the agent", seeds: recorded, run };

/// So many names are told apart: few, so that what is left over is reached.
const NAMES: usize = 5;

/// What recordings are called, as in [`Output::ALL`].
const RECORDED: [&str; 9] =
    ["ping", "config", "nodes", "partitions", "jobs", "reservations", "statistics", "shares", "native-jobs"];

fn recorded() -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    for version in ["22.05", "24.11", "25.11-ubuntu"] {
        for (which, name) in (0_u8..).zip(RECORDED) {
            let path = format!("crates/node/tests/slurm/{version}/{name}");
            inputs.extend(seeds::file(&seeds::repository(&path)).map(|text| [vec![which], text].concat()));
        }
    }
    // Names that differ only behind what is shown of them: they were one series twice.
    let long = "a".repeat(600);
    let shares = format!("{long}1||1|0.5|7|0.5|0.5\n{long}2||1|0.5|7|0.5|0.5\n");
    let which = Output::ALL.iter().position(|output| *output == Output::Shares).and_then(|at| u8::try_from(at).ok());
    inputs.extend(which.map(|which| [vec![which], shares.into_bytes()].concat()));
    inputs
}

fn run(data: &[u8]) {
    let Some((which, text)) = data.split_first() else { return };
    let output = Output::ALL[usize::from(*which) % Output::ALL.len()];
    must_be_a_page(output.shown(&String::from_utf8_lossy(text), NAMES));
}
