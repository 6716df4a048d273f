"""Instance types that a test has made scarce: a launch beyond what there is fails as EC2 fails it."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend

from ..extension import wrap
from .dependencies import live_instances

CODE = "InsufficientInstanceCapacity"
# {instance_type, available, code}
RULES: list[dict[str, Any]] = []


@wrap(EC2Backend, "run_instances")
def run_instances(original: Any, self: Any, image_id: str, count: int, *rest: Any, **options: Any) -> Any:
    kind = options.get("instance_type")
    if options.get("is_instance_type_default") and options.get("launch_template"):
        kind = self._get_template_from_args(options["launch_template"]).data.get("InstanceType") or kind
    for rule in RULES:
        if rule["instance_type"] != kind:
            continue
        running = [item for item in live_instances(self) if item.instance_type == kind]
        if len(running) + count > int(rule.get("available", 0)):
            raise EC2ClientError(
                rule.get("code", CODE),
                f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested.",
            )
    return original(self, image_id, count, *rest, **options)
