//! What was asked: YAML text becomes a typed [`Spec`] and a list of [`Diagnostic`]s.
//!
//! This crate never reads files, the clock, the environment or the network: the same text gives
//! the same answer. Checks never stop at the first problem; they return what they understood
//! and everything that is wrong with the rest.

pub mod catalog;
pub mod codes;
pub mod diagnostic;
pub mod facts;
mod fleet;
pub mod hostlist;
pub mod model;
pub mod nodes;
pub mod parallelcluster;
pub mod rules;
mod shape;
pub mod source;

pub use diagnostic::{Diagnostic, Edit, Fix, Path, Place, Segment, Severity};
pub use facts::Facts;
pub use model::Spec;

use diagnostic::place_all;

/// The largest spec that is read, in bytes. A cluster of 50 queues with comments needs some 60 KiB.
pub const SPEC_BYTES_MAX: usize = 1 << 20;

/// Finds the places of diagnostics that were made of the spec of this text.
pub fn place(diagnostics: &mut [Diagnostic], text: &str) {
    if let Some(node) = source::read(text).root {
        place_all(diagnostics, &node, text);
    }
}

/// Checks one spec: syntax, shape and every rule that needs no facts, all in one go.
///
/// The spec is `Some` only when no diagnostic is an error. Diagnostics come in file order.
pub fn check(text: &str) -> (Option<Spec>, Vec<Diagnostic>) {
    if text.len() > SPEC_BYTES_MAX {
        let what = format!("the file is {} bytes long; at most {SPEC_BYTES_MAX} are read", text.len());
        return (None, vec![Diagnostic::error("yaml-too-large", Path::root(), what)]);
    }
    let source = source::read(text);
    let mut diagnostics = source.problems;
    let mut spec = None;
    if let Some(node) = &source.root {
        let shaped = shape::read(node, schema_value());
        diagnostics.extend(shaped.problems);
        spec = match shaped.value.map(serde_json::from_value::<Spec>).transpose() {
            Ok(spec) => spec,
            Err(error) => {
                // The schema and the types come from one definition, so this is a defect of ours; say so.
                let what = format!("trainyard's own schema let this through: {error}");
                diagnostics.push(Diagnostic::error("internal", Path::root(), what).fix("please report it"));
                None
            }
        };
        if let Some(spec) = &spec {
            let hidden = shaped.pruned;
            let is_hidden = |path: &Path| hidden.iter().any(|gone| path.touches(gone));
            let says = |d: &Diagnostic| !is_hidden(&d.path) && !d.rests_on.as_ref().is_some_and(is_hidden);
            diagnostics.extend(rules::run(spec).into_iter().filter(says));
        }
        place_all(&mut diagnostics, node, text);
    }
    diagnostics.sort_by_key(|d| (d.place.as_ref().map_or(0, |p| p.start), d.path.clone()));
    let broken = diagnostics.iter().any(|d| d.severity == Severity::Error);
    (spec.filter(|_| !broken), diagnostics)
}

/// The JSON Schema of a spec (draft 2020-12), for editors and for the shape check itself.
pub fn schema() -> serde_json::Value {
    schema_value().clone()
}

fn schema_value() -> &'static serde_json::Value {
    static SCHEMA: std::sync::OnceLock<serde_json::Value> = std::sync::OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut schema = schemars::schema_for!(Spec).to_value();
        schema["title"] = "trainyard cluster".into();
        schema
    })
}
