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
    /// A volume of EBS that no instance of the cluster has.
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

/// What was found, and what the caller may not ask for.
#[derive(Debug, Default)]
pub struct Found {
    /// Everything that has the cluster's tag, whether a stack holds it or not.
    pub leavings: Vec<Leaving>,
    /// Operations that were denied: what they would have told is not known.
    pub denied: Vec<String>,
}

impl Found {
    fn add<T>(&mut self, asked: Answer<Vec<T>>, read: impl Fn(T) -> Option<Leaving>) -> Answer<()> {
        match asked {
            Ok(all) => self.leavings.extend(all.into_iter().filter_map(read)),
            Err(refused) if refused.is_denial() => self.denied.push(refused.operation),
            Err(refused) => return Err(refused),
        }
        Ok(())
    }
}

/// Looks for everything of these kinds; each look may be denied by itself.
pub async fn leavings(account: &Account, cluster: &str) -> Answer<Found> {
    // Four calls at once are too large for whatever awaits them.
    let (volumes, snapshots, systems, backups) = tokio::join!(
        Box::pin(volumes(account, cluster)),
        Box::pin(snapshots(account, cluster)),
        Box::pin(documents(account, &FSX, "DescribeFileSystems", "FileSystems")),
        Box::pin(documents(account, &FSX, "DescribeBackups", "Backups")),
    );
    let mut found = Found::default();
    found.add(volumes, Some)?;
    found.add(snapshots, |snapshot| snapshot)?;
    found.add(systems, |item| is_of(&item, cluster).then(|| file_system(&item)))?;
    found.add(backups, |item| (is_of(&item, cluster) && is_our_backup(&item)).then(|| backup(&item)))?;
    Ok(found)
}

fn is_of(item: &Value, cluster: &str) -> bool {
    let tags = item["Tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_going = item["Lifecycle"].as_str() == Some("DELETING");
    !is_going && tags.iter().any(|tag| tag["Key"] == OWNER && tag["Value"] == cluster)
}

/// Automatic backups go with their file system, and those of AWS Backup belong to its vaults.
fn is_our_backup(item: &Value) -> bool {
    !matches!(item["Type"].as_str(), Some("AUTOMATIC" | "AWS_BACKUP"))
}

fn file_system(item: &Value) -> Leaving {
    Leaving {
        kind: if item["FileSystemType"] == "OPENZFS" { LeavingKind::OpenZfs } else { LeavingKind::Lustre },
        id: item["FileSystemId"].as_str().unwrap_or_default().to_owned(),
        gib: item["StorageCapacity"].as_u64().unwrap_or(0),
    }
}

fn backup(item: &Value) -> Leaving {
    Leaving {
        kind: LeavingKind::Backup,
        id: item["BackupId"].as_str().unwrap_or_default().to_owned(),
        gib: item["FileSystem"]["StorageCapacity"].as_u64().unwrap_or(0),
    }
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

/// The state of a file system that is being deleted; `None` once it is gone.
pub async fn file_system_state(account: &Account, id: &str) -> Answer<Option<String>> {
    match account.call(&FSX, "DescribeFileSystems", Body::Json(json!({ "FileSystemIds": [id] }))).await {
        Ok(text) => {
            let answer: Value = serde_json::from_str(&text)
                .map_err(|error| Refused::unreadable("fsx:DescribeFileSystems", error.to_string()))?;
            Ok(Some(answer["FileSystems"][0]["Lifecycle"].as_str().unwrap_or_default().to_owned()))
        }
        Err(refused) if refused.is_absent() => Ok(None),
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

/// Those that no instance of the cluster has.
async fn volumes(account: &Account, cluster: &str) -> Answer<Vec<Leaving>> {
    let mut body = tagged(cluster);
    for (number, state) in ["available", "error", "in-use"].into_iter().enumerate() {
        body.push((format!("Filter.2.Value.{}", number + 1), state.to_owned()));
    }
    body.push(("Filter.2.Name".to_owned(), "status".to_owned()));
    let found = account.ec2_pages("DescribeVolumes", body, |root| root.items("volumeSet").filter_map(volume).collect());
    let mut found: Vec<Volume> = found.await?;
    if found.iter().any(|volume| !volume.held_by.is_empty()) {
        let mine = super::instances(account, cluster).await?;
        found.retain(|volume| !mine.iter().any(|instance| volume.held_by.contains(&instance.id)));
    }
    Ok(found.into_iter().map(|volume| volume.leaving).collect())
}

/// A volume that does not go with an instance, and the instances that have it.
struct Volume {
    leaving: Leaving,
    held_by: Vec<String>,
}

fn volume(item: Element<'_, '_>) -> Option<Volume> {
    if item.items("attachmentSet").any(|held| held.text("deleteOnTermination") == "true") {
        return None;
    }
    let gib = item.text("size").parse().unwrap_or(0);
    let leaving = Leaving { kind: LeavingKind::Volume, id: item.text("volumeId"), gib };
    Some(Volume { leaving, held_by: item.items("attachmentSet").map(|held| held.text("instanceId")).collect() })
}

/// Also those that are being made. Snapshots of AWS Backup belong to its vaults.
async fn snapshots(account: &Account, cluster: &str) -> Answer<Vec<Option<Leaving>>> {
    let mut body = tagged(cluster);
    body.push(("Owner.1".to_owned(), "self".to_owned()));
    account.ec2_pages("DescribeSnapshots", body, |root| root.items("snapshotSet").map(snapshot).collect()).await
}

fn snapshot(item: Element<'_, '_>) -> Option<Leaving> {
    if item.items("tagSet").any(|tag| tag.text("key").starts_with("aws:backup:")) {
        return None;
    }
    let gib = item.text("volumeSize").parse().unwrap_or(0);
    Some(Leaving { kind: LeavingKind::Snapshot, id: item.text("snapshotId"), gib })
}

/// The filter of the cluster's tag.
fn tagged(cluster: &str) -> Vec<(String, String)> {
    vec![("Filter.1.Name".to_owned(), format!("tag:{OWNER}")), ("Filter.1.Value.1".to_owned(), cluster.to_owned())]
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
