"""SSM Run Command on nodes of clusters: commands take a moment, and unknown ones fail as in a shell.

With --scripts what the small interpreter (clusters/shell.py) does not know is really run (clusters/head_shell.py).
Where nothing is in the background, the emulator underneath answers as it always did.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2 import ec2_backends
from moto.ssm.responses import SimpleSystemManagerResponse

from ..clusters import head_shell, life, shell
from ..clusters.head_shell import Running
from ..clusters.slurm import Slurm
from ..errors import Refusal
from ..extension import extend, store, wrap
from ..world import world
from .dependencies import live_instances

# Characters of GetCommandInvocation; the rest is only in a bucket.
OUTPUT_LIMIT, ERROR_LIMIT = 24_000, 8_000
DOCUMENT = "AWS-RunShellScript"
DEFAULT_SECONDS = 3600.0
# As the service says it in StatusDetails.
DETAILS = {"TimedOut": "Execution Timed Out"}


@dataclass
class Sent:
    """A command, and what comes of it on each instance."""

    command: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    invocations: dict[str, shell.Outcome | Running] = field(default_factory=dict)


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
    parameters = command["Parameters"]
    script = "\n".join(parameters.get("commands", []))
    if "{{" in script:
        raise Refusal("InvalidParameters", "Parameters of the account are put in the place of {{ssm:NAME}}")
    seconds = float((parameters.get("executionTimeout") or [DEFAULT_SECONDS])[0])
    sent = Sent(command, invocations={name: _begin(name, script, seconds) for name in identifiers})
    store(self.ssm_backend, "commands")[command["CommandId"]] = sent
    return ActionResult({"Command": command})


def _begin(instance: str, script: str, seconds: float) -> shell.Outcome | Running:
    cluster = life.by_head(instance)
    slurm = cluster.slurm if cluster else Slurm(is_up=False)
    if world.options.scripts and cluster and not shell.knows(script):
        return head_shell.of(instance, cluster.system).begin(script, seconds, slurm)
    return shell.run(script, slurm)


@wrap(SimpleSystemManagerResponse, "get_command_invocation")
def get_command_invocation(original: Any, self: Any) -> ActionResult:
    if not world.options.clusters:
        return original(self)
    identifier, instance = self._get_param("CommandId"), self._get_param("InstanceId")
    sent = store(self.ssm_backend, "commands").get(identifier)
    age = time.monotonic() - sent.at if sent else 0.0
    if sent is None or instance not in sent.invocations or age < world.options.command_unknown:
        raise Refusal("InvocationDoesNotExist", "")
    found = sent.invocations[instance]
    running = age < world.options.command or (isinstance(found, Running) and not found.is_over)
    outcome = shell.Outcome() if running else found.outcome() if isinstance(found, Running) else found
    ended = found.end if isinstance(found, Running) else ""
    status = "InProgress" if running else ended or ("Success" if outcome.code == 0 else "Failed")
    return ActionResult(
        {
            "CommandId": identifier,
            "InstanceId": instance,
            "Comment": sent.command["Comment"],
            "DocumentName": DOCUMENT,
            "DocumentVersion": "$DEFAULT",
            "PluginName": "aws:runShellScript",
            "ResponseCode": -1 if running else outcome.code,
            "Status": status,
            "StatusDetails": DETAILS.get(status, status),
            "StandardOutputContent": "" if running else outcome.output[:OUTPUT_LIMIT],
            "StandardOutputUrl": "",
            "StandardErrorContent": "" if running else _failure(outcome)[:ERROR_LIMIT],
            "StandardErrorUrl": "",
        }
    )


@extend(SimpleSystemManagerResponse)
def cancel_command(self: Any) -> ActionResult:
    sent = store(self.ssm_backend, "commands").get(self._get_param("CommandId"))
    if sent is None:
        raise Refusal("InvalidCommandId", "")
    for instance in self._get_param("InstanceIds", []) or sent.invocations:
        found = sent.invocations.get(instance)
        if isinstance(found, Running):
            found.kill("Cancelled")
    return ActionResult({})


def _failure(outcome: shell.Outcome) -> str:
    return outcome.error + (f"failed to run commands: exit status {outcome.code}" if outcome.code else "")
