"""The CloudFormation API on top of the engine: replaces the actions of the emulator underneath."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

from ..clusters import provider_template
from ..errors import Refusal
from ..extension import extend
from . import changes
from .late_looks import before
from .records import Settings
from .resource import client
from .stack import Stack
from .template import TemplateError, parse

NAMED_IAM = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
OTHER_IAM = ("AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")
UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
# What was left as it was after a failure can be updated again, if the next failure is left too.
LEFT_AS_THEY_ARE = ("CREATE_FAILED", "UPDATE_FAILED")


class ValidationError(Refusal):
    code = "ValidationError"


def exports_of(backend: Any) -> dict[str, dict[str, Any]]:
    """Every export of the region's stacks, by name."""
    return {
        output["ExportName"]: {
            "ExportingStackId": stack.stack_id,
            "Name": output["ExportName"],
            "Value": output["OutputValue"],
        }
        for stack in backend.stacks.values()
        for output in stack.outputs
        if "ExportName" in output
    }


def find(backend: Any, name: str, deleted: bool = False) -> Stack:
    """A stack by name or id; a deleted one only by its id."""
    stacks = {**(backend.deleted_stacks if deleted else {}), **backend.stacks}
    if name in stacks:
        return stacks[name]
    for stack in backend.stacks.values():
        if stack.name == name:
            return stack
    raise ValidationError(f"Stack with id {name} does not exist")


def body_of(response: Any, previous: str | None = None) -> str:
    """The template text that a request means: inline, in a bucket, or the previous one."""
    if response._get_param("UsePreviousTemplate") and previous is not None:
        return previous
    if body := response._get_param("TemplateBody"):
        if len(body) > 51_200:
            raise ValidationError(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                "Member must have length less than or equal to 51200"
            )
        return body
    url = response._get_param("TemplateURL")
    if not url:
        raise ValidationError("Either Template URL or Template Body must be specified.")
    return template_at(url, response.region)


def template_at(url: str, region: str) -> str:
    """A template in a bucket of the emulated account, by either form of its address."""
    if (published := provider_template.published_at(url)) is not None:
        return published
    address = urlparse(url)
    host, path = address.netloc.split("."), address.path.lstrip("/")
    bucket, key = path.split("/", 1) if host[0].startswith("s3") or "amazonaws" not in host else (host[0], path)
    s3 = client("s3", region)
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except s3.exceptions.ClientError as error:
        raise ValidationError(f"S3 error: {error}") from error


def given_parameters(response: Any, previous: dict[str, str] | None = None) -> dict[str, str]:
    given = {}
    for item in response._get_param("Parameters", []) or []:
        key = item["ParameterKey"]
        if item.get("UsePreviousValue"):
            if previous is None or key not in previous:
                raise ValidationError(f"Invalid input for parameter key {key}. Cannot specify usePreviousValue")
            given[key] = previous[key]
        else:
            given[key] = item.get("ParameterValue", "")
    return given


def settings_of(response: Any) -> Settings:
    on_failure = response._get_param("OnFailure")
    if response._get_param("DisableRollback"):
        on_failure = "DO_NOTHING"
    return Settings(
        tags={item["Key"]: item["Value"] for item in response._get_param("Tags", []) or []},
        on_failure=on_failure or "ROLLBACK",
        capabilities=list(response._get_param("Capabilities", []) or []),
        notification_arns=list(response._get_param("NotificationARNs", []) or []),
        role_arn=response._get_param("RoleARN"),
        timeout_in_minutes=response._get_param("TimeoutInMinutes"),
        termination_protection=bool(response._get_param("EnableTerminationProtection")),
    )


def check_capabilities(template: dict[str, Any], given: list[str]) -> None:
    """IAM resources need the caller's consent, named ones a stronger consent; so do transforms."""
    needed = ""
    if "Transform" in template and "CAPABILITY_AUTO_EXPAND" not in given:
        raise Refusal("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
    for resource in template["Resources"].values():
        kind = resource["Type"]
        if NAMED_IAM.get(kind, "?") in resource.get("Properties", {}):
            needed = "CAPABILITY_NAMED_IAM"
        elif (kind in NAMED_IAM or kind in OTHER_IAM) and not needed:
            needed = "CAPABILITY_IAM"
    accepted = {"CAPABILITY_NAMED_IAM"} | ({"CAPABILITY_IAM"} if needed == "CAPABILITY_IAM" else set())
    if needed and not accepted & set(given):
        raise Refusal("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def new_stack(backend: Any, name: str, settings: Settings) -> Stack:
    if any(stack.name == name for stack in backend.stacks.values()):
        raise Refusal("AlreadyExistsException", f"Stack [{name}] already exists")
    stack = Stack(name, backend.account_id, backend.region_name, lambda: exports_of(backend), settings)
    return stack


def summary(stack: Stack) -> dict[str, Any]:
    result = {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "CreationTime": stack.created_at,
        "StackStatus": stack.status,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    if stack.drift:
        result["DriftInformation"] = stack.drift
    optional = {
        "ParentId": stack.parent_id,
        "RootId": stack.root_id,
        "StackStatusReason": stack.reason,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "RoleARN": stack.settings.role_arn,
        "TimeoutInMinutes": stack.settings.timeout_in_minutes,
        "Description": stack.template.get("Description"),
    }
    return result | {key: value for key, value in optional.items() if value is not None}


def description(stack: Stack) -> dict[str, Any]:
    slots = stack.template.get("Parameters", {})
    shown = [
        {
            "ParameterKey": name,
            "ParameterValue": "****" if slots[name].get("NoEcho") else _joined(value),
        }
        for name, value in stack.values.items()
    ]
    return summary(stack) | {
        "Parameters": shown,
        "Outputs": stack.outputs,
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
        "Capabilities": stack.settings.capabilities,
        "NotificationARNs": stack.settings.notification_arns,
        "DisableRollback": stack.settings.on_failure == "DO_NOTHING",
        "EnableTerminationProtection": stack.settings.termination_protection,
    }


def _joined(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def resource_description(stack: Stack, item: Any) -> dict[str, Any]:
    result = {
        "StackName": stack.name,
        "StackId": stack.stack_id,
        "LogicalResourceId": item.logical_id,
        "PhysicalResourceId": item.physical_id,
        "ResourceType": item.type_name,
        "Timestamp": item.changed_at,
        "LastUpdatedTimestamp": item.changed_at,
        "ResourceStatus": item.status,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }
    return result | ({"ResourceStatusReason": item.reason} if item.reason else {})


# Stacks and change sets are dictionaries here; only stack sets still need the transformers.
CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER = {
    path: function
    for path, function in CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER.items()
    if "StackSet" in path
}


@extend(CloudFormationResponse)
def describe_stacks(self: Any) -> ActionResult:
    backend, name = self.cloudformation_backend, self._get_param("StackName")
    for shown in before(backend, name):
        if shown is None:
            raise ValidationError(f"Stack with id {name} does not exist")
        return ActionResult({"Stacks": [shown]})
    for stack in backend.deleted_stacks.values():
        if stack.name == name and stack.fading and name not in {live.name for live in backend.stacks.values()}:
            # A deletion takes time, so callers look by name once more before the name is unknown.
            stack.fading = False
            return ActionResult({"Stacks": [description(stack) | {"StackStatus": "DELETE_IN_PROGRESS"}]})
    stacks = [find(backend, name, deleted=True)] if name else list(backend.stacks.values())
    return ActionResult({"Stacks": [description(stack) for stack in stacks]})


@extend(CloudFormationResponse)
def list_stacks(self: Any) -> ActionResult:
    backend, wanted = self.cloudformation_backend, self._get_param("StackStatusFilter", []) or []
    stacks = [*backend.stacks.values(), *backend.deleted_stacks.values()]
    return ActionResult(
        {"StackSummaries": [summary(stack) for stack in stacks if not wanted or stack.status in wanted]}
    )


@extend(CloudFormationResponse)
def describe_stack_events(self: Any) -> ActionResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"), deleted=True)
    newest_first = stack.events[::-1]
    start = int(self._get_param("NextToken") or 0)
    page = {"StackEvents": newest_first[start : start + 100]}
    if start + 100 < len(newest_first):
        page["NextToken"] = str(start + 100)
    return ActionResult(page)


@extend(CloudFormationResponse)
def describe_stack_resource(self: Any) -> ActionResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"), deleted=True)
    logical_id = self._get_param("LogicalResourceId")
    if logical_id not in stack.resources:
        raise ValidationError(f"Resource {logical_id} does not exist for stack {stack.name}")
    return ActionResult({"StackResourceDetail": resource_description(stack, stack.resources[logical_id])})


@extend(CloudFormationResponse)
def describe_stack_resources(self: Any) -> ActionResult:
    backend, name = self.cloudformation_backend, self._get_param("StackName")
    physical, logical = self._get_param("PhysicalResourceId"), self._get_param("LogicalResourceId")
    stacks = [find(backend, name, deleted=True)] if name else list(backend.stacks.values())
    found = [
        resource_description(stack, item)
        for stack in stacks
        for item in stack.resources.values()
        if logical in (None, item.logical_id) and physical in (None, item.physical_id)
    ]
    return ActionResult({"StackResources": found})


@extend(CloudFormationResponse)
def list_stack_resources(self: Any) -> ActionResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"), deleted=True)
    return ActionResult(
        {"StackResourceSummaries": [resource_description(stack, item) for item in stack.resources.values()]}
    )


@extend(CloudFormationResponse)
def get_template(self: Any) -> ActionResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"), deleted=True)
    return ActionResult({"TemplateBody": stack.body, "StagesAvailable": ["Original", "Processed"]})


@extend(CloudFormationResponse)
def get_template_summary(self: Any) -> ActionResult:
    name = self._get_param("StackName")
    body = find(self.cloudformation_backend, name).body if name else body_of(self)
    return ActionResult(changes.template_summary(_parsed(body)))


@extend(CloudFormationResponse)
def validate_template(self: Any) -> ActionResult:
    template = _parsed(body_of(self))
    return ActionResult(changes.template_summary(template))


def _parsed(body: str) -> dict[str, Any]:
    try:
        return parse(body)
    except TemplateError as error:
        raise ValidationError(str(error)) from error


@extend(CloudFormationResponse)
def list_exports(self: Any) -> ActionResult:
    return ActionResult({"Exports": list(exports_of(self.cloudformation_backend).values())})


@extend(CloudFormationResponse)
def list_imports(self: Any) -> ActionResult:
    return ActionResult({"Imports": changes.importers(self.cloudformation_backend, self._get_param("ExportName"))})


@extend(CloudFormationResponse)
def update_termination_protection(self: Any) -> ActionResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"))
    stack.settings.termination_protection = bool(self._get_param("EnableTerminationProtection"))
    return ActionResult({"StackId": stack.stack_id})
