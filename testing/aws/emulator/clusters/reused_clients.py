"""Keeps ParallelCluster's API clients between its operations, and its log of every call quiet.

Both only cost time: making a client reads the model of a whole service, and the log makes a new
session for each call.
"""

from __future__ import annotations

import os
from typing import Any


def reuse_clients() -> None:
    from pcluster.aws import common

    original = common.Boto3Client.__init__
    known: dict[str, Any] = {}

    def remembered(self: Any, client_name: str, *rest: Any, **options: Any) -> None:
        key = repr((client_name, os.environ["AWS_DEFAULT_REGION"], rest, options))
        if key not in known:
            original(self, client_name, *rest, **options)
            known[key] = self._client
        self._client = known[key]

    common._log_boto3_calls = lambda *_, **__: None
    common.Boto3Client.__init__ = remembered
