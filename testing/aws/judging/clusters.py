"""ParallelCluster's own verdict on a configuration: its schema, then all its validators."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

from emulator.clusters.reused_clients import reuse_clients

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
        reuse_clients()

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
