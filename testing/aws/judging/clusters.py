"""ParallelCluster's own verdict on a configuration: its schema, then all its validators."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

Finding = list[str]


class Validation:
    """The installed ParallelCluster, asked in process."""

    def __init__(self) -> None:
        from pcluster.config.common import Resource

        logging.disable(logging.CRITICAL)
        self.runs = 0
        original = Resource._validator_execute

        def counted(*arguments: Any, **options: Any) -> Any:
            self.runs += 1
            return original(*arguments, **options)

        Resource._validator_execute = staticmethod(counted)
        _reuse_clients()

    @staticmethod
    def version() -> str:
        from pcluster.utils import get_installed_version

        return get_installed_version()

    @staticmethod
    def forget(region: str) -> None:
        """Drop everything that ParallelCluster remembers of the last account."""
        from pcluster.aws.aws_api import AWSApi
        from pcluster.aws.common import Cache

        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = region
        AWSApi._instance = None
        Cache.clear_all()

    def judge(self, text: str, cluster: str) -> tuple[str, list[Finding]]:
        """The last stage reached, and the findings."""
        from marshmallow import ValidationError
        from pcluster.schemas.cluster_schema import ClusterSchema
        from pcluster.utils import yaml_load

        try:
            document = yaml_load(text)
        except Exception as error:  # the YAML reader raises many kinds
            return "yaml", [["ERROR", "YAML", str(error)[:500]]]
        try:
            config = ClusterSchema(cluster_name=cluster).load(document)
        except ValidationError as error:
            return "schema", [["ERROR", "ConfigSchemaValidator", json.dumps(error.messages, default=str)]]
        except Exception as error:  # an AWS look-up while loading, as in the real command
            return "schema", [["ERROR", type(error).__name__, str(error)]]
        try:
            failures = self._validate(config)
        except Exception as error:
            return "validators", [["ERROR", type(error).__name__, str(error)]]
        return "validators", [[failure.level.name, failure.validator_type, failure.message] for failure in failures]

    @staticmethod
    def _validate(config: Any) -> Any:
        try:
            from pcluster.validators.common import ValidatorContext
        except ImportError:
            return config.validate(set())
        return config.validate(set(), ValidatorContext())


def _reuse_clients() -> None:
    """Keep ParallelCluster's API clients between folders, and its log of every call quiet.

    Both only cost time: making a client reads the model of a whole service, and the log makes a new
    session for each call.
    """
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
