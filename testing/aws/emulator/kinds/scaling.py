"""Auto Scaling groups, which hold the login nodes of clusters."""

from __future__ import annotations

from typing import Any

from ..engine.resource import Made, Properties, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for
from .api_type import tag_map

RENAMES = {"Cooldown": "DefaultCooldown"}
FIXED = {"AutoScalingGroupName", "InstanceId"}
NOT_CHANGED = {"Tags", "TargetGroupARNs", "LifecycleHookSpecificationList"}


class Group(ResourceType):
    name = "AWS::AutoScaling::AutoScalingGroup"

    def create(self, request: Request, properties: Properties) -> Made:
        name = properties.get("AutoScalingGroupName") or request.generated_name(255)
        own = {item["Key"]: item for item in properties.get("Tags", [])}
        values = self._values(properties) | {"AutoScalingGroupName": name}
        values["Tags"] = [
            {
                "Key": key, "Value": value, "ResourceId": name, "ResourceType": "auto-scaling-group",
                "PropagateAtLaunch": own.get(key, {}).get("PropagateAtLaunch", True),
            }
            for key, value in tag_map(properties, request).items()
        ]  # fmt: skip
        scaling = request.client("autoscaling")
        scaling.create_auto_scaling_group(**parameters_for(scaling, "create_auto_scaling_group", values))
        return Made(name)

    @staticmethod
    def _values(properties: Properties) -> dict[str, Any]:
        values = {RENAMES.get(key, key): value for key, value in properties.items() if key != "Tags"}
        if "VPCZoneIdentifier" in values:
            values["VPCZoneIdentifier"] = ",".join(values["VPCZoneIdentifier"])
        return values

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) & FIXED:
            return None
        values = {key: value for key, value in self._values(new).items() if key not in NOT_CHANGED | FIXED}
        values["AutoScalingGroupName"] = made.physical_id
        scaling = request.client("autoscaling")
        scaling.update_auto_scaling_group(**parameters_for(scaling, "update_auto_scaling_group", values))
        return made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("autoscaling").delete_auto_scaling_group(
            AutoScalingGroupName=made.physical_id, ForceDelete=True
        )


register(Group())
