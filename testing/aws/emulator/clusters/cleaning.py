"""What the cleaning functions of cluster stacks do when their stack is deleted."""

from __future__ import annotations

from typing import Any

import boto3

from ..engine.resource import client


def clean(event: dict[str, Any], region: str) -> None:
    properties = event["ResourceProperties"]
    if event["RequestType"] != "Delete":
        return
    action = properties.get("Action")
    if action == "EMPTY_BUCKET":
        empty(region, properties["S3Bucket"], "")
    elif action == "DELETE_S3_ARTIFACTS":
        empty(region, properties["ResourcesS3Bucket"], properties["ArtifactS3RootDirectory"] + "/")
    elif action == "TERMINATE_EC2_INSTANCES":
        terminate(region, properties["StackName"])
    elif action == "DELETE_DNS_RECORDS":
        delete_records(region, properties["ClusterHostedZone"])


def empty(region: str, bucket: str | None, prefix: str) -> None:
    names = [item["Name"] for item in client("s3", region).list_buckets()["Buckets"]]
    if bucket in names:
        boto3.resource("s3", region).Bucket(bucket).object_versions.filter(Prefix=prefix).delete()


def terminate(region: str, cluster: str) -> None:
    """Every compute node of the cluster."""
    ec2 = client("ec2", region)
    filters = [
        {"Name": "tag:parallelcluster:cluster-name", "Values": [cluster]},
        {"Name": "tag:parallelcluster:node-type", "Values": ["Compute"]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]
    found = ec2.describe_instances(Filters=filters)["Reservations"]
    if names := [item["InstanceId"] for group in found for item in group["Instances"]]:
        ec2.terminate_instances(InstanceIds=names)


def delete_records(region: str, zone: str) -> None:
    dns = client("route53", region)
    records = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    changes = [{"Action": "DELETE", "ResourceRecordSet": item} for item in records if item["Type"] in ("A", "TXT")]
    if changes:
        dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
