"""The actions of the CloudFormation API that change stacks.

What the service refuses is refused within the request; the work itself may happen afterwards.
"""

from __future__ import annotations

from typing import Any

from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from ..extension import extend
from . import changes
from .api import (
    LEFT_AS_THEY_ARE,
    UPDATABLE,
    ValidationError,
    body_of,
    check_capabilities,
    description,
    find,
    given_parameters,
    new_stack,
    settings_of,
)
from .late_looks import remember
from .records import Settings
from .stack import Stack
from .template import TemplateError, parse

DELETED_WHILE_MADE = ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS")


@extend(CloudFormationResponse)
def create_stack(self: Any) -> ActionResult:
    backend, settings, token = self.cloudformation_backend, settings_of(self), self._get_param("ClientRequestToken")
    name = self._get_param("StackName")
    if token and (again := next((item for item in backend.stacks.values() if item.name == name), None)):
        if again.token == token:  # the answer to the first request was lost
            return ActionResult({"StackId": again.stack_id})
    stack = new_stack(backend, name, settings)
    body, given = body_of(self), given_parameters(self)
    try:
        check_capabilities(parse(body), settings.capabilities)
        stack.token = token
        stack.begin_create(body, given)
    except TemplateError as error:
        raise ValidationError(str(error)) from error
    remember(backend, name, None)
    backend.stacks[stack.stack_id] = stack
    carry_out_creation(backend, stack)
    return ActionResult({"StackId": stack.stack_id})


def carry_out_creation(backend: Any, stack: Stack) -> None:
    def work() -> None:
        stack.create()
        forget_if_deleted(backend, stack)

    stack.carry_out(work)


@extend(CloudFormationResponse)
def update_stack(self: Any) -> ActionResult:
    backend, token = self.cloudformation_backend, self._get_param("ClientRequestToken")
    stack = find(backend, self._get_param("StackName"))
    if token and stack.token == token and stack.updated_at:
        return ActionResult({"StackId": stack.stack_id})
    body, given = body_of(self, stack.body), given_parameters(self, stack.given)
    settings = settings_of(self)
    remember(backend, stack.name, description(stack))
    apply_update(stack, body, given, settings, token)
    return ActionResult({"StackId": stack.stack_id})


def apply_update(stack: Stack, body: str, given: dict[str, str], settings: Settings, token: str | None) -> None:
    """Begin an update. Tags replace the stack's where there are any, as the API has it."""
    keeps_failures = settings.on_failure == "DO_NOTHING"
    if stack.status not in UPDATABLE and not (keeps_failures and stack.status in LEFT_AS_THEY_ARE):
        raise ValidationError(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
    tags = settings.tags
    try:
        same_tags = not tags or tags == stack.tags
        if stack.status not in LEFT_AS_THEY_ARE and same_tags and not changes.differs(stack, body, given):
            raise ValidationError("No updates are to be performed.")
        check_capabilities(parse(body), settings.capabilities)
        old_token, stack.token = stack.token, token
        try:
            work = stack.begin_update(body, given, tags or None, keeps_failures)
        except TemplateError:
            stack.token = old_token
            raise
    except TemplateError as error:
        raise ValidationError(str(error)) from error
    stack.carry_out(work)


@extend(CloudFormationResponse)
def cancel_update_stack(self: Any) -> EmptyResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"))
    if stack.status != "UPDATE_IN_PROGRESS":
        raise ValidationError("CancelUpdateStack cannot be called from current stack status")
    stack.cancel_update()
    return EmptyResult()


@extend(CloudFormationResponse)
def continue_update_rollback(self: Any) -> ActionResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"))
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise ValidationError(f"Stack:{stack.stack_id} is in {stack.status} state and can not continue rollback.")
    skipped = list(self._get_param("ResourcesToSkip", []) or [])
    failed = [name for name, item in stack.resources.items() if item.status == "UPDATE_FAILED"]
    if wrong := [name for name in skipped if name not in failed]:
        raise ValidationError(f"The following resources cannot be skipped, since they did not fail: {wrong}")
    remember(self.cloudformation_backend, stack.name, description(stack))
    stack.token = self._get_param("ClientRequestToken")
    stack.carry_out(stack.begin_rollback(skipped))
    return ActionResult({})


@extend(CloudFormationResponse)
def rollback_stack(self: Any) -> ActionResult:
    stack = find(self.cloudformation_backend, self._get_param("StackName"))
    if stack.status not in LEFT_AS_THEY_ARE:
        raise ValidationError(f"Stack:{stack.stack_id} is in {stack.status} state and can not be rolled back.")
    remember(self.cloudformation_backend, stack.name, description(stack))
    stack.token = self._get_param("ClientRequestToken")
    stack.carry_out(stack.begin_rollback([]))
    return ActionResult({"StackId": stack.stack_id})


@extend(CloudFormationResponse)
def delete_stack(self: Any) -> EmptyResult:
    backend, name = self.cloudformation_backend, self._get_param("StackName")
    try:
        stack = find(backend, name)
    except ValidationError:
        return EmptyResult()  # deleting what is not there succeeds on AWS
    if stack.settings.termination_protection:
        raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    if stack.status == "DELETE_IN_PROGRESS":
        return EmptyResult()
    if stack.status.endswith("_IN_PROGRESS") and stack.status not in DELETED_WHILE_MADE:
        raise ValidationError(f"Stack [{stack.stack_id}] cannot be deleted while in status {stack.status}")
    stack.token = self._get_param("ClientRequestToken")
    for output in stack.outputs:
        if users := changes.importers(backend, output.get("ExportName")):
            stack._record(
                None,
                "DELETE_FAILED",
                f"Export {output['ExportName']} cannot be deleted as it is in use by {' and '.join(users)}",
            )
            return EmptyResult()
    remember(backend, stack.name, description(stack))
    delete(backend, stack, list(self._get_param("RetainResources", []) or []))
    return EmptyResult()


def delete(backend: Any, stack: Stack, retained: list[str]) -> None:
    remove = stack.begin_delete(retained)

    def work() -> None:
        remove()
        forget_if_deleted(backend, stack)

    stack.carry_out(work)


def forget_if_deleted(backend: Any, stack: Stack) -> None:
    if stack.deleted_at is not None and stack.stack_id in backend.stacks:
        backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)
