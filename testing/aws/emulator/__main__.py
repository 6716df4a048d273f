"""Serves the emulator over HTTP on the loopback address.

    python -m emulator serve [--port P] [--account ID] [--clusters [--pace SECONDS] [--scripts] [--set NAME=SECONDS]...]

Prints one JSON line, {"endpoint": "http://127.0.0.1:PORT"}, once it listens; port 0 picks a free one.
Ends when its standard input closes, or on SIGTERM.
"""

from __future__ import annotations

import argparse
import warnings

from . import install


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="emulator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("serve", help="serve on the loopback address")
    command.add_argument("--port", type=int, default=0, help="0 picks a free one (default)")
    command.add_argument("--clusters", action="store_true", help="time passes, and clusters are made and live")
    command.add_argument("--pace", type=float, default=0.0, help="seconds between two resources of a stack (default 0)")
    command.add_argument("--scripts", action="store_true", help="scripts on heads are really run, on this machine")
    command.add_argument("--account", metavar="ID", help="the account's 12 digits (default 123456789012)")
    command.add_argument("--set", action="append", default=[], metavar="NAME=SECONDS", help="see docs/emulator.md")
    given = parser.parse_args()
    options = dict(item.split("=", 1) for item in given.set) | {"pace": given.pace}
    warnings.filterwarnings("ignore")
    install(account=given.account)
    from .serving import serve

    serve(given.port, given.clusters, options, given.scripts)


if __name__ == "__main__":
    main()
