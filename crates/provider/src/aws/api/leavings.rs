//! What nobody's stack holds any more: volumes, snapshots, file systems and backups, found by the cluster's tag.

use serde_json::{Value, json};

use super::ec2::PAGES_MAX;
use super::xml::Element;
use super::{Body, Protocol, Service, form};
use crate::aws::Account;
use crate::aws::refused::{Answer, Refused};

static EC2: Service = Service { name: "ec2", protocol: Protocol::Query("2016-11-15") };
static FSX: Service = Service { name: "fsx", protocol: Protocol::Json("AWSSimbaAPIService_v20180301") };
/// The tag that says whose a thing is.
const OWNER: &str = "trainyard:cluster";

/// Something that holds data, by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaving {
    /// What it is.
    pub kind: LeavingKind,
    /// Its id.
    pub id: String,
    /// Its size; of a backup, that of what was backed up.
    pub gib: u64,
}

/// Which kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeavingKind {
    /// A volume of EBS that no instance has.
    Volume,
    /// A file system of FSx for Lustre.
    Lustre,
    /// A file system of FSx for OpenZFS.
    OpenZfs,
    /// A snapshot of a volume.
    Snapshot,
    /// A backup of a file system.
    Backup,
}

/// Everything of these kinds that has the cluster's tag, whether a stack holds it or not.
pub async fn leavings(account: &Account, cluster: &str) -> Answer<Vec<Leaving>> {
    // Four calls at once are too large for whatever awaits them.
    let (volumes, snapshots, systems, backups) = tokio::try_join!(
        Box::pin(volumes(account, cluster)),
        Box::pin(snapshots(account, cluster)),
        Box::pin(documents(account, &FSX, "DescribeFileSystems", "FileSystems")),
        Box::pin(documents(account, &FSX, "DescribeBackups", "Backups")),
    )?;
    let mine = |item: &&Value| {
        let tags = item["Tags"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_going = item["Lifecycle"].as_str() == Some("DELETING");
        !is_going && tags.iter().any(|tag| tag["Key"] == OWNER && tag["Value"] == cluster)
    };
    let id = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let systems = systems.iter().filter(mine).map(|item| Leaving {
        kind: if item["FileSystemType"] == "OPENZFS" { LeavingKind::OpenZfs } else { LeavingKind::Lustre },
        id: id(item, "FileSystemId"),
        gib: item["StorageCapacity"].as_u64().unwrap_or(0),
    });
    // Automatic backups go with their file system; those that it leaves have no system any more, or somebody made them.
    let backups = backups.iter().filter(mine).filter(|item| item["Type"].as_str() != Some("AUTOMATIC"));
    let backups = backups.map(|item| Leaving {
        kind: LeavingKind::Backup,
        id: id(item, "BackupId"),
        gib: item["FileSystem"]["StorageCapacity"].as_u64().unwrap_or(0),
    });
    Ok(volumes.into_iter().chain(snapshots).chain(systems).chain(backups).collect())
}

/// Asks for the deletion; one that is not there is fine. `backup`: whether an OpenZFS file system leaves a last one.
pub async fn delete_leaving(account: &Account, one: &Leaving, backup: LastBackup) -> Answer<()> {
    let id = one.id.as_str();
    let asked = match one.kind {
        LeavingKind::Volume => account.call(&EC2, "DeleteVolume", form([("VolumeId", id)])).await,
        LeavingKind::Snapshot => account.call(&EC2, "DeleteSnapshot", form([("SnapshotId", id)])).await,
        LeavingKind::Lustre => account.call(&FSX, "DeleteFileSystem", Body::Json(json!({ "FileSystemId": id }))).await,
        LeavingKind::OpenZfs => {
            let skip = backup == LastBackup::Skipped;
            let how = json!({ "SkipFinalBackup": skip, "Options": ["DELETE_CHILD_VOLUMES_AND_SNAPSHOTS"] });
            let body = json!({ "FileSystemId": id, "OpenZFSConfiguration": how });
            account.call(&FSX, "DeleteFileSystem", Body::Json(body)).await
        }
        LeavingKind::Backup => account.call(&FSX, "DeleteBackup", Body::Json(json!({ "BackupId": id }))).await,
    };
    match asked {
        Err(refused) if !refused.is_absent() => Err(refused),
        _ => Ok(()),
    }
}

/// Whether a file system is still there: its deletion takes minutes.
pub async fn file_system_is_there(account: &Account, id: &str) -> Answer<bool> {
    match account.call(&FSX, "DescribeFileSystems", Body::Json(json!({ "FileSystemIds": [id] }))).await {
        Ok(_) => Ok(true),
        Err(refused) if refused.is_absent() => Ok(false),
        Err(refused) => Err(refused),
    }
}

/// Whether a file system leaves a last backup when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastBackup {
    /// As OpenZFS does unless it is told not to.
    Made,
    /// Nobody wants one.
    Skipped,
}

async fn volumes(account: &Account, cluster: &str) -> Answer<Vec<Leaving>> {
    let body = tagged(cluster, "status", "available");
    account.ec2_pages("DescribeVolumes", body, |root| root.items("volumeSet").map(volume).collect()).await
}

fn volume(item: Element<'_, '_>) -> Leaving {
    Leaving { kind: LeavingKind::Volume, id: item.text("volumeId"), gib: item.text("size").parse().unwrap_or(0) }
}

async fn snapshots(account: &Account, cluster: &str) -> Answer<Vec<Leaving>> {
    let mut body = tagged(cluster, "status", "completed");
    body.push(("Owner.1".to_owned(), "self".to_owned()));
    account.ec2_pages("DescribeSnapshots", body, |root| root.items("snapshotSet").map(snapshot).collect()).await
}

fn snapshot(item: Element<'_, '_>) -> Leaving {
    let gib = item.text("volumeSize").parse().unwrap_or(0);
    Leaving { kind: LeavingKind::Snapshot, id: item.text("snapshotId"), gib }
}

/// Filters: the cluster's tag, and one more.
fn tagged(cluster: &str, filter: &str, value: &str) -> Vec<(String, String)> {
    [
        ("Filter.1.Name", format!("tag:{OWNER}").as_str()),
        ("Filter.1.Value.1", cluster),
        ("Filter.2.Name", filter),
        ("Filter.2.Value.1", value),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec()
}

/// Every item of a list that comes in pages.
async fn documents(
    account: &Account,
    service: &'static Service,
    operation: &'static str,
    list: &str,
) -> Answer<Vec<Value>> {
    let (mut all, mut token) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let body = match token.take() {
            Some(token) => json!({ "NextToken": token }),
            None => json!({}),
        };
        let text = account.call(service, operation, Body::Json(body)).await?;
        let mut answer: Value =
            serde_json::from_str(&text).map_err(|error| Refused::unreadable(operation, error.to_string()))?;
        all.extend(answer[list].as_array_mut().map(std::mem::take).unwrap_or_default());
        token = answer["NextToken"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(all)
}
