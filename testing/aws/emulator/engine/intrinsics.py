"""Evaluating the intrinsic functions of a template against what exists so far.

Pure apart from the lookups that the Scope answers. AWS::NoValue removes the key or the list item
that holds it, as the service does.
"""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .template import SUBSTITUTION, TemplateError

NO_VALUE = object()


@dataclass
class Scope:
    """What names mean: parameters, resources, mappings, conditions, exports."""

    reference: Callable[[str], Any]
    attribute: Callable[[str, str], Any]
    imported: Callable[[str], Any]
    zones: Callable[[str], list[str]]
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)

    def condition(self, name: str) -> bool:
        if name not in self.conditions:
            raise TemplateError(f"Template error: Unresolved condition dependency {name}")
        return bool(evaluate(self.conditions[name], self))


def evaluate(value: Any, scope: Scope) -> Any:
    """The value with every function replaced by its result."""
    if isinstance(value, list):
        items = (evaluate(item, scope) for item in value)
        return [item for item in items if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key, argument), *_ = value.items()
        function = FUNCTIONS.get(key)
        if function and (key != "Condition" or isinstance(argument, str)):
            return function(argument, scope)
    fields = {key: evaluate(item, scope) for key, item in value.items()}
    return {key: item for key, item in fields.items() if item is not NO_VALUE}


def text_of(value: Any) -> str:
    """A scalar as CloudFormation writes it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)) or value is None or value is NO_VALUE:
        raise TemplateError(f"Template error: a string is needed, not {value!r}")
    return str(value)


def _ref(argument: Any, scope: Scope) -> Any:
    return NO_VALUE if argument == "AWS::NoValue" else scope.reference(argument)


def _get_att(argument: Any, scope: Scope) -> Any:
    name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    return scope.attribute(name, text_of(evaluate(attribute, scope)))


def _sub(argument: Any, scope: Scope) -> str:
    text, local = (argument, {}) if isinstance(argument, str) else argument
    local = evaluate(local, scope)

    def replace(match: Any) -> str:
        name = match.group(1)
        if name in local:
            return text_of(local[name])
        if "." in name and not name.startswith("AWS::"):
            return text_of(scope.attribute(*name.split(".", 1)))
        return text_of(scope.reference(name))

    return SUBSTITUTION.sub(replace, text).replace("${!", "${")


def _join(argument: Any, scope: Scope) -> str:
    return argument[0].join(text_of(item) for item in evaluate(argument[1], scope))


def _split(argument: Any, scope: Scope) -> list[str]:
    return text_of(evaluate(argument[1], scope)).split(argument[0])


def _select(argument: Any, scope: Scope) -> Any:
    index, items = int(evaluate(argument[0], scope)), evaluate(argument[1], scope)
    if not isinstance(items, list) or not 0 <= index < len(items):
        raise TemplateError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[index]


def _cidr(argument: Any, scope: Scope) -> list[str]:
    block, count, *bits = evaluate(argument, scope)
    network = ipaddress.ip_network(block)
    prefix = network.max_prefixlen - int(bits[0]) if bits else network.prefixlen
    subnets = network.subnets(new_prefix=prefix)
    try:
        return [str(next(subnets)) for _ in range(int(count))]
    except (StopIteration, ValueError, RuntimeError) as error:
        raise TemplateError(f"Template error: Fn::Cidr cannot make {count} blocks of {block}") from error


def _if(argument: Any, scope: Scope) -> Any:
    name, true, false = argument
    return evaluate(true if scope.condition(name) else false, scope)


def _find_in_map(argument: Any, scope: Scope) -> Any:
    name, first, second = (evaluate(item, scope) for item in argument[:3])
    try:
        return scope.mappings[name][first][second]
    except KeyError as error:
        if len(argument) == 4:
            return evaluate(argument[3]["DefaultValue"], scope)
        raise TemplateError(f"Template error: Unable to get mapping for {name}::{first}::{second}") from error


def _equals(argument: Any, scope: Scope) -> bool:
    first, second = (evaluate(item, scope) for item in argument)
    return text_of(first) == text_of(second)


FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Condition": lambda argument, scope: scope.condition(argument),
    "Fn::And": lambda argument, scope: all(evaluate(item, scope) for item in argument),
    "Fn::Base64": lambda argument, scope: base64.b64encode(text_of(evaluate(argument, scope)).encode()).decode(),
    "Fn::Cidr": _cidr,
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": lambda argument, scope: scope.zones(evaluate(argument, scope)),
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": lambda argument, scope: scope.imported(text_of(evaluate(argument, scope))),
    "Fn::Join": _join,
    "Fn::Length": lambda argument, scope: len(evaluate(argument, scope)),
    "Fn::Not": lambda argument, scope: not evaluate(argument[0], scope),
    "Fn::Or": lambda argument, scope: any(evaluate(item, scope) for item in argument),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": lambda argument, scope: json.dumps(evaluate(argument, scope)),
}
