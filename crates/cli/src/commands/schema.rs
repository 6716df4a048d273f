//! `trainyard schema`: the JSON Schema of a spec.

use trainyard_provider::Failure;

use crate::session::Session;

/// Print the JSON Schema of a spec, for editors.
///
/// An editor with a YAML language server checks while you type when the file begins with:
/// # yaml-language-server: $schema=PATH-OR-URL
#[derive(Debug, clap::Args)]
pub struct Schema {}

impl Schema {
    pub fn run(self, session: &Session) -> Result<u8, Failure> {
        session.ui.json(&trainyard_spec::schema());
        Ok(0)
    }
}
