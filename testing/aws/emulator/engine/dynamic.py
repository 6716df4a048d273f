"""Dynamic references in property values: {{resolve:ssm:...}} and {{resolve:secretsmanager:...}}."""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.exceptions import ClientError

from .resource import Request
from .template import TemplateError

REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^}]+)\}\}")


def resolve(value: Any, request: Request) -> Any:
    """The value with every dynamic reference replaced by what it names."""
    if isinstance(value, dict):
        return {key: resolve(item, request) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, request) for item in value]
    if isinstance(value, str) and "{{resolve:" in value:
        return REFERENCE.sub(lambda match: _look_up(match.group(1), match.group(2), request), value)
    return value


def _look_up(service: str, name: str, request: Request) -> str:
    try:
        if service == "secretsmanager":
            return _secret(name, request)
        answer = request.client("ssm").get_parameter(Name=name, WithDecryption=True)
        return answer["Parameter"]["Value"]
    except (ClientError, KeyError) as error:
        raise TemplateError(f"Could not resolve {{{{resolve:{service}:{name}}}}}: {error}") from error


def _secret(name: str, request: Request) -> str:
    """secret-id:SecretString:key:stage:version, where the id may itself be an ARN with colons."""
    parts = name.split(":")
    length = 7 if parts[0] == "arn" else 1
    identifier, rest = ":".join(parts[:length]), parts[length:]
    text = request.client("secretsmanager").get_secret_value(SecretId=identifier)["SecretString"]
    key = rest[1] if len(rest) > 1 else ""
    return str(json.loads(text)[key]) if key else text
