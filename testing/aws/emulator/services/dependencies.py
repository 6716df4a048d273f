"""Deletions that EC2 refuses because something still uses the thing, and two orders of creation.

The emulator underneath deletes subnets and groups that are in use, which would hide every wrong
order of deletion.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance

from ..extension import wrap


def _in_use(kind: str, identifier: str) -> DependencyViolationError:
    if kind == "resource":
        return DependencyViolationError(f"resource {identifier} has a dependent object")
    return DependencyViolationError(f"The {kind} '{identifier}' has dependencies and cannot be deleted.")


def live_instances(backend: Any) -> list[Any]:
    found = (instance for reservation in backend.all_reservations() for instance in reservation.instances)
    return [instance for instance in found if instance.state not in ("terminated", "shutting-down")]


@wrap(EC2Backend, "delete_subnet")
def delete_subnet(original: Any, self: Any, subnet_id: str) -> Any:
    subnet = self.get_subnet(subnet_id)
    cards = any(card.subnet.id == subnet.id for card in self.enis.values())
    if cards or any(instance.subnet_id == subnet_id for instance in live_instances(self)):
        raise _in_use("subnet", subnet_id)
    for table in self.route_tables.values():  # the service drops the association with the subnet
        table._associations = {key: other for key, other in table._associations.items() if other != subnet_id}
    return original(self, subnet_id)


@wrap(EC2Backend, "delete_security_group")
def delete_security_group(original: Any, self: Any, name: str | None = None, group_id: str | None = None) -> Any:
    if group_id and self.get_security_group_from_id(group_id) is not None:
        if any(group_id == group.id for card in self.enis.values() for group in card.group_set):
            raise _in_use("resource", group_id)
        for groups in self.groups.values():
            for other in groups.values():
                rules = [*other.ingress_rules, *other.egress_rules]
                if other.id != group_id and any(_mentions(rule, group_id) for rule in rules):
                    raise _in_use("resource", group_id)
    return original(self, name=name, group_id=group_id)


def _mentions(rule: Any, group_id: str) -> bool:
    return bool(rule.source_group) and rule.source_group.get("GroupId") == group_id


@wrap(EC2Backend, "delete_vpc")
def delete_vpc(original: Any, self: Any, vpc_id: str) -> Any:
    vpc = self.get_vpc(vpc_id)
    gateway = any(item.vpc and item.vpc.id == vpc_id for item in self.internet_gateways.values())
    endpoint = any(item.vpc_id == vpc_id and item.state != "deleted" for item in self.vpc_end_points.values())
    groups = any(not group.is_default for group in self.groups.get(vpc_id, {}).values())
    if gateway or endpoint or groups:
        raise _in_use("vpc", vpc.id)
    return original(self, vpc_id)


@wrap(EC2Backend, "disassociate_vpc_cidr_block")
def disassociate_vpc_cidr_block(original: Any, self: Any, association_id: str) -> Any:
    for vpc in self.vpcs.values():
        block = vpc._cidr_block_association_set.get(association_id, {}).get("cidr_block")
        subnets = self.describe_subnets(filters={"vpc-id": vpc.id}) if block else []
        if any(ip_network(subnet.cidr_block).subnet_of(ip_network(block)) for subnet in subnets):
            raise EC2ClientError(
                "InvalidCidrBlock.InUse",
                f"The vpc CIDR block with association ID {association_id} may not be disassociated. "
                "One or more subnets use it.",
            )
    return original(self, association_id)


@wrap(EC2Backend, "detach_internet_gateway")
def detach_internet_gateway(original: Any, self: Any, internet_gateway_id: str, vpc_id: str) -> Any:
    for address in self.addresses:
        if address.eni is not None and address.eni.subnet.vpc_id == vpc_id:
            raise DependencyViolationError(
                f"Network {vpc_id} has some mapped public address(es). Please unmap those public "
                "address(es) before detaching the gateway."
            )
    return original(self, internet_gateway_id, vpc_id)


@wrap(EC2Backend, "create_nat_gateway")
def create_nat_gateway(
    original: Any,
    self: Any,
    subnet_id: str,
    allocation_id: str,
    tags: dict[str, str] | None = None,
    connectivity_type: str | None = None,
) -> Any:
    """A public NAT gateway needs an attached internet gateway: a template must wait for that."""
    vpc_id = self.get_subnet(subnet_id).vpc_id
    connectivity_type = connectivity_type or "public"
    if connectivity_type == "public" and not is_attached(self, vpc_id):
        raise EC2ClientError("Gateway.NotAttached", f"Network {vpc_id} is not attached to any internet gateway")
    return original(self, subnet_id, allocation_id, tags=tags, connectivity_type=connectivity_type)


def is_attached(backend: Any, vpc_id: str) -> bool:
    return any(item.vpc and item.vpc.id == vpc_id for item in backend.internet_gateways.values())


@wrap(EC2Backend, "create_route")
def create_route(original: Any, self: Any, route_table_id: str, *rest: Any, **options: Any) -> Any:
    gateway = options.get("gateway_id")
    if gateway and gateway.startswith("igw-"):
        vpc_id = self.get_route_table(route_table_id).vpc_id
        attached = self.get_internet_gateway(gateway).vpc
        if attached is None or attached.id != vpc_id:
            raise EC2ClientError(
                "InvalidParameterValue",
                f"route table {route_table_id} and network gateway {gateway} belong to different networks",
            )
    return original(self, route_table_id, *rest, **options)


@wrap(EC2Backend, "delete_nat_gateway")
def delete_nat_gateway(original: Any, self: Any, nat_gateway_id: str) -> Any:
    if nat_gateway_id not in self.nat_gateways:
        raise EC2ClientError("NatGatewayNotFound", f"The Nat Gateway {nat_gateway_id} was not found")
    gateway = original(self, nat_gateway_id)
    self.enis.pop(gateway._eni.id, None)
    for address in self.addresses:
        if address.eni is not None and address.eni.id == gateway._eni.id:
            address.eni = address.association_id = None
    return gateway


@wrap(EC2Backend, "release_address")
def release_address(original: Any, self: Any, address: str | None = None, allocation_id: str | None = None) -> Any:
    for item in self.addresses:
        if item.allocation_id == allocation_id and item.eni is not None:
            raise EC2ClientError("InvalidIPAddress.InUse", f"Address {item.public_ip} is in use.")
    return original(self, address=address, allocation_id=allocation_id)


@wrap(EC2Backend, "create_vpc_endpoint")
def create_vpc_endpoint(original: Any, self: Any, *rest: Any, **options: Any) -> Any:
    """Interface endpoints carry the groups that were asked for, so that those cannot be deleted."""
    endpoint = original(self, *rest, **options)
    groups = [self.get_security_group_from_id(item) for item in options.get("security_group_ids") or []]
    for card in endpoint.network_interface_ids or []:
        if groups:
            self.enis[card]._group_set = [group for group in groups if group]
    return endpoint


@wrap(EC2Backend, "terminate_instances")
def terminate_instances(original: Any, self: Any, instance_ids: list[str]) -> Any:
    """The interfaces that were made with an instance go with it; others are free again."""
    answer = original(self, instance_ids)
    for identifier, card in list(self.enis.items()):
        if card.instance is None or card.instance.id not in instance_ids:
            continue
        if identifier in card.instance.__dict__.get("emulator_lent", ()):
            card.instance, card.attachment_id, card.status = None, None, "available"
        else:
            del self.enis[identifier]
    return answer


@wrap(Instance, "prep_nics")
def prep_nics(original: Any, self: Any, nic_spec: list[dict[str, Any]], *rest: Any, **options: Any) -> None:
    self.emulator_lent = {card["NetworkInterfaceId"] for card in nic_spec if card.get("NetworkInterfaceId")}
    original(self, nic_spec, *rest, **options)


@wrap(EC2Backend, "create_subnet")
def create_subnet(original: Any, self: Any, vpc_id: str, *rest: Any, **options: Any) -> Any:
    """Only a default VPC has default subnets, which give public addresses unasked."""
    subnet = original(self, vpc_id, *rest, **options)
    if not self.get_vpc(vpc_id).is_default:
        subnet.map_public_ip_on_launch = False
        subnet.default_for_az = False
    return subnet
