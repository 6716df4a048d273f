"""What RunInstances checks before it launches or answers a dry run.

ParallelCluster asks for dry runs to see whether a node could start. The checks here are those that
the service makes first: image, type and architecture, zone, subnet, groups, key. Quotas, capacity
and permissions are not checked.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.responses import EC2Response

from ..extension import wrap
from . import capacity, placement
from .images import ROOT_VOLUME_GIB


ROOT_DEVICES = ("/dev/sda1", "/dev/xvda")


@wrap(EC2Response, "_parse_block_device_mapping")
def without_instance_store(original: Any, self: Any) -> list[dict[str, Any]]:
    """Mappings of instance store volumes are legal, but the emulator underneath wants a disk in each."""
    get = self._get_param

    def only_disks(name: str, default: Any = None, *rest: Any) -> Any:
        value = get(name, default, *rest)
        if name == "BlockDeviceMappings" and value:
            return [_sized(mapping) for mapping in value if "VirtualName" not in mapping]
        return value

    self._get_param = only_disks
    try:
        return original(self)
    finally:
        del self._get_param


def _sized(mapping: dict[str, Any]) -> dict[str, Any]:
    """A root disk goes with its instance; without a size it gets the image's."""
    disk = mapping.get("Ebs")
    if disk and mapping.get("DeviceName") in ROOT_DEVICES and "DeleteOnTermination" not in disk:
        disk = {**disk, "DeleteOnTermination": True}
        mapping = {**mapping, "Ebs": disk}
    if not disk or disk.get("VolumeSize") or disk.get("SnapshotId"):
        return mapping
    return {**mapping, "Ebs": {**disk, "VolumeSize": ROOT_VOLUME_GIB}}


@wrap(LaunchTemplateVersion, "__init__")
def launch_template_without_instance_store(original: Any, self: Any, *arguments: Any, **options: Any) -> None:
    original(self, *arguments, **options)
    mappings = self.data.get("BlockDeviceMappings") if isinstance(self.data, dict) else None
    if mappings:
        self.data["BlockDeviceMappings"] = [_sized(mapping) for mapping in mappings if "Ebs" in mapping]


@wrap(EC2Response, "run_instances")
def run_instances(original: Any, self: Any) -> Any:
    if self._get_param("ImageId"):
        _check_launch(self)
    return original(self)


def _check_launch(response: Any) -> None:
    get, backend = response._get_param, response.ec2_backend
    image = backend.describe_images(ami_ids=[get("ImageId")])[0]
    kind = get("InstanceType") or "m1.small"
    details = backend.describe_instance_types([kind])[0]
    architectures = details["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture not in architectures:
        raise EC2ClientError(
            "Unsupported",
            f"The requested configuration is currently not supported: the image's architecture "
            f"'{image.architecture}' does not match that of {kind}.",
        )
    cards = get("NetworkInterfaces", []) or []
    for subnet_id in {card["SubnetId"] for card in cards if card.get("SubnetId")} | {get("SubnetId")} - {None}:
        _check_zone(backend, kind, subnet_id)
    groups = [group for card in cards for group in card.get("Groups") or card.get("SecurityGroupIds") or []]
    for group in groups + list(get("SecurityGroupIds", []) or []):
        if backend.get_security_group_from_id(group) is None:
            raise EC2ClientError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
    if get("KeyName"):
        backend.describe_key_pairs(key_names=[get("KeyName")])
    if len(cards) > 1 and any(_true(card.get("AssociatePublicIpAddress")) for card in cards):
        raise EC2ClientError(
            "InvalidParameterCombination",
            "The associatePublicIPAddress parameter cannot be specified when launching with multiple "
            "network interfaces.",
        )
    _check_targets(response, backend, kind)


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def _check_zone(backend: Any, kind: str, subnet_id: str) -> None:
    zone = backend.get_subnet(subnet_id).availability_zone
    offers = backend.describe_instance_type_offerings("availability-zone", {"instance-type": [kind]})
    if zone not in [offer["Location"] for offer in offers]:
        raise EC2ClientError(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone ({zone}).",
        )


def _check_targets(response: Any, backend: Any, kind: str) -> None:
    placed = response._get_param("Placement") or {}
    name = placed.get("GroupName") if isinstance(placed, dict) else None
    if name and name not in placement.groups(backend):
        raise placement.unknown(name)
    target = response._get_param("CapacityReservationSpecification") or {}
    target = target.get("CapacityReservationTarget", {}) if isinstance(target, dict) else {}
    if identifier := target.get("CapacityReservationId"):
        reservation = capacity.get_reservation(backend, identifier)
        if reservation["InstanceType"] != kind:
            raise EC2ClientError(
                "ReservationCapacityExceeded",
                f"Reservation {identifier} is for {reservation['InstanceType']}, not for {kind}.",
            )


@wrap(EC2Backend, "run_instances")
def with_what_the_template_says(original: Any, self: Any, *arguments: Any, **options: Any) -> Any:
    """A launch without a network or disks of its own takes those of its launch template.

    Of the network only the first interface. Disks are handed on, since the emulator underneath would
    otherwise make a root disk of its own besides.
    """
    template = options.get("launch_template")
    if template and "block_device_mappings" not in options:
        mappings = self._get_template_from_args(template).data.get("BlockDeviceMappings")
        options |= {"block_device_mappings": mappings} if mappings else {}
    if template and not options.get("nics") and not options.get("subnet_id"):
        data = self._get_template_from_args(template).data
        cards = [card for card in data.get("NetworkInterfaces") or [] if int(card.get("NetworkCardIndex") or 0) == 0]
        first = next((card for card in cards if int(card.get("DeviceIndex") or 0) == 0), None)
        if first:
            options |= _network(self, first)
    return original(self, *arguments, **options)


def _network(backend: Any, card: dict[str, Any]) -> dict[str, Any]:
    if identifier := card.get("NetworkInterfaceId"):
        subnet = backend.get_network_interface(identifier).subnet.id
        return {"nics": [{"DeviceIndex": 0, "NetworkInterfaceId": identifier}], "subnet_id": subnet}
    used = {"DeviceIndex": 0, "SubnetId": card["SubnetId"], "Groups": list(card.get("Groups") or [])}
    if "AssociatePublicIpAddress" in card:
        used["AssociatePublicIpAddress"] = _true(card["AssociatePublicIpAddress"])
    return {"nics": [used], "subnet_id": card["SubnetId"]}
