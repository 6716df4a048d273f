"""A new instance: not known everywhere at once, and with one root disk.

For a moment it is without its address, or not there at all. Only callers from outside see that; what
runs in here would wait for it in the same way.
"""

from __future__ import annotations

import time
from typing import Any

from moto.ec2.exceptions import InvalidInstanceIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance

from ..extension import wrap
from ..world import world


def _is_young(instance: Any, seconds: float) -> bool:
    born = instance.__dict__.get("emulator_born")
    return world.caller == "outside" and born is not None and time.monotonic() - born < seconds


@wrap(Instance, "__init__")
def born(original: Any, self: Any, *arguments: Any, **options: Any) -> None:
    original(self, *arguments, **options)
    self.emulator_born = time.monotonic()


@wrap(EC2Backend, "get_reservations_by_instance_ids")
def get_reservations_by_instance_ids(
    original: Any, self: Any, instance_ids: list[str], filters: Any = None
) -> list[Any]:
    for reservation in self.all_reservations():
        for instance in reservation.instances:
            if instance.id in instance_ids and _is_young(instance, world.options.unknown):
                raise InvalidInstanceIdError([instance.id])
    return original(self, instance_ids, filters)


def _hidden_while_young(name: str) -> property:
    known = getattr(Instance, name)

    def value(self: Any) -> str | None:
        return None if _is_young(self, world.options.addressless) else known.fget(self)

    return property(value)


for _name in ("private_ip_address", "private_dns_name"):
    setattr(Instance, _name, _hidden_while_young(_name))


@wrap(Instance, "add_block_device")
def one_disk_for_each_device(original: Any, self: Any, *arguments: Any, **options: Any) -> None:
    """A launch that says how its root disk is to be has no other one beside it."""
    device = options.get("device_path") or arguments[1]
    if device in self.block_device_mapping:
        ghost = self.block_device_mapping[device].volume_id
        self.ec2_backend.detach_volume(ghost, self.id, device)
        self.ec2_backend.delete_volume(ghost)
    original(self, *arguments, **options)
