"""CloudFormation's own types: nested stacks, wait conditions, custom resources."""

from __future__ import annotations

import importlib
import os
import uuid
from collections.abc import Callable
from typing import Any

from moto.cloudformation.models import cloudformation_backends

from ..clusters import custom_resource
from ..clusters.node_logs import SET_UP, NodeLogs
from ..engine import api, changes, operations
from ..engine.intrinsics import text_of
from ..engine.records import Settings
from ..engine.resource import Made, Properties, PropertyError, Request, ResourceType, Said, Unfinished, register
from ..engine.stack import Stack
from ..world import world

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
    """Is met when a head node would be ready: there is none that could signal. It only writes what it would be at."""

    name = "AWS::CloudFormation::WaitCondition"

    def create(self, request: Request, properties: Properties) -> Made:
        head = self._head(request) if world.options.head_boot else None
        for part in SET_UP:
            if head:
                head(part)
            world.pause(world.options.head_boot / len(SET_UP))
        return Made(f"{request.stack_id}/{request.logical_id}", {"Data": "{}"})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        """Nothing stands behind a condition."""

    def _head(self, request: Request) -> Callable[[str], None] | None:
        """What writes into the log of the head's set-up, where the stack has a head."""
        stack = cloudformation_backends[request.account][request.region].stacks[request.stack_id]
        item = stack.resources.get("HeadNode")
        if not item or not item.physical_id:
            return None
        found = request.client("ec2").describe_instances(InstanceIds=[item.physical_id])
        instance = found["Reservations"][0]["Instances"][0]
        return lambda part: NodeLogs(stack).set_up(instance, part)


class NestedStack(ResourceType):
    """Ref gives the stack's id; GetAtt Outputs.NAME its outputs."""

    name = "AWS::CloudFormation::Stack"

    def create(self, request: Request, properties: Properties) -> Made:
        backend = self._backend(request)
        parent = backend.stacks[request.stack_id]
        # What was made before a failure stays until the parent's rollback deletes the nested stack.
        settings = Settings(dict(request.tags), "DO_NOTHING", CAPABILITIES)
        stack = api.new_stack(backend, request.generated_name(128), settings)
        stack.parent_id, stack.root_id, stack.token = parent.stack_id, parent.root_id or parent.stack_id, parent.token
        stack.begin_create(api.template_at(properties["TemplateURL"], request.region), self._given(properties))
        backend.stacks[stack.stack_id] = stack
        request.begun(stack.stack_id)
        stack.create()
        return self._made(stack, "created", "CREATE_COMPLETE")

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        stack = self._backend(request).stacks[made.physical_id]
        body, given = api.template_at(new["TemplateURL"], request.region), self._given(new)
        if stack.tags == request.tags and not changes.differs(stack, body, given):
            return self._made(stack, "updated", stack.status)
        stack.begin_update(body, given, dict(request.tags))()
        return self._made(stack, "updated", "UPDATE_COMPLETE")

    @staticmethod
    def _backend(request: Request) -> Any:
        return cloudformation_backends[request.account][request.region]

    @staticmethod
    def _given(properties: Properties) -> dict[str, str]:
        given = properties.get("Parameters", {}).items()
        return {key: ",".join(value) if isinstance(value, list) else text_of(value) for key, value in given}

    @staticmethod
    def _made(stack: Stack, what: str, wanted: str) -> Made:
        if stack.status != wanted:
            reason = stack.reason or stack.status
            raise Said(f"Embedded stack {stack.stack_id} was not successfully {what}: {reason}")
        return Made(stack.stack_id, {f"Outputs.{item['OutputKey']}": item["OutputValue"] for item in stack.outputs})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        backend = self._backend(request)
        stack = backend.stacks.get(made.physical_id)
        if stack is None:
            return
        stack.begin_delete([])()
        operations.forget_if_deleted(backend, stack)
        if stack.status != "DELETE_COMPLETE":
            raise PropertyError(f"Embedded stack {made.physical_id} was not successfully deleted: {stack.reason}")


def handler() -> Callable[[Event], Event] | None:
    """The function that answers custom resources: module:function in the environment, or this account's own."""
    place = os.environ.get(HANDLER_VARIABLE)
    if not place:
        return custom_resource.answer if world.options.clusters else None
    module, _, function = place.partition(":")
    return getattr(importlib.import_module(module), function or "handle")


def as_texts(value: Any) -> Any:
    """Whatever stands in a template, a custom resource gets its scalars as texts."""
    if isinstance(value, dict):
        return {key: as_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_texts(item) for item in value]
    return text_of(value)


class CustomResource(ResourceType):
    """Asks the handler where a real stack would call a Lambda function.

    The handler gets the event of the custom resource protocol and answers PhysicalResourceId and
    Data. Without a handler the resource is made with what it was given, and has no attributes.
    """

    asks_again_after_failure = True

    def __init__(self, name: str):
        self.name = name

    def create(self, request: Request, properties: Properties) -> Made:
        if not properties.get("ServiceToken"):
            raise PropertyError("Invalid Custom Resource: ServiceToken is missing")
        name = properties.get("ClusterName") or request.generated_name()
        try:
            answer = self._ask("Create", request, properties)
        except Said as failure:
            # Something may stand all the same: a rollback sends Delete.
            raise Unfinished(str(failure), Made(name)) from failure
        return Made(answer.get("PhysicalResourceId") or name, dict(answer.get("Data") or {}))

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
            "ResourceProperties": as_texts(properties),
            "ServiceToken": properties.get("ServiceToken"),
        }
        if identifier:
            event["PhysicalResourceId"] = identifier
        if old is not None:
            event["OldResourceProperties"] = as_texts(old)
        return function(event) or {}


register(
    WaitConditionHandle(),
    WaitCondition(),
    NestedStack(),
    CustomResource("AWS::CloudFormation::CustomResource"),
    CustomResource("Custom::*"),
)
