"""The emulated account that the tests of a process share: a server of its own, emptied between tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3

HERE = Path(__file__).resolve().parents[1]
ASK_SECONDS = 60
# What waits in the emulator only so that waiting is seen; a test that wants to see it sets it.
QUICK = {"boot": 0.1, "fleet": 0.2, "addressless": 0.0, "command": 0.05, "command_unknown": 0.02}
USUAL = {"pace": 0.0, "head_boot": 0.0, "stale": 0.0, "unknown": 0.0, "operation_limit": 3600.0}
Line = dict[str, Any]


class Account:
    """One emulator; it ends when this process does, since its standard input closes then."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "emulator", "serve", "--clusters", "--scripts"],
            cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        )  # fmt: skip
        assert self._process.stdout
        self.endpoint: str = json.loads(self._process.stdout.readline())["endpoint"]
        self.region = "us-east-1"

    def end(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The control API."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.endpoint}/emulator/{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from error
        except OSError as error:
            raise RuntimeError(f"{method} {path}: {error}; the emulator: {self._process.poll()}") from error

    def reset(self) -> None:
        self.ask("POST", "reset")
        self.ask("POST", "options", USUAL | QUICK)

    def options(self, **values: float) -> None:
        self.ask("POST", "options", values)

    def faults(self, *rules: Line) -> None:
        self.ask("POST", "faults", list(rules))

    def no_faults(self) -> None:
        self.ask("DELETE", "faults")

    def calls(self, since: int = 0) -> list[Line]:
        """What the program asked of AWS; what these tests ask by themselves is left out."""
        found = self.ask("GET", f"calls?caller=outside&since={since}")
        return [call for call in found if "app/trainyard" in call["user_agent"]]

    def inventory(self, region: str | None = None) -> list[Line]:
        return self.ask("GET", f"inventory?region={region or self.region}")

    def client(self, service: str, region: str | None = None) -> Any:
        return boto3.client(
            service, region or self.region, endpoint_url=self.endpoint,
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip

    def held_by(self, stack: str, region: str | None = None) -> set[str]:
        """The ids of everything that a stack holds."""
        pages = self.client("cloudformation", region).get_paginator("list_stack_resources").paginate(StackName=stack)
        found = (item for page in pages for item in page["StackResourceSummaries"])
        return {item["PhysicalResourceId"] for item in found if item.get("PhysicalResourceId")}


_shared: list[Account] = []


def account() -> Account:
    """The account of this process, started when it is needed first."""
    if not _shared:
        _shared.append(Account())
    return _shared[0]


def end() -> None:
    while _shared:
        _shared.pop().end()
