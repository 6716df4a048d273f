"""The log streams of a cluster's nodes, with some lines in each, made up: coloured ones too, as cloud-init's are."""

from __future__ import annotations

import time
from typing import Any

from ..engine.resource import client
from ..engine.stack import Stack

HEAD = (
    "cfn-init", "chef-client", "cloud-init", "supervisord", "clustermgtd", "clustermgtd_events", "slurm_resume",
    "slurm_suspend", "slurm_fleet_status_manager", "slurmctld", "clusterstatusmgtd", "syslog",
)  # fmt: skip
COMPUTE = ("cloud-init", "cloud-init-output", "chef-client", "computemgtd", "slurmd", "supervisord", "syslog")
# What a stream says: when it began, what it does, that it is done.
LINES = (
    "{name} has started on {host}", *(f"{{name}}: step {number} of 28 is done" for number in range(1, 29)),
    "\x1b[32m{name} is ready\x1b[0m",
)  # fmt: skip


class NodeLogs:
    def __init__(self, stack: Stack):
        self._logs = client("logs", stack.region)
        self._stack = stack

    def head(self, instance: dict[str, Any]) -> None:
        self._write(instance, HEAD)

    def compute(self, instance: dict[str, Any]) -> None:
        self._write(instance, COMPUTE)

    def _write(self, instance: dict[str, Any], names: tuple[str, ...]) -> None:
        group = self._stack.values.get("ClusterCWLogGroup")
        groups = self._logs.describe_log_groups(logGroupNamePrefix=group or "/")["logGroups"]
        if group not in [item["logGroupName"] for item in groups]:
            return  # monitoring is switched off
        host = instance["PrivateDnsName"].split(".")[0]
        known = self._logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=host)["logStreams"]
        for name in names:
            stream = f"{host}.{instance['InstanceId']}.{name}"
            if stream in [item["logStreamName"] for item in known]:
                continue
            self._logs.create_log_stream(logGroupName=group, logStreamName=stream)
            now = int(time.time() * 1000) - len(LINES)
            texts = (line.format(name=name, host=host) for line in LINES)
            events = [{"timestamp": now + number, "message": text} for number, text in enumerate(texts)]
            self._logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
