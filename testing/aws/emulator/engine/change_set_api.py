"""Change sets in the CloudFormation API."""

from __future__ import annotations

import uuid
from typing import Any

from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from ..errors import Refusal
from ..extension import extend
from . import changes
from .api import ValidationError, body_of, check_capabilities, find, given_parameters, new_stack, settings_of
from .operations import apply_update, carry_out_creation
from .template import TemplateError, parse


@extend(CloudFormationResponse)
def create_change_set(self: Any) -> ActionResult:
    backend, kind = self.cloudformation_backend, self._get_param("ChangeSetType") or "UPDATE"
    name, settings = self._get_param("StackName"), settings_of(self)
    if kind == "CREATE":
        stack = next((item for item in backend.stacks.values() if item.name == name), None)
        stack = stack or new_stack(backend, name, settings)
        backend.stacks[stack.stack_id] = stack
    else:
        stack = find(backend, name)
    body, given = body_of(self, stack.body), given_parameters(self, stack.given)
    arn = (
        f"arn:aws:cloudformation:{backend.region_name}:{backend.account_id}:changeSet/"
        f"{self._get_param('ChangeSetName')}/{uuid.uuid4()}"
    )
    try:
        change_set = changes.ChangeSet(arn, self._get_param("ChangeSetName"), kind, stack, body, given, settings)
    except TemplateError as error:
        raise ValidationError(str(error)) from error
    backend.change_sets[arn] = change_set
    return ActionResult({"Id": arn, "StackId": stack.stack_id})


def _change_set(response: Any) -> Any:
    name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")
    for arn, change_set in response.cloudformation_backend.change_sets.items():
        if arn == name or (change_set.name == name and stack in (change_set.stack.name, change_set.stack.stack_id)):
            return change_set
    raise Refusal("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")


@extend(CloudFormationResponse)
def describe_change_set(self: Any) -> ActionResult:
    return ActionResult(_change_set(self).description())


@extend(CloudFormationResponse)
def list_change_sets(self: Any) -> ActionResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"))
    sets = self.cloudformation_backend.change_sets.values()
    return ActionResult({"Summaries": [item.description() for item in sets if item.stack is stack]})


@extend(CloudFormationResponse)
def delete_change_set(self: Any) -> EmptyResult:
    self.cloudformation_backend.change_sets.pop(_change_set(self).arn)
    return EmptyResult()


@extend(CloudFormationResponse)
def execute_change_set(self: Any) -> EmptyResult:
    change_set = _change_set(self)
    if change_set.execution_status != "AVAILABLE":
        raise Refusal(
            "InvalidChangeSetStatus",
            f"ChangeSet [{change_set.arn}] cannot be executed in its "
            f"current execution status of [{change_set.execution_status}]",
        )
    change_set.execution_status = "EXECUTE_COMPLETE"
    stack, settings = change_set.stack, change_set.settings
    check_capabilities(parse(change_set.body), settings.capabilities)
    token = self._get_param("ClientRequestToken")
    if change_set.kind == "CREATE":
        stack.settings, stack.token = settings, token
        stack.begin_create(change_set.body, change_set.given)
        carry_out_creation(self.cloudformation_backend, stack)
    else:
        apply_update(stack, change_set.body, change_set.given, settings, token)
    return EmptyResult()
