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

/// What is left beside what the stacks in `held` hold.
pub async fn kept(account: &Account, cluster: &str, held: &[Kept]) -> Result<Vec<Kept>, Failure> {
    let found = match api::leavings(account, cluster).await {
        // Who may not look is told the rest.
        Err(refused) if refused.is_denial() => return Ok(Vec::new()),
        found => found?,
    };
    let held: BTreeSet<&str> = held.iter().flat_map(|one| &one.resources).map(String::as_str).collect();
    let (copies, live): (Vec<Leaving>, Vec<Leaving>) =
        found.into_iter().filter(|one| !held.contains(one.id.as_str())).partition(is_copy);
    let rate = trainyard_plan::aws::snapshot_rate();
    let replaced = entry(REPLACED, "file systems and volumes that a change replaced", &live, None);
    let backups = entry(BACKUPS, "snapshots and backups", &copies, rate);
    Ok(replaced.into_iter().chain(backups).collect())
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

/// Deletes those of them that are named, and waits until file systems are gone: others wait for their interfaces.
pub async fn delete(account: &Account, cluster: &str, ids: &[String], patience: &Patience<'_>) -> Result<(), Failure> {
    for one in api::leavings(account, cluster).await?.iter().filter(|one| ids.contains(&one.id)) {
        api::delete_leaving(account, one, api::LastBackup::Skipped).await?;
        await_end(account, one, patience).await?;
    }
    Ok(())
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
    for one in open_zfs(account, cluster, held).await? {
        api::delete_leaving(account, &one, backup).await?;
        await_end(account, &one, patience).await?;
    }
    Ok(())
}

async fn open_zfs(account: &Account, cluster: &str, held: &[String]) -> Answer<Vec<Leaving>> {
    let mut found = api::leavings(account, cluster).await?;
    found.retain(|one| one.kind == LeavingKind::OpenZfs && held.contains(&one.id));
    Ok(found)
}

async fn await_end(account: &Account, one: &Leaving, patience: &Patience<'_>) -> Result<(), Failure> {
    if !matches!(one.kind, LeavingKind::Lustre | LeavingKind::OpenZfs) {
        return Ok(());
    }
    let mut pause = Pause::default();
    while api::file_system_is_there(account, &one.id).await? {
        patience
            .pause(&format!("the deletion of {}", one.id), &format!("{} is being deleted", one.id), pause.next())
            .await?;
    }
    Ok(())
}
