//! What stays after `down`, and deleting it by its name.

mod delete;
mod leavings;

use aws_sdk_cloudformation::types::StackResourceSummary;
use serde::Serialize;
use trainyard_plan::Plan;
use trainyard_plan::aws::{AwsTarget, Keepsake, STACKS, StackKind};

pub use delete::delete;

use super::refused::{Answer, Refused};
use super::{Account, api, planned, stacks};
use crate::Failure;

/// Resources that are worth being named: they hold something, or cost something.
const NAMED: &[&str] = &[
    "AWS::S3::Bucket",
    "AWS::FSx::FileSystem",
    "AWS::EC2::Volume",
    "AWS::EC2::VPC",
    "AWS::RDS::DBCluster",
    "AWS::SecretsManager::Secret",
    "AWS::DirectoryService::MicrosoftAD",
    "AWS::Budgets::Budget",
];

/// Something that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// What `--delete-data` calls it.
    pub name: String,
    /// What it is.
    pub what: String,
    /// The stack that holds it; `None` where none does.
    pub stack_name: Option<String>,
    /// Ids and names in the account.
    pub resources: Vec<String>,
    /// US cents a month at list price in us-east-1, used or not; `None`: by use alone, or not known.
    pub monthly_cents: Option<u64>,
    /// What it costs by use, a month.
    pub by_use: Option<String>,
    /// Why it stays.
    pub because: String,
    /// Whether somebody's data goes with it.
    pub has_data: bool,
}

/// Everything of the cluster that stands and that `down` does not remove.
pub async fn kept(account: &Account, plan: &Plan) -> Result<Vec<Kept>, Failure> {
    let target = planned::target(plan)?;
    let mut all = Vec::new();
    for keepsake in &target.keeps {
        if stacks::describe(account, &keepsake.stack_name).await?.is_some() {
            all.extend(of_stack(account, keepsake).await?);
        }
    }
    let beside = |name: &str, what: &str, resources: Vec<String>, because: &str| Kept {
        name: name.to_owned(),
        what: what.to_owned(),
        stack_name: None,
        resources,
        monthly_cents: Some(0),
        by_use: None,
        because: because.to_owned(),
        has_data: false,
    };
    for (name, kind) in forgotten(account, plan, target).await? {
        all.extend(of_stack(account, &forgotten_keepsake(&name, kind)).await?);
    }
    let key = super::key_name(plan);
    // Only one that trainyard made for this cluster: a person's own is theirs.
    if let Some(key) = key
        && api::key_pair_owner(account, key).await?.as_deref() == Some(plan.cluster.as_str())
    {
        all.push(beside("key", "key pair", vec![key.to_owned()], "it may open other machines too"));
    }
    let groups = log_groups(account, &plan.cluster).await?;
    if !groups.is_empty() {
        let logs = beside("logs", "log groups", groups, "they say what happened");
        all.push(Kept { by_use: Some("$0.03 a GiB".to_owned()), ..logs });
    }
    if let Some(bucket) = own_bucket(account, plan).await? {
        all.push(beside(
            "parallelcluster",
            "ParallelCluster's bucket of this region",
            vec![bucket],
            "its clusters share it",
        ));
    }
    let left = leavings::kept(account, &plan.cluster, &all).await?;
    all.extend(left);
    Ok(all)
}

/// Stacks that hold something and that an earlier plan of this cluster made.
async fn forgotten(account: &Account, plan: &Plan, target: &AwsTarget) -> Answer<Vec<(String, &'static StackKind)>> {
    let mut found = Vec::new();
    for kind in STACKS.iter().filter(|kind| kind.stays.is_some()) {
        let name = format!("{}-{}", plan.cluster, kind.name);
        if target.keeps.iter().any(|keepsake| keepsake.stack_name == name) {
            continue;
        }
        let stack = stacks::describe(account, &name).await?;
        if stack.is_some_and(|stack| stacks::tag(&stack, stacks::OWNER) == Some(plan.cluster.as_str())) {
            found.push((name, *kind));
        }
    }
    Ok(found)
}

fn forgotten_keepsake(stack_name: &str, kind: &StackKind) -> Keepsake {
    Keepsake {
        name: if kind.name == "storage" { "fsx".to_owned() } else { kind.name.to_owned() },
        stack_name: stack_name.to_owned(),
        what: format!("what an earlier spec had: {}", kind.about.split(':').next().unwrap_or(kind.name)),
        monthly_cents: None,
        by_use: None,
        because: kind.stays.unwrap_or_default().to_owned(),
        has_data: !matches!(kind.name, "network" | "budget"),
    }
}

/// What a stack holds; `None` where it is gone, although a late look showed it.
async fn of_stack(account: &Account, keepsake: &Keepsake) -> Answer<Option<Kept>> {
    let resources = match resources(account, &keepsake.stack_name).await {
        Err(refused) if refused.is_absent() => return Ok(None),
        found => found?,
    };
    let is_named = |one: &&StackResourceSummary| one.resource_type().is_some_and(|kind| NAMED.contains(&kind));
    Ok(Some(Kept {
        name: keepsake.name.clone(),
        what: keepsake.what.clone(),
        stack_name: Some(keepsake.stack_name.clone()),
        resources: resources
            .iter()
            .filter(is_named)
            .filter_map(|one| one.physical_resource_id().map(str::to_owned))
            .collect(),
        monthly_cents: keepsake.monthly_cents,
        by_use: keepsake.by_use.clone(),
        because: keepsake.because.clone(),
        has_data: keepsake.has_data,
    }))
}

async fn resources(account: &Account, stack: &str) -> Answer<Vec<StackResourceSummary>> {
    let mut pages = account.cloudformation.list_stack_resources().stack_name(stack).into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Refused::new("cloudformation:ListStackResources", &error))?;
        all.extend(page.stack_resource_summaries.unwrap_or_default());
    }
    all.retain(|one| one.resource_status().is_none_or(|status| status.as_str() != "DELETE_COMPLETE"));
    Ok(all)
}

/// Log groups of the cluster, and of its provider.
async fn log_groups(account: &Account, cluster: &str) -> Answer<Vec<String>> {
    let mut found = Vec::new();
    for prefix in [format!("/aws/parallelcluster/{cluster}-"), "/aws/lambda/pcluster-".to_owned()] {
        let mut pages = account.logs.describe_log_groups().log_group_name_prefix(&prefix).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Refused::new("logs:DescribeLogGroups", &error))?;
            for group in page.log_groups.unwrap_or_default() {
                let Some(name) = group.log_group_name().map(str::to_owned) else { continue };
                if is_of(account, &group, &name, cluster).await? {
                    found.push(name);
                }
            }
        }
    }
    Ok(found)
}

/// Groups of clusters have the time of their making in their name: `/aws/parallelcluster/NAME-202601011200`. Those of
/// providers are told by their tag.
async fn is_of(
    account: &Account,
    group: &aws_sdk_cloudwatchlogs::types::LogGroup,
    name: &str,
    cluster: &str,
) -> Answer<bool> {
    if let Some(rest) = name.strip_prefix(&format!("/aws/parallelcluster/{cluster}-")) {
        return Ok(rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_digit()));
    }
    let Some(arn) = group.arn().map(|arn| arn.trim_end_matches(":*")) else { return Ok(false) };
    let asked = account.logs.list_tags_for_resource().resource_arn(arn).send().await;
    let answer = asked.map_err(|error| Refused::new("logs:ListTagsForResource", &error))?;
    Ok(answer.tags.unwrap_or_default().get("trainyard:cluster").is_some_and(|whose| whose == cluster))
}

/// ParallelCluster's own bucket, where no cluster of the region is left that uses it.
async fn own_bucket(account: &Account, plan: &Plan) -> Result<Option<String>, Failure> {
    let Some(number) = account.number().await? else { return Ok(None) };
    let name = parallelcluster_bucket(&number, account.region());
    let asked = account.s3.head_bucket().bucket(&name).send().await;
    match asked.map_err(|error| Refused::new("s3:HeadBucket", &error)) {
        Err(refused) if refused.is_absent() => return Ok(None),
        Err(refused) => return Err(refused.into()),
        Ok(_) => {}
    }
    let others = stacks::all(account)
        .await?
        .into_iter()
        .any(|stack| stacks::root::version(&stack).is_some() && stack.stack_name() != Some(plan.cluster.as_str()));
    Ok((!others).then_some(name))
}

/// As ParallelCluster names it.
fn parallelcluster_bucket(number: &str, region: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(format!("{number}{region}").as_bytes());
    format!("parallelcluster-{}-v1-do-not-delete", trainyard_plan::hex(&digest[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name that ParallelCluster gives its bucket, as its own code makes it.
    #[test]
    fn the_bucket_is_called_as_parallelcluster_calls_it() {
        let name = parallelcluster_bucket("123456789012", "us-east-1");
        assert_eq!(name, "parallelcluster-89e4e5f1cd12e98b-v1-do-not-delete");
    }
}
