"""Reading templates: text to a dictionary, checks that CloudFormation makes before it starts, order.

Nothing here touches a resource. Every problem is a TemplateError, which the API answers as
ValidationError before anything exists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml

Template = dict[str, Any]

# What others need without naming it: a template has to say DependsOn, and these come last to prove it.
LATE = ("AWS::EC2::VPCGatewayAttachment", "AWS::EC2::VPCCidrBlock")
# What is waited for comes when everything else stands that can.
LAST = "AWS::CloudFormation::WaitCondition"
PSEUDO_PARAMETERS = frozenset(
    "AWS::" + name
    for name in (
        "AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix",
    )
)  # fmt: skip
SECTIONS = frozenset(
    ("AWSTemplateFormatVersion", "Conditions", "Description", "Hooks", "Mappings", "Metadata",
     "Outputs", "Parameters", "Resources", "Rules", "Transform")
)  # fmt: skip
RESOURCE_KEYS = frozenset(
    ("Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type",
     "UpdatePolicy", "UpdateReplacePolicy")
)  # fmt: skip
SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")


class TemplateError(Exception):
    """The template itself is wrong: CreateStack answers ValidationError and makes nothing."""


class TemplateLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as CloudFormation reads it: short forms of the functions, and dates stay strings."""


TemplateLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in TemplateLoader.yaml_implicit_resolvers.items()
}


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else "Fn::" + suffix: value}


TemplateLoader.add_multi_constructor("!", _short_form)


@lru_cache(maxsize=256)
def parse(text: str) -> Template:
    """The template as a dictionary, which nobody may change, or TemplateError."""
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, TemplateLoader)
    except (ValueError, yaml.YAMLError) as error:
        raise TemplateError(f"Template format error: {error}") from error
    if not isinstance(document, dict):
        raise TemplateError("Template format error: unsupported structure.")
    check(document)
    return document


def check(template: Template) -> None:
    """The checks of form that the service makes before it creates a stack."""
    if unknown := sorted(set(template) - SECTIONS):
        raise TemplateError(f"Invalid template property or properties {unknown}")
    resources = template.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    for name, resource in resources.items():
        if not name.isalnum():
            raise TemplateError(f"Template format error: Resource name {name} is non alphanumeric.")
        if not isinstance(resource, dict) or "Type" not in resource:
            raise TemplateError(
                f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
            )
        if unknown := sorted(set(resource) - RESOURCE_KEYS):
            raise TemplateError(f"Invalid template resource property {unknown[0]!r} in {name}")
    if where := _null(template, ""):
        raise TemplateError(f"Template format error: [{where}] 'null' values are not allowed in templates")
    _check_references(template)


def _null(value: Any, where: str) -> str | None:
    if value is None:
        return where
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for key, child in items:
        if found := _null(child, f"{where}/{key}"):
            return found
    return None


def references(value: Any) -> Iterator[str]:
    """Names that Ref, Fn::GetAtt and Fn::Sub mention anywhere inside a value."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref" and isinstance(item, str):
                yield item
            elif key == "Fn::GetAtt":
                yield item.split(".", 1)[0] if isinstance(item, str) else item[0]
            elif key == "Fn::Sub":
                text, local = (item, {}) if isinstance(item, str) else (item[0], item[1])
                for name in SUBSTITUTION.findall(text):
                    if name not in local:
                        yield name.split(".", 1)[0] if not name.startswith("AWS::") else name
                yield from references(local)
            else:
                yield from references(item)


def _check_references(template: Template) -> None:
    resources = template["Resources"]
    known = set(resources) | set(template.get("Parameters", {})) | PSEUDO_PARAMETERS
    for section, body in (("Resources", resources), ("Outputs", template.get("Outputs", {}))):
        missing = sorted({name for name in references(body) if name not in known})
        if missing:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
                f"in the {section} block of the template"
            )
    for resource in resources.values():
        for other in depends_on(resource):
            if other not in resources:
                raise TemplateError(
                    f"Template format error: Unresolved resource dependencies [{other}] "
                    "in the Resources block of the template"
                )
    for name, output in template.get("Outputs", {}).items():
        if not isinstance(output, dict) or "Value" not in output:
            raise TemplateError(
                f"Template format error: [/Outputs/{name}] Every Outputs member must contain a Value object"
            )


def depends_on(resource: Mapping[str, Any]) -> list[str]:
    value = resource.get("DependsOn", [])
    return [value] if isinstance(value, str) else list(value)


def dependencies(template: Template) -> dict[str, set[str]]:
    """For each resource the resources that must exist before it."""
    resources = template["Resources"]
    return {
        name: {
            other
            for other in (*references(resource.get("Properties", {})), *depends_on(resource))
            if other in resources and other != name
        }
        for name, resource in resources.items()
    }


def creation_order(template: Template) -> list[str]:
    """An order in which every resource comes after what it needs.

    The service makes independent resources at the same time. Here the one written last goes first,
    and the LATE ones last of all, so that a missing DependsOn fails always, where on AWS it would
    fail now and then.
    """
    needs, resources = dependencies(template), template["Resources"]
    order: list[str] = []
    kinds = {name: resources[name]["Type"] for name in resources}
    waiting = sorted(reversed(resources), key=lambda name: (kinds[name] == LAST, kinds[name] in LATE))
    while waiting:
        ready = next((name for name in waiting if needs[name] <= set(order)), None)
        if ready is None:
            raise TemplateError(f"Circular dependency between resources: [{', '.join(sorted(waiting))}]")
        order.append(ready)
        waiting.remove(ready)
    return order
