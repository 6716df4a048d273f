"""The installed ParallelCluster as a process of its own, which answers what the provider's function is asked.

    python -m emulator.clusters.worker

One JSON object per line on standard input, one per line on standard output. It is a process because
ParallelCluster keeps the account and the region in global variables, and because loading it and its
Node.js takes seconds: this one is loaded before it is needed.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import sys
from typing import Any

META = {"ServiceToken", "DeletionPolicy"}
LEVELS = {"INFO": 0, "WARNING": 1, "ERROR": 2}
TAG = {"Key": "parallelcluster:custom_resource", "Value": "cluster"}
# Left out of an answer, since who asks has given them, and a response is small.
LEFT_OUT = {"clusterConfiguration", "scheduler", "tags"}
MESSAGES_LIMIT = 2048
Answer = dict[str, Any]


class Function:
    """What the function of the provider does with an event."""

    def __init__(self) -> None:
        import pcluster.lib as operations

        self.operations = operations
        self.log: list[str] = []

    def create_or_update(self, event: Answer, stack_tags: list[dict[str, str]]) -> Answer:
        from pcluster.api import encoder, errors
        from pcluster.cli.exceptions import APIOperationException, ParameterException

        kind, properties = event["RequestType"].upper(), event["ResourceProperties"]
        if properties.get("DeletionPolicy", "Delete") not in ("Retain", "Delete"):
            raise ValueError('DeletionPolicy must be one of ["Retain", "Delete"].')
        if kind == "CREATE" and "ClusterName" not in properties:
            raise ValueError("Couldn't find a ClusterName in the properties.")
        if kind == "UPDATE" and event["PhysicalResourceId"] != properties.get("ClusterName"):
            raise ValueError("Cannot update the ClusterName in the properties.")
        self.log.append(f"{kind}: {properties['ClusterName']}")
        try:
            arguments = self._arguments(properties, stack_tags)
            call = self.operations.create_cluster if kind == "CREATE" else self.operations.update_cluster
            return self._data(call(**arguments))
        except (APIOperationException, ParameterException, TypeError) as error:
            self.log.append(str(error))
            raise ValueError(str(error)) from error
        except Exception as error:
            message = errors.exception_message(error)
            document = message.to_dict() if hasattr(message, "to_dict") else dict(message)
            document.pop("change_set", None)
            self.log.append(str(document))
            found = document.get("configuration_validation_errors") or []
            found.sort(key=lambda item: LEVELS[str(getattr(item["level"], "value", item["level"]))])
            text = encoder.JSONEncoder().encode(document)
            if "No changes found" not in text:
                self.log.append(encoder.JSONEncoder().encode(message))
                raise ValueError(text) from error
            self.log.append(f"No changes found to update: {properties['ClusterName']}")
            return {}

    @staticmethod
    def _arguments(properties: Answer, stack_tags: list[dict[str, str]]) -> Answer:
        from pcluster.utils import to_snake_case

        arguments = {to_snake_case(key): value for key, value in properties.items() if key not in META}
        configuration = arguments["cluster_configuration"]
        own = configuration.get("Tags", [])
        names = {item["Key"] for item in own}
        inherited = [item for item in stack_tags if item["Key"] not in names and not item["Key"].startswith("aws:")]
        configuration["Tags"] = inherited + own + [TAG]
        return {**arguments, "wait": False}

    def delete(self, name: str) -> Answer:
        from pcluster.api import encoder, errors
        from pcluster.cli.exceptions import ParameterException

        self.log.append(f"Deleting: {name}")
        try:
            return self._data(self.operations.delete_cluster(cluster_name=name))
        except (ParameterException, errors.NotFoundException):
            return {}
        except Exception as error:
            raise ValueError(encoder.JSONEncoder().encode(errors.exception_message(error))) from error

    def describe(self, name: str) -> Answer:
        """The status, and the answer's data; no status where there is no such cluster."""
        from pcluster.api import errors
        from pcluster.cli.exceptions import ParameterException

        try:
            found = self.operations.describe_cluster(cluster_name=name)
        except (ParameterException, errors.NotFoundException):
            return {"status": None}
        failures = [item["failureCode"] for item in found.get("failures") or []]
        return {"status": found.get("clusterStatus"), "failures": failures, "data": self._data(found)}

    @staticmethod
    def _data(answer: Answer) -> Answer:
        if "cluster" not in answer:
            return flat({key: value for key, value in answer.items() if key not in LEFT_OUT})
        data = flat({key: value for key, value in answer["cluster"].items() if key not in LEFT_OUT})
        messages = json.dumps(answer.get("validationMessages", []))
        cut = "TRUNCATED:" + messages[:MESSAGES_LIMIT]
        return {**data, "validationMessages": cut if len(messages) > MESSAGES_LIMIT else messages}


def flat(document: Any, prefix: str = "") -> Answer:
    """A nested document with one key of dots for each leaf."""
    pairs = enumerate(document) if isinstance(document, list) else document.items()
    found: Answer = {}
    for key, value in pairs:
        if isinstance(value, (dict, list)):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value.isoformat() if isinstance(value, datetime.date) else value
    return found


def answer(function: Function, question: Answer) -> Answer:
    function.log = []
    forget(question["region"])
    try:
        if question["do"] == "describe":
            result = function.describe(question["name"])
        elif question["do"] == "delete":
            result = {"data": function.delete(question["name"])}
        else:
            result = {"data": function.create_or_update(question["event"], question["tags"])}
    except ValueError as error:
        return {"failure": str(error), "log": function.log}
    except Exception as error:  # whatever else the real function dies of
        return {"failure": f"{type(error).__name__}: {error}", "log": function.log}
    return {**result, "log": function.log}


def forget(region: str) -> None:
    """A function starts without a memory of other regions and accounts."""
    from pcluster.aws.aws_api import AWSApi
    from pcluster.aws.common import Cache

    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = region
    AWSApi._instance = None
    Cache.clear_all()


def load() -> Function:
    """Everything that takes long, Node.js too."""
    from .own_minutes import give_each_cluster_its_minute
    from .reused_clients import reuse_clients

    function = Function()
    logging.disable(logging.CRITICAL)
    reuse_clients()
    import pcluster.templates.cdk_builder
    import pcluster.templates.cluster_stack

    give_each_cluster_its_minute()
    from aws_cdk.core import App

    App()
    return function


def main() -> None:
    # Whatever ParallelCluster and Node.js print must not come between the answers.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    function = load()
    print(json.dumps({"ready": True}), file=out)
    for line in sys.stdin:
        print(json.dumps(answer(function, json.loads(line)), default=str), file=out)


if __name__ == "__main__":
    main()
