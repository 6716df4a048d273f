"""The HTTP server: one request at a time reaches the account, and everything else around that.

A request first meets the control API (control/), then the rules for faults, then the account. What
happened is kept as a list of calls.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from .control import api, calls, faults
from .world import world

HOST = "127.0.0.1"
Environ = dict[str, Any]
Start = Callable[..., Any]


class Application:
    """The WSGI application around the emulator underneath."""

    def __init__(self, inner: Callable[[Environ, Start], Iterable[bytes]]):
        self._inner = inner

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith("/emulator/"):
            return api.answer(environ, start_response)
        call = calls.recognize(environ)
        fault = faults.next_for(call)
        try:
            if fault is None or fault.get("performed"):
                status, headers, body = world.as_caller(call.caller, lambda: self._ask(environ))
            if fault is not None:
                status, headers, body = faults.carry_out(fault, call, environ)
        except faults.Reset:
            calls.remember_lost(call)
            raise
        calls.remember(call, status, headers, body)
        start_response(status, headers)
        return [body]

    def _ask(self, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
        """The whole answer, so that nothing of the account is read after the lock is gone."""
        begun: list[Any] = []
        written: list[bytes] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:
            begun[:] = [status, headers]
            return written.append

        parts = self._inner(environ, start)
        try:
            body = b"".join([*written, *parts])
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return begun[0], begun[1], body


def serve(port: int, clusters: bool, options: dict[str, Any], scripts: bool = False) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class Handler(MotoRequestHandler):
        """Serves no further request on a connection that a fault has broken."""

        def run_wsgi(self) -> None:
            super().run_wsgi()
            self.close_connection = self.close_connection or self.connection in faults.BROKEN

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    world.set(options)
    application = Application(DomainDispatcherApplication(create_backend_app))
    server = make_server(HOST, port, application, threaded=True, request_handler=Handler)
    farewell = server.shutdown_request
    server.shutdown_request = lambda request: (  # type: ignore[method-assign]
        server.close_request(request) if request in faults.BROKEN else farewell(request)
    )
    endpoint = f"http://{HOST}:{server.server_port}"
    # The default handler would try to shut the server down from its own thread and hang.
    signal.signal(signal.SIGTERM, lambda *_: _leave())
    signal.signal(signal.SIGINT, lambda *_: _leave())
    threading.Thread(target=_end_with_input, daemon=True).start()
    if clusters:
        world.options.scripts = scripts
        _let_clusters_live(endpoint)
    print(json.dumps({"endpoint": endpoint}), flush=True)
    server.serve_forever()


def _let_clusters_live(endpoint: str) -> None:
    from .clusters import life, worker_link

    world.options.clusters = True
    worker_link.start(endpoint)
    life.start()


def _end_with_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    _leave()


def _leave() -> None:
    """At once: what runs in the background has nothing to put in order but the folders of heads."""
    from .clusters import head_shell

    head_shell.forget_all()
    os._exit(0)


