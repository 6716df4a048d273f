"""What a change set says of a changed resource: which properties, for what reason, and whether AWS replaces it.

Whether a property can be changed in place stands in AWS's own schemas of the types, which cfn-lint
carries.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .records import StackResource, is_known, kind_of
from .template import Template, references

# A section of a resource and the scope that a change set gives it.
SCOPES = {
    "Metadata": "Metadata", "CreationPolicy": "CreationPolicy", "UpdatePolicy": "UpdatePolicy",
    "DeletionPolicy": "DeletionPolicy", "UpdateReplacePolicy": "UpdateReplacePolicy",
}  # fmt: skip
RECREATION = {"True": "Always", "Conditional": "Conditionally", "False": "Never"}


@lru_cache(maxsize=512)
def _fixed(kind: str) -> tuple[frozenset[str], frozenset[str]]:
    """The properties of a type that are never changed in place, and those that are not always."""
    try:
        from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    except Exception:  # a type that AWS has no schema for, such as a custom resource
        return frozenset(), frozenset()
    names = [
        frozenset(path.removeprefix("/properties/").split("/")[0] for path in schema.get(key, []))
        for key in ("createOnlyProperties", "conditionalCreateOnlyProperties")
    ]
    return names[0], names[1]


def replacement(kind: str, name: str, old: Any, new: Any) -> str:
    always, sometimes = _fixed(kind)
    # AWS's schemas do not say which settings inside a property replace the whole thing; what makes it here knows.
    within = name not in always and is_known(kind) and kind_of(kind).replaces_within(name, old, new)
    return "True" if name in always else "Conditional" if name in sometimes or within else "False"


def modified(
    old: Template, new: Template, moved: set[str], resources: dict[str, StackResource]
) -> list[dict[str, Any]]:
    """The changed resources, and those that refer to one that is replaced."""
    changes: dict[str, dict[str, Any]] = {}
    replaced: set[str] = set()
    while True:
        for name, definition in new["Resources"].items():
            before = old["Resources"].get(name)
            if before is None:
                continue
            change = _modification(name, before, definition, moved, replaced, resources.get(name))
            if change:
                changes[name] = change
        now = {name for name, change in changes.items() if change["Replacement"] == "True"}
        if now == replaced:
            return [{"Type": "Resource", "ResourceChange": change} for change in changes.values()]
        replaced = now


def _modification(
    name: str, before: dict[str, Any], after: dict[str, Any], moved: set[str], replaced: set[str],
    item: StackResource | None,
) -> dict[str, Any] | None:  # fmt: skip
    details = [
        _detail(scope, None, "False", "DirectModification", "Static")
        for section, scope in SCOPES.items()
        if before.get(section) != after.get(section)
    ]
    old, new = before.get("Properties", {}), after.get("Properties", {})
    for key in sorted({*old, *new}):
        details += _details_of(after["Type"], key, old.get(key), new.get(key), moved, replaced - {name})
    if before.get("Type") != after["Type"]:
        details.append(_detail("Properties", None, "True", "DirectModification", "Static"))
    other = {"Type", "Properties", *SCOPES}
    if not details and {k: v for k, v in before.items() if k not in other} == {
        k: v for k, v in after.items() if k not in other
    }:
        return None
    worst = {detail["Target"]["RequiresRecreation"] for detail in details}
    change = {
        "Action": "Modify",
        "LogicalResourceId": name,
        "ResourceType": after["Type"],
        "Replacement": "True" if "Always" in worst else "Conditional" if "Conditionally" in worst else "False",
        "Scope": sorted({detail["Target"]["Attribute"] for detail in details}),
        "Details": details,
    }
    return change | ({"PhysicalResourceId": item.physical_id} if item and item.physical_id else {})


def _details_of(
    kind: str, key: str, old: Any, new: Any, moved: set[str], replaced: set[str]
) -> list[dict[str, Any]]:
    scope, result = ("Tags" if key == "Tags" else "Properties"), replacement(kind, key, old, new)
    if old != new:
        return [_detail(scope, key, result, "DirectModification", "Static")]
    named = set(references(new))
    details = [
        _detail(scope, key, result, "ParameterReference", "Static", name) for name in sorted(named & moved)
    ]
    maybe = "Conditional" if result == "True" else result
    return details + [
        _detail(scope, key, maybe, "ResourceReference", "Dynamic", name) for name in sorted(named & replaced)
    ]


def _detail(
    scope: str, key: str | None, result: str, source: str, evaluation: str, cause: str | None = None
) -> dict[str, Any]:
    target = {"Attribute": scope, "RequiresRecreation": RECREATION[result]}
    detail = {"Target": target | ({"Name": key} if key else {}), "Evaluation": evaluation, "ChangeSource": source}
    return detail | ({"CausingEntity": cause} if cause else {})
