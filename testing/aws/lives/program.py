"""Runs of the real program, each with an environment in which nothing of this machine's is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUN_SECONDS = 180
POLL_SECONDS = 0.0005


@dataclass(frozen=True)
class Run:
    """What one run said; `code` is negative where a signal ended it."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        command = f"$ trainyard {' '.join(self.arguments)}"
        return f"{command}   -> {self.code} after {self.seconds:.1f} s\n{self.out}{self.err}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of `--format json`."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    @property
    def data(self) -> Any:
        """The one document of a reading command."""
        return json.loads(self.out)

    @property
    def steps_done(self) -> list[str]:
        return [event["step"] for event in self.events if event["event"] == "done"]


def program() -> Path:
    return Path(os.environ["LIVES_PROGRAM"])


class Program:
    """The program with a home of its own, for one account."""

    def __init__(self, endpoint: str, home: Path, **more: str):
        self.home = home
        # ParallelCluster's command line and its Node.js, for specs that want them.
        tools = [str(Path(sys.executable).parent), *filter(None, [_node()]), "/usr/local/bin", "/usr/bin", "/bin"]
        self.environment = {
            "PATH": os.pathsep.join(tools), "HOME": str(home), "TRAINYARD_HOME": str(home), "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
            "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONWARNINGS": "ignore", **more,
        }  # fmt: skip
        home.mkdir(parents=True, exist_ok=True)

    def folder(self, cluster: str) -> Path:
        return self.home / "aws" / cluster

    def journal(self, cluster: str) -> Path:
        return self.folder(cluster) / "journal.jsonl"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [program(), *arguments], env=self.environment, cwd=self.home, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, until: Callable[[subprocess.Popen[str]], None] | None = None) -> Run:
        """A run to its end; `until` may watch it, and end it."""
        begun = time.monotonic()
        process = self.start(*arguments)
        if until:
            # What it says fits into the pipes: a run of a cluster says a few kilobytes.
            until(process)
        try:
            out, err = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += f"(killed by the test: it ran for {RUN_SECONDS} s)\n"
        return Run(arguments, process.returncode, out, err, time.monotonic() - begun)

    def records(self, cluster: str) -> int:
        path = self.journal(cluster)
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def kill_after(self, cluster: str, records: int, *arguments: str) -> Run:
        """A run that is killed as soon as it has written so many records; or its end, where it writes fewer."""
        path, target = self.journal(cluster), self.records(cluster) + records

        def watch(process: subprocess.Popen[str]) -> None:
            while process.poll() is None:
                if path.exists() and path.read_bytes().count(b"\n") >= target:
                    process.send_signal(signal.SIGKILL)
                    return
                time.sleep(POLL_SECONDS)

        return self.run(*arguments, until=watch)

    def kill_at(self, seconds: float, *arguments: str) -> Run:
        """A run that is killed after a time; or its end, where that comes first."""

        def watch(process: subprocess.Popen[str]) -> None:
            try:
                process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)

        return self.run(*arguments, until=watch)


def _node() -> str | None:
    from emulator.clusters.worker_link import node_folder

    return node_folder()
