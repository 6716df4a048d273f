"""Turning template properties into parameters of an API call, by the API's own model.

CloudFormation accepts "1200" for 1200, and PascalCase where an API writes camelCase. The model of
the operation says which is which; a property that the model does not have is an error here, as it
is in the service.
"""

from __future__ import annotations

import json
from typing import Any

from .resource import PropertyError

PAIR = {"Key", "Value"}  # templates write some maps as lists of these


def parameters_for(client: Any, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The properties as parameters of client.operation."""
    api_name = client.meta.method_to_api_mapping[operation]
    shape = client.meta.service_model.operation_model(api_name).input_shape
    return coerce(shape, properties, "")


def coerce(shape: Any, value: Any, where: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, value, where)
    if kind == "list":
        if not isinstance(value, list):
            raise PropertyError(f"{where}: a list is needed, not {value!r}")
        return [coerce(shape.member, item, f"{where}/{index}") for index, item in enumerate(value)]
    if kind == "map":
        if isinstance(value, list) and all(isinstance(item, dict) and item.keys() == PAIR for item in value):
            value = {item["Key"]: item["Value"] for item in value}
        if not isinstance(value, dict):
            raise PropertyError(f"{where}: a map is needed, not {value!r}")
        return {key: coerce(shape.value, item, f"{where}/{key}") for key, item in value.items()}
    return _scalar(kind, value, where)


def _structure(shape: Any, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PropertyError(f"{where}: an object is needed, not {value!r}")
    members = {name.lower(): name for name in shape.members}
    result = {}
    for key, item in value.items():
        member = members.get(key.lower())
        if member is None:
            raise PropertyError(f"{where}: Encountered unsupported property {key}")
        result[member] = coerce(shape.members[member], item, f"{where}/{key}")
    return result


def _scalar(kind: str, value: Any, where: str) -> Any:
    if kind in ("integer", "long"):
        return _number(int, value, where)
    if kind in ("float", "double"):
        return _number(float, value, where)
    if kind == "boolean":
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise PropertyError(f"{where}: true or false is needed, not {value!r}")
        return value
    if kind == "string":
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, dict):
            return json.dumps(value)
        if isinstance(value, list):
            raise PropertyError(f"{where}: a string is needed, not a list")
        return str(value)
    return value


def _number(kind: type, value: Any, where: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise PropertyError(f"{where}: a number is needed, not {value!r}")
    try:
        return kind(value)
    except ValueError as error:
        raise PropertyError(f"{where}: a number is needed, not {value!r}") from error
