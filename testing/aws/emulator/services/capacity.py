"""EC2 capacity reservations and Capacity Blocks.

A block is bought from an offering. Its state follows the clock: scheduled before its start, active
until its end, then expired. Capacity never runs out: what exists is what was made.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response

from .. import identifiers
from ..extension import extend, store

TAG = "aws:ec2capacityreservation:"
FILTERS = {
    "availability-zone": "AvailabilityZone",
    "instance-match-criteria": "InstanceMatchCriteria",
    "instance-type": "InstanceType",
    "reservation-type": "ReservationType",
    "state": "State",
    "tenancy": "Tenancy",
}


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def reservations(backend: Any) -> dict[str, dict[str, Any]]:
    """Every reservation of the region, with the state that the clock gives it."""
    found = store(backend, "capacity_reservations")
    for item in found.values():
        _refresh(item)
    return found


def _refresh(item: dict[str, Any]) -> None:
    if item["State"] in ("cancelled", "failed"):
        return
    end = item.get("EndDate")
    if end and end <= now():
        item["State"] = "expired"
    elif item["StartDate"] > now():
        item["State"] = "scheduled"
    else:
        item["State"] = "active"
    # A block that has not started has no instances yet; the tag says how many there will be.
    waiting = item["State"] == "scheduled"
    item["TotalInstanceCount"] = 0 if waiting else item["EmulatorCount"]
    item["AvailableInstanceCount"] = item["TotalInstanceCount"]


def add_reservation(
    backend: Any,
    instance_type: str,
    zone: str,
    count: int,
    *,
    platform: str = "Linux/UNIX",
    match: str = "open",
    placement_group_arn: str | None = None,
    block: bool = False,
    start: datetime | None = None,
    end: datetime | None = None,
    tags: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Put a reservation into the account, as if it had been made or bought."""
    offered = backend.describe_instance_type_offerings("availability-zone", {"instance-type": [instance_type]})
    if zone not in [offer["Location"] for offer in offered]:
        raise EC2ClientError("InvalidParameterValue", f"The instance type {instance_type} is not offered in {zone}.")
    identifier = identifiers.new("cr-", lambda: "cr-0" + uuid.uuid4().hex[:16])
    labels = dict(tags or {})
    if block:
        labels |= {
            TAG + "capacityReservationType": "capacity-block",
            TAG + "incrementalRequestedQuantity": str(count),
        }
    item = {
        "CapacityReservationId": identifier,
        "OwnerId": backend.account_id,
        "CapacityReservationArn": f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:"
        f"capacity-reservation/{identifier}",
        "InstanceType": instance_type,
        "InstancePlatform": platform,
        "AvailabilityZone": zone,
        "AvailabilityZoneId": _zone_id(backend, zone),
        "Tenancy": "default",
        "EbsOptimized": False,
        "EphemeralStorage": False,
        "State": "active",
        "StartDate": start or now(),
        "EndDateType": "limited" if end else "unlimited",
        "InstanceMatchCriteria": "targeted" if block else match,
        "CreateDate": now(),
        "CapacityAllocations": [],
        "ReservationType": "capacity-block" if block else "default",
        "Tags": [{"Key": key, "Value": value} for key, value in labels.items()],
        "EmulatorCount": count,
    }
    if end:
        item["EndDate"] = end
    if placement_group_arn:
        item["PlacementGroupArn"] = placement_group_arn
    if block:
        item["CapacityBlockId"] = "cb-0" + uuid.uuid4().hex[:16]
    _refresh(item)
    store(backend, "capacity_reservations")[identifier] = item
    return item


def _zone_id(backend: Any, name: str) -> str:
    zones = backend.describe_availability_zones(zone_names=[name])
    return zones[0].zone_id if zones else ""


def get_reservation(backend: Any, identifier: str) -> dict[str, Any]:
    found = reservations(backend).get(identifier)
    if found is None:
        raise EC2ClientError(
            "InvalidCapacityReservationId.NotFound",
            f"The capacity reservation with ID {identifier} does not exist.",
        )
    return found


@extend(EC2Response)
def create_capacity_reservation(self: Any) -> ActionResult:
    get, backend = self._get_param, self.ec2_backend
    zone = get("AvailabilityZone")
    if not zone:
        names = {item.zone_id: item.name for item in backend.describe_availability_zones()}
        zone = names.get(get("AvailabilityZoneId"))
    if not zone:
        raise EC2ClientError("MissingParameter", "The request must contain the parameter availabilityZone")
    if get("EndDateType") == "limited" and not get("EndDate"):
        raise EC2ClientError("MissingParameter", "The request must contain the parameter endDate")
    item = add_reservation(
        backend,
        get("InstanceType"),
        zone,
        int(get("InstanceCount") or 0),
        platform=get("InstancePlatform"),
        match=get("InstanceMatchCriteria") or "open",
        placement_group_arn=get("PlacementGroupArn"),
        end=_moment(get("EndDate")),
        tags=self._parse_tag_specification().get("capacity-reservation", {}),
    )
    return ActionResult({"CapacityReservation": item})


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@extend(EC2Response)
def describe_capacity_reservations(self: Any) -> ActionResult:
    backend = self.ec2_backend
    identifiers = self._get_param("CapacityReservationIds", []) or []
    found = [get_reservation(backend, item) for item in identifiers] or list(reservations(backend).values())
    for name, values in (self._filters_from_querystring() or {}).items():
        if name in FILTERS:
            found = [item for item in found if item.get(FILTERS[name]) in values]
        elif name.startswith("tag:"):
            found = [item for item in found if {"Key": name[4:], "Value": values[0]} in item["Tags"]]
    return ActionResult({"CapacityReservations": found})


@extend(EC2Response)
def modify_capacity_reservation(self: Any) -> ActionResult:
    item = get_reservation(self.ec2_backend, self._get_param("CapacityReservationId"))
    if self._get_param("InstanceCount"):
        item["EmulatorCount"] = int(self._get_param("InstanceCount"))
    if self._get_param("EndDateType") == "unlimited":
        item.pop("EndDate", None)
        item["EndDateType"] = "unlimited"
    elif self._get_param("EndDate"):
        item["EndDate"], item["EndDateType"] = _moment(self._get_param("EndDate")), "limited"
    if self._get_param("InstanceMatchCriteria"):
        item["InstanceMatchCriteria"] = self._get_param("InstanceMatchCriteria")
    _refresh(item)
    return ActionResult({"Return": True})


@extend(EC2Response)
def cancel_capacity_reservation(self: Any) -> ActionResult:
    item = get_reservation(self.ec2_backend, self._get_param("CapacityReservationId"))
    if item["ReservationType"] == "capacity-block":
        raise EC2ClientError("OperationNotPermitted", "A Capacity Block cannot be cancelled.")
    item["State"] = "cancelled"
    return ActionResult({"Return": True})


@extend(EC2Response)
def describe_capacity_block_offerings(self: Any) -> ActionResult:
    """One offering per zone that has the type; it starts where the asked range starts, else tomorrow."""
    get, backend = self._get_param, self.ec2_backend
    kind, count = get("InstanceType"), int(get("InstanceCount") or 1)
    hours = int(get("CapacityDurationHours") or 24)
    start = _moment(get("StartDateRange")) or now() + timedelta(days=1)
    zones = [
        offer["Location"]
        for offer in backend.describe_instance_type_offerings("availability-zone", {"instance-type": [kind]})
    ]
    offerings = []
    for zone in zones:
        offering = {
            "CapacityBlockOfferingId": "cbo-0" + uuid.uuid4().hex[:16],
            "InstanceType": kind,
            "AvailabilityZone": zone,
            "InstanceCount": count,
            "StartDate": start,
            "EndDate": start + timedelta(hours=hours),
            "CapacityBlockDurationHours": hours,
            "UpfrontFee": f"{count * hours * 31.464:.4f}",
            "CurrencyCode": "USD",
            "Tenancy": "default",
        }
        store(backend, "block_offerings")[offering["CapacityBlockOfferingId"]] = offering
        offerings.append(offering)
    return ActionResult({"CapacityBlockOfferings": offerings})


@extend(EC2Response)
def purchase_capacity_block(self: Any) -> ActionResult:
    identifier = self._get_param("CapacityBlockOfferingId")
    offering = store(self.ec2_backend, "block_offerings").get(identifier)
    if offering is None:
        raise EC2ClientError("InvalidCapacityBlockOfferingId.NotFound", f"No offering {identifier}.")
    item = add_reservation(
        self.ec2_backend,
        offering["InstanceType"],
        offering["AvailabilityZone"],
        offering["InstanceCount"],
        platform=self._get_param("InstancePlatform") or "Linux/UNIX",
        block=True,
        start=offering["StartDate"],
        end=offering["EndDate"],
        tags=self._parse_tag_specification().get("capacity-reservation", {}),
    )
    return ActionResult({"CapacityReservation": item, "CapacityBlocks": [_block(item)]})


def _block(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "CapacityBlockId": item["CapacityBlockId"],
        "AvailabilityZone": item["AvailabilityZone"],
        "CapacityReservationIds": [item["CapacityReservationId"]],
        "StartDate": item["StartDate"],
        "EndDate": item.get("EndDate"),
        "CreateDate": item["CreateDate"],
        "State": item["State"],
        "Tags": item["Tags"],
    }


@extend(EC2Response)
def describe_capacity_blocks(self: Any) -> ActionResult:
    wanted = self._get_param("CapacityBlockIds", []) or []
    found = [item for item in reservations(self.ec2_backend).values() if "CapacityBlockId" in item]
    return ActionResult(
        {"CapacityBlocks": [_block(item) for item in found if not wanted or item["CapacityBlockId"] in wanted]}
    )


@extend(EC2Response)
def describe_capacity_block_status(self: Any) -> ActionResult:
    wanted = self._get_param("CapacityBlockIds", []) or []
    statuses = [
        {
            "CapacityBlockId": item["CapacityBlockId"],
            "InterconnectStatus": "ok",
            "TotalCapacity": item["TotalInstanceCount"],
            "TotalAvailableCapacity": item["AvailableInstanceCount"],
            "TotalUnavailableCapacity": 0,
            "CapacityReservationStatuses": [
                {
                    "CapacityReservationId": item["CapacityReservationId"],
                    "TotalCapacity": item["TotalInstanceCount"],
                    "TotalAvailableCapacity": item["AvailableInstanceCount"],
                    "TotalUnavailableCapacity": 0,
                }
            ],
        }
        for item in reservations(self.ec2_backend).values()
        if "CapacityBlockId" in item and (not wanted or item["CapacityBlockId"] in wanted)
    ]
    return ActionResult({"CapacityBlockStatuses": statuses})
