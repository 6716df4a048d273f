//! What no stack holds any more: file systems and volumes that a change replaced, snapshots, backups.

use std::collections::BTreeSet;

use super::Kept;
use crate::Failure;
use crate::aws::api::{self, Leaving, LeavingKind};
use crate::aws::refused::Answer;
use crate::aws::stacks::Pause;
use crate::aws::{Account, Patience};

/// What `--delete-data` calls file systems and volumes that nobody uses any more.
pub const REPLACED: &str = "replaced";
/// What it calls snapshots and backups.
pub const BACKUPS: &str = "backups";

/// What is left beside what the stacks in `held` hold, and what could not be looked for.
pub async fn kept(account: &Account, cluster: &str, held: &[Kept]) -> Result<Vec<Kept>, Failure> {
    let found = api::leavings(account, cluster).await?;
    let held: BTreeSet<&str> = held.iter().flat_map(|one| &one.resources).map(String::as_str).collect();
    let (copies, live): (Vec<Leaving>, Vec<Leaving>) =
        found.leavings.into_iter().filter(|one| !held.contains(one.id.as_str())).partition(is_copy);
    let rate = trainyard_plan::aws::snapshot_rate();
    let replaced = entry(REPLACED, "file systems and volumes that no stack holds", &live, None);
    let backups = entry(BACKUPS, "snapshots and backups", &copies, rate);
    let unseen = found.denied.iter().map(|operation| unseen(operation));
    Ok(replaced.into_iter().chain(backups).chain(unseen).collect())
}

/// What the caller may not look for may be there, and cost.
fn unseen(operation: &str) -> Kept {
    let is_copies = operation.ends_with("DescribeSnapshots") || operation.ends_with("DescribeBackups");
    Kept {
        name: if is_copies { BACKUPS } else { REPLACED }.to_owned(),
        what: format!("what {operation} would tell: the caller may not ask, so something may be there"),
        stack_name: None,
        resources: Vec::new(),
        monthly_cents: None,
        by_use: None,
        because: format!("let the caller do {operation}: docs/iam.md has the policy"),
        has_data: false,
    }
}

fn is_copy(one: &Leaving) -> bool {
    matches!(one.kind, LeavingKind::Snapshot | LeavingKind::Backup)
}

fn entry(name: &str, what: &str, found: &[Leaving], by_use: Option<String>) -> Option<Kept> {
    let gib: u64 = found.iter().map(|one| one.gib).sum();
    (!found.is_empty()).then(|| Kept {
        name: name.to_owned(),
        what: if gib > 0 { format!("{what}, of {gib} GiB") } else { what.to_owned() },
        stack_name: None,
        resources: found.iter().map(|one| one.id.clone()).collect(),
        monthly_cents: None,
        by_use,
        because: "nobody knows whether somebody needs them".to_owned(),
        has_data: true,
    })
}

/// Deletes those of them that are named, and waits until file systems are gone: others wait for their interfaces. One
/// that cannot be deleted does not keep the others.
pub async fn delete(account: &Account, cluster: &str, one: &Kept, patience: &Patience<'_>) -> Result<(), Failure> {
    if one.resources.is_empty() {
        return Err(
            Failure::refused(format!("`{}` could not be deleted: {}", one.name, one.what)).hint(one.because.clone())
        );
    }
    let found = api::leavings(account, cluster).await?.leavings;
    let mut left = Vec::new();
    for leaving in found.iter().filter(|leaving| one.resources.contains(&leaving.id)) {
        match api::delete_leaving(account, leaving, api::LastBackup::Skipped).await {
            Ok(()) => await_end(account, leaving, patience).await?,
            Err(refused) if refused.is_answer() => left.push(format!("{}: {refused}", leaving.id)),
            Err(refused) => return Err(refused.into()),
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!("{} of `{}` could not be deleted", left.len(), one.name))
        .caused_by(std::io::Error::other(left.join("\n    ")))
        .hint(
            "something else may hold them: an image, a lock, another instance; look there, then run the same command",
        ))
}

/// Deletes a stack's OpenZFS file systems before the stack is: CloudFormation could neither leave the last backup out
/// nor delete volumes that people made in them.
pub async fn delete_zfs(
    account: &Account,
    cluster: &str,
    held: &[String],
    backup: api::LastBackup,
    patience: &Patience<'_>,
) -> Result<(), Failure> {
    if held.is_empty() {
        return Ok(());
    }
    for one in open_zfs(account, cluster, held).await? {
        api::delete_leaving(account, &one, backup).await?;
        await_end(account, &one, patience).await?;
    }
    Ok(())
}

async fn open_zfs(account: &Account, cluster: &str, held: &[String]) -> Answer<Vec<Leaving>> {
    let mut found = api::leavings(account, cluster).await?.leavings;
    found.retain(|one| one.kind == LeavingKind::OpenZfs && held.contains(&one.id));
    Ok(found)
}

async fn await_end(account: &Account, one: &Leaving, patience: &Patience<'_>) -> Result<(), Failure> {
    if !matches!(one.kind, LeavingKind::Lustre | LeavingKind::OpenZfs) {
        return Ok(());
    }
    let mut pause = Pause::default();
    while let Some(state) = api::file_system_state(account, &one.id).await? {
        if matches!(state.as_str(), "FAILED" | "MISCONFIGURED_UNAVAILABLE") {
            return Err(Failure::refused(format!("the file system {} could not be deleted: it is {state}", one.id))
                .hint("the console of FSx says why; then run the same command again"));
        }
        patience
            .pause(&format!("the deletion of {}", one.id), format!("{} is being deleted", one.id), pause.next())
            .await?;
    }
    Ok(())
}
