#!/usr/bin/env python3
"""Runs the tests of whole lives, in processes with an emulator each.

    run.py --program PATH [--xtask PATH] [--full] [--jobs 2] [--work FOLDER] [--keep] [NAME...]

One line per scenario, and a summary. A NAME is a test, a class or a module: test_lives.Patience. FOLDER gets what the
tests leave for others: calls.txt, the operations that the program asked of AWS. Exit code 1 when anything failed.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))
# The longest first, so that both processes end at about the same time.
MODULES = (
    "test_faults", "test_kills", "test_lives", "test_peers", "test_changes", "test_head", "test_keeping", "test_others",
    "test_permissions", "test_secrets", "test_upload", "test_acceptance",
)  # fmt: skip
LAST = "test_calls"
Line = dict[str, Any]


class Lines(unittest.TestResult):
    """One JSON line for each scenario that has ended."""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.begun = time.monotonic()
        self.troubles: list[str] = []

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self.troubles.append(self.errors[-1][1])

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self.troubles.append(self.failures[-1][1])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            text = self._exc_info_to_string(err, test)  # type: ignore[attr-defined]
            self.troubles.append(f"{subtest}\n{text}")

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        skipped = [reason for one, reason in self.skipped if one is test]
        line = {"test": name_of(test), "seconds": time.monotonic() - self.begun, "troubles": self.troubles}
        print(json.dumps(line | {"skipped": skipped[0] if skipped else None}), flush=True)


def name_of(test: unittest.TestCase) -> str:
    _, module, _, method = test.id().split(".")
    return f"{module.removeprefix('test_')}: {method.removeprefix('test_').replace('_', ' ')}"


def tests_of(names: list[str]) -> list[str]:
    """The ids of all tests, in the order of the names."""
    loader = unittest.TestLoader()

    def flat(suite: Any) -> list[str]:
        return [suite.id()] if isinstance(suite, unittest.TestCase) else [one for part in suite for one in flat(part)]

    return [one for name in names for one in flat(loader.loadTestsFromName(f"lives.{name}"))]


def serve() -> None:
    """Carries out the tests whose ids come in, one after the other, with one emulator."""
    from lives import account

    for line in sys.stdin:
        unittest.defaultTestLoader.loadTestsFromName(line.strip()).run(Lines())
        print(json.dumps({"done": line.strip()}), flush=True)
    account.end()


class Runner:
    """Hands tests to processes, and tells what comes of them."""

    def __init__(self, environment: dict[str, str]):
        self.environment = environment
        self.lines: list[Line] = []
        self._waiting: queue.Queue[str] = queue.Queue()
        self._telling = threading.Lock()

    def run(self, tests: list[str], jobs: int) -> None:
        for test in tests:
            self._waiting.put(test)
        threads = [threading.Thread(target=self._work) for _ in range(min(jobs, len(tests)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__, "--serve"], cwd=HERE, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin and process.stdout
        while not self._waiting.empty():
            try:
                test = self._waiting.get_nowait()
            except queue.Empty:
                break
            process.stdin.write(test + "\n")
            process.stdin.flush()
            if not self._follow(process.stdout):
                self._tell({"test": test, "seconds": 0.0, "troubles": ["its process has ended"], "skipped": None})
                break
        process.stdin.close()
        process.wait()

    def _follow(self, out: Any) -> bool:
        """Whether the test came to its end."""
        for text in out:
            line = json.loads(text)
            if "done" in line:
                return True
            self._tell(line)
        return False

    def _tell(self, line: Line) -> None:
        with self._telling:
            self.lines.append(line)
            if line["skipped"] is None:
                word = "FAILED" if line["troubles"] else "ok"
                print(f"{word:6} {line['seconds']:6.1f} s  {line['test']}", flush=True)
            elif "LIVES_XTASK" in line["skipped"]:
                print(f"{'skipped':16}  {line['test']}: {line['skipped']}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=shutil.which("trainyard"), help="the program to test")
    parser.add_argument("--xtask", type=Path, help="the xtask to test (default: the one beside the program)")
    parser.add_argument("--full", action="store_true", help="a life for every moment and every fault")
    parser.add_argument("--jobs", type=int, default=2, help="processes, each with an emulator (default 2)")
    parser.add_argument("--work", type=Path, help="where the tests leave what they found")
    parser.add_argument("--keep", action="store_true", help="keep the folder of every cluster")
    parser.add_argument("names", nargs="*", default=list(MODULES))
    given = parser.parse_args()
    if given.program is None or not given.program.is_file():
        parser.error("--program names no program")
    work = (given.work or Path(tempfile.mkdtemp(prefix="trainyard-lives-"))).resolve()
    shutil.rmtree(work / "calls", ignore_errors=True)
    (work / "notes.txt").unlink(missing_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    # A build may replace the program while this runs.
    program = Path(shutil.copy2(given.program, work / "trainyard"))
    marks = {"LIVES_PROGRAM": str(program), "LIVES_WORK": str(work)}
    xtask = given.xtask or given.program.with_name("xtask")
    if xtask.is_file():
        marks["LIVES_XTASK"] = str(shutil.copy2(xtask, work / "xtask"))
    marks |= {name: "1" for name, on in (("LIVES_FULL", given.full), ("LIVES_KEEP", given.keep)) if on}
    os.environ.update(marks)
    begun = time.monotonic()
    runner = Runner(dict(os.environ))
    runner.run(tests_of(given.names), given.jobs)
    runner.run(tests_of([LAST]), 1)
    program.unlink()
    (work / "xtask").unlink(missing_ok=True)
    code = summary(runner.lines, work, time.monotonic() - begun)
    if not given.work and not given.keep:
        shutil.rmtree(work)
    return code


def summary(lines: list[Line], work: Path, seconds: float) -> int:
    failed = [line for line in lines if line["troubles"]]
    for line in failed:
        print(f"\n-- {line['test']}")
        print("\n".join(line["troubles"]))
    notes = work / "notes.txt"
    print(notes.read_text() if notes.exists() else "", end="")
    went = [line for line in lines if line["skipped"] is None]
    print(f"lives: {len(went) - len(failed)} of {len(went)} scenarios went well, {seconds:.0f} s")
    return 1 if failed or not went else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(main())
