"""CloudFormation's own types: nested stacks, wait conditions, custom resources."""

from __future__ import annotations

import importlib
import os
import uuid
from collections.abc import Callable
from typing import Any

from ..engine.resource import Made, Properties, PropertyError, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for

HANDLER_VARIABLE = "EMULATOR_CUSTOM_RESOURCES"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
Event = dict[str, Any]


class WaitConditionHandle(ResourceType):
    """Ref gives an address that would take a signal."""

    name = "AWS::CloudFormation::WaitConditionHandle"

    def create(self, request: Request, properties: Properties) -> Made:
        return Made(
            f"https://cloudformation-waitcondition-{request.region}.s3.amazonaws.com/{request.stack_id}/"
            f"{request.logical_id}/{uuid.uuid4()}"
        )

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        """A handle is only an address."""


class WaitCondition(ResourceType):
    """Is met at once: there is no node that could signal."""

    name = "AWS::CloudFormation::WaitCondition"

    def create(self, request: Request, properties: Properties) -> Made:
        return Made(f"{request.stack_id}/{request.logical_id}", {"Data": "{}"})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        """Nothing stands behind a condition."""


class NestedStack(ResourceType):
    """Ref gives the stack's id; GetAtt Outputs.NAME its outputs."""

    name = "AWS::CloudFormation::Stack"

    def create(self, request: Request, properties: Properties) -> Made:
        cloudformation = request.client("cloudformation")
        name = request.generated_name(128)
        values = self._values(name, properties, request)
        identifier = cloudformation.create_stack(
            **parameters_for(cloudformation, "create_stack", values | {"DisableRollback": True})
        )["StackId"]
        return self._made(cloudformation, identifier, "CREATE_COMPLETE")

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        cloudformation = request.client("cloudformation")
        values = self._values(made.physical_id, new, request)
        if changed(old, new):
            cloudformation.update_stack(**parameters_for(cloudformation, "update_stack", values))
        return self._made(cloudformation, made.physical_id, "UPDATE_COMPLETE")

    @staticmethod
    def _values(name: str, properties: Properties, request: Request) -> dict[str, Any]:
        given = properties.get("Parameters", {})
        return {
            "StackName": name,
            "TemplateURL": properties["TemplateURL"],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            "Capabilities": CAPABILITIES,
            "Tags": [{"Key": key, "Value": value} for key, value in request.tags.items()],
        }

    @staticmethod
    def _made(cloudformation: Any, identifier: str, wanted: str) -> Made:
        stack = cloudformation.describe_stacks(StackName=identifier)["Stacks"][0]
        if stack["StackStatus"] != wanted:
            raise PropertyError(
                f"Embedded stack {identifier} was not successfully created: "
                f"{stack.get('StackStatusReason', stack['StackStatus'])}"
            )
        outputs = {f"Outputs.{item['OutputKey']}": item["OutputValue"] for item in stack.get("Outputs", [])}
        return Made(identifier, outputs)

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        cloudformation = request.client("cloudformation")
        cloudformation.delete_stack(StackName=made.physical_id)
        stack = cloudformation.describe_stacks(StackName=made.physical_id)["Stacks"][0]
        if stack["StackStatus"] != "DELETE_COMPLETE":
            raise PropertyError(f"Embedded stack {made.physical_id} was not successfully deleted")


def handler() -> Callable[[Event], Event] | None:
    """The function that answers custom resources: module:function in the environment."""
    place = os.environ.get(HANDLER_VARIABLE)
    if not place:
        return None
    module, _, function = place.partition(":")
    return getattr(importlib.import_module(module), function or "handle")


class CustomResource(ResourceType):
    """Asks the handler where a real stack would call a Lambda function.

    The handler gets the event of the custom resource protocol and answers PhysicalResourceId and
    Data. Without a handler the resource is made with what it was given, and has no attributes.
    """

    def __init__(self, name: str):
        self.name = name

    def create(self, request: Request, properties: Properties) -> Made:
        if not properties.get("ServiceToken"):
            raise PropertyError("Invalid Custom Resource: ServiceToken is missing")
        answer = self._ask("Create", request, properties)
        identifier = answer.get("PhysicalResourceId") or properties.get("ClusterName") or request.generated_name()
        return Made(identifier, dict(answer.get("Data") or {}))

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        answer = self._ask("Update", request, new, made.physical_id, old)
        identifier = answer.get("PhysicalResourceId") or made.physical_id
        return Made(identifier, dict(answer.get("Data") or made.attributes))

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        self._ask("Delete", request, properties, made.physical_id)

    @staticmethod
    def _ask(
        kind: str, request: Request, properties: Properties, identifier: str | None = None,
        old: Properties | None = None,
    ) -> Event:  # fmt: skip
        function = handler()
        if function is None:
            return {}
        event = {
            "RequestType": kind,
            "RequestId": str(uuid.uuid4()),
            "StackId": request.stack_id,
            "LogicalResourceId": request.logical_id,
            "ResourceType": request.type_name,
            "ResourceProperties": properties,
            "ServiceToken": properties.get("ServiceToken"),
        }
        if identifier:
            event["PhysicalResourceId"] = identifier
        if old is not None:
            event["OldResourceProperties"] = old
        return function(event) or {}


register(
    WaitConditionHandle(),
    WaitCondition(),
    NestedStack(),
    CustomResource("AWS::CloudFormation::CustomResource"),
    CustomResource("Custom::*"),
)
