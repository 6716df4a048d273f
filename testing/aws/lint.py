#!/usr/bin/env python3
"""Lints every stacks/*.yaml of the folders: cfn-lint in process, and checkov when asked.

    lint.py [--checkov] [--checkov-python PATH] DIR...

No error and no warning of cfn-lint is accepted; its informational findings are printed and do not
count. checkov runs once over all templates, offline, in its own environment; the checks named in
checkov-skips.yaml are left out. Exit code 1 on any finding that counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
SKIPS = HERE / "checkov-skips.yaml"
MOST_SKIPS = 10
DEFAULT_REGION = "us-east-1"
DEFAULT_CHECKOV = "~/.cache/trainyard/python/checkov/bin/python"
ENVIRONMENT = {
    "BC_SKIP_MAPPING": "TRUE",
    "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false",
    "HTTPS_PROXY": "http://127.0.0.1:9",  # offline: whatever it would fetch meets a closed port
    "LOG_LEVEL": "ERROR",
}


@dataclass(frozen=True)
class Finding:
    """One thing that a tool says about a template."""

    template: Path
    line: int
    level: str
    rule: str
    message: str

    @property
    def counts(self) -> bool:
        return self.level != "info"


def templates_of(folder: Path) -> list[Path]:
    found = sorted((folder / "stacks").glob("*.yaml"))
    if not found:
        raise SystemExit(f"{folder}: no stacks/*.yaml")
    return found


def region_of(folder: Path) -> str:
    """The region that the plan is for: what exists differs between regions."""
    try:
        return json.loads((folder / "plan.json").read_text())["target"]["aws"]["region"]
    except (OSError, ValueError, KeyError, TypeError):
        return DEFAULT_REGION


def cfn_lint(template: Path, region: str) -> list[Finding]:
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs

    matches = lint(template.read_text(), config=ManualArgs(include_checks=["I"], regions=[region]))
    levels = {"error": "error", "warning": "warning", "informational": "info"}
    return [
        Finding(template, match.linenumber, levels.get(match.rule.severity, "error"), match.rule.id, match.message)
        for match in matches
    ]


def read_skips(path: Path = SKIPS) -> dict[str, str]:
    """Checks that are left out, each with its reason. There are few, or the list means nothing."""
    entries = yaml.safe_load(path.read_text()) or []
    skips = {entry["id"]: entry["reason"] for entry in entries}
    if len(skips) > MOST_SKIPS:
        raise SystemExit(f"{path.name}: at most {MOST_SKIPS} checks may be skipped, not {len(skips)}")
    if not all(str(reason).strip() for reason in skips.values()):
        raise SystemExit(f"{path.name}: every skip needs a reason")
    return skips


def checkov(templates: list[Path], python: Path, skips: dict[str, str]) -> list[Finding]:
    command = [str(python), "-m", "checkov.main", "--framework", "cloudformation", "--skip-download", "--quiet",
               "--compact", "--output", "json"]  # fmt: skip
    if skips:
        command += ["--skip-check", ",".join(skips)]
    for template in templates:
        command += ["--file", str(template)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | ENVIRONMENT, check=False)
    try:
        reports = json.loads(done.stdout)
    except ValueError as error:
        raise SystemExit(f"checkov gave no report (exit code {done.returncode}): {done.stderr[-2000:]}") from error
    return [finding for report in _as_list(reports) for finding in _checkov_findings(report, templates)]


def _as_list(value: object) -> list[dict]:  # type: ignore[type-arg]
    return value if isinstance(value, list) else [value]  # type: ignore[list-item]


def _checkov_findings(report: dict, templates: list[Path]) -> list[Finding]:  # type: ignore[type-arg]
    if "results" not in report:
        raise SystemExit(f"checkov checked nothing: {report}")
    by_path = {str(template.resolve()): template for template in templates}
    findings = []
    for check in report["results"]["failed_checks"]:
        template = by_path.get(check.get("file_abs_path", ""), Path(check["file_path"]))
        line = (check.get("file_line_range") or [0])[0]
        message = f"{check['resource']}: {check['check_name']}"
        findings.append(Finding(template, line, "failed", check["check_id"], message))
    for path in report["results"].get("parsing_errors", []):
        findings.append(Finding(Path(path), 0, "failed", "parse", "checkov cannot read this template"))
    return findings


def print_findings(findings: list[Finding]) -> None:
    for finding in findings:
        print(f"{finding.template}:{finding.line}: {finding.level} {finding.rule} {finding.message}")


def print_summary(folders: dict[Path, list[Path]], findings: list[Finding], with_checkov: bool, brief: bool) -> None:
    columns = ["error", "warning", "info"] + (["failed"] if with_checkov else [])
    width = max(len(str(folder)) for folder in folders)
    titles = {"error": "errors", "warning": "warnings", "info": "infos", "failed": "checkov"}
    print(f"{'folder':<{width}}  templates  " + "  ".join(f"{titles[column]:>8}" for column in columns))
    total: Counter[str] = Counter()
    for folder, templates in folders.items():
        count = Counter(finding.level for finding in findings if finding.template in templates)
        total += count
        if brief and not count:
            continue
        print(f"{str(folder):<{width}}  {len(templates):>9}  " + "  ".join(f"{count[column]:>8}" for column in columns))
    number = sum(len(templates) for templates in folders.values())
    print(f"{'all':<{width}}  {number:>9}  " + "  ".join(f"{total[column]:>8}" for column in columns))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkov", action="store_true", help="run checkov too")
    parser.add_argument(
        "--checkov-python", type=Path, default=Path(DEFAULT_CHECKOV), help="the Python of checkov's environment"
    )
    parser.add_argument("--brief", action="store_true", help="leave out folders about which nothing is said")
    parser.add_argument("dirs", nargs="+", type=Path, metavar="DIR")
    given = parser.parse_args(arguments)
    folders = {folder: templates_of(folder) for folder in given.dirs}
    findings = [
        finding
        for folder, templates in folders.items()
        for template in templates
        for finding in cfn_lint(template, region_of(folder))
    ]
    if given.checkov:
        everything = [template for templates in folders.values() for template in templates]
        findings += checkov(everything, given.checkov_python.expanduser(), read_skips())
    print_findings(findings)
    print_summary(folders, findings, given.checkov, given.brief)
    return 1 if any(finding.counts for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
