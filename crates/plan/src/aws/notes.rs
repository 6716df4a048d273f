//! What a reader should know before saying yes.

use trainyard_spec::Spec;
use trainyard_spec::model::{Directory, Home, MonitoringMode, NcclSource, Shared};

use super::Context;
use super::stacks::{can_back_up, lustre_deployment};
use crate::Note;

pub(super) fn notes(context: &Context<'_>) -> Vec<Note> {
    let spec = context.spec;
    let mut notes: Vec<Note> = context.facts.assumed.values().map(|text| note("assumed", text.clone())).collect();
    if let Shared::Lustre(lustre) = &spec.storage.shared {
        let deployment = lustre_deployment(context, lustre);
        if !can_back_up(context, deployment) {
            let why = if spec.storage.data_bucket.is_some() { "S3-linked" } else { "scratch" };
            notes.push(note(
                "storage.shared",
                format!("no backup: {why}; what is not exported is lost with the file system"),
            ));
        }
    }
    if matches!(spec.storage.home, Home::Ephemeral {}) {
        notes
            .push(note("storage.home", "/home is lost with the cluster: it lies on the head's root volume".to_owned()));
    }
    notes.extend(existing_storage(spec));
    if spec.budget.is_some() {
        let text = "counts from when `trainyard:cluster` is switched on as a cost allocation tag, in the account's billing console";
        notes.push(note("budget", text.to_owned()));
    }
    if let Some(Directory::New { domain, .. }) = &spec.directory {
        let text = format!(
            "make the user ReadOnlyUser in {domain} with the password of the secret that the stack gives out, before the cluster is made"
        );
        notes.push(note("directory", text));
    }
    notes.extend(not_yet(spec));
    let limits = &context.timeouts;
    if limits.starts_at_zero {
        let text = format!(
            "the head would wait {} s with its static nodes, and has {} s: those queues start at 0 and are raised after",
            limits.whole_seconds, limits.head_seconds
        );
        notes.push(note("timeouts", text));
    }
    if spec.network.existing.is_some() && spec.access.instance_connect {
        let text = "no Instance Connect Endpoint is made in an existing VPC: it may have but one";
        notes.push(note("access.instance_connect", text.to_owned()));
    }
    if spec.network.existing.is_none() && context.place.zones.len() > 1 && spec.network.second_zone.is_none() {
        let why = super::place::why_two_zones(spec).unwrap_or("network");
        notes
            .push(note("network.second_zone", format!("{}, because {why} needs two zones", context.facts.second_zone)));
    }
    notes
}

/// File systems that are already there have groups of their own.
fn existing_storage(spec: &Spec) -> Option<Note> {
    let storage = &spec.storage;
    let shared = matches!(storage.shared, Shared::Existing { .. });
    if !shared && !matches!(storage.home, Home::Existing { .. }) && storage.mounts.is_empty() {
        return None;
    }
    let text = "the groups of file systems that are already there must let in the nodes' group, or one of \
                `network.existing.additional_security_groups`";
    Some(note("storage", text.to_owned()))
}

/// Settings that this version reads and does not act upon on AWS yet: said, never silently dropped (D-A11).
fn not_yet(spec: &Spec) -> Vec<Note> {
    let set_up =
        "nothing of trainyard's own is set up on nodes yet: no agent, no checks, no containers; your scripts run";
    let mut notes = vec![note("setup", set_up.to_owned())];
    if spec.nccl.source == NcclSource::Shared {
        notes.push(note("nccl", "NCCL is not installed on /fsx yet".to_owned()));
    }
    match spec.monitoring.mode {
        MonitoringMode::None => {}
        MonitoringMode::SelfHosted => {
            notes.push(note(
                "monitoring",
                "the instance is made; Prometheus and Grafana are not set up on it yet".to_owned(),
            ));
        }
        MonitoringMode::Amp | MonitoringMode::AmpAmg => {
            notes.push(note("monitoring", "the workspaces are made; nothing sends metrics to them yet".to_owned()));
        }
    }
    notes
}

fn note(about: &str, text: String) -> Note {
    Note { about: about.to_owned(), text }
}
