//! The terminal: stdout is data, stderr is talk. The only place that prints.

// Printing needs a `Ui` even where it does not look at it: who holds none cannot print.
#![allow(clippy::unused_self)]

mod confirm;
mod diagnostics;
mod live;
mod plain;
mod progress;
mod table;
pub mod usage;

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;
use trainyard_provider::{Failure, Kind};

pub use confirm::Confirmed;
pub use plain::plain;
pub use progress::Progress;
pub use table::table;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The terminal.
pub struct Ui {
    /// How to print.
    pub format: Format,
    is_terminal: bool,
}

impl Ui {
    /// Looks once whether people watch.
    pub fn new(format: Format) -> Self {
        Self { format, is_terminal: std::io::stderr().is_terminal() }
    }

    /// Data: a line on stdout. A reader that went away is no failure of ours.
    pub fn data(&self, line: &str) {
        let _ = writeln!(anstream::stdout().lock(), "{line}");
    }

    /// Data as it comes.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(bytes);
        let _ = out.flush();
    }

    /// What a program wrote to its standard error, as it is.
    pub fn error_bytes(&self, bytes: &[u8]) {
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(bytes);
        let _ = err.flush();
    }

    /// Data for programs.
    pub fn json(&self, value: &impl Serialize) {
        // Our own types always serialize.
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.data(&text);
    }

    /// Talk: a line on stderr.
    pub fn say(&self, line: &str) {
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }

    /// Whether stdout is for programs.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Follows a run of the engine.
    pub fn progress(&self) -> Progress {
        // A terminal that can only write on and on has no place for a view.
        let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
        Progress::new(self.format, self.is_terminal && !is_dumb)
    }

    /// Tells what went wrong, why, and what to do; returns the exit code.
    pub fn failure(&self, failure: &Failure) -> u8 {
        let chain = failure.chain();
        let (kind, code) = match failure.kind {
            Kind::Bad => ("bad", 1),
            Kind::Usage => ("usage", 2),
            Kind::Refused => ("refused", 3),
            Kind::Interrupted => ("interrupted", 4),
            Kind::Internal => ("internal", 5),
        };
        if self.is_json() {
            self.data(&serde_json::json!({"error": chain, "kind": kind, "hints": failure.hints}).to_string());
            return code;
        }
        let word = if failure.kind == Kind::Internal { "internal error" } else { "error" };
        self.say(&format!("\x1b[1;31m{word}\x1b[0m: {}", chain[0]));
        for cause in &chain[1..] {
            self.say(&format!("  because: {cause}"));
        }
        for hint in &failure.hints {
            self.say(&format!("  \x1b[1;36mhint\x1b[0m: {hint}"));
        }
        if failure.kind == Kind::Internal {
            self.say("  hint: this is a defect of trainyard; please report it with the lines above");
        }
        code
    }
}

/// A line in the log of a process without a terminal, with the time.
pub fn log(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{} {line}", trainyard_provider::engine::now());
}
