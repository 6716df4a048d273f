//! What will be made: `(Spec, Facts)` become artifacts and steps. Nothing is done here.
//!
//! Never reads files, the clock, the environment or the network: same input, same bytes.
//! All choices are made here (names, addresses, order, deadlines, undo), so the engine has none.

pub mod artifacts;
pub mod aws;
mod cidr;
pub mod local;
pub mod metrics;
mod plan;
mod rehearsed;
pub mod usage;

pub use plan::{Action, Artifact, NotRehearsed, Note, Plan, Step, Target, Undo, fingerprint, hex};
pub use trainyard_spec::facts::{AwsFacts, Facts, Isolation, LocalFacts};
pub use trainyard_spec::hostlist;

use trainyard_spec::{Diagnostic, Spec};

/// What is asked of the plan beyond the spec.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// At most this many nodes in each queue of a rehearsal (`--max-nodes`).
    pub nodes_per_queue_max: Option<u32>,
}

/// Builds the plan of a cluster.
///
/// Fails with diagnostics where these facts cannot carry this spec.
pub fn build(spec: &Spec, facts: &Facts, options: Options) -> Result<Plan, Vec<Diagnostic>> {
    match facts {
        Facts::Local(facts) => local::build(spec, facts, options),
        Facts::Aws(facts) => aws::build(spec, facts),
    }
}
