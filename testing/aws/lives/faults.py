"""The table of faults: what happens, at which step of which part of a life, and what the program says of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

Rule = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A fault, and what the run that meets it comes to."""

    name: str
    rules: list[Rule]
    says: list[str] = field(default_factory=list)
    code: int = 3
    is_slow: bool = False
    pace: float = 0.0  # seconds between two resources of a stack
    leaves_it_stuck: bool = False  # neither changed nor as it was: the next run has to mend it first


def call(operation: str, kind: str, **more: Any) -> Rule:
    service, name = operation.split(":")
    return {"service": service, "operation": name, "kind": kind, **more}


def denied(operation: str, name: str = "", **more: Any) -> Row:
    """AWS does not allow it: the operation is named, as a policy names it, and where the policy is."""
    says = [permission(operation), "docs/iam.md"]
    return Row(name or f"{operation} is not allowed", [call(operation, "denied", **more)], says)


def permission(operation: str) -> str:
    return operation.replace("elbv2:", "elasticloadbalancing:")


def expired(operation: str, **more: Any) -> Row:
    rules = [call(operation, "expired", **more)]
    return Row(f"credentials expire at {operation}", rules, [operation, "expired", "renew"])


def late(operation: str) -> Rule:
    """ParallelCluster takes longer than CloudFormation gives it."""
    return {"cluster_timeout": True, "operation": operation}


def endless(kind: str, says: list[str], **more: Any) -> Row:
    """It does not end, however often it is tried: all attempts of a call, with their pauses, take a minute or more."""
    operation = "sts:GetCallerIdentity"
    return Row(f"endless {kind}", [call(operation, kind, **more)], [operation, *says], is_slow=True)


def broken(stack: str, operation: str = "create", says: list[str] | None = None, **rule: Any) -> Row:
    """A resource of a stack fails."""
    reason = rule.setdefault("reason", "Somebody used up the last one")
    what = rule.get("type", "a resource")
    texts = [reason, *([stack] if stack != "cpu" else []), *(says or [])]
    return Row(f"{what} of {stack} fails ({operation})", [{"stack": stack, "operation": operation, **rule}], texts)


QUOTA = call(
    "cloudformation:CreateStack", "denied", code="LimitExceededException", message="Stack limit exceeded", status=400
)  # fmt: skip
PROVIDER = "cpu-provider-3-16-1"
NO_ROOM = (
    "We currently do not have sufficient m5.large capacity in the Availability Zone you requested. "
    "(Service: Ec2, Status Code: 500) InsufficientInstanceCapacity"
)
# CloudFormation's words where a head node says that it failed.
RECIPE = "WaitCondition received failed message: 'Failed to run chef recipe aws-parallelcluster' for uniqueId: i-1"
# ParallelCluster asks for dry runs of every kind of node.
REFUSED_ONCE = [call("ec2:RunInstances", "denied", caller="provider", times=1)]
REFUSED_ALWAYS = [call("ec2:RunInstances", "denied", caller="provider")]
COULD_NOT = "ParallelCluster could not"
NOT_AUTHORIZED = [COULD_NOT, "not authorized to perform"]
NO_RESPONSE = "did not receive a response"

# In the order of the steps: a later row's step is never before an earlier one's.
UP = [
    denied("sts:GetCallerIdentity"),
    expired("ec2:DescribeAvailabilityZones"),
    denied("ec2:DescribeInstanceTypeOfferings"),
    endless("reset_connection", ["could not be reached", "check the network"]),
    endless("throttle", ["AWS asks to slow down"]),
    endless("server_error", ["trouble of its own"]),
    endless("timeout", ["in time"], seconds=25),
    denied("cloudformation:CreateStack"),
    Row("a quota is used up", [QUOTA], ["cloudformation:CreateStack", "quota"]),
    expired("cloudformation:DescribeStackEvents", after=1),
    broken("cpu-network", type="AWS::EC2::Subnet"),
    broken("cpu-nat", type="AWS::EC2::NatGateway"),
    broken("cpu-home", type="AWS::EC2::Volume"),
    broken("cpu-identity", type="AWS::IAM::ManagedPolicy"),
    denied("ec2:ImportKeyPair"),
    broken(PROVIDER, type="AWS::Lambda::Function"),
    Row("ParallelCluster's validators refuse it", REFUSED_ALWAYS, NOT_AUTHORIZED),
    Row("the cluster does not answer in time", [late("create")], [COULD_NOT, NO_RESPONSE]),
    broken("cpu", type="AWS::EC2::Instance", reason=NO_ROOM, says=[COULD_NOT, "another zone or type"]),
    broken("cpu", type="AWS::CloudFormation::WaitCondition", reason=RECIPE, says=["chef-client"]),
    denied("ssm:SendCommand"),
    expired("ssm:GetCommandInvocation"),
    denied("ec2:DescribeInstances"),
]
UPDATE = [
    denied("cloudformation:DescribeStacks"),
    denied("cloudformation:CreateStack"),
    broken("cpu-budget", type="AWS::Budgets::Budget"),
    denied("cloudformation:UpdateStack"),
    Row("ParallelCluster's validators refuse the update", REFUSED_ONCE, NOT_AUTHORIZED),
    Row("the update does not answer in time", [late("update")], [COULD_NOT, NO_RESPONSE], leaves_it_stuck=True),
    replace(broken("cpu", "update", says=[COULD_NOT]), leaves_it_stuck=True),
    Row("the validators refuse the way back as well", REFUSED_ALWAYS, NOT_AUTHORIZED, leaves_it_stuck=True),
]
DOWN = [
    denied("cloudformation:DescribeStacks"),
    denied("cloudformation:DeleteStack"),
    broken("cpu", "delete", type="AWS::EC2::NetworkInterface"),
    Row("the deletion does not answer in time", [late("delete")], [NO_RESPONSE], pace=0.1),
    broken(PROVIDER, "delete", type="AWS::IAM::Role"),
    broken("cpu-nat", "delete", type="AWS::EC2::EIP"),
    denied("logs:DescribeLogGroups"),
    denied("s3:HeadBucket"),
]
DELETE = [
    denied("cloudformation:ListStackResources"),
    denied("s3:DeleteObjects"),
    denied("s3:DeleteBucket"),
    denied("logs:DeleteLogGroup"),
    denied("ec2:DeleteKeyPair"),
    denied("cloudformation:GetTemplate"),
    broken("cpu-home", "delete", type="AWS::EC2::Volume"),
    broken("cpu-network", "delete", type="AWS::EC2::VPC"),
]


def now_and_then(*operations: str) -> list[Rule]:
    """Each of these is throttled, and then its answer is lost: by an error of AWS's, or with the connection."""
    rules = []
    for number, operation in enumerate(operations):
        kind = "server_error" if number % 2 else "reset_connection"
        rules += [call(operation, "throttle", times=1), call(operation, kind, times=1, performed=True)]
    return rules


HIDDEN = {
    "up": now_and_then(
        "sts:GetCallerIdentity", "ec2:DescribeAvailabilityZones", "cloudformation:CreateStack",
        "cloudformation:DescribeStackEvents", "ec2:ImportKeyPair", "ssm:SendCommand", "cloudformation:UpdateStack",
    ) + [
        call("ssm:GetCommandInvocation", "not_found_once"),
        call("ec2:DescribeInstances", "timeout", seconds=2, times=1),
        call("cloudformation:DescribeStacks", "throttle", times=2, after=20),
    ],
    "update": now_and_then("cloudformation:UpdateStack", "cloudformation:CreateStack", "cloudformation:GetTemplate"),
    "down": now_and_then("cloudformation:DeleteStack", "cloudformation:DescribeStacks", "logs:DescribeLogGroups"),
    "delete": now_and_then(
        "s3:DeleteObjects", "s3:DeleteBucket", "logs:DeleteLogGroup", "ec2:DeleteKeyPair", "cloudformation:UpdateStack",
        "cloudformation:DeleteStack", "cloudformation:GetTemplate",
    ),
}  # fmt: skip
