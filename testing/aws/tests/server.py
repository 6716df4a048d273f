"""A server with clusters for tests, in a process of its own, as any program would use it."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import time
import unittest
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.httpsession import URLLib3Session

ROOT = Path(__file__).resolve().parents[1]
REGION = "us-east-1"
CONSENT = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
PROVIDER = (
    "https://us-east-1-aws-parallelcluster.s3.us-east-1.amazonaws.com/parallelcluster/{version}"
    "/templates/custom_resource/cluster.yaml"
)
DEADLINE = 60.0
QUICK = ("boot=0.3", "fleet=0.2", "command=0.1", "command_unknown=0.05", "addressless=0.2")


class Server:
    """One for all tests of this process (shared), since starting it takes seconds."""

    def __init__(self, *arguments: str):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
        settings = [item for name in QUICK for item in ("--set", name)]
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "emulator", "serve", "--clusters", *settings, *arguments],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        assert self.process.stdout
        self.endpoint = json.loads(self.process.stdout.readline())["endpoint"]

    def stop(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    @staticmethod
    @cache
    def shared() -> Server:
        server = Server()
        atexit.register(server.stop)
        return server

    def client(self, service: str, **options: Any) -> Any:
        """A client over HTTP: the rest of this process is answered by the emulator in it."""
        client = boto3.client(
            service, REGION, endpoint_url=self.endpoint, aws_access_key_id="x", aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}, proxies={}, **options),
        )  # fmt: skip
        over_http = URLLib3Session()
        client.meta.events.register_first("before-send.*.*", lambda request, **_: over_http.send(request))
        return client

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/emulator/{path}", data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)


class ServerTest(unittest.TestCase):
    """A fresh account for every test."""

    def setUp(self) -> None:
        self.server = Server.shared()
        self.server.ask("POST", "reset")
        self.cloudformation = self.server.client("cloudformation")

    def stack(self, name: str) -> dict[str, Any]:
        return self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]

    def settled(self, name: str) -> dict[str, Any]:
        """The stack when it is no longer in progress."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            stack = self.stack(name)
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack
            time.sleep(0.03)
        self.fail(f"{name} is still {stack['StackStatus']}")

    def eventually(self, wanted: Any, question: Any) -> None:
        end, answer = time.monotonic() + DEADLINE, None
        while time.monotonic() < end:
            answer = question()
            if answer == wanted:
                return
            time.sleep(0.03)
        self.assertEqual(answer, wanted)

    def create(self, resources: dict[str, Any], name: str = "stack", **options: Any) -> dict[str, Any]:
        body = {"Resources": resources, "Outputs": options.pop("outputs", {})}
        made = self.cloudformation.create_stack(
            StackName=name, TemplateBody=json.dumps(body), Capabilities=CONSENT, **options
        )
        return self.settled(made["StackId"])

    def events(self, name: str) -> list[tuple[str, str, str]]:
        """From the oldest to the newest: logical id, status, reason."""
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        found = [event for page in pages for event in page["StackEvents"]]
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in reversed(found)
        ]

    def inventory(self) -> set[str]:
        return {line["kind"] for line in self.server.ask("GET", "inventory")}
