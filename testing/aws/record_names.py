#!/usr/bin/env python3
"""Writes what a record of calls may say: fields, error codes, statuses and resource types, from AWS's own models.

    record_names.py > crates/provider/src/aws/record/names.tsv

The models are botocore's and cfn-lint's, of the environment `judges`; the operations are those of calls.tsv. Whatever is not in the
table is never written into a record, so a name that AWS invents later is `*` there until this has run again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore
import botocore.session
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

ROOT = Path(__file__).resolve().parents[2]
CALLS = ROOT / "crates/plan/src/aws/iam/calls.tsv"
SERVICES = {"elasticloadbalancing": "elbv2", "servicequotas": "service-quotas"}
# Fields whose values are words of AWS's own: what a thing is doing, and what kind it is.
STATUSES = (
    "StackStatus", "ResourceStatus", "DetailedStatus", "StackDriftStatus", "DetectionStatus", "StackResourceDriftStatus",
    "ExecutionStatus", "Status", "StatusDetails", "Lifecycle", "instanceState", "name", "state", "State", "keyType",
    "imageState", "Action", "Replacement", "ChangeSource", "RequiresRecreation",
)  # fmt: skip
# Services of which a cluster has resources, by the middle of a type's name.
KINDS = {
    "APS", "AutoScaling", "Budgets", "CertificateManager", "CloudFormation", "CloudWatch", "DLM", "DirectoryService",
    "DynamoDB", "EC2", "EFS", "ElasticLoadBalancingV2", "Events", "FSx", "Grafana", "IAM", "ImageBuilder", "KMS",
    "Lambda", "Logs", "RDS", "Route53", "S3", "SNS", "SQS", "SSM", "SecretsManager",
}  # fmt: skip
# What no model says: envelopes of answers, and codes that EC2, CloudFormation and S3 give without declaring them.
ENVELOPES = ("ResponseMetadata", "RequestId", "requestId", "member", "item", "entry", "key", "value", "ListBucketResult",
             "ListVersionsResult", "DeleteResult", "CopyObjectResult")  # fmt: skip
CODES = (
    "AccessDenied", "AccessDeniedException", "AuthFailure", "BucketNotEmpty", "DependencyViolation", "ExpiredToken",
    "ExpiredTokenException", "IncompleteSignature", "InsufficientInstanceCapacity", "InternalError", "InternalFailure",
    "InvalidAMIID.Malformed", "InvalidAMIID.NotFound", "InvalidCapacityReservationId.NotFound", "InvalidClientTokenId",
    "InvalidGroup.NotFound", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "InvalidInstanceType",
    "InvalidKey.Format", "InvalidKeyPair.Duplicate", "InvalidKeyPair.NotFound", "InvalidParameter",
    "InvalidParameterCombination", "InvalidParameterValue", "InvalidPlacementGroup.Unknown", "InvalidSnapshot.InUse",
    "InvalidSnapshot.NotFound", "InvalidSubnetID.NotFound", "InvalidVolume.NotFound", "InvalidVpcID.NotFound",
    "MalformedPolicyDocument", "MissingAuthenticationToken", "MissingParameter", "NoSuchBucket", "NoSuchEntity",
    "NoSuchKey", "NotFound", "OperationAborted", "OptInRequired", "PendingVerification", "RequestExpired",
    "RequestLimitExceeded", "RequestTimeTooSkewed", "ServiceUnavailable", "SignatureDoesNotMatch", "SlowDown",
    "Throttling", "ThrottlingException", "TooManyRequestsException", "UnauthorizedOperation", "Unavailable",
    "UnrecognizedClientException", "UnsupportedOperation", "ValidationError", "ValidationException",
    "VcpuLimitExceeded", "VolumeInUse",
)  # fmt: skip


class Names:
    """What was found in the models, each word once."""

    def __init__(self) -> None:
        self.fields = set(ENVELOPES)
        self.maps: set[str] = set()
        self.codes = set(CODES)
        self.statuses: set[tuple[str, str]] = set()
        self._seen: set[tuple[str, str]] = set()

    def operation(self, service: str, name: str, model: Any) -> None:
        self.fields |= {f"{name}Response", f"{name}Result"}
        for error in model.error_shapes:
            self.codes.add(error.metadata.get("error", {}).get("code", error.name))
            self.codes.add(error.name)
        if model.output_shape is not None:
            self.shape(service, model.output_shape)

    def shape(self, service: str, shape: Any, name: str = "") -> None:
        if shape.type_name == "string" and name in STATUSES:
            self.statuses |= {(name, value) for value in shape.enum}
        if shape.type_name == "map":
            self.maps.add(name)
            self.shape(service, shape.value)
        if shape.type_name == "list":
            inner = shape.member.serialization.get("name")
            self.fields |= {inner} if inner else set()
            self.shape(service, shape.member, name)
        if shape.type_name == "structure" and (service, shape.name) not in self._seen:
            self._seen.add((service, shape.name))
            for member, inner in shape.members.items():
                known = inner.serialization.get("name", member)
                self.fields |= {member, known}
                self.shape(service, inner, known)

    def lines(self) -> list[str]:
        types = {name for name in PROVIDER_SCHEMA_MANAGER.get_resource_types("us-east-1") if name.split("::")[1] in KINDS}
        plain = [("field", self.fields), ("map", self.maps), ("code", self.codes), ("type", types)]
        lines = [f"{kind}\t{name}" for kind, names in plain for name in sorted(names) if name and "-" not in name]
        return lines + [f"status\t{field}\t{value}" for field, value in sorted(self.statuses)]


def names() -> str:
    session, found = botocore.session.get_session(), Names()
    for line in CALLS.read_text().splitlines():
        if line.startswith("#"):
            continue
        service, operation = line.split("\t")[0].split(":")
        model = session.get_service_model(SERVICES.get(service, service))
        found.operation(service, operation, model.operation_model(operation))
    head = "# Generated by testing/aws/record_names.py from AWS's models and calls.tsv. Do not edit."
    return "\n".join([head, *found.lines()]) + "\n"


if __name__ == "__main__":
    print(names(), end="")
