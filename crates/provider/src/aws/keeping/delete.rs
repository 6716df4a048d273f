//! Deleting what was kept, by its name.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{Stack, StackResourceSummary};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use serde_json::{Value, json};
use trainyard_plan::Plan;

use super::{Kept, kept, leavings, resources};
use crate::Failure;
use crate::aws::api::LastBackup;
use crate::aws::refused::Refused;
use crate::aws::stacks::{self, Template, Wanted};
use crate::aws::{Account, Patience, api};

/// Deletes what is kept under these names, last made first: of what holds data only what was `agreed` to.
pub async fn delete(
    account: &Account,
    plan: &Plan,
    names: &BTreeSet<String>,
    agreed: &[Kept],
    patience: &Patience<'_>,
) -> Result<Vec<Kept>, Failure> {
    let all = kept(account, plan).await?;
    let cluster = plan.cluster.as_str();
    let backup = if names.contains(leavings::BACKUPS) { LastBackup::Skipped } else { LastBackup::Made };
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for one in all.into_iter().rev().filter(|one| names.contains(&one.name)) {
        mind_the_agreement(&one, agreed)?;
        patience.tell(format!("deleting {}", one.what));
        match (&one.stack_name, one.name.as_str()) {
            (Some(stack), _) => delete_stack(account, stack, cluster, backup, patience).await?,
            (None, leavings::REPLACED | leavings::BACKUPS) => {
                if let Err(failure) = leavings::delete(account, cluster, &one, patience).await {
                    // The rest goes all the same: it may cost more.
                    failures.push(failure);
                    continue;
                }
            }
            (None, "logs") => delete_groups(account, &one.resources).await?,
            (None, "key") => api::delete_key_pair(account, one.resources.first().map_or("", String::as_str)).await?,
            (None, _) => {
                for bucket in &one.resources {
                    delete_bucket(account, bucket, patience).await?;
                }
            }
        }
        deleted.push(one);
    }
    match failures.into_iter().next() {
        Some(failure) if deleted.is_empty() => Err(failure),
        Some(failure) => {
            let gone: Vec<&str> = deleted.iter().map(|one| one.name.as_str()).collect();
            Err(failure.hint(format!("deleted: {}", gone.join(", "))))
        }
        None => Ok(deleted),
    }
}

/// What appeared since somebody agreed was not agreed to.
fn mind_the_agreement(one: &Kept, agreed: &[Kept]) -> Result<(), Failure> {
    let known: Vec<&String> =
        agreed.iter().filter(|other| other.name == one.name).flat_map(|other| &other.resources).collect();
    let new: Vec<&str> = one.resources.iter().filter(|id| !known.contains(id)).map(String::as_str).collect();
    if !one.has_data || new.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!("{} appeared since it was agreed to delete `{}`", new.join(", "), one.name))
        .hint("nothing of that was deleted; look at it, and run the same command again"))
}

async fn delete_bucket(account: &Account, bucket: &str, patience: &Patience<'_>) -> Result<(), Failure> {
    empty(account, bucket, patience).await?;
    let asked = account.s3.delete_bucket().bucket(bucket).send().await;
    match asked.map_err(|error| Refused::new("s3:DeleteBucket", &error)) {
        Err(refused) if !refused.is_absent() => Err(refused.into()),
        _ => Ok(()),
    }
}

async fn delete_groups(account: &Account, groups: &[String]) -> Result<(), Failure> {
    for group in groups {
        let asked = account.logs.delete_log_group().log_group_name(group).send().await;
        match asked.map_err(|error| Refused::new("logs:DeleteLogGroup", &error)) {
            Err(refused) if !refused.is_absent() => return Err(refused.into()),
            _ => {}
        }
    }
    Ok(())
}

/// First goes what CloudFormation cannot delete itself, then the template lets go of what it retains, and CloudFormation
/// deletes the rest.
async fn delete_stack(
    account: &Account,
    name: &str,
    cluster: &str,
    backup: LastBackup,
    patience: &Patience<'_>,
) -> Result<(), Failure> {
    let Some(stack) = stacks::describe(account, name).await? else { return Ok(()) };
    stacks::mind_the_owner(&stack, name, cluster)?;
    let text = stacks::template(account, name).await?;
    let held = resources(account, name).await?;
    let of = |kind: &str| -> Vec<String> {
        let mine = held.iter().filter(|one| one.resource_type() == Some(kind));
        mine.filter_map(|one| one.physical_resource_id().map(str::to_owned)).collect()
    };
    for bucket in of("AWS::S3::Bucket") {
        empty(account, &bucket, patience).await?;
    }
    leavings::delete_zfs(account, cluster, &of("AWS::FSx::FileSystem"), backup, patience).await?;
    // Last, since from here on the stack's deletion takes everything along. One whose deletion was begun takes no other
    // template.
    let is_going = matches!(stacks::status(&stack), "DELETE_IN_PROGRESS" | "DELETE_FAILED");
    let lets_go = retained(&text).is_empty();
    if !is_going && !lets_go {
        stacks::deploy(account, &unlocking(&stack, name, &text)?, patience).await?;
    }
    stacks::delete(account, name, cluster, patience).await.map_err(|failure| {
        failure.hint(format!("the stack {name} retains nothing any more; `trainyard up` has it retain its data again"))
    })?;
    if !is_going || lets_go {
        return Ok(());
    }
    let left = left(&text, &held);
    if left.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!("the stack {name} is gone, and what it retained is left: {}", left.join(", ")))
        .hint("its deletion was begun elsewhere, so it could not let go of them first")
        .hint("file systems and volumes go with: --delete-data replaced; delete the others in the console"))
}

/// What a stack retained, by type and id.
fn left(template: &str, held: &[StackResourceSummary]) -> Vec<String> {
    let names = retained(template);
    let kept = held.iter().filter(|one| one.logical_resource_id().is_some_and(|id| names.contains(id)));
    kept.map(|one| {
        format!("{} {}", one.resource_type().unwrap_or_default(), one.physical_resource_id().unwrap_or_default())
    })
    .collect()
}

/// The stack as it is, with nothing retained.
fn unlocking(stack: &Stack, name: &str, template: &str) -> Result<Wanted, Failure> {
    let pairs = |key: Option<&str>, value: Option<&str>| Some((key?.to_owned(), value?.to_owned()));
    Ok(Wanted {
        name: name.to_owned(),
        template: Template::Text(unlocked(template)?),
        parameters: stack
            .parameters()
            .iter()
            .filter_map(|one| pairs(one.parameter_key(), one.parameter_value()))
            .collect(),
        capabilities: stack.capabilities().iter().map(|one| one.as_str().to_owned()).collect(),
        tags: stack.tags().iter().filter_map(|tag| pairs(tag.key(), tag.value())).collect(),
        keep_failed: false,
    })
}

/// The names of a template's resources that stay when their stack goes.
fn retained(text: &str) -> BTreeSet<String> {
    let template = trainyard_spec::source::data(text).unwrap_or_default();
    let resources = template["Resources"].as_object();
    let stays = |one: &Value| one["DeletionPolicy"].as_str().is_some_and(|policy| policy != "Delete");
    resources.into_iter().flatten().filter(|(_, one)| stays(one)).map(|(name, _)| name.clone()).collect()
}

/// The same template with nothing retained. CloudFormation takes a change of these attributes only beside another
/// change, so it gets a resource that is nothing.
fn unlocked(text: &str) -> Result<String, Failure> {
    let mut template = trainyard_spec::source::data(text).ok_or_else(|| {
        Failure::refused("the stack's template cannot be read").hint("delete the stack in the console")
    })?;
    if let Some(resources) = template.get_mut("Resources").and_then(Value::as_object_mut) {
        for resource in resources.values_mut().filter_map(Value::as_object_mut) {
            for key in ["DeletionPolicy", "UpdateReplacePolicy"] {
                if resource.contains_key(key) {
                    resource.insert(key.to_owned(), "Delete".into());
                }
            }
            let properties = resource.get_mut("Properties").and_then(Value::as_object_mut);
            if let Some(protection) = properties.and_then(|properties| properties.get_mut("DeletionProtection")) {
                *protection = false.into();
            }
        }
        resources.insert("Unlocked".to_owned(), json!({ "Type": "AWS::CloudFormation::WaitConditionHandle" }));
    }
    Ok(template.to_string())
}

/// Deletes every object of a bucket, with all its versions.
async fn empty(account: &Account, bucket: &str, patience: &Patience<'_>) -> Result<(), Failure> {
    let mut count = 0;
    loop {
        let asked = account.s3.list_object_versions().bucket(bucket).max_keys(1000).send().await;
        let page = match asked.map_err(|error| Refused::new("s3:ListObjectVersions", &error)) {
            Ok(page) => page,
            Err(refused) if refused.is_absent() => return Ok(()),
            Err(refused) => return Err(refused.into()),
        };
        let id = |key: Option<&str>, version: Option<&str>| {
            ObjectIdentifier::builder().key(key?).set_version_id(version.map(str::to_owned)).build().ok()
        };
        let versions = page.versions().iter().filter_map(|one| id(one.key(), one.version_id()));
        let markers = page.delete_markers().iter().filter_map(|one| id(one.key(), one.version_id()));
        let ids: Vec<ObjectIdentifier> = versions.chain(markers).collect();
        if ids.is_empty() {
            return Ok(());
        }
        count += ids.len();
        let delete = Delete::builder().set_objects(Some(ids)).quiet(true).build();
        let delete = delete.map_err(|error| Failure::internal(error.to_string()))?;
        let asked = account.s3.delete_objects().bucket(bucket).delete(delete).send().await;
        let answer = asked.map_err(|error| Refused::new("s3:DeleteObjects", &error))?;
        if let Some(first) = answer.errors().first() {
            let why = format!("{}: {}", first.code().unwrap_or_default(), first.message().unwrap_or_default());
            return Err(Failure::refused(format!("an object of the bucket {bucket} could not be deleted"))
                .caused_by(std::io::Error::other(why)));
        }
        patience.mind(&format!("emptying the bucket {bucket}"), &format!("{count} objects deleted"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_retained_in_an_unlocked_template() {
        let text = "Resources:\n  A:\n    Type: T\n    DeletionPolicy: RetainExceptOnCreate\n    UpdateReplacePolicy: Retain\n  B:\n    Type: T\n";
        let template = unlocked(text).expect("readable");
        assert!(!template.contains("Retain"), "{template}");
        assert_eq!(retained(text).into_iter().collect::<Vec<_>>(), ["A"]);
        assert!(template.contains("WaitConditionHandle") && template.contains("\"B\":{\"Type\":\"T\"}"), "{template}");
    }
    #[test]
    fn what_a_stack_retained_is_named() {
        let text = "{Resources: {Home: {Type: T, DeletionPolicy: Retain}, Role: {Type: T}}}";
        let one = |name: &str, id: &str| {
            StackResourceSummary::builder()
                .logical_resource_id(name)
                .physical_resource_id(id)
                .resource_type("T")
                .last_updated_timestamp(aws_smithy_types::DateTime::from_secs(0))
                .resource_status(aws_sdk_cloudformation::types::ResourceStatus::CreateComplete)
                .build()
        };
        let held = [one("Home", "vol-1"), one("Role", "role-1")];
        assert_eq!(left(text, &held), ["T vol-1"]);
    }
}
