#!/usr/bin/env python3
"""Lints the IAM policies of the folders (iam/*.json): cfn-lint in process, each policy as a managed one.

    policies.py DIR...

cfn-lint knows every service's actions, and on what each can be allowed: an action that there is not, a resource of
another kind, and a policy of another form are findings, and none is accepted. Exit code 1 on any.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cfnlint.api import lint
from cfnlint.config import ManualArgs


def findings(policy: Path) -> list[str]:
    body = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": json.loads(policy.read_text())}}
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Policy": body}}
    matches = lint(json.dumps(template), config=ManualArgs(include_checks=["I"], regions=["us-east-1"]))
    return [f"{policy}: {match.rule.id} {match.message}" for match in matches]


def main(arguments: list[str]) -> int:
    if not arguments:
        raise SystemExit(__doc__)
    policies = {folder: sorted((Path(folder) / "iam").glob("*.json")) for folder in arguments}
    empty = [folder for folder, found in policies.items() if not found]
    if empty:
        raise SystemExit(f"no iam/*.json: {', '.join(empty)}")
    everything = [policy for found in policies.values() for policy in found]
    said = [line for policy in everything for line in findings(policy)]
    for line in said:
        print(line)
    print(f"{len(everything)} policies of {len(policies)} folders, {len(said)} findings")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
