//! ParallelCluster's configuration as it stands: in ParallelCluster's own bucket, and in the template of the stack that
//! holds the cluster. The two differ after a way back that had to skip the cluster.

use aws_sdk_cloudformation::types::Stack;
use serde_json::Value;
use trainyard_plan::Plan;
use trainyard_plan::aws::update::{self, Change};
use trainyard_plan::aws::{ClusterCall, Driver};

use super::{Account, Phase, artifact, phase, provider_token, root, stacks, target};
use crate::Failure;
use crate::aws::refused::{Answer, Refused};
use crate::aws::wires::Outputs;

/// The largest configuration that is read, in bytes: ParallelCluster itself takes far less.
const CONFIGURATION_BYTES_MAX: i64 = 4 << 20;

/// Where ParallelCluster's configuration is in the template of the stack that holds the cluster.
pub const CONFIGURATION: &str = "/Resources/Cluster/Properties/ClusterConfiguration";

/// The tag by which ParallelCluster's provider tells the clusters that it drives.
const PROVIDERS_TAG: &str = "parallelcluster:custom_resource";

/// The configuration in the template of the stack that holds the cluster; `None` where there is no such stack.
pub async fn in_the_template(account: &Account, stack: &str) -> Result<Option<Value>, Failure> {
    if stacks::describe(account, stack).await?.is_none() {
        return Ok(None);
    }
    let template = trainyard_spec::source::data(&stacks::template(account, stack).await?);
    Ok(template.and_then(|template| template.pointer(CONFIGURATION).cloned()).filter(Value::is_object))
}

/// What ParallelCluster itself took last, as its stack says where; `None` where that cannot be told.
async fn in_the_bucket(account: &Account, root: &Stack) -> Answer<Option<Value>> {
    let parameter = |key| stacks::parameter(root, key);
    let (Some(bucket), Some(folder), Some(version)) =
        (parameter("ResourcesS3Bucket"), parameter("ArtifactS3RootDirectory"), parameter("ConfigVersion"))
    else {
        return Ok(None);
    };
    let key = format!("{folder}/configs/cluster-config.yaml");
    let asked = account.s3.get_object().bucket(bucket).key(key).version_id(version).send().await;
    let answer = match asked.map_err(|error| Refused::new("s3:GetObject", &error)) {
        Ok(answer) => answer,
        // The template of the stack that holds it is then all that is known.
        Err(refused) if refused.is_absent() || refused.is_denial() => return Ok(None),
        Err(refused) => return Err(refused),
    };
    if answer.content_length.is_none_or(|bytes| bytes > CONFIGURATION_BYTES_MAX) {
        return Ok(None);
    }
    let body = answer.body.collect().await;
    let bytes = body.map_err(|error| Refused::unreadable("s3:GetObject", error.to_string()))?.into_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap_or_default();
    Ok(trainyard_spec::source::data(&text).filter(Value::is_object))
}

/// The configuration that the spec asks for, with every output put in that is known.
async fn asked(
    account: &Account,
    plan: &Plan,
    call: &ClusterCall,
    outputs: &mut Outputs<'_>,
) -> Result<Option<Value>, Failure> {
    let mut value = match &call.whole.template {
        Some(path) => serde_json::from_str(artifact(plan, path)?)
            .map_err(|error| Failure::internal(format!("{path} is no JSON: {error}")))?,
        None => trainyard_spec::source::data(artifact(plan, &call.whole.configuration)?).unwrap_or_default(),
    };
    // A stack that is still to come has given nothing out: what reads it, and only that, counts as changed.
    outputs.fill_known(account, &mut value).await?;
    let configuration = if call.whole.template.is_some() { value.pointer(CONFIGURATION) } else { Some(&value) };
    Ok(configuration.filter(|value| value.is_object()).cloned())
}

/// What changes in ParallelCluster's configuration; `None` where no cluster stands, or it cannot be told.
pub async fn changes(
    account: &Account,
    plan: &Plan,
    call: &ClusterCall,
    outputs: &mut Outputs<'_>,
) -> Result<Option<Vec<Change>>, Failure> {
    let Some(root) = root(account, &plan.cluster).await? else { return Ok(None) };
    let mut stands = in_the_bucket(account, &root).await?;
    if let Driver::Provider { stack_name, .. } = &call.driver {
        // What is being done to it, or has to be mended first, is not compared.
        let holder = stacks::describe(account, stack_name).await?;
        if holder.is_none_or(|holder| phase(stacks::status(&holder)) != Phase::Stands) {
            return Ok(None);
        }
        if stands.is_none() {
            stands = in_the_template(account, stack_name).await?;
        }
    }
    let (Some(mut stands), Some(mut asked)) = (stands, asked(account, plan, call, outputs).await?) else {
        return Ok(None);
    };
    leave_out_the_providers_tag(&mut stands);
    update::keep_what_only_creation_reads(&stands, &mut asked);
    Ok(Some(update::changes(&target(plan)?.parallelcluster, &stands, &asked)))
}

/// ParallelCluster's provider puts a tag of its own into what it is given.
fn leave_out_the_providers_tag(configuration: &mut Value) {
    let Some(tags) = configuration.get_mut("Tags").and_then(Value::as_array_mut) else { return };
    tags.retain(|tag| tag["Key"] != PROVIDERS_TAG);
    if tags.is_empty() {
        configuration.as_object_mut().and_then(|settings| settings.remove("Tags"));
    }
}

/// Whether the cluster stands as the plan asks for it, whoever made it so.
pub async fn is_as_asked(account: &Account, plan: &Plan, call: &ClusterCall) -> Result<bool, Failure> {
    let Some(root) = root(account, &plan.cluster).await? else { return Ok(false) };
    if phase(stacks::status(&root)) != Phase::Stands {
        return Ok(false);
    }
    if let Driver::Provider { stack_name, provider } = &call.driver {
        let Some(holder) = stacks::describe(account, stack_name).await? else { return Ok(false) };
        let token = provider_token(account, provider).await?;
        let is_given = |key, value: Option<&str>| stacks::parameter(&holder, key) == value;
        if !is_given("Creating", Some("false")) || !is_given("ServiceToken", token.as_deref()) {
            return Ok(false);
        }
    }
    let changes = changes(account, plan, call, &mut Outputs::of(plan)).await?;
    Ok(changes.is_some_and(|changes| changes.is_empty()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_providers_tag_is_nobodys_change() {
        let own = json!({ "Key": PROVIDERS_TAG, "Value": "cluster" });
        let ours = json!({ "Key": "trainyard:cluster", "Value": "cpu" });
        let mut both = json!({ "Tags": [own, ours] });
        leave_out_the_providers_tag(&mut both);
        assert_eq!(both, json!({ "Tags": [ours] }));
        let mut alone = json!({ "Image": {}, "Tags": [own] });
        leave_out_the_providers_tag(&mut alone);
        assert_eq!(alone, json!({ "Image": {} }));
    }
}
