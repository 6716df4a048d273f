//! The logs of a cluster on AWS: the streams of its log group in CloudWatch, and which node wrote them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use trainyard_plan::Plan;

use super::api::{self, Instance};
use super::refused::{Answer, Refused};
use super::{Account, Aws, stacks};
use crate::Failure;
use crate::logs::{Line, Logs, Stream, Streams, sort};

/// Pages of streams (of 50) that are read; what ended long ago has streams, too.
const STREAM_PAGES_MAX: usize = 200;
/// Pages of the table of nodes (of 1 MiB).
const NODE_PAGES_MAX: usize = 20;
/// Pages of a stream's events; some of them are empty.
const EVENT_PAGES_MAX: usize = 20;

/// The logs of one cluster.
pub(super) struct AwsLogs<'a> {
    aws: &'a Aws,
    cluster: &'a str,
    group: String,
}

impl<'a> AwsLogs<'a> {
    /// Finds their log group: the one that the cluster writes to, or of a cluster that is gone the last one that it had.
    pub fn of(aws: &'a Aws, plan: &'a Plan) -> Result<Self, Failure> {
        let found = aws.account.run(&aws.cancel, "looking for the logs", group(&aws.account, &plan.cluster))?;
        let group = found.ok_or_else(|| {
            Failure::refused(format!("`{}` has no log group in CloudWatch", plan.cluster))
                .hint("with `monitoring: { logs: false }` nodes send no logs; they are on the nodes, in /var/log")
                .hint(format!("see whether the cluster stands: trainyard status --cluster {}", plan.cluster))
        })?;
        Ok(Self { aws, cluster: &plan.cluster, group })
    }

    async fn find(&self, node: Option<&str>) -> Result<Streams, Failure> {
        let account = &self.aws.account;
        let instances = api::instances(account, self.cluster).await?;
        let names = node_names(account, self.cluster, &instances).await?;
        let begin = prefix(node, &names, &instances);
        let (found, is_cut) = streams(account, &self.group, begin.as_deref()).await?;
        let mut all: Vec<Stream> = found.into_iter().map(|(name, at)| stream(name, at, &names)).collect();
        sort(&mut all);
        Ok(Streams { all, is_cut })
    }
}

impl Logs for AwsLogs<'_> {
    fn streams(&self, node: Option<&str>) -> Result<Streams, Failure> {
        self.aws.account.run(&self.aws.cancel, "listing log streams", self.find(node))
    }

    fn tail(&self, stream: &Stream, lines: usize) -> Result<Vec<Line>, Failure> {
        let work = async { Ok(events(&self.aws.account, &self.group, &stream.name, lines).await?) };
        self.aws.account.run(&self.aws.cancel, "reading logs", work)
    }
}

async fn group(account: &Account, name: &str) -> Result<Option<String>, Failure> {
    if let Some(root) = stacks::root::root(account, name).await? {
        let named = stacks::parameter(&root, "ClusterCWLogGroup").filter(|text| text.starts_with('/'));
        return Ok(named.map(str::to_owned));
    }
    Ok(last_group(account, name).await?)
}

/// Groups have the time of the cluster's making in their name: `/aws/parallelcluster/NAME-202601011200`.
async fn last_group(account: &Account, cluster: &str) -> Answer<Option<String>> {
    let begin = format!("/aws/parallelcluster/{cluster}-");
    let mut pages = account.logs.describe_log_groups().log_group_name_prefix(&begin).into_paginator().send();
    let mut last = None;
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Refused::new("logs:DescribeLogGroups", &error))?;
        let names = page.log_groups.unwrap_or_default().into_iter().filter_map(|group| group.log_group_name);
        let is_time = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        last = last.max(names.filter(|name| name.strip_prefix(&begin).is_some_and(is_time)).max());
    }
    Ok(last)
}

/// The last lines of one log of an instance; none where the cluster sends no logs.
pub(super) async fn of_instance(
    account: &Account,
    cluster: &str,
    instance: &Instance,
    log: &str,
    lines: usize,
) -> Result<Vec<String>, Failure> {
    let Some(group) = group(account, cluster).await? else { return Ok(Vec::new()) };
    let Some(begin) = begin(instance) else { return Ok(Vec::new()) };
    let found = events(account, &group, &format!("{begin}{log}"), lines).await?;
    Ok(found.into_iter().map(|line| line.text).collect())
}

/// Instances by id, as people call them: `head`, Slurm's name of a compute node, the pool of a login node.
async fn node_names(account: &Account, cluster: &str, instances: &[Instance]) -> Answer<BTreeMap<String, String>> {
    let mut names = BTreeMap::new();
    for one in instances {
        match (one.tag("node-type"), one.tag("login-nodes-pool-name")) {
            (Some("HeadNode"), _) => drop(names.insert(one.id.clone(), "head".to_owned())),
            (Some("LoginNode"), Some(pool)) => drop(names.insert(one.id.clone(), format!("login-{pool}"))),
            _ => {}
        }
    }
    let table = format!("parallelcluster-slurm-{cluster}");
    let mut from = None;
    for _ in 0..NODE_PAGES_MAX {
        let asked = account.dynamodb.scan().table_name(&table).set_exclusive_start_key(from.take()).send().await;
        let page = match asked.map_err(|error| Refused::new("dynamodb:Scan", &error)) {
            // A cluster that is gone has logs, and no table any more; who may not read it sees the hosts' names.
            Err(refused) if refused.is_absent() || refused.is_denial() => return Ok(names),
            answer => answer?,
        };
        for item in page.items.unwrap_or_default() {
            let text = |key: &str| item.get(key).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
            if let (Some(node), Some(instance)) = (text("Id"), text("InstanceId")) {
                names.insert(instance, node);
            }
        }
        from = page.last_evaluated_key;
        if from.is_none() {
            break;
        }
    }
    Ok(names)
}

/// How the names of a node's streams begin, where that is known: `ip-10-0-0-1.i-0123.`
fn prefix(node: Option<&str>, names: &BTreeMap<String, String>, instances: &[Instance]) -> Option<String> {
    let node = node?;
    let is_it = |one: &&Instance| one.id == node || names.get(&one.id).is_some_and(|name| name == node);
    let mut found = instances.iter().filter(is_it);
    // Nodes of a login pool share a name.
    let (Some(one), None) = (found.next(), found.next()) else { return None };
    begin(one)
}

/// How the names of an instance's streams begin.
fn begin(one: &Instance) -> Option<String> {
    let host = one.private_dns.as_deref()?.split('.').next().filter(|host| !host.is_empty())?;
    Some(format!("{host}.{}.", one.id))
}

/// Names of streams with the time of their last event, and whether there are more.
async fn streams(account: &Account, group: &str, prefix: Option<&str>) -> Answer<(Vec<(String, Option<i64>)>, bool)> {
    let (mut found, mut next) = (Vec::new(), None);
    for _ in 0..STREAM_PAGES_MAX {
        let ask = account.logs.describe_log_streams().log_group_name(group).set_next_token(next.take());
        let asked = ask.set_log_stream_name_prefix(prefix.map(str::to_owned)).send().await;
        let page = asked.map_err(|error| Refused::new("logs:DescribeLogStreams", &error))?;
        let named = page.log_streams.unwrap_or_default().into_iter();
        found.extend(named.filter_map(|one| Some((one.log_stream_name?, one.last_event_timestamp))));
        next = page.next_token;
        if next.is_none() {
            return Ok((found, false));
        }
    }
    Ok((found, true))
}

/// A stream by its name: the host's, the instance, the log.
fn stream(name: String, last_at: Option<i64>, names: &BTreeMap<String, String>) -> Stream {
    let last_at = last_at.and_then(time);
    let mut parts = name.splitn(3, '.');
    let (Some(host), Some(instance), Some(log)) = (parts.next(), parts.next(), parts.next()) else {
        return Stream { node: String::new(), log: name.clone(), name, instance: None, last_at };
    };
    let node = names.get(instance).map_or(host, String::as_str).to_owned();
    Stream { node, log: log.to_owned(), instance: Some(instance.to_owned()), last_at, name: name.clone() }
}

/// The last events of a stream, oldest first: read from its end, page by page.
async fn events(account: &Account, group: &str, stream: &str, lines: usize) -> Answer<Vec<Line>> {
    let (mut all, mut next): (Vec<Line>, Option<String>) = (Vec::new(), None);
    for _ in 0..EVENT_PAGES_MAX {
        let limit = i32::try_from(lines - all.len().min(lines)).unwrap_or(i32::MAX).clamp(1, 10_000);
        let ask = account.logs.get_log_events().log_group_name(group).log_stream_name(stream).limit(limit);
        let asked = ask.start_from_head(false).set_next_token(next.clone()).send().await;
        let page = asked.map_err(|error| Refused::new("logs:GetLogEvents", &error))?;
        let events = page.events.unwrap_or_default().into_iter();
        let mut earlier: Vec<Line> = events.flat_map(|event| split(event.timestamp, event.message)).collect();
        earlier.append(&mut all);
        all = earlier;
        // At its beginning a stream answers with the same token again.
        if all.len() >= lines || page.next_backward_token.is_none() || page.next_backward_token == next {
            break;
        }
        next = page.next_backward_token;
    }
    Ok(all.split_off(all.len().saturating_sub(lines)))
}

/// An event may have several lines.
fn split(at: Option<i64>, message: Option<String>) -> Vec<Line> {
    let at = at.and_then(time);
    message.unwrap_or_default().lines().map(|text| Line { at: at.clone(), text: text.to_owned() }).collect()
}

fn time(milliseconds: i64) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(milliseconds).ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_told_by_its_name() {
        let names = [("i-1".to_owned(), "head".to_owned())].into();
        for (name, node, log, instance) in [
            ("ip-10-0-0-1.i-1.slurmctld", "head", "slurmctld", Some("i-1")),
            ("ip-10-0-0-2.i-2.cloud-init-output", "ip-10-0-0-2", "cloud-init-output", Some("i-2")),
            ("ip-10-0-0-2.i-2.a.b", "ip-10-0-0-2", "a.b", Some("i-2")),
            ("somebody-elses", "", "somebody-elses", None),
            ("", "", "", None),
        ] {
            let found = stream(name.to_owned(), None, &names);
            assert_eq!((found.node.as_str(), found.log.as_str(), found.instance.as_deref()), (node, log, instance));
            assert_eq!(found.name, name);
        }
    }

    #[test]
    fn an_event_of_several_lines_is_several_lines() {
        let found = split(Some(0), Some("a\nb\r\n".to_owned()));
        let texts: Vec<&str> = found.iter().map(|line| line.text.as_str()).collect();
        assert_eq!((texts, found[0].at.as_deref()), (vec!["a", "b"], Some("1970-01-01 00:00:00")));
        assert_eq!(split(None, None), []);
    }
}
