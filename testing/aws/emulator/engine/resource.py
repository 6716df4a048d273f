"""What a resource type is to the engine, and the one registry of all of them.

A type makes a real object through the emulator's APIs. Its failures are exceptions; their text
becomes the reason in the stack's events.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3

Properties = dict[str, Any]


class PropertyError(Exception):
    """A property that the type does not have, or whose value has the wrong form."""


class Said(Exception):
    """A failure whose text stands in the stack's events as it is."""


class Unfinished(Said):
    """A resource that failed after something was made, which a rollback has to delete."""

    def __init__(self, reason: str, made: Made):
        super().__init__(reason)
        self.made = made


@cache
def client(service: str, region: str) -> Any:
    """One API client per service and region; requests never leave the process."""
    return boto3.client(service, region)


@dataclass(frozen=True)
class Request:
    """Who asks: the stack, the logical name, and the tags that the stack gives to its resources.

    begun tells the stack a physical id before the resource is finished.
    """

    account: str
    region: str
    stack_name: str
    stack_id: str
    logical_id: str
    type_name: str
    tags: dict[str, str] = field(default_factory=dict)
    deletion_policy: str = "Delete"
    begun: Callable[[str], None] = lambda _: None

    def client(self, service: str) -> Any:
        return client(service, self.region)

    def generated_name(self, limit: int = 128, lower: bool = False) -> str:
        """The name that the service makes up for a resource without one."""
        suffix = "".join(random.choices(string.ascii_uppercase + string.digits, k=12))
        room = limit - len(suffix) - 1
        name = f"{self.stack_name}-{self.logical_id}"[:room].rstrip("-") + "-" + suffix
        return name.lower() if lower else name


@dataclass
class Made:
    """What exists now: the physical id (what Ref gives), and what Fn::GetAtt can ask for.

    reference is set only for the few types whose Ref is not their physical id.
    """

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    reference: str | None = None
    model: Any = None


class ResourceType:
    """One CloudFormation resource type."""

    name: str
    # Whether a failed update is followed by one with the old properties.
    asks_again_after_failure = False

    def create(self, request: Request, properties: Properties) -> Made:
        raise NotImplementedError

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        """The resource after a change in place, or None where AWS replaces it."""
        return None

    def replaces_within(self, name: str, old: Any, new: Any) -> bool:
        """Whether a change inside this property may replace the resource."""
        return False

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        raise NotImplementedError


REGISTRY: dict[str, ResourceType] = {}


def register(*types: ResourceType) -> None:
    for resource_type in types:
        if resource_type.name in REGISTRY:
            raise ValueError(f"{resource_type.name} is registered twice")
        REGISTRY[resource_type.name] = resource_type


def changed(old: Properties, new: Properties) -> set[str]:
    """The names of the properties that differ."""
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
