//! The project's own chores, as a library, so that tests can run them over small made-up trees.
//!
//! Never prints and never ends the process: every function returns what it found.

pub mod acceptance;
pub mod bench;
pub mod catalog;
pub mod dist;
pub mod generate;
pub mod iam;
pub mod manifest;
pub mod repository;
mod scratch;
pub mod slurm_matrix;
pub mod source;
pub mod tidy;
pub mod trainyard;
