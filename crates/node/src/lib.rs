//! What runs on a node: one agent that reads the machine and tells what it finds.
//!
//! Never speaks to a cloud, never needs the spec: all that it must know is in its arguments. What it reads (kernel
//! files, logs, tools' output) is taken for hostile: bounded, and never a panic.

pub mod ask;
pub mod collect;
pub mod conductor;
pub mod events;
pub mod exposition;
pub mod fetch;
pub mod files;
pub mod foreign;
pub mod format;
pub mod gpus;
pub mod growth;
pub mod jobs;
pub mod kernel_log;
pub mod list;
pub mod live;
pub mod meters;
pub mod ordinary;
pub mod problem;
pub mod replay;
pub mod serve;
pub mod settings;
pub mod sheet;
pub mod tripwire;
pub mod value;
pub mod xid;
