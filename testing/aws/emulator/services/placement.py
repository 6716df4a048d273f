"""EC2 placement groups and instance topology."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response

from ..extension import extend, store


def groups(backend: Any) -> dict[str, dict[str, Any]]:
    return store(backend, "placement_groups")


def unknown(name: str) -> EC2ClientError:
    return EC2ClientError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")


@extend(EC2Response)
def create_placement_group(self: Any) -> ActionResult:
    name, backend = self._get_param("GroupName"), self.ec2_backend
    if name in groups(backend):
        raise EC2ClientError("InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists.")
    tags = self._parse_tag_specification().get("placement-group", {})
    group = {
        "GroupName": name,
        "GroupId": "pg-0" + uuid.uuid4().hex[:16],
        "GroupArn": f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:placement-group/{name}",
        "State": "available",
        "Strategy": self._get_param("Strategy") or "cluster",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    groups(backend)[name] = group
    return ActionResult({"PlacementGroup": group})


@extend(EC2Response)
def describe_placement_groups(self: Any) -> ActionResult:
    found = groups(self.ec2_backend)
    names = self._get_param("GroupNames", []) or []
    identifiers = self._get_param("GroupIds", []) or []
    for name in names:
        if name not in found:
            raise unknown(name)
    filters = self._filters_from_querystring() or {}
    names = names or filters.get("group-name", [])
    chosen = [
        group
        for group in found.values()
        if (not names or group["GroupName"] in names)
        and (not identifiers or group["GroupId"] in identifiers)
        and group["Strategy"] in filters.get("strategy", [group["Strategy"]])
    ]
    return ActionResult({"PlacementGroups": chosen})


@extend(EC2Response)
def delete_placement_group(self: Any) -> ActionResult:
    name, backend = self._get_param("GroupName"), self.ec2_backend
    if name not in groups(backend):
        raise unknown(name)
    for reservation in backend.all_reservations():
        for instance in reservation.instances:
            placed = getattr(instance, "placement", None)
            if getattr(placed, "group_name", None) == name and instance.state not in ("terminated", "shutting-down"):
                raise EC2ClientError("InvalidPlacementGroup.InUse", f"The placement group '{name}' is in use.")
    del groups(backend)[name]
    return ActionResult({})


def _node(seed: str) -> str:
    return "nn-" + hashlib.sha256(seed.encode()).hexdigest()[:17]


@extend(EC2Response)
def describe_instance_topology(self: Any) -> ActionResult:
    """Eight instances share a switch, 64 a spine: made up, but the same for the same order of launch."""
    wanted = self._get_param("InstanceIds", []) or []
    found = []
    running = [instance for group in self.ec2_backend.all_reservations() for instance in group.instances]
    for index, instance in enumerate(running):
        if wanted and instance.id not in wanted:
            continue
        zone = str(getattr(instance, "_placement", None) or getattr(instance, "placement", "") or "")
        found.append(
            {
                "InstanceId": instance.id,
                "InstanceType": instance.instance_type,
                "AvailabilityZone": zone if zone.startswith(self.region) else self.region + "a",
                "NetworkNodes": [_node("core"), _node(f"spine{index // 64}"), _node(f"leaf{index // 8}")],
            }
        )
    return ActionResult({"Instances": found})
