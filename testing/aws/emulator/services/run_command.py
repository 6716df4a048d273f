"""SSM Run Command on nodes of clusters: commands take a moment, and unknown ones fail as in a shell.

Where nothing is in the background, the emulator underneath answers as it always did.
"""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2 import ec2_backends
from moto.ssm.responses import SimpleSystemManagerResponse

from ..clusters import life, shell
from ..clusters.slurm import Slurm
from ..errors import Refusal
from ..extension import store, wrap
from ..world import world
from .dependencies import live_instances

OUTPUT_LIMIT = 24_000  # characters of GetCommandInvocation; the rest is only in a bucket
DOCUMENT = "AWS-RunShellScript"


@wrap(SimpleSystemManagerResponse, "send_command")
def send_command(original: Any, self: Any) -> ActionResult:
    if not world.options.clusters:
        return original(self)
    get, identifiers = self._get_param, self._get_param("InstanceIds", []) or []
    if get("DocumentName") != DOCUMENT:
        raise Refusal("InvalidDocument", f"Document {get('DocumentName')} does not exist")
    running = {
        instance.id
        for instance in live_instances(ec2_backends[self.current_account][self.region])
        if instance.state == "running"
    }
    if not identifiers or set(identifiers) - running:
        raise Refusal(
            "InvalidInstanceId",
            f"Instances [{', '.join(sorted(set(identifiers) - running))}] not in a valid state for account "
            f"{self.current_account}",
        )
    command = {
        "CommandId": str(uuid.uuid4()),
        "DocumentName": DOCUMENT,
        "Comment": get("Comment") or "",
        "InstanceIds": identifiers,
        "Parameters": get("Parameters") or {},
        "RequestedDateTime": datetime.now(UTC),
        "Status": "Pending",
        "StatusDetails": "Pending",
        "TargetCount": len(identifiers),
    }
    script = "\n".join(command["Parameters"].get("commands", []))
    outcomes = {name: shell.run(script, _slurm(name)) for name in identifiers}
    store(self.ssm_backend, "commands")[command["CommandId"]] = (command, time.monotonic(), outcomes)
    return ActionResult({"Command": command})


def _slurm(instance: str) -> Slurm:
    cluster = life.by_head(instance)
    return cluster.slurm if cluster else Slurm(is_up=False)


@wrap(SimpleSystemManagerResponse, "get_command_invocation")
def get_command_invocation(original: Any, self: Any) -> ActionResult:
    if not world.options.clusters:
        return original(self)
    identifier, instance = self._get_param("CommandId"), self._get_param("InstanceId")
    command, sent, outcomes = store(self.ssm_backend, "commands").get(identifier, (None, 0.0, {}))
    age = time.monotonic() - sent
    if command is None or instance not in outcomes or age < world.options.command_unknown:
        raise Refusal("InvocationDoesNotExist", "")
    outcome = outcomes[instance]
    running = age < world.options.command
    status = "InProgress" if running else "Success" if outcome.code == 0 else "Failed"
    return ActionResult(
        {
            "CommandId": identifier,
            "InstanceId": instance,
            "Comment": command["Comment"],
            "DocumentName": DOCUMENT,
            "DocumentVersion": "$DEFAULT",
            "PluginName": "aws:runShellScript",
            "ResponseCode": -1 if running else outcome.code,
            "Status": status,
            "StatusDetails": status,
            "StandardOutputContent": "" if running else outcome.output[:OUTPUT_LIMIT],
            "StandardOutputUrl": "",
            "StandardErrorContent": "" if running else _failure(outcome)[:OUTPUT_LIMIT],
            "StandardErrorUrl": "",
        }
    )


def _failure(outcome: shell.Outcome) -> str:
    return outcome.error + (f"failed to run commands: exit status {outcome.code}" if outcome.code else "")
