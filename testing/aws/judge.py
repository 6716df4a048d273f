#!/usr/bin/env python3
"""Judges folders that `trainyard plan --out DIR` wrote, against an emulated AWS and the real ParallelCluster.

    judge.py [--jobs N] [--delete] [--then OTHER_DIR] DIR...

For each DIR, in a fresh emulated account: makes what the plan expects to exist, deploys its stacks
in order, and asks ParallelCluster's schema and all its validators about every configuration that a
step names. One JSON line per DIR on standard output. Exit code 1 when any is not ok. Nothing leaves
the machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import emulator  # noqa: E402
from judging.folder import Folder, FolderError, Texts, read  # noqa: E402



@dataclass(frozen=True)
class Options:
    delete: bool = False
    then: str | None = None


class Judge:
    """One process's judge: the emulator and ParallelCluster, loaded once."""

    def __init__(self) -> None:
        warnings.filterwarnings("ignore")
        emulator.install()
        from judging.clusters import Validation

        self.validation = Validation()

    def judge(self, path: str, options: Options) -> dict[str, Any]:
        started = time.monotonic()
        verdict: dict[str, Any] = {
            "dir": path, "ok": False, "stage": "read", "stacks": [], "findings": [],
            "validators_run": 0, "retained": [], "ms": 0,
        }  # fmt: skip
        try:
            self._judge(Path(path), options, verdict)
        except FolderError as error:
            verdict["findings"].append(["ERROR", "Folder", str(error)])
        verdict["ok"] = not any(level in ("ERROR", "CRITICAL") for level, *_ in verdict["findings"])
        verdict["ms"] = round((time.monotonic() - started) * 1000)
        return verdict

    def _judge(self, path: Path, options: Options, verdict: dict[str, Any]) -> None:
        from judging.expects import Surroundings
        from judging.stacks import Stacks

        folder, texts = read(path), Texts()
        emulator.reset()
        self.validation.forget(folder.region)
        surroundings, stacks = Surroundings(folder, texts), Stacks(folder, texts)
        self._deploy_and_validate(folder, surroundings, stacks, verdict)
        if options.then and not _failed(verdict):
            other = read(Path(options.then))
            self._deploy_and_validate(other, surroundings, stacks, verdict)
        if options.delete:
            verdict["stage"] = "delete" if not _failed(verdict) else verdict["stage"]
            surroundings.remove_file_systems()
            results, verdict["retained"] = stacks.delete_all()
            for result in results:
                verdict["stacks"].append(result.line())
                verdict["findings"] += result.findings

    def _deploy_and_validate(self, folder: Folder, surroundings: Any, stacks: Any, verdict: dict[str, Any]) -> None:
        findings = verdict["findings"]
        installed = self.validation.version()
        if folder.version != installed:
            findings.append(
                ["WARNING", "Version", f"the plan is for ParallelCluster {folder.version}, this is {installed}"]
            )
        verdict["stage"] = "stacks"
        findings += [["ERROR", "Expects", problem] for problem in surroundings.expect(folder.expects)]
        for step in folder.deployments:
            result = stacks.deploy(folder, step)
            verdict["stacks"].append(result.line())
            findings += result.findings
            findings += [["ERROR", "Expects", problem] for problem in surroundings.catch_up()]
            if result.findings:
                return
        surroundings.everything_is_deployed = True
        findings += [["ERROR", "Expects", problem] for problem in surroundings.catch_up()]
        for item in surroundings.waiting:
            findings.append(["ERROR", "Expects", f"nothing to put it into: {json.dumps(item)}"])
        if _failed(verdict):
            return
        for name in folder.configurations:
            text, missing = stacks.texts.resolved(folder.text(name))
            if missing:
                findings += [["ERROR", "Placeholder", f"{name}: {item} has no output"] for item in missing]
                continue
            before = self.validation.runs
            self.validation.forget(folder.region)
            verdict["stage"], found = self.validation.judge(text, folder.cluster)
            verdict["validators_run"] += self.validation.runs - before
            findings += found


def _failed(verdict: dict[str, Any]) -> bool:
    return any(finding[0] == "ERROR" for finding in verdict["findings"])


_judge: Judge | None = None


def judge_one(path: str, options: Options) -> dict[str, Any]:
    """One folder, in whatever process this is; the judge is loaded at the first call."""
    global _judge
    if _judge is None:
        _judge = Judge()
    return _judge.judge(path, options)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--delete", action="store_true", help="delete the stacks afterwards, list what stays")
    parser.add_argument("--then", metavar="DIR", help="afterwards update the stacks to this folder's")
    parser.add_argument("dirs", nargs="+", metavar="DIR")
    given = parser.parse_args(arguments)
    options = Options(given.delete, given.then)
    failed = False

    def report(verdict: dict[str, Any]) -> None:
        nonlocal failed
        failed = failed or not verdict["ok"]
        print(json.dumps(verdict, default=str), flush=True)

    if given.jobs <= 1 or len(given.dirs) == 1:
        for path in given.dirs:
            report(judge_one(path, options))
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(given.jobs, mp_context=context) as pool:
            for verdict in pool.map(judge_one, given.dirs, [options] * len(given.dirs)):
                report(verdict)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
