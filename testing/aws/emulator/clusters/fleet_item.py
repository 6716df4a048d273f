"""The two tables of a cluster: the status of its fleet, and which instance is which node."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..engine.resource import client

KEY = {"Id": {"S": "COMPUTE_FLEET"}}


class Tables:
    def __init__(self, region: str, cluster: str):
        self._dynamodb = client("dynamodb", region)
        self._fleet, self._nodes = f"parallelcluster-{cluster}", f"parallelcluster-slurm-{cluster}"

    def status(self) -> str | None:
        """The fleet's status; None where nothing has been written yet."""
        item = self._dynamodb.get_item(TableName=self._fleet, Key=KEY).get("Item")
        return item["Data"]["M"]["status"]["S"] if item else None

    def set_status(self, status: str) -> None:
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00:00")
        data = {"status": {"S": status}, "lastStatusUpdatedTime": {"S": moment}}
        self._dynamodb.put_item(TableName=self._fleet, Item={**KEY, "Data": {"M": data}})

    def put_node(self, name: str, instance: str, head: dict[str, Any]) -> None:
        item = {
            "Id": name,
            "InstanceId": instance,
            "HeadNodePrivateIp": head["PrivateIpAddress"],
            "HeadNodeHostname": head["PrivateDnsName"],
        }
        self._dynamodb.put_item(TableName=self._nodes, Item={key: {"S": value} for key, value in item.items()})
