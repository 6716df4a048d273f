//! EC2: what a survey asks, instances, key pairs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::xml::{self, Element};
use super::{Body, Protocol, Service, form};
use crate::aws::Account;
use crate::aws::refused::Answer;

static EC2: Service = Service { name: "ec2", protocol: Protocol::Query("2016-11-15") };
/// The tag with a Capacity Block's size (EC2 user guide, "View Capacity Blocks").
const BLOCK_SIZE: &str = "aws:ec2capacityreservation:incrementalRequestedQuantity";
/// A page of a long answer; more pages than this are not asked for.
pub(super) const PAGES_MAX: usize = 200;

/// A zone of the region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneName {
    /// As this account calls it: `us-east-1a`.
    pub name: String,
    /// The same in every account: `use1-az4`.
    pub id: String,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its id.
    pub id: String,
    /// Its VPC.
    pub vpc: String,
    /// Its zone, by name.
    pub zone: String,
}

/// A capacity reservation or Capacity Block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reservation {
    /// Its id.
    pub id: String,
    /// The instance type.
    pub instance: String,
    /// The zone, by name.
    pub zone: String,
    /// How many instances; 0 where EC2 does not say yet.
    pub count: u32,
    /// Of these, how many are free.
    pub available: u32,
    /// Whether it is a Capacity Block.
    pub is_block: bool,
    /// The placement group that it was made with.
    pub placement_group: Option<String>,
    /// `active`, `scheduled`, `expired`, …
    pub state: String,
    /// When it starts.
    pub starts_at: Option<jiff::Timestamp>,
    /// When it ends.
    pub ends_at: Option<jiff::Timestamp>,
}

/// An instance of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// Its type.
    pub instance: String,
    /// `pending`, `running`, `stopping`, …
    pub state: String,
    /// Its address inside; absent for a moment after the launch.
    pub private_ip: Option<String>,
    /// Its address outside.
    pub public_ip: Option<String>,
    /// Its host name inside.
    pub private_dns: Option<String>,
    /// When it was launched.
    pub launched_at: Option<jiff::Timestamp>,
    /// Its zone.
    pub zone: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Instance {
    /// A tag of ParallelCluster's, without its prefix.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.get(&format!("parallelcluster:{name}")).map(String::as_str)
    }
}

/// The zones of the region.
pub async fn zones(account: &Account) -> Answer<Vec<ZoneName>> {
    let body = form([("Filter.1.Name", "zone-type"), ("Filter.1.Value.1", "availability-zone")]);
    let text = account.call(&EC2, "DescribeAvailabilityZones", body).await?;
    xml::read("ec2:DescribeAvailabilityZones", &text, |root| {
        root.items("availabilityZoneInfo")
            .map(|zone| ZoneName { name: zone.text("zoneName"), id: zone.text("zoneId") })
            .collect()
    })
}

/// In which zones (by name) each of these instance types is offered.
pub async fn offerings(account: &Account, types: &[String]) -> Answer<BTreeMap<String, Vec<String>>> {
    let mut body = vec![
        ("LocationType".to_owned(), "availability-zone".to_owned()),
        ("Filter.1.Name".to_owned(), "instance-type".to_owned()),
    ];
    body.extend(
        types.iter().enumerate().map(|(number, name)| (format!("Filter.1.Value.{}", number + 1), name.clone())),
    );
    let pairs = account
        .ec2_pages("DescribeInstanceTypeOfferings", body, |root| {
            root.items("instanceTypeOfferingSet")
                .map(|item| (item.text("instanceType"), item.text("location")))
                .collect()
        })
        .await?;
    let mut by_type: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (instance, zone) in pairs {
        by_type.entry(instance).or_default().push(zone);
    }
    for zones in by_type.values_mut() {
        zones.sort();
    }
    Ok(by_type)
}

/// Subnets, by id. One that does not exist is an error.
pub async fn subnets(account: &Account, ids: &[String]) -> Answer<Vec<Subnet>> {
    let body = ids.iter().enumerate().map(|(number, id)| (format!("SubnetId.{}", number + 1), id.clone())).collect();
    account
        .ec2_pages("DescribeSubnets", body, |root| {
            root.items("subnetSet")
                .map(|item| Subnet {
                    id: item.text("subnetId"),
                    vpc: item.text("vpcId"),
                    zone: item.text("availabilityZone"),
                })
                .collect()
        })
        .await
}

/// Reservations, by id. One that does not exist is an error.
pub async fn reservations(account: &Account, ids: &[String]) -> Answer<Vec<Reservation>> {
    let body = ids
        .iter()
        .enumerate()
        .map(|(number, id)| (format!("CapacityReservationId.{}", number + 1), id.clone()))
        .collect();
    account
        .ec2_pages("DescribeCapacityReservations", body, |root| {
            root.items("capacityReservationSet").map(reservation).collect()
        })
        .await
}

fn reservation(item: Element<'_, '_>) -> Reservation {
    let group = item.some("placementGroupArn");
    // Before a block starts, EC2 counts 0 instances; its size is in a tag.
    let size = item.items("tagSet").find(|tag| tag.text("key") == BLOCK_SIZE).map(|tag| tag.text("value"));
    let count = |name: &str| item.text(name).parse().unwrap_or(0);
    let total: u32 = count("totalInstanceCount");
    Reservation {
        id: item.text("capacityReservationId"),
        instance: item.text("instanceType"),
        zone: item.text("availabilityZone"),
        count: if total > 0 { total } else { size.and_then(|size| size.parse().ok()).unwrap_or(0) },
        available: count("availableInstanceCount"),
        is_block: item.text("reservationType") == "capacity-block",
        placement_group: group.and_then(|arn| arn.rsplit('/').next().map(str::to_owned)),
        state: item.text("state"),
        starts_at: item.text("startDate").parse().ok(),
        ends_at: item.text("endDate").parse().ok(),
    }
}

/// Every instance of a ParallelCluster cluster that is not gone.
pub async fn instances(account: &Account, cluster: &str) -> Answer<Vec<Instance>> {
    let mut body: Vec<(String, String)> = vec![
        ("Filter.1.Name".into(), "tag:parallelcluster:cluster-name".into()),
        ("Filter.1.Value.1".into(), cluster.into()),
        ("Filter.2.Name".into(), "instance-state-name".into()),
    ];
    let states = ["pending", "running", "stopping", "stopped"];
    body.extend(
        states
            .iter()
            .enumerate()
            .map(|(number, state)| (format!("Filter.2.Value.{}", number + 1), (*state).to_owned())),
    );
    account
        .ec2_pages("DescribeInstances", body, |root| {
            root.items("reservationSet").flat_map(|held| held.items("instancesSet").map(instance)).collect()
        })
        .await
}

fn instance(item: Element<'_, '_>) -> Instance {
    Instance {
        id: item.text("instanceId"),
        instance: item.text("instanceType"),
        state: item.child("instanceState").map(|state| state.text("name")).unwrap_or_default(),
        private_ip: item.some("privateIpAddress"),
        public_ip: item.some("ipAddress"),
        private_dns: item.some("privateDnsName"),
        launched_at: item.text("launchTime").parse().ok(),
        zone: item.child("placement").map(|place| place.text("availabilityZone")).unwrap_or_default(),
        tags: item.items("tagSet").map(|tag| (tag.text("key"), tag.text("value"))).collect(),
    }
}

/// Whether a key pair of that name is there.
pub async fn key_pair_exists(account: &Account, name: &str) -> Answer<bool> {
    let body = form([("Filter.1.Name", "key-name"), ("Filter.1.Value.1", name)]);
    let text = account.call(&EC2, "DescribeKeyPairs", body).await?;
    xml::read("ec2:DescribeKeyPairs", &text, |root| root.items("keySet").any(|item| item.text("keyName") == name))
}

/// The cluster that a key pair was made for; `None` where there is no such pair, or it is a person's own.
pub async fn key_pair_owner(account: &Account, name: &str) -> Answer<Option<String>> {
    let body = form([("Filter.1.Name", "key-name"), ("Filter.1.Value.1", name)]);
    let text = account.call(&EC2, "DescribeKeyPairs", body).await?;
    xml::read("ec2:DescribeKeyPairs", &text, |root| {
        let pair = root.items("keySet").find(|item| item.text("keyName") == name)?;
        pair.items("tagSet").find(|tag| tag.text("key") == "trainyard:cluster").map(|tag| tag.text("value"))
    })
}

/// Makes a key pair from a public key in OpenSSH's form, which travels in base64.
pub async fn import_key_pair(account: &Account, name: &str, public: &str, cluster: &str) -> Answer<()> {
    let body = form([
        ("KeyName", name),
        ("PublicKeyMaterial", &aws_smithy_types::base64::encode(public)),
        ("TagSpecification.1.ResourceType", "key-pair"),
        ("TagSpecification.1.Tag.1.Key", "trainyard:cluster"),
        ("TagSpecification.1.Tag.1.Value", cluster),
    ]);
    account.call(&EC2, "ImportKeyPair", body).await.map(|_| ())
}

/// Deletes a key pair; one that is not there is fine. The private key's file is not touched.
pub async fn delete_key_pair(account: &Account, name: &str) -> Answer<()> {
    account.call(&EC2, "DeleteKeyPair", form([("KeyName", name)])).await.map(|_| ())
}

impl Account {
    /// Every item of a list of EC2's, page by page.
    pub(super) async fn ec2_pages<T>(
        &self,
        operation: &'static str,
        fields: Vec<(String, String)>,
        read: impl Fn(Element<'_, '_>) -> Vec<T>,
    ) -> Answer<Vec<T>> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut fields = fields.clone();
            fields.extend(token.take().map(|token| ("NextToken".to_owned(), token)));
            let text = self.call(&EC2, operation, Body::Form(fields)).await?;
            let (found, next) = xml::read(operation, &text, |root| (read(root), root.some("nextToken")))?;
            all.extend(found);
            token = next;
            if token.is_none() {
                break;
            }
        }
        Ok(all)
    }
}
