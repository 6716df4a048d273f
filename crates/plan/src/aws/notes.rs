//! What a reader should know before saying yes.

use trainyard_spec::model::{Home, Shared};

use super::Context;
use super::stacks::{can_back_up, lustre_deployment};
use crate::Note;

pub(super) fn notes(context: &Context<'_>) -> Vec<Note> {
    let spec = context.spec;
    let mut notes: Vec<Note> = context.facts.assumed.iter().map(|text| note("assumed", text.clone())).collect();
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

fn note(about: &str, text: String) -> Note {
    Note { about: about.to_owned(), text }
}
