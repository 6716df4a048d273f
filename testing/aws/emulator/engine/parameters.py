"""Parameter values of a stack: defaults, constraints, types."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .intrinsics import text_of
from .template import Template, TemplateError

PREFIXES = {
    "AWS::EC2::Image::Id": "ami-",
    "AWS::EC2::Instance::Id": "i-",
    "AWS::EC2::SecurityGroup::Id": "sg-",
    "AWS::EC2::Subnet::Id": "subnet-",
    "AWS::EC2::VPC::Id": "vpc-",
    "AWS::EC2::Volume::Id": "vol-",
}


def resolve(template: Template, given: dict[str, str], system_parameter: Callable[[str], str]) -> dict[str, Any]:
    """Every parameter's value; TemplateError for a missing, unknown or forbidden one."""
    declared = template.get("Parameters", {})
    if unknown := sorted(set(given) - set(declared)):
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = sorted(name for name, slot in declared.items() if name not in given and "Default" not in slot)
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    return {
        name: _value(name, slot, text_of(given.get(name, slot.get("Default"))), system_parameter)
        for name, slot in declared.items()
    }


def _value(name: str, slot: dict[str, Any], text: str, system_parameter: Callable[[str], str]) -> Any:
    kind = slot.get("Type", "String")
    if kind.startswith("AWS::SSM::Parameter::Value"):
        text = system_parameter(text)
        kind = kind.removeprefix("AWS::SSM::Parameter::Value<").removesuffix(">")
    if "AllowedValues" in slot and text not in [text_of(value) for value in slot["AllowedValues"]]:
        raise TemplateError(f"Parameter '{name}' must be one of AllowedValues")
    if "AllowedPattern" in slot and not re.fullmatch(slot["AllowedPattern"], text):
        raise TemplateError(f"Parameter {name} failed to satisfy constraint: {slot['AllowedPattern']}")
    if len(text) < int(slot.get("MinLength", 0)) or len(text) > int(slot.get("MaxLength", len(text))):
        raise TemplateError(f"Parameter '{name}' has a length outside its bounds")
    if kind.startswith("List<") or kind == "CommaDelimitedList":
        element = kind.removeprefix("List<").removesuffix(">")
        return [_checked(name, element, item.strip()) for item in text.split(",")]
    return _checked(name, kind, text)


def _checked(name: str, kind: str, text: str) -> str:
    if kind == "Number":
        try:
            float(text)
        except ValueError as error:
            raise TemplateError(f"Parameter '{name}' must be a number.") from error
    prefix = PREFIXES.get(kind)
    if prefix and not text.startswith(prefix):
        raise TemplateError(
            f"Parameter validation failed: parameter value {text} for parameter name {name} is not a {kind}"
        )
    return text
