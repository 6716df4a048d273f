"""What a stack remembers: its resources, its settings, and reasons in plain words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from .resource import REGISTRY, Made, Properties, PropertyError, ResourceType, Said
from .template import TemplateError


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class StackResource:
    """One logical resource and what stands behind it."""

    logical_id: str
    type_name: str
    definition: dict[str, Any]
    properties: Properties = field(default_factory=dict)
    made: Made | None = None
    status: str = "CREATE_IN_PROGRESS"
    reason: str | None = None
    changed_at: datetime = field(default_factory=now)
    attempted: Properties | None = None  # the properties of an update that has not succeeded

    @property
    def physical_id(self) -> str | None:
        return self.made.physical_id if self.made else None


@dataclass
class Settings:
    """What a caller may ask of a stack besides its template and parameters."""

    tags: dict[str, str] = field(default_factory=dict)
    on_failure: str = "ROLLBACK"
    capabilities: list[str] = field(default_factory=list)
    notification_arns: list[str] = field(default_factory=list)
    role_arn: str | None = None
    timeout_in_minutes: int | None = None
    termination_protection: bool = False


class ResourceFailure(Exception):
    """A resource could not be made, changed or removed; the reason is in its event."""


class Superseded(BaseException):
    """The stack is being deleted while it is made. Not an Exception: it fails no resource."""


def is_known(type_name: str) -> bool:
    """Skipping an unknown type would hide a missing resource, so a stack with one is refused."""
    return type_name in REGISTRY or type_name.startswith("Custom::")


def kind_of(type_name: str) -> ResourceType:
    return REGISTRY["Custom::*" if type_name.startswith("Custom::") else type_name]


def is_gone(error: Exception) -> bool:
    """Whether a deletion failed since nothing is there."""
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
    return code.endswith("NotFound") or code in ("NoSuchEntity", "NoSuchBucket", "ResourceNotFoundException")


def reason_of(error: Exception) -> str:
    """One sentence for an event, as the service writes it."""
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {})
        return f'Resource handler returned message: "{detail.get("Message", "")}" ({detail.get("Code", "")})'
    if isinstance(error, (ParamValidationError, PropertyError)):
        return f"Properties validation failed: {error}"
    if isinstance(error, (TemplateError, Said)):
        return str(error)
    code = getattr(error, "code", None)
    return f"{code}: {error}" if isinstance(code, str) else f"{type(error).__name__}: {error}"
