"""The control API: everything under /emulator/."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from .. import REGION, reset
from ..clusters import custom_resource, head_shell, life, shell
from ..engine import failures
from ..world import world
from . import faults, settings
from .calls import RECORD
from .inventory import inventory

Environ = dict[str, Any]
Action = Callable[[Any, dict[str, str]], Any]


class Wrong(Exception):
    """A request to the control API that cannot be carried out."""


def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    method, path = environ.get("REQUEST_METHOD", "GET"), environ.get("PATH_INFO", "").removeprefix("/emulator/")
    action = ACTIONS.get((method, path))
    query = {key: values[0] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    status = "200 OK"
    try:
        if action is None:
            raise Wrong(f"no {method} {path}; there are {', '.join(' '.join(key) for key in ACTIONS)}")
        with world.lock:
            result = action(json.loads(body) if body else None, query)
    except (Wrong, ValueError, KeyError, TypeError, AttributeError) as error:
        status, result = "400 Bad Request", {"error": f"{type(error).__name__}: {error}"}
    text = json.dumps(result, default=str).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [text]


def fresh_account(_: Any, __: dict[str, str]) -> dict[str, Any]:
    """Everything is gone, the rules too; options stay."""
    world.abandon()
    reset()
    no_faults(None, {})
    shell.ANSWERS.clear()
    head_shell.forget_all()
    settings.clear()
    with RECORD.lock:
        RECORD.calls.clear()
    if world.options.clusters:
        life.start()
    return {}


def options(values: Any, _: dict[str, str]) -> dict[str, Any]:
    world.set(values or {})
    return dict(world.options.__dict__)


def calls(_: Any, query: dict[str, str]) -> list[dict[str, Any]]:
    """All calls so far; ?caller=outside leaves out ParallelCluster's, ?since=N those up to number N."""
    with RECORD.lock:
        found = list(RECORD.calls)
    wanted, since = query.get("caller"), int(query.get("since", 0))
    return [call.line() for call in found if call.number > since and wanted in (None, call.caller)]


def add_faults(rules: list[dict[str, Any]], _: dict[str, str]) -> dict[str, Any]:
    """Rules of three kinds: of a call, of a stack's resource, of the limit of cluster operations."""
    of_calls = []
    for rule in rules:
        if rule.get("cluster_timeout"):
            custom_resource.TIMEOUTS.append({"times": 1, **rule})
        elif {"stack", "logical_id", "type"} & rule.keys():
            failures.RULES.append({"times": 1, **rule})
        else:
            of_calls.append(rule)
    faults.add(of_calls)
    return {"rules": [*faults.remaining(), *failures.RULES, *custom_resource.TIMEOUTS]}


def no_faults(_: Any, __: dict[str, str]) -> dict[str, Any]:
    faults.clear()
    failures.RULES.clear()
    custom_resource.TIMEOUTS.clear()
    return {}


def whole_inventory(_: Any, query: dict[str, str]) -> list[dict[str, Any]]:
    return inventory(query.get("region", REGION))


def slurm(change: dict[str, Any], _: dict[str, str]) -> dict[str, Any]:
    """{cluster, nodes: {NAME: {state, reason}}, jobs: [...], is_up}; a state of null follows the instance again."""
    cluster = life.by_name(change["cluster"])
    if cluster is None:
        raise Wrong(f"no cluster {change['cluster']} lives here")
    for name, values in (change.get("nodes") or {}).items():
        node = cluster.slurm.nodes[name]
        node.set_state, node.set_reason = values.get("state"), values.get("reason")
    if "jobs" in change:
        cluster.slurm.jobs = list(change["jobs"])
    if "is_up" in change:
        cluster.slurm.is_up = bool(change["is_up"])
    return {
        "nodes": {
            node.name: {"state": node.state(world.options.boot, cluster.slurm.is_stopped), "instance": node.instance}
            for node in cluster.slurm.nodes.values()
        },
        "jobs": cluster.slurm.jobs,
        "is_up": cluster.slurm.is_up,
    }


def add_answers(rules: list[dict[str, Any]], _: dict[str, str]) -> dict[str, Any]:
    """[{pattern, output, error, code, times}] for scripts and commands that the nodes do not know."""
    shell.ANSWERS[:0] = [dict(rule) for rule in rules]
    return {}


ACTIONS: dict[tuple[str, str], Action] = {
    ("POST", "reset"): fresh_account,
    ("POST", "options"): options,
    ("GET", "calls"): calls,
    ("GET", "inventory"): whole_inventory,
    ("POST", "faults"): add_faults,
    ("DELETE", "faults"): no_faults,
    ("POST", "slurm"): slurm,
    ("POST", "commands"): add_answers,
    ("POST", "quotas"): settings.set_quotas,
    ("POST", "permissions"): settings.set_permissions,
    ("POST", "capacity"): settings.set_capacity,
    ("POST", "expect"): settings.expect,
}
