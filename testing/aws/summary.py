#!/usr/bin/env python3
"""Turns the judge's JSON lines into a table for people.

    judge.py … | summary.py [--brief]

Every ERROR is printed whole; with --brief, folders that are well are only counted. Exit code 1 when
any folder is not well, or when there was none to judge.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def line(verdict: dict[str, Any]) -> str:
    levels = [level for level, *_ in verdict["findings"]]
    counts = f"{levels.count('ERROR')} errors, {levels.count('WARNING')} warnings"
    stacks = f"{len(verdict['stacks'])} stack operations"
    ran = f"{verdict['validators_run']} validators"
    state = "ok " if verdict["ok"] else "BAD"
    path = Path(verdict["dir"])
    name = path.parent.name if path.name in ("before", "after") else path.name
    return f"{state} {name:<34} {stacks:<20} {ran:<16} {counts:<24} {verdict['ms'] / 1000:.1f} s"


def main() -> int:
    brief = "--brief" in sys.argv[1:]
    verdicts = [json.loads(text) for text in sys.stdin if text.strip()]
    for verdict in verdicts:
        if not verdict["ok"] or not brief:
            print(line(verdict))
        for level, rule, message in verdict["findings"]:
            if level == "ERROR":
                print(f"      {rule}: {message}")
    well = sum(verdict["ok"] for verdict in verdicts)
    ran = sum(verdict["validators_run"] for verdict in verdicts)
    print(f"{well} of {len(verdicts)} accepted; {ran} validator runs")
    return 0 if verdicts and well == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
