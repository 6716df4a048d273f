"""A folder that `trainyard plan --out` wrote, and the placeholders in its texts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLACEHOLDER = re.compile(r"\$\{([a-z][a-z0-9_-]*)\.([A-Za-z][A-Za-z0-9]*)\}")
CLUSTER_ACTIONS = ("deploy_cluster", "update_cluster")


class FolderError(Exception):
    """The folder cannot be judged: a file is missing, or plan.json has another form."""


@dataclass(frozen=True)
class Deployment:
    """A step that deploys one stack."""

    stack: str
    stack_name: str
    template: str
    parameters: dict[str, str]
    capabilities: list[str]
    tags: dict[str, str]


@dataclass
class Folder:
    """What the judge reads of a plan."""

    path: Path
    region: str
    zones: list[str]
    version: str
    cluster: str
    expects: list[dict[str, Any]]
    deployments: list[Deployment] = field(default_factory=list)
    configurations: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        try:
            return (self.path / name).read_text()
        except OSError as error:
            raise FolderError(f"{name}: {error.strerror}") from error


def read(path: Path) -> Folder:
    try:
        plan = json.loads((path / "plan.json").read_text())
        target = plan["target"]["aws"]
        folder = Folder(
            path,
            target["region"],
            list(target["zones"]),
            target["parallelcluster"],
            target["cluster"],
            list(target.get("expects") or []),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(f"plan.json: {type(error).__name__}: {error}") from error
    for step in plan.get("steps", []):
        action = step.get("action")
        action = action.get("aws") if isinstance(action, dict) else None
        for name, details in action.items() if isinstance(action, dict) else ():
            if name == "deploy_stack":
                folder.deployments.append(_deployment(details))
            elif name == "ensure_key_pair":
                folder.expects.append({"kind": "key_pair", "name": details["name"]})
            elif name in CLUSTER_ACTIONS:
                wanted = (details["start"]["configuration"], details["whole"]["configuration"])
                folder.configurations += [item for item in dict.fromkeys(wanted) if item not in folder.configurations]
    return folder


def _deployment(details: dict[str, Any]) -> Deployment:
    try:
        return Deployment(
            details["stack"],
            details["stack_name"],
            details["template"],
            dict(details.get("parameters") or {}),
            list(details.get("capabilities") or []),
            dict(details.get("tags") or {}),
        )
    except KeyError as error:
        raise FolderError(f"plan.json: a deploy_stack step lacks {error}") from error


class Texts:
    """Replaces given ids by the emulator's, and placeholders by outputs of stacks."""

    def __init__(self) -> None:
        self.identifiers: dict[str, str] = {}
        self.outputs: dict[tuple[str, str], str] = {}

    def with_identifiers(self, text: str) -> str:
        """Ids may start alike, so all are replaced in one pass, the longest first."""
        if not self.identifiers:
            return text
        longest_first = sorted(self.identifiers, key=len, reverse=True)
        pattern = re.compile("|".join(re.escape(name) for name in longest_first))
        return pattern.sub(lambda match: self.identifiers[match.group(0)], text)

    def resolved(self, text: str) -> tuple[str, list[str]]:
        """The text with everything replaced, and the placeholders that have no output."""
        missing: list[str] = []

        def output(match: re.Match[str]) -> str:
            key = (match.group(1), match.group(2))
            if key not in self.outputs:
                missing.append(match.group(0))
                return match.group(0)
            return self.outputs[key]

        return PLACEHOLDER.sub(output, self.with_identifiers(text)), missing
