"""No secret leaves the memory of the program: not into a file, not onto the terminal, not into a process list."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path

from lives.program import Run
from lives.same_end import first, second
from lives.support import LivesTest

SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/canaryOfTheSecretKey1"
SESSION_TOKEN = "FwoGZXIvYXdzEOcanaryOfTheSessionToken///////////wEaDCanary2"
CANARIES = (SECRET_KEY, SESSION_TOKEN)
# What a private key says of itself.
PRIVATE = "PRIVATE KEY"
WATCH_SECONDS = 0.02


class Secrets(LivesTest):
    """A life with credentials that would be recognized anywhere."""

    def setUp(self) -> None:
        super().setUp()
        self.program = self.another_program("home", AWS_SECRET_ACCESS_KEY=SECRET_KEY, AWS_SESSION_TOKEN=SESSION_TOKEN)
        self.seen: list[str] = []
        self.limits: set[str] = set()

    def test_no_secret_is_written_or_shown(self) -> None:
        self.write(first())
        runs = [self.fails(), self.tell("up", self.spec_file, until=self.watch)]
        self.keeps_the_key()
        runs += self.goes_on()
        for run in runs:
            self.clean(run.out + run.err, run.said.splitlines()[0])
        self.files_are_clean()
        self.clean("\n".join(self.seen), "the command lines of processes")
        self.assertGreater(len(self.seen), 5, "no process was seen")
        self.assertEqual(self.limits, {"0 0"}, "the size of core files: soft, hard")

    def fails(self) -> Run:
        """AWS's own words might repeat what it was asked."""
        self.account.faults({"service": "cloudformation", "operation": "CreateStack", "kind": "denied"})
        run = self.tell("up", self.spec_file, code=3)
        self.account.no_faults()
        return run

    def goes_on(self) -> list[Run]:
        self.write(second())
        runs = [self.tell("up", self.spec_file, "--yes", until=self.watch), self.up("--yes")]
        file = str(self.spec_file)
        runs += [self.tell(*words) for words in (["status", file], ["list"], ["nodes", "list", "-f", file])]
        self.account.faults({"service": "cloudformation", "operation": "DeleteStack", "kind": "expired"})
        runs.append(self.tell("down", self.spec_file, "--yes", code=3))
        self.account.no_faults()
        runs.append(self.tell("down", self.spec_file, "--delete-data", "cpu", "--yes", until=self.watch))
        runs.append(self.down_with_everything("cpu"))
        self.nothing_is_left()
        return runs

    # -- the private key ----------------------------------------------------------------------------

    def keeps_the_key(self) -> None:
        path = self.key()
        before, when = path.read_bytes(), path.stat().st_mtime_ns
        self.assertIn(PRIVATE.encode(), before)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.up()
        # Even where AWS has lost its half: the same key is imported again.
        self.account.client("ec2").delete_key_pair(KeyName="cpu")
        self.up("--yes")
        self.assertEqual((path.read_bytes(), path.stat().st_mtime_ns), (before, when))
        self.assertEqual(len(self.account.client("ec2").describe_key_pairs(KeyNames=["cpu"])["KeyPairs"]), 1)

    def key(self) -> Path:
        return self.program.folder("cpu") / "keys" / "cpu.pem"

    # -- where they might be ------------------------------------------------------------------------

    def clean(self, text: str, where: str) -> None:
        for canary in CANARIES:
            self.assertNotIn(canary, text, where)
        self.assertNotIn(PRIVATE, text, where)

    def files_are_clean(self) -> None:
        paths = [path for path in self.program.home.rglob("*") if path.is_file()]
        names = {path.name for path in paths}
        self.assertTrue({"journal.jsonl", "plan.json", "cpu.pem"} <= names, names)
        for path in paths:
            text = path.read_bytes().decode("utf-8", "replace")
            for canary in CANARIES:
                self.assertNotIn(canary, text, path)
            if path != self.key():
                self.assertNotIn(PRIVATE, text, path)
                body = self.key().read_text().splitlines()[1]
                self.assertNotIn(body, text, path)

    def watch(self, process: subprocess.Popen[str]) -> None:
        """Looks at the program and its children until it ends."""
        calls = len(self.account.calls())
        while process.poll() is None:
            # Once it has asked AWS for anything, there are credentials in its memory.
            has_asked = len(self.account.calls()) > calls
            for pid in [process.pid, *children(process.pid)]:
                try:
                    self.seen.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
                    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
                except OSError:
                    continue  # it has just ended
                if has_asked:
                    self.limits.add(next(" ".join(line.split()[4:6]) for line in lines if "core file" in line))
            time.sleep(WATCH_SECONDS)


def children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    except OSError:
        return found
    return found + [more for child in found for more in children(child)]
