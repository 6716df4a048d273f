//! Elastic Load Balancing: the pools of login nodes stand behind network load balancers.

use serde::Serialize;

use super::{Body, Protocol, Service, form, xml};
use crate::aws::Account;
use crate::aws::refused::Answer;

static BALANCERS: Service = Service { name: "elasticloadbalancing", protocol: Protocol::Query("2015-12-01") };
/// DescribeTags takes this many at a time.
const TAGGED_MAX: usize = 20;

/// A pool of login nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoginPool {
    /// Its name.
    pub pool: String,
    /// `active`, `pending` or `failed`.
    pub status: String,
    /// Where people connect.
    pub address: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// Nodes that take connections.
    pub healthy: u32,
    /// Nodes that do not.
    pub unhealthy: u32,
}

/// The login pools of a cluster.
pub async fn login_pools(account: &Account, cluster: &str) -> Answer<Vec<LoginPool>> {
    let text = account.call(&BALANCERS, "DescribeLoadBalancers", form([])).await?;
    let found: Vec<(String, LoginPool)> = xml::read("elasticloadbalancing:DescribeLoadBalancers", &text, |root| {
        let list = root.child("DescribeLoadBalancersResult");
        let items = list.into_iter().flat_map(|list| list.items("LoadBalancers"));
        items
            .map(|item| {
                let state = item.child("State").map(|state| state.text("Code")).unwrap_or_default();
                let status = match state.as_str() {
                    "provisioning" => "pending",
                    "active" => "active",
                    _ => "failed",
                };
                let (address, scheme) = (item.text("DNSName"), item.text("Scheme"));
                let pool = LoginPool {
                    pool: String::new(),
                    status: status.to_owned(),
                    address,
                    scheme,
                    healthy: 0,
                    unhealthy: 0,
                };
                (item.text("LoadBalancerArn"), pool)
            })
            .collect()
    })?;
    let mut pools = Vec::new();
    for chunk in found.chunks(TAGGED_MAX) {
        let names = tagged(account, cluster, chunk).await?;
        for ((arn, pool), name) in chunk.iter().zip(names) {
            if let Some(name) = name {
                let (healthy, unhealthy) = health(account, arn).await?;
                pools.push(LoginPool { pool: name, healthy, unhealthy, ..pool.clone() });
            }
        }
    }
    pools.sort_by(|a, b| a.pool.cmp(&b.pool));
    Ok(pools)
}

/// The pool that each balancer belongs to, of those of this cluster.
async fn tagged(account: &Account, cluster: &str, balancers: &[(String, LoginPool)]) -> Answer<Vec<Option<String>>> {
    let fields = balancers
        .iter()
        .enumerate()
        .map(|(number, (arn, _))| (format!("ResourceArns.member.{}", number + 1), arn.clone()))
        .collect();
    let text = account.call(&BALANCERS, "DescribeTags", Body::Form(fields)).await?;
    xml::read("elasticloadbalancing:DescribeTags", &text, |root| {
        let list: Vec<_> =
            root.child("DescribeTagsResult").into_iter().flat_map(|list| list.items("TagDescriptions")).collect();
        let pool = |arn: &str| {
            let item = list.iter().find(|item| item.text("ResourceArn") == arn)?;
            let tag = |key: &str| item.items("Tags").find(|tag| tag.text("Key") == key).map(|tag| tag.text("Value"));
            (tag("parallelcluster:cluster-name")? == cluster).then(|| tag("parallelcluster:login-nodes-pool"))?
        };
        balancers.iter().map(|(arn, _)| pool(arn)).collect()
    })
}

/// Targets that are healthy, and those that are not.
async fn health(account: &Account, balancer: &str) -> Answer<(u32, u32)> {
    let text = account.call(&BALANCERS, "DescribeTargetGroups", form([("LoadBalancerArn", balancer)])).await?;
    let group = xml::read("elasticloadbalancing:DescribeTargetGroups", &text, |root| {
        let list = root.child("DescribeTargetGroupsResult");
        list.and_then(|list| list.items("TargetGroups").next()).map(|group| group.text("TargetGroupArn"))
    })?;
    let Some(group) = group else { return Ok((0, 0)) };
    let text = account.call(&BALANCERS, "DescribeTargetHealth", form([("TargetGroupArn", &group)])).await?;
    xml::read("elasticloadbalancing:DescribeTargetHealth", &text, |root| {
        let list = root.child("DescribeTargetHealthResult");
        let states = list.into_iter().flat_map(|list| list.items("TargetHealthDescriptions"));
        states.fold((0, 0), |(healthy, unhealthy), item| {
            let is_healthy = item.child("TargetHealth").is_some_and(|health| health.text("State") == "healthy");
            if is_healthy { (healthy + 1, unhealthy) } else { (healthy, unhealthy + 1) }
        })
    })
}
