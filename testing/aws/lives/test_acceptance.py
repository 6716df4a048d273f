"""The first run on a real account, against the emulator: to the end, through failures, and stopped in the middle."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lives.program import Run, program
from lives.support import HERE, LivesTest, example

NAME = "acceptance"
STEPS = 16
RUN_SECONDS = 240
ACCOUNT = "123456789012"
# What accounts have, and a record has not.
PRIVATE = re.compile(
    rf"{ACCOUNT}|{NAME}|arn:|\b(i|vpc|subnet|vol|sg|eni|rtb|igw|nat|eipalloc|lt|cr)-[0-9a-f]{{8}}|AKIA"
    r"|\b\d{1,3}(\.\d{1,3}){3}\b|[0-9a-f]{8}-[0-9a-f]{4}-|cpu-st-|ip-10-|us-east-1|trainyard|amazonaws"
)
DENIED = {"service": "logs", "operation": "GetLogEvents", "kind": "denied"}
NO_ROOM = {"stack": NAME, "operation": "create", "type": "AWS::EC2::Instance", "reason": "Somebody used up the last one"}


class Acceptance(LivesTest):
    """`xtask aws-acceptance`, as an owner of an account runs it."""

    def setUp(self) -> None:
        super().setUp()
        self.xtask = os.environ.get("LIVES_XTASK")
        if not self.xtask:
            self.skipTest("LIVES_XTASK names no xtask: give run.py --xtask, or build one with cargo build -p xtask")
        self.expect(example("aws-acceptance"))
        # As the docs say to do it: not as root, whom IAM's simulation does not know.
        self.as_user(self.policies())

    def test_a_whole_life_is_accepted_and_leaves_nothing(self) -> None:
        run, report = self.accept("whole")
        self.assertEqual(run.code, 0, run.said)
        self.assertIn("$0.13 an hour", run.out)
        self.assertEqual(len(re.findall(r"^\| .* \| 0 \| [0-9.]+ s \| ok \|$", report, re.MULTILINE)), STEPS, report)
        self.assertTrue(report.endswith("## Differences from the emulator\n\nNone.\n"), report)
        self.assertIn("- parallelcluster: ", report)
        self.only_kept([self.shared()])
        self.record_is_harmless("whole")
        self.delete_as_the_report_says(report)

    def test_a_failure_in_the_middle_ends_with_the_cluster_down(self) -> None:
        self.account.faults(DENIED)
        run, report = self.accept("denied")
        self.account.no_faults()
        self.assertEqual(run.code, 1, run.said)
        self.assertIn("## First failure\n\n`trainyard logs tail", report)
        self.assertIn("logs:GetLogEvents", report)
        self.assertIn("| the way out | `trainyard down", report)
        self.is_down_and_listed(report)
        denied = [line for line in self.record("denied") if line["operation"] == "GetLogEvents"]
        self.assertEqual({(line["status"], line["code"]) for line in denied}, {(400, "AccessDeniedException")})
        self.record_is_harmless("denied")

        before = self.account.inventory()
        run, report = self.accept("again")
        self.assertEqual(run.code, 1, run.said)
        self.assertIn(f"something of {NAME} is in the account", report)
        self.assertNotIn("the way out", report)
        self.assertEqual(self.account.inventory(), before, "it is not this run's, and was touched")
        self.delete_as_the_report_says(report)

    def test_a_cluster_that_does_not_come_up_goes(self) -> None:
        self.account.faults(NO_ROOM)
        run, report = self.accept("no-room")
        self.account.no_faults()
        self.assertEqual(run.code, 1, run.said)
        self.assertIn("Somebody used up the last one", report)
        self.is_down_and_listed(report)
        self.delete_as_the_report_says(report)

    def test_a_run_that_is_stopped_takes_its_cluster_down(self) -> None:
        def stop(process: subprocess.Popen[str]) -> None:
            end = time.monotonic() + RUN_SECONDS
            while not any(line["name"] == NAME and line["kind"] == "stack" for line in self.account.inventory()):
                self.assertLess(time.monotonic(), end, "the cluster's stack does not come")
                self.assertIsNone(process.poll())
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            time.sleep(1.0)
            # Whoever is impatient does not leave a cluster behind.
            process.send_signal(signal.SIGINT)

        run, report = self.accept("stopped", until=stop)
        self.assertEqual(run.code, 1, run.said)
        self.assertIn("stopped by a signal", report)
        self.is_down_and_listed(report)
        self.delete_as_the_report_says(report)

    def test_nothing_begins_without_the_name(self) -> None:
        run = self.xtask_run("--out", str(self.folder / "unconfirmed"), asked="another\n")
        self.assertEqual(run.code, 2, run.said)
        self.assertIn("not confirmed; nothing was done", run.out)
        self.nothing_is_left()

    def test_the_table_of_names_is_that_of_the_models(self) -> None:
        where = HERE / "record_names.py"
        spec = importlib.util.spec_from_file_location("record_names", where)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        table = HERE.parents[1] / "crates/provider/src/aws/record/names.tsv"
        self.assertEqual(table.read_text(), module.names(), f"write it again with {where.name}")

    # -- the run ------------------------------------------------------------------------------

    def accept(self, out: str, until: Callable[[subprocess.Popen[str]], None] | None = None) -> tuple[Run, str]:
        """A run, and its report."""
        folder = self.folder / out
        written = os.environ.get("LIVES_WRITE_EXPECTED")
        more = ["--write-expected", written] if written and out == "whole" else []
        run = self.xtask_run("--out", str(folder), "--yes", *more, until=until)
        self.assertTrue((folder / "report.md").exists(), run.said)
        return run, (folder / "report.md").read_text()

    def xtask_run(
        self, *words: str, asked: str = "", until: Callable[[subprocess.Popen[str]], None] | None = None
    ) -> Run:
        begun = time.monotonic()
        arguments = ("aws-acceptance", "--trainyard", str(program()), *words)
        process = subprocess.Popen(
            [str(self.xtask), *arguments], env=self.program.environment, cwd=self.folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            if until:
                until(process)
            out, _ = process.communicate(asked, timeout=RUN_SECONDS)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return Run(arguments, process.returncode, out, "", time.monotonic() - begun)

    def record(self, out: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / out / "record.jsonl").read_text().splitlines()]

    # -- what it leaves -----------------------------------------------------------------------

    def record_is_harmless(self, out: str) -> None:
        path = self.folder / out / "record.jsonl"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(path.parent.stat().st_mode & 0o777, 0o700)
        self.assertGreater(len(self.record(out)), 100)
        found = [line for line in path.read_text().splitlines() if PRIVATE.search(line)]
        self.assertEqual(found, [])

    def is_down_and_listed(self, report: str) -> None:
        kept = self.down("--yes").events[-1]["kept"]
        self.only_kept(kept)
        self.assertEqual(self.read("list"), [])
        for one in kept:
            self.assertIn(f"- {one['name']}: {one['what']}", report)

    def shared(self) -> dict[str, Any]:
        kept = self.down("--yes").events[-1]["kept"]
        self.assertEqual([one["name"] for one in kept], ["parallelcluster"])
        return kept[0]

    def delete_as_the_report_says(self, report: str) -> None:
        """The last command of the report is pasted."""
        words = shlex.split(re.findall("^    (/.*)$", report, re.MULTILINE)[-1])
        self.assertEqual(Path(words[0]), program())
        self.tell(*words[1:])
        self.nothing_is_left()
