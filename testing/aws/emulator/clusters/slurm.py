"""A cluster's Slurm as far as its commands tell of it: nodes, their states, jobs."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

# What Slurm gets of a machine's memory, as ParallelCluster configures it.
MEMORY_SHARE = 0.95


@dataclass(frozen=True)
class Shape:
    """What one node of a compute resource has."""

    queue: str
    resource: str
    instance_type: str
    subnet: str
    image: str
    cpus: int
    memory_mib: int
    gres: str
    reservation: str | None
    is_block: bool


@dataclass
class Node:
    """One node; the state follows from its instance unless a test has set it."""

    name: str
    shape: Shape
    is_static: bool
    instance: str | None = None
    launched_at: float = 0.0
    failure: str | None = None
    reserved: bool = False
    set_state: str | None = None
    set_reason: str | None = None

    def state(self, boot_seconds: float, is_stopped: bool) -> str:
        if self.set_state:
            return self.set_state
        if self.reserved:
            return "maint"
        if self.failure:
            return "down~"
        if self.instance is None:
            return "idle~"
        if is_stopped:
            return "idle%"
        return "idle" if time.monotonic() - self.launched_at >= boot_seconds else "idle#"

    def reason(self, is_stopped: bool) -> str:
        if self.set_state:
            return self.set_reason or "none"
        if self.failure:
            return f"(Code:{self.failure})Failure when resuming nodes"
        if is_stopped:
            return "stopping cluster"
        return "none"


@dataclass
class Slurm:
    """The scheduler of one cluster."""

    head_name: str = "ip-10-0-0-1"
    boot_seconds: float = 0.0
    is_stopped: bool = False
    is_up: bool = True
    nodes: dict[str, Node] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def ping(self) -> tuple[int, str]:
        word = "UP" if self.is_up else "DOWN"
        return (0 if self.is_up else 1), f"Slurmctld(primary) at {self.head_name} is {word}\n"

    def sinfo(self, layout: str, by_node: bool = True) -> str:
        """A line for each node; or, as without -N, one for all nodes that are alike."""
        alike: dict[tuple[str, ...], list[str]] = {}
        values_of: dict[tuple[str, ...], dict[str, str]] = {}
        for node in sorted(self.nodes.values(), key=lambda node: _by_number(node.name)):
            values = {
                "R": node.shape.queue,
                "P": node.shape.queue,
                "t": node.state(self.boot_seconds, self.is_stopped),
                "c": str(node.shape.cpus),
                "m": str(node.shape.memory_mib),
                "G": node.shape.gres,
                "E": node.reason(self.is_stopped),
            }
            key = (*values.values(), node.name if by_node else node.name.rpartition("-")[0])
            alike.setdefault(key, []).append(node.name)
            values_of[key] = values
        rows = [values_of[key] | {"N": _hosts(names)} for key, names in alike.items()]
        return "".join(_filled(layout, values) + "\n" for values in rows)

    def squeue(self, layout: str) -> str:
        lines = []
        for job in self.jobs:
            values = {
                "i": job["id"], "u": job.get("user", "ubuntu"), "P": job.get("partition", ""),
                "T": job.get("state", "RUNNING"), "D": job.get("nodes", 1), "M": job.get("time", "0:00"),
                "R": job.get("reason", "(None)"), "j": job.get("name", "job"),
            }  # fmt: skip
            lines.append(_filled(layout, {key: str(value) for key, value in values.items()}))
        return "".join(line + "\n" for line in lines)


def _filled(layout: str, values: dict[str, str]) -> str:
    text, result = iter(layout), ""
    for letter in text:
        result += values.get(next(text, ""), "") if letter == "%" else letter
    return result


def _hosts(names: list[str]) -> str:
    """Names that differ in their last number, in Slurm's short form."""
    if len(names) == 1:
        return names[0]
    return f"{names[0].rpartition('-')[0]}-[{','.join(name.rpartition('-')[2] for name in names)}]"


def _by_number(name: str) -> tuple[str, int]:
    stem, _, number = name.rpartition("-")
    return stem, int(number) if number.isdigit() else 0


def shape_of(queue: dict[str, Any], resource: dict[str, Any], facts: dict[str, Any], image: str) -> Shape:
    """A node's shape from the configuration and from what EC2 says of the instance type."""
    target = resource.get("CapacityReservationTarget") or queue.get("CapacityReservationTarget") or {}
    cpus = facts["VCpuInfo"]["DefaultVCpus"]
    if str(resource.get("DisableSimultaneousMultithreading")).lower() == "true":
        cpus = facts["VCpuInfo"].get("DefaultCores", cpus // 2)
    memory = resource.get("SchedulableMemory") or math.floor(facts["MemoryInfo"]["SizeInMiB"] * MEMORY_SHARE)
    gpus = (facts.get("GpuInfo") or {}).get("Gpus") or []
    gres = ",".join(f"gpu:{gpu['Name'].lower().replace(' ', '_')}:{gpu['Count']}" for gpu in gpus)
    subnets = (queue.get("Networking") or {}).get("SubnetIds") or [""]
    return Shape(
        queue["Name"], resource["Name"], facts["InstanceType"], subnets[0], image, int(cpus), int(memory),
        gres or "(null)", target.get("CapacityReservationId"), queue.get("CapacityType") == "CAPACITY_BLOCK",
    )  # fmt: skip
