"""Buckets, disks and their snapshots' policies."""

from __future__ import annotations

import json
from typing import Any

from ..engine.resource import Made, Properties, PropertyError, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for
from .api_type import ApiType, names, tag_list

# Property, call, parameter: what a bucket has beyond its name. Each call replaces the whole setting.
SETTINGS = (
    ("VersioningConfiguration", "put_bucket_versioning", "VersioningConfiguration"),
    ("PublicAccessBlockConfiguration", "put_public_access_block", "PublicAccessBlockConfiguration"),
    ("OwnershipControls", "put_bucket_ownership_controls", "OwnershipControls"),
    ("LoggingConfiguration", "put_bucket_logging", "BucketLoggingStatus"),
    ("BucketEncryption", "put_bucket_encryption", "ServerSideEncryptionConfiguration"),
    ("LifecycleConfiguration", "put_bucket_lifecycle_configuration", "LifecycleConfiguration"),
)


def lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """A lifecycle rule as the API writes it."""
    result: dict[str, Any] = {
        key: rule[key]
        for key in ("Status", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
        if key in rule
    }
    if "Id" in rule:
        result["ID"] = rule["Id"]
    filters: dict[str, Any] = {"Prefix": rule.get("Prefix", "")}
    if rule.get("TagFilters"):
        filters = {"And": {"Prefix": rule.get("Prefix", ""), "Tags": rule["TagFilters"]}}
    result["Filter"] = filters
    if "ExpirationInDays" in rule:
        result["Expiration"] = {"Days": rule["ExpirationInDays"]}
    transitions = rule.get("Transitions") or ([rule["Transition"]] if "Transition" in rule else [])
    if transitions:
        result["Transitions"] = [
            {"StorageClass": item["StorageClass"], "Days": item.get("TransitionInDays", 0)} for item in transitions
        ]
    return result


class Bucket(ResourceType):
    name = "AWS::S3::Bucket"
    other = names(
        "BucketName",
        "Tags",
        "AccelerateConfiguration",
        "CorsConfiguration",
        "NotificationConfiguration",
        "IntelligentTieringConfigurations",
        "ObjectLockEnabled",
        "MetricsConfigurations",
    )

    def create(self, request: Request, properties: Properties) -> Made:
        unknown = set(properties) - self.other - {item[0] for item in SETTINGS}
        if unknown:
            raise PropertyError(f"Encountered unsupported property {sorted(unknown)[0]}")
        s3 = request.client("s3")
        name = properties.get("BucketName") or request.generated_name(63, lower=True)
        if self._owned(s3, name):
            raise PropertyError(f"{name} already exists")
        place = (
            {}
            if request.region == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": request.region}}
        )
        s3.create_bucket(Bucket=name, **place)
        try:
            self._settings(request, name, {}, properties)
        except Exception:
            s3.delete_bucket(Bucket=name)
            raise
        attributes = {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{request.region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{request.region}.amazonaws.com",
        }
        return Made(name, attributes)

    @staticmethod
    def _owned(s3: Any, name: str) -> bool:
        """In us-east-1 making one's own bucket again succeeds silently; CloudFormation refuses it."""
        return name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) & {"BucketName", "ObjectLockEnabled"}:
            return None
        self._settings(request, made.physical_id, old, new)
        return made

    @staticmethod
    def _settings(request: Request, name: str, old: Properties, new: Properties) -> None:
        s3 = request.client("s3")
        for key, call, parameter in SETTINGS:
            if key not in new or old.get(key) == new[key]:
                continue
            value = new[key]
            if key == "LifecycleConfiguration":
                value = {"Rules": [lifecycle_rule(rule) for rule in value["Rules"]]}
            elif key == "BucketEncryption":
                rules = value["ServerSideEncryptionConfiguration"]
                renamed = [
                    {
                        (
                            "ApplyServerSideEncryptionByDefault" if name == "ServerSideEncryptionByDefault" else name
                        ): item
                        for name, item in rule.items()
                    }
                    for rule in rules
                ]
                value = {"Rules": renamed}
            elif key == "LoggingConfiguration":
                value = {
                    "LoggingEnabled": {
                        "TargetBucket": value.get("DestinationBucketName", name),
                        "TargetPrefix": value.get("LogFilePrefix", ""),
                    }
                }
            getattr(s3, call)(**parameters_for(s3, call, {"Bucket": name, parameter: value}))
        if labels := tag_list(new, request):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": labels})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("s3").delete_bucket(Bucket=made.physical_id)


class BucketPolicy(ResourceType):
    name = "AWS::S3::BucketPolicy"

    def create(self, request: Request, properties: Properties) -> Made:
        self._put(request, properties)
        return Made(properties["Bucket"])

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if old["Bucket"] != new["Bucket"]:
            return None
        self._put(request, new)
        return made

    @staticmethod
    def _put(request: Request, properties: Properties) -> None:
        request.client("s3").put_bucket_policy(
            Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"])
        )

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("s3").delete_bucket_policy(Bucket=properties["Bucket"])


class Volume(ApiType):
    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        ec2 = request.client("ec2")
        if request.deletion_policy == "Snapshot":
            ec2.create_snapshot(VolumeId=made.physical_id, Description=f"Final snapshot of {made.physical_id}")
        ec2.delete_volume(VolumeId=made.physical_id)


class VolumeAttachment(ResourceType):
    name = "AWS::EC2::VolumeAttachment"

    def create(self, request: Request, properties: Properties) -> Made:
        ec2 = request.client("ec2")
        values = {"Device": "/dev/sdf", **properties}
        ec2.attach_volume(**parameters_for(ec2, "attach_volume", values))
        return Made(f"{properties['VolumeId']}|{properties['InstanceId']}")

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("ec2").detach_volume(VolumeId=properties["VolumeId"], InstanceId=properties["InstanceId"])


def _describe_policy(dlm: Any, identifier: str) -> Any:
    return dlm.get_lifecycle_policy(PolicyId=identifier)["Policy"]


register(
    Bucket(),
    BucketPolicy(),
    Volume(
        "AWS::EC2::Volume", "ec2", "create_volume", "VolumeId", attributes={"VolumeId": "VolumeId"}, tags="volume",
        left_out=names("AutoEnableIO"), update_call="modify_volume", update_by="VolumeId",
        mutable=names("Size", "VolumeType", "Iops", "Throughput"),
    ),
    VolumeAttachment(),
    ApiType(
        "AWS::DLM::LifecyclePolicy", "dlm", "create_lifecycle_policy", "PolicyId", tags="map",
        attributes={"Arn": "PolicyArn"}, describe=_describe_policy,
        update_call="update_lifecycle_policy", update_by="PolicyId",
        mutable=names("Description", "State", "ExecutionRoleArn", "PolicyDetails"),
        delete_call="delete_lifecycle_policy", delete_by="PolicyId",
    ),
)  # fmt: skip
