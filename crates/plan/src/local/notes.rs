//! What an AWS spec says that has no meaning here: listed, never silently dropped.

use std::collections::BTreeMap;

use trainyard_spec::Spec;
use trainyard_spec::facts::LocalFacts;
use trainyard_spec::model::{Capacity, MonitoringMode, ProviderKind, Toggle};

use crate::rehearsed::{AGENT, PartitionNodes, own_network};
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
        add("rehearsal", "nodes share this machine's network, processes and files; each has its own ports".into());
        if facts.loopback.is_none() {
            let text = "this machine's host name does not stand for 127.0.0.1, so Slurm's daemons listen on all \
                        addresses (munge guards them); to keep them on loopback, add it to that line of /etc/hosts";
            add("access", text.into());
        }
        add("storage", "/fsx and /home are folders of the cluster; job scripts are rendered with their paths".into());
    }
    if !facts.programs.contains_key(AGENT) {
        let text = "trainyard-agent was not found beside trainyard, so nodes have no metrics; build it with: \
                    cargo build --release -p trainyard-node";
        add("monitoring", text.into());
    }
    let scratch = spec.storage.scratch.path.as_str();
    if spec.storage.scratch.enabled && (!own_network(facts) || scratch[1..].contains('/')) {
        add("storage.scratch", format!("{scratch} is not mounted; use /tmp"));
    }
    let idle = spec.rehearsal.idle_seconds;
    add("slurm.idle_minutes", format!("dynamic nodes go after {idle} seconds (rehearsal.idle_seconds)"));
    if spec.provider == ProviderKind::Aws {
        aws_only(spec, &mut add);
    }
    notes
}

/// Settings that a rehearsal follows, or that have a note of their own.
static FOLLOWED: &[&str] = &[
    "version",
    "name",
    "provider",
    "region",
    "queues",
    "rehearsal",
    "slurm.settings",
    "slurm.memory_scheduling",
    "slurm.kill_wait_seconds",
    "slurm.slurmd_timeout_seconds",
    "slurm.idle_minutes",
    "timeouts.compute_seconds",
    "storage",
    "login",
    "tags",
    "accounting",
    "directory",
    "budget",
    "monitoring",
    "access",
    "containers",
    "head.instance",
];

/// Every other setting that differs from its default: a new field is noted before anybody thinks of it.
fn without_meaning(spec: &Spec, add: &mut impl FnMut(&str, String)) {
    let leaves = |spec: &Spec| {
        let mut leaves = BTreeMap::new();
        flatten(&serde_json::to_value(spec).unwrap_or_default(), String::new(), &mut leaves);
        leaves
    };
    let plain = serde_json::json!({ "version": 1, "name": spec.name, "provider": spec.provider, "queues": [] });
    let Ok(plain) = serde_json::from_value::<Spec>(plain) else { return };
    let usual = leaves(&plain);
    let is_followed =
        |path: &str| FOLLOWED.iter().any(|known| path == *known || path.starts_with(&format!("{known}.")));
    for (path, value) in leaves(spec) {
        if !is_followed(&path) && usual.get(&path) != Some(&value) {
            add(&path, format!("{value} has no meaning in a rehearsal"));
        }
    }
    for queue in &spec.queues {
        let about = format!("queues.{}", queue.name);
        if queue.image.is_some() {
            add(&format!("{about}.image"), "nodes run this machine's software".into());
        }
        if !queue.subnets.is_empty() {
            add(&format!("{about}.subnets"), "nodes have no subnets here".into());
        }
        if queue.compute.iter().any(|resource| resource.gpu_health_check != Toggle::Auto) {
            add(&format!("{about}.gpu_health_check"), "declared GPUs are not checked".into());
        }
    }
}

fn flatten(value: &serde_json::Value, path: String, leaves: &mut BTreeMap<String, serde_json::Value>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(value, path, leaves);
            }
        }
        leaf => drop(leaves.insert(path, leaf.clone())),
    }
}

/// Everything that exists on AWS alone.
fn aws_only(spec: &Spec, add: &mut impl FnMut(&str, String)) {
    without_meaning(spec, add);
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
    let login: u32 = spec.login.iter().map(|pool| pool.count).sum();
    if login > 0 {
        add("login", format!("{login} login nodes are not started; log in to the head"));
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
