//! What the spec names and does not make: whether it is there, and as the spec needs it.

use std::collections::BTreeMap;

use serde_json::Value;
use trainyard_spec::{Diagnostic, Path, Spec};

use crate::aws::{AwsFacts, Expected};

/// The id or name by which a survey looks for it, as the facts list it.
pub fn identifier(expected: &Expected) -> String {
    match expected {
        Expected::Vpc { id }
        | Expected::Subnet { id, .. }
        | Expected::SecurityGroup { id, .. }
        | Expected::Reservation { id, .. }
        | Expected::Image { id, .. }
        | Expected::Lustre { id }
        | Expected::ZfsVolume { id }
        | Expected::OntapVolume { id }
        | Expected::FileCache { id }
        | Expected::Efs { id }
        | Expected::Volume { id, .. }
        | Expected::PrometheusWorkspace { id }
        | Expected::GrafanaWorkspace { id } => id.clone(),
        Expected::ReservationGroup { arn, .. } | Expected::Secret { arn } | Expected::Certificate { arn } => {
            arn.clone()
        }
        Expected::PlacementGroup { name } | Expected::Bucket { name } => name.clone(),
        Expected::Object { bucket, key } => format!("s3://{bucket}/{key}"),
    }
}

pub(super) fn check(spec: &Spec, facts: &AwsFacts, expected: &[Expected]) -> Vec<Diagnostic> {
    // The diagnostic points to where the spec names it, wherever that is.
    let places = serde_json::to_value(spec).unwrap_or_default();
    let mut found = Vec::new();
    for one in expected {
        let id = identifier(one);
        let Some(known) = facts.existing.get(&id) else { continue };
        let at = place(&places, &id, &Path::root()).unwrap_or_else(Path::root);
        match known {
            None => found.push(
                Diagnostic::error("not-there", at, format!("{id} is not there, or not visible to the caller"))
                    .fix("correct it, or choose the region and account that have it"),
            ),
            Some(like) => found.extend(misfits(one, like).into_iter().map(|what| {
                Diagnostic::error("not-fit", at.clone(), format!("{id} {what}"))
                    .fix("name another one, or change it in the account")
            })),
        }
    }
    found
}

/// What keeps a thing that is there from being of use.
fn misfits(expected: &Expected, like: &BTreeMap<String, String>) -> Vec<String> {
    let differs = |key: &str, wanted: &str, what: &str| {
        let is = like.get(key).filter(|is| !is.is_empty() && *is != wanted)?;
        Some(format!("{what} {is}, not {wanted}"))
    };
    let same_zone = |wanted: &str| {
        // Zones are known by name and by id.
        let ids = [like.get("zone"), like.get("zone_id")];
        let known = ids.iter().flatten().any(|id| id.as_str() == wanted);
        let any = ids.iter().flatten().next();
        any.filter(|_| !known).map(|is| format!("is in zone {is}, not in {wanted}"))
    };
    let all = match expected {
        Expected::Subnet { vpc, zone, .. } => vec![differs("vpc", vpc, "is in"), same_zone(zone)],
        Expected::SecurityGroup { vpc, .. } => vec![differs("vpc", vpc, "is in")],
        Expected::Volume { zone, .. } => vec![same_zone(zone)],
        Expected::Image { architecture, .. } => {
            vec![differs("architecture", architecture, "is for"), differs("state", "available", "is")]
        }
        Expected::Reservation { .. } => {
            let dead = like
                .get("state")
                .filter(|state| !matches!(state.as_str(), "active" | "scheduled" | "pending" | "payment-pending"));
            vec![dead.map(|state| format!("is {state}"))]
        }
        Expected::Lustre { .. } => vec![differs("type", "LUSTRE", "is"), differs("state", "AVAILABLE", "is")],
        Expected::ZfsVolume { .. } => vec![differs("type", "OPENZFS", "is"), differs("state", "AVAILABLE", "is")],
        Expected::Bucket { .. } => {
            let there = like.get("region").zip(like.get("wanted_region")).filter(|(is, wanted)| is != wanted);
            vec![there.map(|(is, wanted)| format!("is in {is}, not in {wanted}"))]
        }
        _ => Vec::new(),
    };
    all.into_iter().flatten().collect()
}

/// Where a text stands in the spec.
fn place(value: &Value, text: &str, at: &Path) -> Option<Path> {
    match value {
        Value::String(is) => (is == text).then(|| at.clone()),
        Value::Array(items) => items.iter().enumerate().find_map(|(number, item)| place(item, text, &at.at(number))),
        Value::Object(fields) => fields.iter().find_map(|(key, item)| place(item, text, &at.at(key.as_str()))),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
