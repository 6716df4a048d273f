//! The only crate that starts a process.
//!
//! Every command has an argv (never a shell line), a deadline, bounded output, and an error that
//! carries what the program said. A command that overruns is killed with everything it started.

mod command;
pub mod control_groups;
mod lines;
mod wait;

pub use command::{Command, Output, RunError};
pub use wait::Cancel;
