"""Drift detection of stacks: what can be read back is compared with the template.

Existence is looked at for the types of EXISTING; security groups, buckets and tags are compared. Every
other type is NOT_CHECKED, as AWS has it for types without support.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from ..engine.api import find
from ..engine.records import StackResource
from ..engine.resource import client
from ..errors import Refusal
from ..extension import extend, store
from ..kinds.security_groups import permission

# service, call, parameter (a list of one id)
EXISTING = {
    "AWS::EC2::VPC": ("ec2", "describe_vpcs", "VpcIds"),
    "AWS::EC2::Subnet": ("ec2", "describe_subnets", "SubnetIds"),
    "AWS::EC2::SecurityGroup": ("ec2", "describe_security_groups", "GroupIds"),
    "AWS::EC2::RouteTable": ("ec2", "describe_route_tables", "RouteTableIds"),
    "AWS::EC2::InternetGateway": ("ec2", "describe_internet_gateways", "InternetGatewayIds"),
    "AWS::EC2::Volume": ("ec2", "describe_volumes", "VolumeIds"),
    "AWS::EC2::Instance": ("ec2", "describe_instances", "InstanceIds"),
    "AWS::FSx::FileSystem": ("fsx", "describe_file_systems", "FileSystemIds"),
}
SIDES = {"SecurityGroupIngress": "IpPermissions", "SecurityGroupEgress": "IpPermissionsEgress"}
PAIRS = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
Difference = dict[str, Any]


def status_of(region: str, item: StackResource) -> tuple[str, list[Difference]]:
    """IN_SYNC, MODIFIED, DELETED or NOT_CHECKED, and what differs."""
    if not item.physical_id:
        return "NOT_CHECKED", []
    try:
        if item.type_name == "AWS::S3::Bucket":
            differences = _bucket(region, item)
        elif item.type_name in EXISTING:
            service, call, parameter = EXISTING[item.type_name]
            answer = getattr(client(service, region), call)(**{parameter: [item.physical_id]})
            live = next(value[0] for key, value in answer.items() if isinstance(value, list) and key != "NextToken")
            live = live["Instances"][0] if "Instances" in live else live
            if (live.get("State") or {}) and live.get("State", {}) == {"Code": 48, "Name": "terminated"}:
                return "DELETED", []
            differences = _tags(item, live.get("Tags", []))
            if item.type_name == "AWS::EC2::SecurityGroup":
                differences += _rules(item, live)
        else:
            return "NOT_CHECKED", []
    except (ClientError, IndexError, StopIteration):
        return "DELETED", []
    return ("MODIFIED" if differences else "IN_SYNC"), differences


def _difference(path: str, expected: Any, actual: Any) -> Difference:
    kind = "NOT_EQUAL" if expected and actual else "REMOVE" if expected else "ADD"
    return {
        "PropertyPath": path, "ExpectedValue": str(expected), "ActualValue": str(actual), "DifferenceType": kind,
    }  # fmt: skip


def _tags(item: StackResource, live: list[dict[str, str]]) -> list[Difference]:
    """The template's own tags are looked for; those of the stack belong to the stack."""
    own = item.properties.get("Tags") or []
    actual = {tag["Key"]: tag["Value"] for tag in live}
    return [
        _difference(f"/Tags/{tag['Key']}", tag["Value"], actual.get(tag["Key"]))
        for tag in own
        if actual.get(tag["Key"]) != str(tag["Value"])
    ]


def _flat(permissions: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """One line per source, without descriptions and the owner's account."""
    found: set[tuple[Any, ...]] = set()
    for rule in permissions:
        head = (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
        for kind in PAIRS:
            for source in rule.get(kind, []):
                found.add((*head, source.get("CidrIp") or source.get("CidrIpv6") or source.get("GroupId")
                           or source.get("PrefixListId")))  # fmt: skip
    return found


def _rules(item: StackResource, live: dict[str, Any]) -> list[Difference]:
    """Rules inside the template's group; a group without any may have them as resources of their own."""
    differences = []
    for side, key in SIDES.items():
        rules = item.properties.get(side)
        if not rules:
            continue
        expected, actual = _flat([permission(rule) for rule in rules]), _flat(live.get(key, []))
        differences += [_difference(f"/{side}", rule, None) for rule in sorted(expected - actual, key=str)]
        differences += [_difference(f"/{side}", None, rule) for rule in sorted(actual - expected, key=str)]
    return differences


def _bucket(region: str, item: StackResource) -> list[Difference]:
    s3, name = client("s3", region), item.physical_id or ""
    s3.head_bucket(Bucket=name)
    try:
        tags = s3.get_bucket_tagging(Bucket=name)["TagSet"]
    except ClientError:
        tags = []
    expected = (item.properties.get("VersioningConfiguration") or {}).get("Status")
    actual = s3.get_bucket_versioning(Bucket=name).get("Status")
    differences = _tags(item, tags)
    if expected and expected != actual:
        differences.append(_difference("/VersioningConfiguration/Status", expected, actual))
    return differences


@extend(CloudFormationResponse)
def detect_stack_drift(self: Any) -> ActionResult:
    backend = self.cloudformation_backend
    stack = find(backend, self._get_param("StackName"))
    moment, wanted = datetime.now(UTC), self._get_param("LogicalResourceIds", []) or []
    drifts = []
    for item in stack.resources.values():
        if wanted and item.logical_id not in wanted:
            continue
        status, differences = status_of(stack.region, item)
        drifts.append(
            {
                "StackId": stack.stack_id, "LogicalResourceId": item.logical_id,
                "PhysicalResourceId": item.physical_id, "ResourceType": item.type_name,
                "StackResourceDriftStatus": status, "PropertyDifferences": differences, "Timestamp": moment,
            }
        )  # fmt: skip
    drifted = [drift for drift in drifts if drift["StackResourceDriftStatus"] in ("MODIFIED", "DELETED")]
    stack.drift = {"StackDriftStatus": "DRIFTED" if drifted else "IN_SYNC", "LastCheckTimestamp": moment}
    identifier = str(uuid.uuid4())
    store(backend, "drift_detections")[identifier] = {
        "StackId": stack.stack_id, "StackDriftDetectionId": identifier, "DetectionStatus": "DETECTION_COMPLETE",
        "StackDriftStatus": stack.drift["StackDriftStatus"], "DriftedStackResourceCount": len(drifted),
        "Timestamp": moment,
    }  # fmt: skip
    store(backend, "drifts")[stack.stack_id] = drifts
    return ActionResult({"StackDriftDetectionId": identifier})


@extend(CloudFormationResponse)
def describe_stack_drift_detection_status(self: Any) -> ActionResult:
    identifier = self._get_param("StackDriftDetectionId")
    found = store(self.cloudformation_backend, "drift_detections").get(identifier)
    if found is None:
        raise Refusal("ValidationError", f"Drift detection {identifier} does not exist")
    return ActionResult(found)


@extend(CloudFormationResponse)
def describe_stack_resource_drifts(self: Any) -> ActionResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"))
    wanted = self._get_param("StackResourceDriftStatusFilters", []) or []
    drifts = store(self.cloudformation_backend, "drifts").get(stack.stack_id, [])
    chosen = [
        drift
        for drift in drifts
        if drift["StackResourceDriftStatus"] != "NOT_CHECKED" and drift["StackResourceDriftStatus"] in (wanted or
           ["IN_SYNC", "MODIFIED", "DELETED"])
    ]  # fmt: skip
    return ActionResult({"StackResourceDrifts": chosen})
