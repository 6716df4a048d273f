//! The reviewed tables of what the person who runs trainyard must be allowed to do.

/// The product's own code, not its crate: a chore must also build when the crates do not.
#[path = "../../crates/plan/src/aws/iam/tables.rs"]
pub mod tables;

/// What trainyard itself asks of AWS, below the root.
pub const CALLS: &str = "crates/plan/src/aws/iam/calls.tsv";

/// What CloudFormation asks of the caller, below the root.
pub const HANDLERS: &str = "crates/plan/src/aws/iam/actions.tsv";

/// On what, below the root.
pub const SCOPES: &str = "crates/plan/src/aws/iam/scope.tsv";
