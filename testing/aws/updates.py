#!/usr/bin/env python3
"""Changed specs: each kind of update that a cluster sees, as a pair of plans for the judge.

    updates.py --trainyard PROGRAM --out DIR [--only NAME]

For each case of CASES: the plan of an example, and the plan of that example with the change. Writes
DIR/NAME/before and DIR/NAME/after, and prints NAME for each. `judge.py --then DIR/NAME/after DIR/NAME/before`
deploys the one and brings it to the other.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
Spec = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One change of one example."""

    name: str
    example: str
    change: Callable[[Spec], None]


def put(path: str, value: Any) -> Callable[[Spec], None]:
    """Sets what stands at a path such as `storage.home.size_gib`."""

    def change(spec: Spec) -> None:
        *parents, last = path.split(".")
        for key in parents:
            spec = spec.setdefault(key, {})
        spec[last] = value

    return change


def add_queue(spec: Spec) -> None:
    spec["queues"].append({"name": "more", "compute": [{"name": "c6i", "instance": "c6i.xlarge", "max": 4}]})


def other_order(spec: Spec) -> None:
    spec["queues"].reverse()


def more_nodes(spec: Spec) -> None:
    spec["queues"][0]["compute"][0]["max"] += 2


CASES = [
    Case("a-queue-more", "p4d-ondemand", add_queue),
    Case("more-nodes", "cpu", more_nodes),
    Case("a-larger-lustre", "openzfs-home", put("storage.shared.size_gib", 9600)),
    Case("a-faster-openzfs", "openzfs-home", put("storage.home.throughput_mb_s", 640)),
    Case("a-larger-home", "cpu", put("storage.home", {"kind": "volume", "size_gib": 400})),
    Case("somebody-may-come-in", "trn1", put("access.cidrs", ["203.0.113.0/24"])),
    Case("others-may-come-in", "login-nodes", put("access.cidrs", ["198.51.100.7/32"])),
    Case("a-second-zone", "cpu", put("network.second_zone", "us-east-1b")),
    Case("grafana-too", "p4d-own-reservation", put("monitoring.mode", "amp_amg")),
    Case("metrics-at-last", "trn1", put("monitoring.mode", "amp")),
    Case("more-money", "accounting-ldap", put("budget.usd_per_month", 90000)),
    Case("job-records", "cpu", put("accounting", {"kind": "new"})),
    Case("other-tags", "p5-odcr", put("tags", {"team": "research"})),
    Case("nothing-comes-in", "openzfs-home", put("storage.data_bucket.import", False)),
    Case("other-alarms", "accounting-ldap", put("budget.notify", ["somebody-else@example.com"])),
    Case("a-public-head", "openzfs-home", put("head", {"subnet": "public"})),
    Case("queues-in-another-order", "multi-zone", other_order),
    Case("no-way-out", "openzfs-home", put("network", {"nat": False})),
    Case("a-data-bucket", "p5-odcr", put("storage.data_bucket", {"name": "a-new-bucket"})),
]


def plan(trainyard: str, spec: Spec, folder: Path) -> None:
    """Writes the plan of a spec."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "spec.yaml"
    file.write_text(json.dumps(spec))
    done = subprocess.run([trainyard, "plan", str(file), "--out", str(folder)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{folder}: {done.stderr}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainyard", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    for case in CASES:
        if arguments.only not in (None, case.name):
            continue
        before = yaml.safe_load((ROOT / "examples" / f"{case.example}.yaml").read_text())
        after = copy.deepcopy(before)
        case.change(after)
        if before == after:
            raise SystemExit(f"{case.name} changes nothing")
        plan(arguments.trainyard, before, arguments.out / case.name / "before")
        plan(arguments.trainyard, after, arguments.out / case.name / "after")
        print(case.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
