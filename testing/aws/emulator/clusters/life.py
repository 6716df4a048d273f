"""The life of all clusters: one background loop that gives each its turn."""

from __future__ import annotations

import sys
import traceback

from moto.cloudformation.models import cloudformation_backends
from moto.core import DEFAULT_ACCOUNT_ID

from ..engine.stack import Stack
from ..world import world
from .cluster import Cluster

TICK_SECONDS = 0.1
CLUSTERS: dict[str, Cluster] = {}


def start() -> None:
    """Begin, also again after the account was emptied."""
    CLUSTERS.clear()
    world.spawn(_live)


def _live() -> None:
    while True:
        for stack in _cluster_stacks():
            cluster = CLUSTERS.setdefault(stack.stack_id, Cluster(stack))
            try:
                cluster.tick()
            except Exception:  # one cluster's trouble must not end the others' life
                traceback.print_exc(file=sys.stderr)
        world.pause(TICK_SECONDS)


def _cluster_stacks() -> list[Stack]:
    return [
        stack
        for backend in list(cloudformation_backends[DEFAULT_ACCOUNT_ID].values())
        for stack in list(backend.stacks.values())
        if stack.parent_id is None and "parallelcluster:version" in stack.tags
    ]


def by_head(instance: str) -> Cluster | None:
    """The cluster whose head node an instance is."""
    living = {stack.stack_id for stack in _cluster_stacks()}
    for identifier, cluster in CLUSTERS.items():
        if identifier in living and cluster.head_id == instance:
            return cluster
    return None


def by_name(name: str) -> Cluster | None:
    return next((CLUSTERS[stack.stack_id] for stack in _cluster_stacks() if stack.name == name), None)
