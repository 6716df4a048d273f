"""The policies that AWS manages, made once and shared by every fresh account."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from typing import Any

from moto.iam import models

from ..extension import wrap


@lru_cache
def _policies(region: str) -> tuple[models.AWSManagedPolicy, ...]:
    return tuple(
        models.AWSManagedPolicy.from_data(name, "aws", region, data)
        for name, data in json.loads(models.aws_managed_policies_data).items()
    )


@wrap(models.IAMBackend, "_init_aws_policies")
def aws_policies(_original: Any, self: Any) -> list[models.ManagedPolicy]:
    if self.region_name != "aws":
        return []  # backends of other partitions are made along the way and never asked
    return [copy.copy(policy) for policy in _policies(self.region_name)]
