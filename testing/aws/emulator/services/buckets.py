"""S3: bucket policies are kept but never evaluated.

The emulator underneath evaluates them without their conditions, so a policy that denies plain HTTP
would deny everything.
"""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from ..extension import extend


@extend(FakeBucket)
def get_permission(self: Any, action: str, resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL
