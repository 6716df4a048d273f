//! Why ParallelCluster could not do it. CloudFormation is told only the last 240 characters; the provider's log group
//! has all of it, and the cluster's own stack says which resource failed first.

use super::Work;
use crate::Failure;
use crate::aws::api;
use crate::aws::refused::{Answer, Refused};
use crate::aws::stacks::{self, Seen};

/// So far the times of two stacks' events may be apart.
const CLOCKS_MILLISECONDS: i64 = 2_000;
/// Log events that are read, and lines that are shown.
const EVENTS_MAX: i32 = 200;
const LINES_MAX: usize = 12;

/// What ParallelCluster writes when a node's set-up fails: its text, what it means, what to do.
const BOOTSTRAP: &[(&str, &str)] = &[
    (
        "AMI was created with",
        "the image is of another ParallelCluster version: build it anew, or write its version into the spec",
    ),
    (
        "does not appear to be a ParallelCluster AMI",
        "the image is no ParallelCluster image: leave `image` out, or build one from ParallelCluster's",
    ),
    ("OnNodeConfigured", "a script of `setup.scripts` failed on the head: what it said: trainyard logs tail cfn-init"),
    ("OnNodeStart", "a script of `setup.scripts` failed on the head: what it said: trainyard logs tail cloud-init"),
    (
        "Failed to mount EBS",
        "the volume of /home could not be mounted: it is in another zone than the head, or in use elsewhere",
    ),
    ("Failed to mount EFS", "EFS could not be mounted: its security group must let NFS (2049) in from the nodes"),
    (
        "Failed to mount FSX",
        "the FSx file system could not be mounted: its security group must let the nodes in (988, 1018-1023; NFS 2049)",
    ),
    (
        "PROTECTED mode",
        "static nodes failed to start again and again; why: trainyard logs tail clustermgtd, and cloud-init-output of a node",
    ),
    (
        "InsufficientInstanceCapacity",
        "AWS has no such instances free in this zone: try another zone or type, or reserve capacity",
    ),
    (
        "timed out",
        "the head or its static nodes were not ready in time; how far they came: trainyard logs tail chef-client clustermgtd",
    ),
    ("Failed to run chef recipe", "the head's own set-up failed; where: trainyard logs tail chef-client"),
];

/// The failure of the cluster's stack, with everything that can be learned about it.
pub async fn explain(work: &Work<'_>, name: &str, status: &str, seen: &Seen) -> Failure {
    let reason =
        seen.reason_of("Custom::PclusterCluster").unwrap_or_else(|| format!("its stack {name} ended in {status}"));
    let mut causes: Vec<String> = Vec::new();
    let mut inner = Seen::default();
    // What failed in it before this was begun is no reason.
    let is_of_this = |inner: &Seen| inner.began_at() >= seen.began_at().map(|began| began - CLOCKS_MILLISECONDS);
    if inner.look(work.account, &work.plan.cluster).await.is_ok() && is_of_this(&inner) {
        inner.collect(work.account, &mut causes).await;
    }
    let from_log = match told(work, seen.began_at()).await {
        Ok(lines) => lines,
        Err(refused) => vec![format!("(its log could not be read: {refused})")],
    };
    causes.extend(from_log);
    // CloudFormation's own words are the rest of it, unless they were cut out of what the log has whole.
    if causes.is_empty() || !is_cut(&reason) {
        causes.push(reason.clone());
    }
    causes.truncate(LINES_MAX);
    let all = format!("{reason}\n{}", causes.join("\n"));
    let cluster = &work.plan.cluster;
    let what = match status {
        "DELETE_FAILED" => format!("ParallelCluster could not delete the cluster {cluster}"),
        _ => format!("ParallelCluster could not bring the cluster {cluster} to what the spec asks"),
    };
    let failure = Failure::refused(what).caused_by(std::io::Error::other(causes.join("\n    ")));
    let hints = BOOTSTRAP.iter().filter(|(text, _)| all.contains(text)).map(|(_, hint)| *hint);
    let failure = hints.take(3).fold(failure, Failure::hint);
    match running(work).await {
        0 => failure,
        count => failure.hint(format!(
            "{count} instances of it run on, and cost: look into them, or take it down with: trainyard down --cluster {cluster}"
        )),
    }
}

/// How many instances of the cluster run; none where that cannot be told.
async fn running(work: &Work<'_>) -> usize {
    let all = api::instances(work.account, &work.plan.cluster).await.unwrap_or_default();
    all.iter().filter(|one| matches!(one.state.as_str(), "running" | "pending")).count()
}

fn is_cut(reason: &str) -> bool {
    reason.contains("(truncated)")
}

/// What the provider's log says of the first error since this operation began: later ones are of the way back.
async fn told(work: &Work<'_>, since: Option<i64>) -> Answer<Vec<String>> {
    let (Some(group), Some(since)) = (log_group(work).await?, since) else { return Ok(Vec::new()) };
    let asked =
        work.account.logs.filter_log_events().log_group_name(&group).start_time(since).limit(EVENTS_MAX).send().await;
    let answer = asked.map_err(|error| Refused::new("logs:FilterLogEvents", &error))?;
    let texts: Vec<String> = answer.events.unwrap_or_default().into_iter().filter_map(|event| event.message).collect();
    let mut lines: Vec<String> = texts.iter().find_map(|text| messages(text)).unwrap_or_default();
    lines.truncate(LINES_MAX);
    Ok(lines)
}

async fn log_group(work: &Work<'_>) -> Answer<Option<String>> {
    let provider = work.plan.steps.iter().find_map(|step| match &step.action {
        trainyard_plan::Action::Aws(trainyard_plan::aws::AwsAction::DeployProvider { stack_name, .. }) => {
            Some(stack_name)
        }
        _ => None,
    });
    let Some(provider) = provider else { return Ok(None) };
    let Some(stack) = stacks::describe(work.account, provider).await? else { return Ok(None) };
    let arn = stacks::outputs(&stack).remove("LogGroupArn");
    Ok(arn.and_then(|arn| arn.split(":log-group:").nth(1).map(|name| name.trim_end_matches(":*").to_owned())))
}

/// The messages of ParallelCluster's answer in a line of the log: validation errors one by one.
fn messages(text: &str) -> Option<Vec<String>> {
    let start = text.find('{')?;
    let end = text.rfind('}')?;
    let value: serde_json::Value = serde_json::from_str(text.get(start..=end)?).ok()?;
    let mut found = Vec::new();
    for key in [
        "configurationValidationErrors",
        "configuration_validation_errors",
        "updateValidationErrors",
        "update_validation_errors",
    ] {
        for item in value[key].as_array().into_iter().flatten() {
            let text = |key: &str| item[key].as_str().unwrap_or_default();
            if matches!(text("level"), "" | "ERROR") {
                found.push(text("message").to_owned());
            }
        }
    }
    if found.is_empty() {
        found.extend(value["message"].as_str().map(str::to_owned));
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The provider's answer is cut at 240 characters; the whole is in its log, as JSON within a line.
    #[test]
    fn messages_of_a_log_line_are_found() {
        let line = r#"[ERROR] 2026-01-01 {"message": "Invalid cluster configuration.", "configurationValidationErrors": [
            {"level": "ERROR", "type": "A", "message": "The subnet is odd."}, {"level": "WARNING", "message": "w"}]}"#;
        assert_eq!(messages(line), Some(vec!["The subnet is odd.".to_owned()]));
        assert_eq!(messages(r#"{"message": "Bad"}"#), Some(vec!["Bad".to_owned()]));
        for text in ["", "{", "}{", "START RequestId", "{}"] {
            assert_eq!(messages(text), None, "{text}");
        }
    }
}
