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
# The parts of a head's set-up, as ParallelCluster's template of the head names them for cfn-init.
SET_UP = ("chefPrepEnv", "shellRunPreInstall", "chefConfig", "shellRunPostInstall", "chefFinalize")


class NodeLogs:
    def __init__(self, stack: Stack):
        self._logs = client("logs", stack.region)
        self._stack = stack

    def head(self, instance: dict[str, Any]) -> None:
        self._write(instance, HEAD)

    def compute(self, instance: dict[str, Any]) -> None:
        self._write(instance, COMPUTE)

    def set_up(self, instance: dict[str, Any], part: str) -> None:
        """What cfn-init writes when a part begins."""
        texts = (f"[INFO] Running config {part}", "[DEBUG] No packages specified", "[DEBUG] Running command chef")
        if self._has_group():
            self._append(f"{_host(instance)}.{instance['InstanceId']}.cfn-init", texts)

    def _write(self, instance: dict[str, Any], names: tuple[str, ...]) -> None:
        if not self._has_group():
            return
        host = _host(instance)
        known = self._streams(host)
        for name in names:
            stream = f"{host}.{instance['InstanceId']}.{name}"
            if stream not in known:
                self._append(stream, tuple(line.format(name=name, host=host) for line in LINES))

    @property
    def _group(self) -> str | None:
        return self._stack.values.get("ClusterCWLogGroup")

    def _has_group(self) -> bool:
        """Not where monitoring is switched off."""
        groups = self._logs.describe_log_groups(logGroupNamePrefix=self._group or "/")["logGroups"]
        return self._group in [item["logGroupName"] for item in groups]

    def _streams(self, prefix: str) -> list[str]:
        found = self._logs.describe_log_streams(logGroupName=self._group, logStreamNamePrefix=prefix)["logStreams"]
        return [item["logStreamName"] for item in found]

    def _append(self, stream: str, texts: tuple[str, ...]) -> None:
        if stream not in self._streams(stream):
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=stream)
        now = int(time.time() * 1000) - len(texts)
        events = [{"timestamp": now + number, "message": text} for number, text in enumerate(texts)]
        self._logs.put_log_events(logGroupName=self._group, logStreamName=stream, logEvents=events)


def _host(instance: dict[str, Any]) -> str:
    return instance["PrivateDnsName"].split(".")[0]
