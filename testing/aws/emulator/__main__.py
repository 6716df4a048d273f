"""Serves the emulator over HTTP on the loopback address.

    python -m emulator serve [--port P]

Prints one JSON line, {"endpoint": "http://127.0.0.1:PORT"}, once it listens; port 0 picks a free one.
Ends when its standard input closes, or on SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import warnings

from . import install

HOST = "127.0.0.1"


def serve(port: int) -> None:
    warnings.filterwarnings("ignore")
    install()
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server(HOST, port, application, threaded=True, request_handler=MotoRequestHandler)
    # The default handler would try to shut the server down from its own thread and hang.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    threading.Thread(target=_end_with_input, daemon=True).start()
    print(json.dumps({"endpoint": f"http://{HOST}:{server.server_port}"}), flush=True)
    server.serve_forever()


def _end_with_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="emulator", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("serve", help="serve on the loopback address")
    command.add_argument("--port", type=int, default=0, help="0 picks a free one (default)")
    serve(parser.parse_args().port)


if __name__ == "__main__":
    main()
