"""Network interfaces of managed services, which keep their subnets and groups from being deleted.

The emulator underneath makes databases and load balancers without them.
"""

from __future__ import annotations

from ..engine.resource import Request


def hold(request: Request, owner: str, subnets: list[str], groups: list[str]) -> None:
    """One interface per subnet, described by its owner's name."""
    ec2 = request.client("ec2")
    for subnet in subnets:
        values = {"SubnetId": subnet, "Description": f"Held by {owner}"}
        if groups:
            values["Groups"] = groups
        ec2.create_network_interface(**values)


def release(request: Request, owner: str) -> None:
    ec2 = request.client("ec2")
    filters = [{"Name": "description", "Values": [f"Held by {owner}"]}]
    for card in ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]:
        ec2.delete_network_interface(NetworkInterfaceId=card["NetworkInterfaceId"])
