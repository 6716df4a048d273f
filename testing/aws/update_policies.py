#!/usr/bin/env python3
"""Holds what `up` says of a changed configuration against ParallelCluster's own comparison.

    update_policies.py --compare PROGRAM DIR...

Every DIR holds a plan's pcluster.yaml. Each is compared with the next ones by ParallelCluster's ConfigPatch, on a
cluster whose fleet and login nodes run, and by PROGRAM (compare-configurations). Both must find the same keys with the
same policies, and agree on which changes go through as things stand. Exit code 1 where they do not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

warnings.filterwarnings("ignore")
# One policy asks for the region.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

# Effects that ParallelCluster lets through while nodes run.
PASSES = ("in_place", "drains_nodes", "ends_nodes")
Change = tuple[str, str, bool]


class RunningCluster:
    """What ConfigPatch asks of the cluster that stands."""

    name = stack_name = "judged"

    def __init__(self, configuration: dict[str, Any]):
        pools = (configuration.get("LoginNodes") or {}).get("Pools") or []
        self.pools = {pool["Name"]: int(pool.get("Count", 1)) for pool in pools}

    def has_running_capacity(self) -> bool:
        return True

    def has_running_login_nodes(self, pool_name: str | None = None) -> bool:
        counts = self.pools.values() if pool_name is None else [self.pools.get(pool_name, 0)]
        return any(count > 0 for count in counts)


def theirs(old: dict[str, Any], new: dict[str, Any]) -> list[Change] | None:
    """Every change that ParallelCluster finds: its path, its policy, and whether it goes through."""
    from pcluster.config.config_patch import ConfigPatch
    from pcluster.config.update_policy import UpdatePolicy

    try:
        patch = ConfigPatch(cluster=RunningCluster(old), base_config=old, target_config=new)
    except AttributeError:
        # Its own defect: a section with a list in it comes or goes where the section itself is of no account.
        return None
    found = []
    for change in patch.changes:
        result, *_ = change.update_policy.check(change, patch)
        if change.update_policy.name == "IGNORED":
            continue
        found.append((_path(change), change.update_policy.name, result == UpdatePolicy.CheckResult.SUCCEEDED))
    return found


def _path(change: Any) -> str:
    """As trainyard writes it: items of a list that come or go have their name in brackets."""
    key = change.key
    if change.is_list:
        item = change.new_value or change.old_value
        name = next((item[by] for by in ("Name", "Policy", "BucketName", "Key", "InstanceType") if by in item), "")
        key = f"{key}[{name}]"
    return ".".join([*change.path, key])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", required=True, metavar="PROGRAM")
    parser.add_argument("--version", default="3.16.1")
    parser.add_argument("dirs", nargs="+", metavar="DIR")
    given = parser.parse_args()
    files = [Path(path) / "pcluster.yaml" for path in given.dirs]
    # Neighbours differ in almost everything; a file and itself in nothing.
    pairs = [(old, new) for step in (0, 1, 7) for old, new in zip(files, files[step:] + files[:step], strict=True)]
    lines = "".join(f"{given.version}\t{old}\t{new}\n" for old, new in pairs)
    answer = subprocess.run([given.compare], input=lines, capture_output=True, text=True, check=True)
    failed, silent, policies = 0, 0, Counter()
    for (old, new), line in zip(pairs, answer.stdout.splitlines(), strict=True):
        ours = {(row["path"], row["policy"], row["effect"] in PASSES) for row in json.loads(line)}
        judged = theirs(yaml.safe_load(old.read_text()), yaml.safe_load(new.read_text()))
        if judged is None:
            silent += 1
            continue
        found = set(judged)
        policies.update(policy for _, policy, _ in found)
        if ours != found:
            failed += 1
            if failed <= 3:
                print(f"{old} -> {new}\n  only ParallelCluster: {sorted(found - ours)}\n  only trainyard: {sorted(ours - found)}")
    shown = ", ".join(f"{name} {count}" for name, count in policies.most_common())
    judged_alike, of = len(pairs) - failed - silent, len(pairs) - silent
    print(f"{judged_alike} of {of} pairs of configurations judged alike; {sum(policies.values())} changes: {shown}")
    print(f"{silent} pairs on which ParallelCluster's own comparison breaks down")
    return 1 if failed or of < len(pairs) // 2 else 0


if __name__ == "__main__":
    sys.exit(main())
