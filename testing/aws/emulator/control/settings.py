"""What a test may say about the account: quotas, permissions, capacity, and what stands in it beforehand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..services import quotas, shortage, simulation

_surroundings: dict[str, Any] = {}


def clear() -> None:
    quotas.GIVEN.clear()
    simulation.PERMISSIONS.clear()
    shortage.RULES.clear()
    _surroundings.clear()


def set_quotas(values: list[dict[str, Any]], _: dict[str, str]) -> dict[str, Any]:
    """[{service, code, value}]"""
    for item in values:
        quotas.GIVEN[item.get("service", "ec2"), item["code"]] = float(item["value"])
    return {}


def set_permissions(rules: list[dict[str, str]], _: dict[str, str]) -> dict[str, Any]:
    """[{action, decision}]: what a simulation does not allow; an action may have wildcards."""
    simulation.PERMISSIONS[:] = [dict(rule) for rule in rules]
    return {}


def set_capacity(rules: list[dict[str, Any]], _: dict[str, str]) -> dict[str, Any]:
    """[{instance_type, available, code}]: replaces the rules so far."""
    shortage.RULES[:] = [dict(rule) for rule in rules]
    return {}


def expect(plan: dict[str, Any], _: dict[str, str]) -> dict[str, Any]:
    """A plan.json: what its target expects to exist is made, under the ids that it has in the plan.

    What needs a network that a stack makes waits; sending the same plan again makes it then.
    """
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    try:
        from judging.expects import Surroundings
        from judging.folder import Folder, Texts
    finally:
        sys.path.pop(0)
    target = plan["target"]["aws"]
    region = target["region"]
    if region not in _surroundings:
        folder = Folder(Path(), region, list(target.get("zones") or []), "", "", [])
        _surroundings[region] = Surroundings(folder, Texts(), keeps_identifiers=True)
    surroundings = _surroundings[region]
    surroundings.everything_is_deployed = True  # a bucket that the plan names is not one that it makes
    problems = surroundings.expect(list(target.get("expects") or []))
    made = surroundings.texts.identifiers
    return {"made": made, "waiting": surroundings.waiting, "problems": problems}
