"""The control API: everything under /emulator/."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from .. import reset
from ..clusters import life
from ..world import world
from .calls import RECORD

Environ = dict[str, Any]


class Wrong(Exception):
    """A request to the control API that cannot be carried out."""


def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    method, path = environ.get("REQUEST_METHOD", "GET"), environ.get("PATH_INFO", "").removeprefix("/emulator/")
    action = ACTIONS.get((method, path))
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    try:
        if action is None:
            raise Wrong(f"no {method} {path}; there are {', '.join(' '.join(key) for key in ACTIONS)}")
        with world.lock:
            result = action(json.loads(body) if body else None)
        status = "200 OK"
    except (Wrong, ValueError, KeyError, TypeError) as error:
        status, result = "400 Bad Request", {"error": f"{type(error).__name__}: {error}"}
    text = json.dumps(result, default=str).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [text]


def fresh_account(_: Any) -> dict[str, Any]:
    world.abandon()
    reset()
    if world.options.clusters:
        life.start()
    with RECORD.lock:
        RECORD.calls.clear()
    return {}


def set_options(values: dict[str, Any]) -> dict[str, Any]:
    world.set(values)
    return world.options.__dict__


def list_calls(_: Any) -> list[dict[str, Any]]:
    with RECORD.lock:
        return [call.line() for call in RECORD.calls]


ACTIONS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("POST", "reset"): fresh_account,
    ("POST", "options"): set_options,
    ("GET", "calls"): list_calls,
}
