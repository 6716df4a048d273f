//! What an AWS spec says that has no meaning here: listed, never silently dropped.

use trainyard_spec::Spec;
use trainyard_spec::facts::LocalFacts;
use trainyard_spec::model::{Capacity, MonitoringMode, ProviderKind};

use crate::rehearsed::{PartitionNodes, own_network};
use crate::{Note, Options};

pub(super) fn notes(spec: &Spec, facts: &LocalFacts, options: Options, made: &[PartitionNodes]) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut add = |about: &str, text: String| notes.push(Note { about: about.to_owned(), text });
    if let Some(most) = options.nodes_per_queue_max {
        for queue in &spec.queues {
            let asked: u64 = queue.compute.iter().map(|resource| u64::from(resource.max)).sum();
            let have: usize = made.iter().filter(|p| p.queue == queue.name).map(|p| p.nodes.len()).sum();
            if asked > u64::from(most) {
                add(&format!("queues.{}", queue.name), format!("{have} of {asked} nodes, by --max-nodes {most}"));
            }
        }
    }
    if own_network(facts) {
        add("rehearsal", "each node has its own network, host name, processes and file system view".into());
    } else {
        add("rehearsal", "nodes share this machine's network and processes (run as root to keep them apart)".into());
        add("storage", "/fsx and /home are folders of the cluster; job scripts are rendered with their paths".into());
    }
    let idle = spec.rehearsal.idle_seconds;
    add("slurm.idle_minutes", format!("dynamic nodes go after {idle} seconds (rehearsal.idle_seconds)"));
    if spec.provider == ProviderKind::Aws {
        aws_only(spec, &mut add);
    }
    notes
}

/// Everything that exists on AWS alone.
fn aws_only(spec: &Spec, add: &mut impl FnMut(&str, String)) {
    if let Some(region) = &spec.region {
        add("region", format!("{region} is not contacted"));
    }
    add("network", "no VPC, subnets or security groups; nodes reach each other and nothing else".into());
    add("storage.shared", "a plain folder: no Lustre striping, throughput or quota".into());
    add("storage.home", "a plain folder, kept by `down`".into());
    if let Some(bucket) = &spec.storage.data_bucket {
        add("storage.data_bucket", format!("{} is not read or written", bucket.name));
    }
    add("head.instance", format!("{}: the head is this machine's", spec.head.instance));
    if let Some(login) = &spec.login {
        add("login", format!("{} login nodes are not started; log in to the head", login.count));
    }
    for queue in &spec.queues {
        if queue.capacity != Capacity::default() {
            add(&format!("queues.{}.capacity", queue.name), "capacity is neither reserved nor paid for".into());
        }
    }
    add("queues[].compute[].efa", "no EFA: ranks talk over TCP".into());
    if spec.monitoring.mode != MonitoringMode::None {
        add("monitoring", "managed services are not used".into());
    }
    if spec.containers.enabled {
        add("containers", "Enroot and Pyxis are not loaded; `srun --container-image` is not known".into());
    }
    if spec.accounting.is_some() {
        add("accounting", "no database: finished jobs are in the completion log".into());
    }
    if spec.directory.is_some() {
        add("directory", "jobs run as the user who rehearses".into());
    }
    if let Some(budget) = &spec.budget {
        add("budget", format!("nothing is spent; the alarm at {} USD is not made", budget.usd_per_month));
    }
    if !spec.tags.is_empty() {
        add("tags", "nothing to tag".into());
    }
    if !spec.access.cidrs.is_empty() || spec.access.key.is_some() {
        add("access", "nothing listens outside this machine".into());
    }
}
