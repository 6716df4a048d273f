"""Deploys, updates and deletes the stacks of a plan, and trusts no status.

A stack counts as deployed when its status says so and every resource of its template has a physical
id.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

from emulator.engine.template import parse

from .folder import Deployment, Folder, FolderError, Texts

INLINE_LIMIT = 51_200
BUCKET = "emulated-templates"
IN_USE = ("DependencyViolation", "InvalidCidrBlock.InUse")
EXISTING = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
Finding = list[str]


@dataclass
class Result:
    """What happened to one stack."""

    stack: str
    status: str
    resources: int
    ms: int
    findings: list[Finding] = field(default_factory=list)

    def line(self) -> dict[str, Any]:
        return {"stack": self.stack, "status": self.status, "resources": self.resources, "ms": self.ms}

# What holds people's data: an update must keep the very same one.
PRECIOUS = {
    "AWS::FSx::FileSystem", "AWS::FSx::DataRepositoryAssociation", "AWS::EC2::Volume", "AWS::S3::Bucket",
    "AWS::RDS::DBCluster", "AWS::DirectoryService::MicrosoftAD",
}  # fmt: skip



class Stacks:
    def __init__(self, folder: Folder, texts: Texts):
        self.region, self.texts = folder.region, texts
        self.cloudformation = boto3.client("cloudformation", folder.region)
        self.deployed: dict[str, Deployment] = {}
        self.precious: dict[tuple[str, str], str] = {}

    def deploy(self, folder: Folder, step: Deployment) -> Result:
        started = time.monotonic()
        try:
            body = self.texts.with_identifiers(folder.text(step.template))
            values, missing = self._parameters(step)
        except FolderError as error:
            return Result(step.stack, "NOT_READ", 0, 0, [["ERROR", "Stack " + step.stack, str(error)]])
        findings = [["ERROR", "Placeholder", f"{step.stack}: {item} has no output"] for item in missing]
        if missing:
            return Result(step.stack, "NOT_DEPLOYED", 0, 0, findings)
        try:
            self._apply(step, body, values)
        except ClientError as error:
            message = error.response["Error"]["Message"]
            if "No updates are to be performed" not in message:
                return Result(step.stack, "REFUSED", 0, _since(started), [["ERROR", "Stack " + step.stack, message]])
        return self._inspect(step, body, started)

    def _parameters(self, step: Deployment) -> tuple[list[dict[str, str]], list[str]]:
        values, missing = [], []
        for name, value in step.parameters.items():
            text, unresolved = self.texts.resolved(value if isinstance(value, str) else str(value))
            values.append({"ParameterKey": name, "ParameterValue": text})
            missing += unresolved
        return values, missing

    def _apply(self, step: Deployment, body: str, values: list[dict[str, str]]) -> None:
        request: dict[str, Any] = {
            "StackName": step.stack_name,
            "Parameters": values,
            "Capabilities": step.capabilities,
            "Tags": [{"Key": key, "Value": value} for key, value in step.tags.items()],
        }
        if len(body.encode()) > INLINE_LIMIT:
            request["TemplateURL"] = self._upload(step, body)
        else:
            request["TemplateBody"] = body
        if step.stack_name in {known.stack_name for known in self.deployed.values()}:
            self.cloudformation.update_stack(**request)
        else:
            self.cloudformation.create_stack(**request)
        self.deployed[step.stack] = step

    def _upload(self, step: Deployment, body: str) -> str:
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key=step.stack_name, Body=body.encode())
        return f"https://{BUCKET}.s3.amazonaws.com/{step.stack_name}"

    def _inspect(self, step: Deployment, body: str, started: float) -> Result:
        stack = self.cloudformation.describe_stacks(StackName=step.stack_name)["Stacks"][0]
        found = self._resources(step.stack_name)
        findings: list[Finding] = []
        status = stack["StackStatus"]
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            findings = [["ERROR", "Stack " + step.stack, reason] for reason in self._failures(step.stack_name)]
            findings = findings or [["ERROR", "Stack " + step.stack, status]]
        else:
            for name in parse(body)["Resources"]:
                if not found.get(name, {}).get("PhysicalResourceId"):
                    findings.append(["ERROR", "Stack " + step.stack, f"{name} does not exist"])
            findings += self._replaced(step, found)
            for output in stack.get("Outputs", []):
                self.texts.outputs[step.stack, output["OutputKey"]] = output["OutputValue"]
        return Result(step.stack, status, len(found), _since(started), findings)

    def _replaced(self, step: Deployment, found: dict[str, Any]) -> list[Finding]:
        """An update that makes another file system leaves people's data in the old one, without a word."""
        findings: list[Finding] = []
        for name, item in found.items():
            if item["ResourceType"] not in PRECIOUS:
                continue
            known = self.precious.setdefault((step.stack, name), item["PhysicalResourceId"])
            if known != item["PhysicalResourceId"]:
                findings.append(["ERROR", "Stack " + step.stack, f"{name} was replaced: {known} is left behind"])
        return findings

    def _resources(self, stack_name: str) -> dict[str, Any]:
        answer = self.cloudformation.describe_stack_resources(StackName=stack_name)
        return {item["LogicalResourceId"]: item for item in answer["StackResources"]}

    def _failures(self, stack_name: str) -> list[str]:
        events = self.cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
        failed = [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED") and event["ResourceType"] != "AWS::CloudFormation::Stack"
        ]
        return failed or [event["ResourceStatusReason"] for event in events if event.get("ResourceStatusReason")][:1]

    def delete_all(self) -> tuple[list[Result], list[str]]:
        """Delete in the reverse order; answer what happened, and what stays."""
        results, retained = [], []
        for step in reversed(self.deployed.values()):
            started = time.monotonic()
            identifier = self.cloudformation.describe_stacks(StackName=step.stack_name)["Stacks"][0]["StackId"]
            self._empty_buckets(identifier)
            self.cloudformation.delete_stack(StackName=step.stack_name)
            stack = self.cloudformation.describe_stacks(StackName=identifier)["Stacks"][0]
            kept, refused = [], []
            for name, item in self._resources(identifier).items():
                label = f"{step.stack}/{name} {item['ResourceType']} {item.get('PhysicalResourceId', '')}"
                if item["ResourceStatus"] == "DELETE_SKIPPED":
                    kept.append(label)
                elif item["ResourceStatus"] == "DELETE_FAILED":
                    refused.append((label, item.get("ResourceStatusReason", "")))
            retained += kept + [f"{label} (in use)" for label, _ in refused]
            findings = _deletion_findings(step, refused, bool(retained))
            results.append(Result(step.stack, stack["StackStatus"], len(kept), _since(started), findings))
        return results, retained

    def _empty_buckets(self, stack_id: str) -> None:
        """Whoever deletes a deployment empties its buckets first; CloudFormation does not."""
        for item in self._resources(stack_id).values():
            if item["ResourceType"] == "AWS::S3::Bucket" and item["ResourceStatus"] in EXISTING:
                boto3.resource("s3", self.region).Bucket(item["PhysicalResourceId"]).object_versions.delete()


def _deletion_findings(step: Deployment, refused: list[tuple[str, str]], something_stays: bool) -> list[Finding]:
    """A network that a retained file system uses has to stay; any other refusal is an error."""
    held = [label for label, reason in refused if something_stays and any(code in reason for code in IN_USE)]
    wrong = [(label, reason) for label, reason in refused if label not in held]
    findings = [["ERROR", "Delete " + step.stack, f"{label}: {reason}"] for label, reason in wrong]
    if held:
        findings.append(["INFO", "Delete " + step.stack, f"stays, since what is retained uses it: {', '.join(held)}"])
    return findings


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
