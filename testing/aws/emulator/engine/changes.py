"""What an update would change: for "No updates are to be performed", change sets and summaries."""

from __future__ import annotations

from typing import Any

from . import replacements
from .records import Settings, now
from .stack import Stack
from .template import Template, parse


def differences(stack: Stack, body: str, given: dict[str, str]) -> list[dict[str, Any]]:
    """Resource changes between a stack and a template, as a change set lists them.

    A pure change of Outputs counts as a change with no resources: one entry without a resource.
    """
    old, new = stack.template or {"Resources": {}}, parse(body)
    moved = {name for name in {*given, *stack.given} if given.get(name) != stack.given.get(name)}
    found = replacements.modified(old, new, moved, stack.resources)
    for name, definition in new["Resources"].items():
        if name not in old["Resources"]:
            found.append(_change("Add", name, definition["Type"], None))
    for name, definition in old["Resources"].items():
        if name not in new["Resources"]:
            item = stack.resources.get(name)
            found.append(_change("Remove", name, definition["Type"], item.physical_id if item else None))
    if not found and (old.get("Outputs") != new.get("Outputs") or moved):
        found.append({"Type": "Resource"})
    return found


def differs(stack: Stack, body: str, given: dict[str, str]) -> bool:
    """Whether an update would find anything to do."""
    old, new = stack.template, parse(body)
    moved = any(given.get(name) != stack.given.get(name) for name in {*given, *stack.given})
    return moved or any(old.get(section) != new.get(section) for section in ("Resources", "Outputs", "Conditions"))


def _change(action: str, name: str, kind: str, physical_id: str | None) -> dict[str, Any]:
    change = {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "Scope": [], "Details": []}
    return {"Type": "Resource", "ResourceChange": change | ({"PhysicalResourceId": physical_id} if physical_id else {})}


def imports(value: Any) -> set[str]:
    """Names of exports that a template imports, where they are written out."""
    if isinstance(value, list):
        return set().union(*(imports(item) for item in value))
    if isinstance(value, dict):
        own = {value["Fn::ImportValue"]} if isinstance(value.get("Fn::ImportValue"), str) else set()
        return own.union(*(imports(item) for item in value.values()))
    return set()


def importers(backend: Any, export: str | None) -> list[str]:
    """Names of the stacks that import an export."""
    if export is None:
        return []
    return [stack.name for stack in backend.stacks.values() if export in imports(stack.template)]


def template_summary(template: Template) -> dict[str, Any]:
    parameters = [
        {
            "ParameterKey": name,
            "ParameterType": slot.get("Type", "String"),
            "NoEcho": bool(slot.get("NoEcho")),
            "Description": slot.get("Description", ""),
            **({"DefaultValue": str(slot["Default"])} if "Default" in slot else {}),
        }
        for name, slot in template.get("Parameters", {}).items()
    ]
    kinds = sorted({resource["Type"] for resource in template["Resources"].values()})
    needs_consent = any(kind.startswith("AWS::IAM::") for kind in kinds)
    return {
        "Description": template.get("Description", ""),
        "Parameters": parameters,
        "ResourceTypes": kinds,
        "Capabilities": ["CAPABILITY_NAMED_IAM"] if needs_consent else [],
        "DeclaredTransforms": [],
        "Version": "2010-09-09",
    }


class ChangeSet:
    """A prepared create or update."""

    def __init__(
        self, arn: str, name: str, kind: str, stack: Stack, body: str, given: dict[str, str], settings: Settings
    ):
        self.arn, self.name, self.kind, self.stack = arn, name, kind, stack
        self.body, self.given, self.settings = body, given, settings
        self.created_at = now()
        self.changes = differences(stack, body, given)
        self.status, self.execution_status = "CREATE_COMPLETE", "AVAILABLE"
        self.reason: str | None = None
        if not self.changes:
            self.status, self.execution_status = "FAILED", "UNAVAILABLE"
            self.reason = (
                "The submitted information didn't contain changes. Submit different information to create a change set."
            )

    def description(self) -> dict[str, Any]:
        result = {
            "ChangeSetId": self.arn,
            "ChangeSetName": self.name,
            "StackId": self.stack.stack_id,
            "StackName": self.stack.name,
            "CreationTime": self.created_at,
            "Status": self.status,
            "ExecutionStatus": self.execution_status,
            "Changes": [change for change in self.changes if "ResourceChange" in change],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in self.given.items()],
        }
        return result | ({"StatusReason": self.reason} if self.reason else {})
