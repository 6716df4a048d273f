//! What nodes are called: as ParallelCluster names them, on AWS and in a rehearsal.

use std::collections::HashMap;
use std::fmt;

use crate::Spec;

/// What the names of a compute resource's static or dynamic nodes begin with; a dash and a number from 1 follow.
pub fn stem(queue: impl fmt::Display, resource: impl fmt::Display, is_static: bool) -> String {
    format!("{queue}-{}-{resource}", if is_static { "st" } else { "dy" })
}

/// The compute nodes that a spec has, to be asked by name.
#[derive(Debug)]
pub struct Names {
    counts: HashMap<String, u32>,
}

impl Names {
    /// Those of this spec.
    pub fn of(spec: &Spec) -> Self {
        let mut counts = HashMap::new();
        for queue in &spec.queues {
            for resource in &queue.compute {
                let fixed = resource.min.min(resource.max);
                counts.insert(stem(&queue.name, &resource.name, true), fixed);
                counts.insert(stem(&queue.name, &resource.name, false), resource.max - fixed);
            }
        }
        Self { counts }
    }

    /// Whether there is a node of this name.
    pub fn has(&self, name: &str) -> bool {
        let Some((stem, number)) = name.rsplit_once('-') else { return false };
        // Slurm knows `q-st-n-1`; `q-st-n-01` is another name.
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        let number: Option<u32> = number.parse().ok().filter(|_| is_plain);
        number.is_some_and(|number| self.counts.get(stem).is_some_and(|count| number <= *count))
    }
}
