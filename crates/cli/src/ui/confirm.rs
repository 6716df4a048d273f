//! Asking before something is lost.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use trainyard_provider::Failure;

use super::Ui;

/// Proof that somebody agreed to lose something. Only [`Ui::confirm`] makes it.
#[must_use]
#[derive(Debug)]
pub struct Confirmed(());

impl Ui {
    /// Asks for the name of what would be lost. `agreed` skips the question (`--yes`).
    pub fn confirm(&self, what: &str, name: &str, agreed: bool) -> Result<Confirmed, Failure> {
        if agreed {
            return Ok(Confirmed(()));
        }
        if !std::io::stdin().is_terminal() || self.is_json() {
            return Err(Failure::usage(format!("{what} needs a confirmation, and nobody is here to give it"))
                .hint("add --yes if that is meant"));
        }
        let _ = write!(anstream::stderr().lock(), "{what}. Type {name} to go on: ");
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        if line.trim() == name {
            return Ok(Confirmed(()));
        }
        Err(Failure::usage("not confirmed; nothing was done"))
    }
}
