"""What answers the custom resources of stacks in an account with clusters.

Custom::PclusterCluster is answered as the function of ParallelCluster's provider answers it, by the
installed ParallelCluster. The cleaning functions of cluster stacks do their work on deletion; every
other custom resource is made as it is given.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.cloudformation.models import cloudformation_backends
from moto.core import DEFAULT_ACCOUNT_ID

from ..engine.resource import Said, client
from ..world import world
from . import cleaning, worker_link

CLUSTER = "Custom::PclusterCluster"
RESPONSE_LIMIT = 4096  # bytes, of a custom resource's response
REASON_LIMIT, REASON_KEPT = 256, 240
IDENTIFIER = "PclusterClusterCustomResource"
Event = dict[str, Any]
# A test may ask that the next operations run into their limit.
TIMEOUTS: list[dict[str, Any]] = []


class Failed(Exception):
    """The function's own FAILED, with its reason."""


class TimedOut(Exception):
    """No response within the limit."""


def answer(event: Event) -> Event:
    """The response to a custom resource event; Said in CloudFormation's words where it failed."""
    region = event["StackId"].split(":")[3]
    function = _function(event["ServiceToken"], region)
    if event["ResourceType"] != CLUSTER:
        cleaning.clean(event, region)
        return {}
    try:
        return Operation(event, region, function).respond()
    except Failed as failure:
        reason = str(failure)
        if len(reason) > REASON_LIMIT:
            reason = "ERROR: (truncated) " + reason[-REASON_KEPT:]
        raise Said(
            f"Received response status [FAILED] from custom resource. Message returned: {reason} "
            f"(RequestId: {event['RequestId']})"
        ) from failure
    except TimedOut as failure:
        raise Said(
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
            f"requestId [{event['RequestId']}]. If you are using the Python cfn-response module, you may need to "
            "update your Lambda function code so that CloudFormation can attach the updated version."
        ) from failure


def _function(token: str, region: str) -> Any:
    name = token.split(":")[6] if token.count(":") >= 6 else token
    try:
        return lambda_backends[DEFAULT_ACCOUNT_ID][region].get_function(name)
    except Exception as error:
        raise Said(
            f"Function not found: {token} (Service: AWSLambda; Status Code: 404; "
            f"Error Code: ResourceNotFoundException; Request ID: {uuid.uuid4()}; Proxy: null)"
        ) from error


class Operation:
    """One event of a cluster, from the call of the function until the cluster's stack has settled."""

    def __init__(self, event: Event, region: str, function: Any):
        self.event, self.region, self.function = event, region, function
        self.kind = event["RequestType"]
        self.properties = event["ResourceProperties"]
        self.name = self.properties.get("ClusterName")
        self.group = f"/aws/lambda/{function.function_name}"
        self.stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"

    def respond(self) -> Event:
        self._say("Beginning of Pcluster custom resource Lambda function. Printing full event...", str(self.event))
        try:
            self._keep_event()
            response = self._delete() if self.kind == "Delete" else self._create_or_update()
        except Failed as failure:
            self._say(f"[ERROR] {failure}")
            raise
        if len(json.dumps(response)) > RESPONSE_LIMIT:
            raise Failed("Response object is too long.")
        return response

    def _keep_event(self) -> None:
        """The function keeps each event in its bucket, since the configuration is too long to pass on."""
        bucket = self.function.environment_vars.get("EVENTS_BUCKET")
        if bucket and self.name and self.kind != "Delete":
            body = json.dumps(self.event, default=str).encode()
            client("s3", self.region).put_object(Bucket=bucket, Key=f"{self.name}/event.json", Body=body)

    def _create_or_update(self) -> Event:
        self._check_version()
        answer = self._ask({"do": self.kind.lower(), "event": self.event, "tags": self._stack_tags()})
        data = {"validationMessages": "[]", **answer["data"]}
        self._settle()
        found = self._ask({"do": "describe", "name": self.name})
        if found["status"] is None:
            raise Failed(f"{self.name} failed {self.kind.upper()}. See LogGroup: {self.group}")
        if found["status"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise Failed(f"{self.name}: {','.join(found['failures'])} (LogGroup: {self.group})")
        return {"PhysicalResourceId": self.name, "Data": data | found["data"]}

    def _check_version(self) -> None:
        """A provider carries one release, and only that of this environment can be run here."""
        from pcluster.utils import get_installed_version

        tags = client("lambda", self.region).list_tags(Resource=self.function.function_arn)["Tags"]
        wanted = tags.get("parallelcluster:version", "")
        if wanted != get_installed_version():
            text = (
                f"the update can be performed only with the same ParallelCluster version ({get_installed_version()}) "
                "used to create the cluster."
            )
            raise Failed(json.dumps({"message": f"Bad Request: {text}"}))

    def _delete(self) -> Event:
        policy = self.properties.get("DeletionPolicy", "Delete")
        if policy not in ("Retain", "Delete"):
            raise Failed('DeletionPolicy must be one of ["Retain", "Delete"].')
        cleaning.empty(self.region, self.function.environment_vars.get("EVENTS_BUCKET"), f"{self.name}/")
        if policy == "Retain" or not self.name:
            return {}
        self._ask({"do": "delete", "name": self.name})
        self._settle()
        found = self._ask({"do": "describe", "name": self.name})
        if found["status"] is not None:
            raise Failed(f"{self.name}: {','.join(found['failures'])} (LogGroup: {self.group})")
        return {}

    def _ask(self, question: Event) -> Event:
        answer = world.without_lock(lambda: worker_link.ask({**question, "region": self.region}))
        self._say(*answer.get("log", []))
        if "failure" in answer:
            raise Failed(answer["failure"])
        return answer

    def _settle(self) -> None:
        """Wait until the cluster's stack is no longer in progress."""
        limit = world.options.operation_limit
        for rule in TIMEOUTS:
            if rule.get("times") != 0 and self.kind.lower() == rule.get("operation", "create"):
                rule["times"] = rule["times"] - 1 if rule.get("times") else None
                limit = 0.0
        if not world.wait_for(lambda: not self._in_progress(), limit):
            raise TimedOut

    def _in_progress(self) -> bool:
        stacks = cloudformation_backends[DEFAULT_ACCOUNT_ID][self.region].stacks.values()
        return any(stack.name == self.name and stack.status.endswith("_IN_PROGRESS") for stack in stacks)

    def _stack_tags(self) -> list[dict[str, str]]:
        stack = cloudformation_backends[DEFAULT_ACCOUNT_ID][self.region].stacks[self.event["StackId"]]
        return [{"Key": key, "Value": value} for key, value in stack.tags.items()]

    def _say(self, *texts: str) -> None:
        """Into the function's log group, in the form of Lambda's Python logs."""
        logs = client("logs", self.region)
        groups = logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"]
        if not texts or self.group not in [group["logGroupName"] for group in groups]:
            return
        streams = logs.describe_log_streams(logGroupName=self.group, logStreamNamePrefix=self.stream)["logStreams"]
        if not streams:
            logs.create_log_stream(logGroupName=self.group, logStreamName=self.stream)
        moment = datetime.now(UTC)
        head = f"[INFO]\t{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z\t{self.event['RequestId']}\t"
        events = [{"timestamp": int(moment.timestamp() * 1000), "message": f"{head}{text}\n"} for text in texts]
        logs.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=events)
