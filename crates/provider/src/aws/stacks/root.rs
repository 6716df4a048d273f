//! ParallelCluster's own stack of a cluster.

use aws_sdk_cloudformation::types::Stack;

use super::{describe, tag};
use crate::Failure;
use crate::aws::Account;

/// ParallelCluster's own stack of the cluster: the root of its tree.
pub async fn root(account: &Account, cluster: &str) -> Result<Option<Stack>, Failure> {
    Ok(describe(account, cluster).await?)
}

/// The version that a cluster was made with.
pub fn version(root: &Stack) -> Option<&str> {
    tag(root, "parallelcluster:version")
}
