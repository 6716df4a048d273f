"""One emulator for all tests of the process, and short ways to say what a test needs."""

from __future__ import annotations

import json
import sys
import unittest
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
warnings.filterwarnings("ignore")

import emulator  # noqa: E402

emulator.install()

import boto3  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

REGION = "us-east-1"
CONSENT = ["CAPABILITY_NAMED_IAM"]
Resources = dict[str, Any]


def client(service: str) -> Any:
    return boto3.client(service, REGION)


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def resource(kind: str, /, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


VPC = resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsSupport=True, EnableDnsHostnames=True)
SUBNET = resource("AWS::EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.0.0/20", AvailabilityZone="us-east-1a")
SUBNET_B = resource("AWS::EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.16.0/20", AvailabilityZone="us-east-1b")
GROUP = resource("AWS::EC2::SecurityGroup", VpcId=ref("Vpc"), GroupDescription="a group")
NETWORK: Resources = {"Vpc": VPC, "Subnet": SUBNET, "SubnetB": SUBNET_B, "Group": GROUP}


class EmulatorTest(unittest.TestCase):
    """A fresh account for every test."""

    def setUp(self) -> None:
        emulator.reset()
        self.cloudformation = client("cloudformation")

    def deploy(
        self, resources: Resources, outputs: dict[str, Any] | None = None, name: str = "stack", **options: Any
    ) -> dict[str, Any]:
        """Create or update a stack; answers its description."""
        body = json.dumps({"Resources": resources, "Outputs": {
            key: {"Value": value} for key, value in (outputs or {}).items()}, **options.pop("sections", {})})  # fmt: skip
        names = [stack["StackName"] for stack in self.cloudformation.describe_stacks()["Stacks"]]
        call = self.cloudformation.update_stack if name in names else self.cloudformation.create_stack
        call(StackName=name, TemplateBody=body, Capabilities=CONSENT, **options)
        return self.stack(name)

    def stack(self, name: str = "stack") -> dict[str, Any]:
        return self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]

    def outputs(self, name: str = "stack") -> dict[str, str]:
        return {item["OutputKey"]: item["OutputValue"] for item in self.stack(name).get("Outputs", [])}

    def physical(self, logical: str, name: str = "stack") -> str:
        answer = self.cloudformation.describe_stack_resource(StackName=name, LogicalResourceId=logical)
        return answer["StackResourceDetail"]["PhysicalResourceId"]

    def delete(self, name: str = "stack", **options: Any) -> dict[str, Any]:
        identifier = self.stack(name)["StackId"]
        self.cloudformation.delete_stack(StackName=name, **options)
        return self.stack(identifier)

    def reasons(self, name: str = "stack") -> str:
        """Everything that failed in a stack, for messages of tests."""
        events = self.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return "; ".join(
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in events
            if "FAILED" in event["ResourceStatus"] or "ROLLBACK_IN" in event["ResourceStatus"]
        )

    def status(self, wanted: str, name: str = "stack") -> None:
        self.assertEqual(self.stack(name)["StackStatus"], wanted, self.reasons(name))

    def refused(self, code: str, call: Any, **options: Any) -> str:
        with self.assertRaises(ClientError) as caught:
            call(**options)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response["Error"]["Message"]
