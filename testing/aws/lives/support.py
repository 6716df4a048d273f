"""What every test of whole lives needs: an empty account, the program, specs, and what the account holds."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

from lives.account import Account, Line, account  # noqa: E402
from lives.program import Program, Run  # noqa: E402

EXAMPLES = HERE.parents[1] / "examples"
FULL = os.environ.get("LIVES_FULL") == "1"
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Spec = dict[str, Any]
# Who calls, where a test is about what a caller may do.
USER = "ada"
# Where the tests of all processes leave what they found.
WORK = Path(os.environ.get("LIVES_WORK") or tempfile.mkdtemp(prefix="trainyard-lives-"))


def example(name: str) -> Spec:
    return yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())


def changed(spec: Spec, **values: Any) -> Spec:
    """A copy with other values at its top."""
    return {**copy.deepcopy(spec), **values}


class LivesTest(unittest.TestCase):
    """An empty account and an empty home for every test."""

    account: Account
    maxDiff = None

    def setUp(self) -> None:
        if not os.environ.get("LIVES_PROGRAM"):
            self.skipTest("LIVES_PROGRAM names no program")
        self.account = account()
        self.account.reset()
        self.account.region = "us-east-1"
        self.folder = Path(tempfile.mkdtemp(prefix="life-", dir=_made(WORK)))
        self.program = self.another_program("home")
        self.spec_file = self.folder / "cluster.yaml"
        self.before: list[Line] = []

    def tearDown(self) -> None:
        self.account.no_faults()
        _remember_calls(self.id(), self.account)
        if not os.environ.get("LIVES_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def another_program(self, home: str, **environment: str) -> Program:
        """The program as somebody else has it, on another machine."""
        return Program(self.account.endpoint, self.folder / home, **environment)

    # -- specs --------------------------------------------------------------------------------

    def write(self, spec: Spec) -> None:
        """The spec of the next commands; what it expects to exist is made."""
        self.spec_file.write_text(yaml.safe_dump(spec, sort_keys=False))
        self.account.region = spec["region"]

    def expect(self, spec: Spec, change: Any = None) -> None:
        """Writes the spec, and makes what its plan expects in the account; `change` may alter that before."""
        self.write(spec)
        out = self.folder / "plan"
        self.tell("plan", self.spec_file, "--out", out)
        plan = json.loads((out / "plan.json").read_text())
        for item in plan["target"]["aws"]["expects"]:
            if change:
                change(item)
        answer = self.account.ask("POST", "expect", plan)
        self.assertEqual(answer["problems"], [])
        self.before = self.account.inventory()

    # -- the caller ------------------------------------------------------------------------------

    def policies(self) -> list[dict[str, Any]]:
        out = self.folder / "policies"
        self.tell("render", "iam", self.spec_file, "--out", out)
        return [json.loads(path.read_text()) for path in sorted(out.rglob("*.json"))]

    def as_user(self, policies: list[dict[str, Any]]) -> None:
        """The program asks with the key of a user who has these policies and no others."""
        iam = self.account.client("iam")
        iam.create_user(UserName=USER, Path="/team/")
        for number, policy in enumerate(policies):
            iam.put_user_policy(UserName=USER, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=USER)["AccessKey"]
        self.program.environment |= {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }  # fmt: skip
        self.program.environment.pop("TRAINYARD_SKIP_PERMISSIONS", None)
        self.before = self.account.inventory()

    # -- the program --------------------------------------------------------------------------

    def tell(self, *arguments: Any, code: int = 0, **options: Any) -> Run:
        """A run that must end with this exit code."""
        run = self.program.run(*map(str, arguments), **options)
        self.assertEqual(run.code, code, run.said)
        return run

    def up(self, *more: str, code: int = 0) -> Run:
        return self.tell("up", self.spec_file, "--format", "json", *more, code=code)

    def down(self, *more: str, code: int = 0) -> Run:
        return self.tell("down", self.spec_file, "--format", "json", *more, code=code)

    def down_with_everything(self, cluster: str) -> Run:
        """What ParallelCluster's clusters of a region share goes by its own name only."""
        run = self.down("--delete-data", cluster, "--delete-data", "parallelcluster", "--yes")
        self.assertEqual(run.events[-1]["kept"], [])
        return run

    def read(self, command: str, *more: Any) -> Any:
        """The document of a reading command."""
        return self.tell(*command.split(), *more, "--format", "json").data

    def status(self) -> dict[str, Any]:
        return self.read("status", self.spec_file)["observed"]

    # -- the account --------------------------------------------------------------------------

    def made(self) -> list[Line]:
        """What the account holds beyond what it held before."""
        known = {line["id"] for line in self.before}
        return [line for line in self.account.inventory() if line["id"] not in known]

    def nothing_is_left(self) -> None:
        self.assertEqual([short(line) for line in self.made()], [])
        now = {line["id"] for line in self.account.inventory()}
        self.assertEqual([short(line) for line in self.before if line["id"] not in now], [], "was there before")

    def only_kept(self, kept: list[dict[str, Any]]) -> None:
        """The account holds what `down` listed, and nothing else; and all of it is there."""
        named = {name for one in kept for name in one["resources"]}
        stacks = {one["stack_name"] for one in kept if one["stack_name"]}
        held = named.union(stacks, *(self.account.held_by(stack) for stack in stacks))
        lines = self.made()
        extra = [short(line) for line in lines if not {line["id"], line["name"]} & held and not _hangs_on(line, held)]
        self.assertEqual(extra, [], "it is in the account, and `down` does not list it")
        there = {text for line in lines for text in (line["id"], line["name"])}
        self.assertEqual(sorted((named | stacks) - there), [], "`down` lists it, and it is not in the account")

    def attached(self) -> set[str]:
        """Disks of instances, which go with them."""
        found = self.account.client("ec2").describe_volumes()["Volumes"]
        return {item["VolumeId"] for item in found if any(one["InstanceId"] for one in item["Attachments"])}

    def shape(self) -> Counter[str]:
        """What the account holds by kind and name, without what differs from one making to the next."""
        return Counter(f"{line['kind']} {plain(line)}" for line in self.made())


def note(*lines: str) -> None:
    """Something to read for people, whether it went well or not."""
    with (_made(WORK) / "notes.txt").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def short(line: Line) -> str:
    return f"{line['kind']} {line['name']}" + (f" ({line['id']})" if line["id"] != line["name"] else "")


def plain(line: Line) -> str:
    """A name without what chance put into it; ids say nothing, and their number is counted."""
    name = str(line["name"])
    if line["kind"] == "address":
        return ""
    if name == line["id"] and line["kind"] not in ("bucket", "log_group", "role", "instance_profile", "table"):
        return ""
    pieces = [piece for piece in UUID.sub("", name).replace("/", "-").split("-") if not _is_random(piece)]
    return "-".join(pieces)


def _is_random(piece: str) -> bool:
    has_digit = any(letter.isdigit() for letter in piece)
    return len(piece) >= 4 and has_digit and piece.isalnum() or len(piece) >= 12


def _hangs_on(line: Line, held: set[str]) -> bool:
    """Interfaces that a file system or an endpoint has are told by their description only."""
    return line["kind"] == "network_interface" and any(name in line["name"] for name in held)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _remember_calls(test: str, found: Account) -> None:
    """Every operation that the program asked for, kept before the account is emptied."""
    names = {f"{call['service']}:{call['operation']}" for call in found.calls()}
    path = _made(WORK / "calls") / f"{os.getpid()}.txt"
    with path.open("a") as file:
        file.writelines(f"{name}\t{test}\n" for name in sorted(names))
