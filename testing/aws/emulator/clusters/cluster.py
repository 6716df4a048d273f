"""One living cluster: its fleet's status, its nodes' instances, its Slurm and its log streams."""

from __future__ import annotations

import time
from typing import Any

import yaml
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2 import ec2_backends

from ..engine.resource import client
from ..engine.stack import Stack
from ..services import capacity
from ..services.dependencies import live_instances
from ..world import world
from .fleet_item import Tables
from .node_logs import NodeLogs
from .slurm import Node, Shape, Slurm, shape_of

STANDS = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
CONFIGURATION = "configs/cluster-config-with-implied-values.yaml"


class Cluster:
    """Everything that the head node's daemons would do, in small steps (tick)."""

    def __init__(self, stack: Stack):
        self.stack, self.name, self.region = stack, stack.name, stack.region
        self.ec2 = client("ec2", stack.region)
        self.tables = Tables(stack.region, stack.name)
        self.slurm = Slurm()
        self.system = ""
        self.logs = NodeLogs(stack)
        self._version: str | None = None
        self._shapes: dict[tuple[str, str], tuple[Shape, int, int]] = {}
        self._changing_since: float | None = None

    @property
    def head_id(self) -> str | None:
        item = self.stack.resources.get("HeadNode")
        return item.physical_id if item else None

    def tick(self) -> None:
        if self.stack.status not in STANDS or not self.head_id:
            return
        head = self._instance(self.head_id)
        if head is None:
            self.slurm.is_up = False
            return
        self._read_configuration(head)
        self._obey_fleet_status()
        self._forget_lost_instances()
        if self.tables.status() == "RUNNING":
            self._launch_static_nodes(head)
        self.slurm.boot_seconds = world.options.boot

    # -- configuration ------------------------------------------------------------------------

    def _read_configuration(self, head: dict[str, Any]) -> None:
        version = self.stack.values.get("ConfigVersion")
        if version == self._version:
            return
        self._version = version
        self.slurm.head_name = head["PrivateDnsName"].split(".")[0]
        self.logs.head(head)
        key = f"{self.stack.values['ArtifactS3RootDirectory']}/{CONFIGURATION}"
        answer = client("s3", self.region).get_object(Bucket=self.stack.values["ResourcesS3Bucket"], Key=key)
        config = yaml.safe_load(answer["Body"].read())
        self.system = config["Image"]["Os"]
        self._shapes = {}
        for queue in config["Scheduling"]["SlurmQueues"]:
            for resource in queue["ComputeResources"]:
                kind = resource.get("InstanceType") or resource["Instances"][0]["InstanceType"]
                facts = self.ec2.describe_instance_types(InstanceTypes=[kind])["InstanceTypes"][0]
                image = ((queue.get("Image") or {}).get("CustomAmi")) or config["Image"].get("CustomAmi") or ""
                counts = int(resource.get("MinCount") or 0), int(resource.get("MaxCount") or 10)
                self._shapes[queue["Name"], resource["Name"]] = (shape_of(queue, resource, facts, image), *counts)
        self._name_nodes()

    def _name_nodes(self) -> None:
        """The nodes of the configuration; a node whose shape has changed starts anew."""
        wanted: dict[str, Node] = {}
        for (queue, resource), (shape, least, most) in self._shapes.items():
            for kind, count in (("st", least), ("dy", most - least)):
                for number in range(1, count + 1):
                    name = f"{queue}-{kind}-{resource}-{number}"
                    wanted[name] = Node(name, shape, kind == "st")
        gone = []
        for name, node in self.slurm.nodes.items():
            if name in wanted and wanted[name].shape == node.shape:
                wanted[name] = node
            elif node.instance:
                gone.append(node.instance)
        self.slurm.nodes = wanted
        self._terminate(gone)

    # -- the fleet ----------------------------------------------------------------------------

    def _obey_fleet_status(self) -> None:
        status = self.tables.status()
        if status is None:
            self.tables.set_status("RUNNING")
        elif status in ("STOP_REQUESTED", "START_REQUESTED"):
            self.tables.set_status("STOPPING" if status == "STOP_REQUESTED" else "STARTING")
            self._changing_since = time.monotonic()
        elif status in ("STOPPING", "STARTING") and self._has_waited():
            if status == "STOPPING":
                self._stop_nodes()
            self.tables.set_status("STOPPED" if status == "STOPPING" else "RUNNING")
        self.slurm.is_stopped = self.tables.status() in ("STOPPING", "STOPPED", "STOP_REQUESTED")

    def _has_waited(self) -> bool:
        return self._changing_since is None or time.monotonic() - self._changing_since >= world.options.fleet

    def _stop_nodes(self) -> None:
        self._terminate([node.instance for node in self.slurm.nodes.values() if node.instance])
        for node in self.slurm.nodes.values():
            node.instance = node.failure = None

    def _terminate(self, instances: list[str]) -> None:
        alive = {instance.id for instance in live_instances(ec2_backends[DEFAULT_ACCOUNT_ID][self.region])}
        if known := [item for item in instances if item in alive]:
            self.ec2.terminate_instances(InstanceIds=known)

    def _forget_lost_instances(self) -> None:
        alive = {
            instance.id
            for instance in live_instances(ec2_backends[DEFAULT_ACCOUNT_ID][self.region])
            if instance.state == "running"
        }
        for node in self.slurm.nodes.values():
            if node.instance and node.instance not in alive:
                node.instance = None

    def _launch_static_nodes(self, head: dict[str, Any]) -> None:
        for node in self.slurm.nodes.values():
            if not node.is_static:
                continue
            node.reserved = node.shape.is_block and not self._is_active(node.shape.reservation)
            if node.instance is None and not node.reserved:
                self._launch(node, head)
                world.pause()

    def _is_active(self, reservation: str | None) -> bool:
        found = capacity.reservations(ec2_backends[DEFAULT_ACCOUNT_ID][self.region])
        return reservation is None or found.get(reservation, {}).get("State") == "active"

    def _launch(self, node: Node, head: dict[str, Any]) -> None:
        if not self._has_room(node.shape):
            node.failure = "ReservationCapacityExceeded"
            return
        template = f"{self.name}-{node.shape.queue}-{node.shape.resource}"
        try:
            answer = self.ec2.run_instances(
                LaunchTemplate={"LaunchTemplateName": template, "Version": "$Latest"}, MinCount=1, MaxCount=1
            )
        except ClientError as error:
            node.failure = error.response["Error"]["Code"]
            return
        instance = answer["Instances"][0]
        node.instance, node.failure, node.launched_at = instance["InstanceId"], None, time.monotonic()
        self.tables.put_node(node.name, node.instance, head)
        self.logs.compute(instance)

    def _has_room(self, shape: Shape) -> bool:
        """Whether a reservation that the nodes are bound to has one more."""
        if shape.reservation is None:
            return True
        found = capacity.reservations(ec2_backends[DEFAULT_ACCOUNT_ID][self.region]).get(shape.reservation)
        used = [node for node in self.slurm.nodes.values() if node.instance and node.shape.reservation]
        used = [node for node in used if node.shape.reservation == shape.reservation]
        return found is not None and found["State"] == "active" and len(used) < found["TotalInstanceCount"]

    def _instance(self, identifier: str) -> dict[str, Any] | None:
        try:
            found = self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
        except ClientError:
            return None
        return found if found["State"]["Name"] == "running" else None
