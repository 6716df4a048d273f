//! What sinfo and squeue say of a cluster to the command line.

use std::collections::BTreeSet;

use trainyard_provider::slurm::{parse_jobs, parse_nodes};

use crate::{Target, seeds};

pub(super) static TARGET: Target = Target {
    name: "slurm-status",
    about: "what sinfo and squeue say of a cluster to the command line",
    seeds: || {
        seeds::texts(&[
            "a-st-n-1|a|idle|192|1992294|gpu:h200:8|none\na-dy-n-[1-4]|b|down*|4|1945|(null)|Not responding | odd\n",
            "7|ann|q|RUNNING|2|1:02|a-st-n-[1-2]|train | big\n8_[1-9]|bo|q|PENDING|1|0:00|(Priority)|x\n",
        ])
    },
    run,
};

fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let nodes = parse_nodes(&text);
    let names: BTreeSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names.len(), nodes.len(), "a node is there twice");
    for node in &nodes {
        assert!(!node.name.is_empty() && !node.queues.is_empty(), "{node:?}");
    }
    for job in parse_jobs(&text) {
        assert!(text.contains(&job.name) && !job.state.contains(|letter: char| letter.is_ascii_uppercase()), "{job:?}");
    }
}
