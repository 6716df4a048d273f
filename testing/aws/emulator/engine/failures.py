"""Failures that a test asks for: a resource of a stack that cannot be made, changed or removed."""

from __future__ import annotations

from typing import Any

from .records import StackResource
from .resource import Said


class AskedFor(Said):
    """A failure by a rule."""


RULES: list[dict[str, Any]] = []


def check(stack: str, item: StackResource, operation: str) -> None:
    """AskedFor where a rule names this resource; the first `after` times it passes."""
    for rule in RULES:
        if rule.get("stack") not in (None, stack) or rule.get("operation", "create") != operation:
            continue
        if rule.get("logical_id") not in (None, item.logical_id) or rule.get("type") not in (None, item.type_name):
            continue
        if rule.get("times") == 0:
            continue
        if rule.get("after"):
            rule["after"] -= 1
            continue
        if rule.get("times"):
            rule["times"] -= 1
        raise AskedFor(rule.get("reason") or 'Resource handler returned message: "Internal failure" (InternalFailure)')
