//! The node supervisor: the parent of every process of a rehearsed cluster.
//!
//! It plays the part that EC2 and ParallelCluster's daemons play on AWS: it starts and stops nodes
//! when Slurm's power saving asks, notices a node's loss, tells Slurm, and replaces static nodes.
//! When it dies, the kernel ends every node with it, so nothing can be left behind.

mod boxed;
mod daemon;
mod daemons;
mod groups;
mod processes;
mod protocol;
mod recovery;
mod roster;
mod view;

pub use boxed::{enter, inside};
pub use daemon::run;
pub(super) use groups::{are_made, clean_up};
pub(super) use processes::is_alive;
pub use protocol::{Answer, Ask, Client, NodeStatus, Status, Verb};
