//! `docs/trainyard.schema.json`: what editors check a spec with while it is typed.

use super::{Ask, Reference};

pub(super) static REFERENCE: Reference = Reference { path: "docs/trainyard.schema.json", compose };

fn compose(ask: Ask<'_>) -> Result<String, String> {
    ask(&["schema"])
}
