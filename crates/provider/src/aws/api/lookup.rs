//! Looking for things that a spec names by id: what each is like, or that it is not there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::xml::{self, Element};
use super::{Body, Protocol, Service, form};
use crate::aws::Account;
use crate::aws::refused::{Answer, Refused};

static EC2: Service = Service { name: "ec2", protocol: Protocol::Query("2016-11-15") };
static FSX: Service = Service { name: "fsx", protocol: Protocol::Json("AWSSimbaAPIService_v20180301") };
static SECRETS: Service = Service { name: "secretsmanager", protocol: Protocol::Json("secretsmanager") };
static CERTIFICATES: Service = Service { name: "acm", protocol: Protocol::Json("CertificateManager") };
static QUOTAS: Service = Service { name: "servicequotas", protocol: Protocol::Json("ServiceQuotasV20190624") };
/// Pages of quotas that are read.
const PAGES_MAX: usize = 20;

/// What a thing is like, by the names that the facts use; `None`: it is not there.
pub type Like = Option<BTreeMap<String, String>>;

#[allow(clippy::unnecessary_wraps)] // every reader answers in this form
fn like<const N: usize>(pairs: [(&str, String); N]) -> Like {
    Some(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// The first item of an EC2 list, asked for by id.
async fn first(
    account: &Account,
    service: &'static Service,
    operation: &'static str,
    parameter: &str,
    id: &str,
    list: &str,
    read: impl Fn(Element<'_, '_>) -> Like,
) -> Answer<Like> {
    let asked = account.call(service, operation, form([(parameter, id)])).await;
    match asked {
        Ok(text) => xml::read(operation, &text, |root| root.items(list).next().and_then(read)),
        // EC2's own words: InvalidVpcID.NotFound, InvalidAMIID.Malformed, InvalidPlacementGroup.Unknown, …
        Err(refused)
            if refused.is_absent() || refused.code.ends_with(".Unknown") || refused.code.ends_with(".Malformed") =>
        {
            Ok(None)
        }
        Err(refused) => Err(refused),
    }
}

/// A VPC.
pub async fn vpc(account: &Account, id: &str) -> Answer<Like> {
    first(account, &EC2, "DescribeVpcs", "VpcId.1", id, "vpcSet", |item| like([("state", item.text("state"))])).await
}

/// A subnet.
pub async fn subnet(account: &Account, id: &str) -> Answer<Like> {
    let read = |item: Element<'_, '_>| {
        like([
            ("vpc", item.text("vpcId")),
            ("zone", item.text("availabilityZone")),
            ("zone_id", item.text("availabilityZoneId")),
        ])
    };
    first(account, &EC2, "DescribeSubnets", "SubnetId.1", id, "subnetSet", read).await
}

/// A security group.
pub async fn security_group(account: &Account, id: &str) -> Answer<Like> {
    first(account, &EC2, "DescribeSecurityGroups", "GroupId.1", id, "securityGroupInfo", |item| {
        like([("vpc", item.text("vpcId"))])
    })
    .await
}

/// A capacity reservation.
pub async fn reservation(account: &Account, id: &str) -> Answer<Like> {
    let read = |item: Element<'_, '_>| like([("state", item.text("state"))]);
    let parameter = "CapacityReservationId.1";
    first(account, &EC2, "DescribeCapacityReservations", parameter, id, "capacityReservationSet", read).await
}

/// A placement group.
pub async fn placement_group(account: &Account, name: &str) -> Answer<Like> {
    first(account, &EC2, "DescribePlacementGroups", "GroupName.1", name, "placementGroupSet", |item| {
        like([("state", item.text("state"))])
    })
    .await
}

/// An image.
pub async fn image(account: &Account, id: &str) -> Answer<Like> {
    let read =
        |item: Element<'_, '_>| like([("architecture", item.text("architecture")), ("state", item.text("imageState"))]);
    first(account, &EC2, "DescribeImages", "ImageId.1", id, "imagesSet", read).await
}

/// A volume.
pub async fn volume(account: &Account, id: &str) -> Answer<Like> {
    first(account, &EC2, "DescribeVolumes", "VolumeId.1", id, "volumeSet", |item| {
        like([("zone", item.text("availabilityZone"))])
    })
    .await
}

/// The kind of a key pair (`rsa`, `ed25519`); `None` where there is no such pair.
pub async fn key_kind(account: &Account, name: &str) -> Answer<Option<String>> {
    let body = form([("Filter.1.Name", "key-name"), ("Filter.1.Value.1", name)]);
    let text = account.call(&EC2, "DescribeKeyPairs", body).await?;
    xml::read("ec2:DescribeKeyPairs", &text, |root| root.items("keySet").next().map(|item| item.text("keyType")))
}

/// A file system of FSx.
pub async fn file_system(account: &Account, id: &str) -> Answer<Like> {
    let found =
        json_item(account, &FSX, "DescribeFileSystems", json!({ "FileSystemIds": [id] }), "FileSystems").await?;
    Ok(found.and_then(|item| like([("type", text(&item, "FileSystemType")), ("state", text(&item, "Lifecycle"))])))
}

/// A volume of FSx.
pub async fn file_volume(account: &Account, id: &str) -> Answer<Like> {
    let found = json_item(account, &FSX, "DescribeVolumes", json!({ "VolumeIds": [id] }), "Volumes").await?;
    let state = |item: &Value| match text(item, "Lifecycle").as_str() {
        "CREATED" => "AVAILABLE".to_owned(),
        other => other.to_owned(),
    };
    Ok(found.and_then(|item| like([("type", text(&item, "VolumeType")), ("state", state(&item))])))
}

/// A file cache of FSx.
pub async fn file_cache(account: &Account, id: &str) -> Answer<Like> {
    let found = json_item(account, &FSX, "DescribeFileCaches", json!({ "FileCacheIds": [id] }), "FileCaches").await?;
    Ok(found.and_then(|item| like([("state", text(&item, "Lifecycle"))])))
}

/// A secret. What it holds is not asked for.
pub async fn secret(account: &Account, arn: &str) -> Answer<Like> {
    json_item(account, &SECRETS, "DescribeSecret", json!({ "SecretId": arn }), "")
        .await
        .map(|found| found.and_then(|_| like([])))
}

/// A certificate.
pub async fn certificate(account: &Account, arn: &str) -> Answer<Like> {
    let found = json_item(account, &CERTIFICATES, "DescribeCertificate", json!({ "CertificateArn": arn }), "").await?;
    Ok(found.and_then(|item| like([("state", text(&item["Certificate"], "Status"))])))
}

/// A bucket, with the region where it lies.
pub async fn bucket(account: &Account, name: &str) -> Answer<Like> {
    let asked = account.s3.head_bucket().bucket(name).send().await;
    match asked.map_err(|error| Refused::new("s3:HeadBucket", &error)) {
        Ok(answer) => {
            let wanted = account.region().to_owned();
            Ok(like([("region", answer.bucket_region.unwrap_or_else(|| wanted.clone())), ("wanted_region", wanted)]))
        }
        Err(refused) if refused.is_absent() => Ok(None),
        // Elsewhere: S3 says so by a redirection.
        Err(refused) if refused.is(&["301", "PermanentRedirect"]) => {
            Ok(like([("region", "another region".to_owned()), ("wanted_region", account.region().to_owned())]))
        }
        Err(refused) => Err(refused),
    }
}

/// An object.
pub async fn object(account: &Account, bucket: &str, key: &str) -> Answer<Like> {
    let asked = account.s3.head_object().bucket(bucket).key(key).send().await;
    match asked.map_err(|error| Refused::new("s3:HeadObject", &error)) {
        Ok(_) => Ok(like([])),
        Err(refused) if refused.is_absent() => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// Quotas of EC2, by code: whole numbers.
pub async fn quotas(account: &Account, codes: &[&str]) -> Answer<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    let mut token = Value::Null;
    for _ in 0..PAGES_MAX {
        let mut body = json!({ "ServiceCode": "ec2", "MaxResults": 100 });
        if !token.is_null() {
            body["NextToken"] = token;
        }
        let page = ask(account, &QUOTAS, "ListServiceQuotas", body).await?;
        for quota in page["Quotas"].as_array().into_iter().flatten() {
            if let (Some(code), Some(value)) = (quota["QuotaCode"].as_str(), quota["Value"].as_f64())
                && codes.contains(&code)
            {
                // vCPUs and counts: whole, and far from what an f64 cannot hold.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                found.insert(code.to_owned(), value.max(0.0) as u64);
            }
        }
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    Ok(found)
}

async fn json_item(
    account: &Account,
    service: &'static Service,
    operation: &'static str,
    body: Value,
    list: &str,
) -> Answer<Option<Value>> {
    match ask(account, service, operation, body).await {
        Ok(answer) if list.is_empty() => Ok(Some(answer)),
        Ok(answer) => Ok(answer[list].get(0).cloned()),
        Err(refused) if refused.is_absent() => Ok(None),
        Err(refused) => Err(refused),
    }
}

async fn ask(account: &Account, service: &'static Service, operation: &'static str, body: Value) -> Answer<Value> {
    let text = account.call(service, operation, Body::Json(body)).await?;
    serde_json::from_str(&text).map_err(|error| Refused::unreadable(operation, error.to_string()))
}

fn text(item: &Value, key: &str) -> String {
    item[key].as_str().unwrap_or_default().to_owned()
}
