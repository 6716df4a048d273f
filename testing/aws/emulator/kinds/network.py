"""VPCs, subnets, gateways, routes, addresses and endpoints."""

from __future__ import annotations

from typing import Any

from ..engine.resource import Made, Properties, PropertyError, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for
from .api_type import ApiType, names


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _vpc_settings(request: Request, made: Made, new: Properties, old: Properties | None) -> None:
    ec2 = request.client("ec2")
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        if name in new:
            ec2.modify_vpc_attribute(VpcId=made.physical_id, **{name: {"Value": _is_true(new[name])}})


def _describe_vpc(ec2: Any, identifier: str) -> dict[str, Any]:
    vpc = ec2.describe_vpcs(VpcIds=[identifier])["Vpcs"][0]
    here = [{"Name": "vpc-id", "Values": [identifier]}]
    groups = ec2.describe_security_groups(Filters=[*here, {"Name": "group-name", "Values": ["default"]}])
    lists = ec2.describe_network_acls(Filters=[*here, {"Name": "default", "Values": ["true"]}])
    blocks = [item["AssociationId"] for item in vpc.get("CidrBlockAssociationSet", [])]
    return vpc | {
        "DefaultSecurityGroup": groups["SecurityGroups"][0]["GroupId"],
        "DefaultNetworkAcl": lists["NetworkAcls"][0]["NetworkAclId"],
        "CidrBlockAssociations": blocks,
    }


def _subnet_settings(request: Request, made: Made, new: Properties, old: Properties | None) -> None:
    if "MapPublicIpOnLaunch" in new:
        request.client("ec2").modify_subnet_attribute(
            SubnetId=made.physical_id, MapPublicIpOnLaunch={"Value": _is_true(new["MapPublicIpOnLaunch"])}
        )


def _address_domain(request: Request, properties: Properties) -> Properties:
    return {"Domain": "vpc", **properties}


def _endpoint(request: Request, properties: Properties) -> Properties:
    return {"VpcEndpointType": "Gateway", **properties}


class Attachment(ResourceType):
    """An internet gateway on a VPC; the physical id is IGW|vpc."""

    name = "AWS::EC2::VPCGatewayAttachment"

    def create(self, request: Request, properties: Properties) -> Made:
        gateway, vpc = properties["InternetGatewayId"], properties["VpcId"]
        request.client("ec2").attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        return Made(f"IGW|{vpc}", {"AttachmentType": "IGW"})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("ec2").detach_internet_gateway(
            InternetGatewayId=properties["InternetGatewayId"], VpcId=properties["VpcId"]
        )


class Route(ResourceType):
    """One route; the physical id is table|destination."""

    name = "AWS::EC2::Route"

    def create(self, request: Request, properties: Properties) -> Made:
        ec2 = request.client("ec2")
        ec2.create_route(**parameters_for(ec2, "create_route", properties))
        return Made(f"{properties['RouteTableId']}|{self._destination(properties)[1]}")

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) & {"RouteTableId", *self._destination(old)[:1], *self._destination(new)[:1]}:
            return None
        ec2 = request.client("ec2")
        ec2.replace_route(**parameters_for(ec2, "replace_route", new))
        return made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        name, value = self._destination(properties)
        request.client("ec2").delete_route(RouteTableId=properties["RouteTableId"], **{name: value})

    @staticmethod
    def _destination(properties: Properties) -> tuple[str, str]:
        for name in ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"):
            if name in properties:
                return name, properties[name]
        raise PropertyError("A route needs a destination")


class CidrBlock(ResourceType):
    """A further address block of a VPC."""

    name = "AWS::EC2::VPCCidrBlock"

    def create(self, request: Request, properties: Properties) -> Made:
        ec2 = request.client("ec2")
        answer = ec2.associate_vpc_cidr_block(**parameters_for(ec2, "associate_vpc_cidr_block", properties))
        block = answer.get("CidrBlockAssociation") or answer["Ipv6CidrBlockAssociation"]
        return Made(block["AssociationId"], {"Id": block["AssociationId"]})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("ec2").disassociate_vpc_cidr_block(AssociationId=made.physical_id)


class VpcEndpoint(ApiType):
    """Deletion takes a list, and answers refusals instead of raising them."""

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[made.physical_id])


class PrefixList(ApiType):
    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved = changed(old, new)
        if moved - {"Entries", "MaxEntries", "PrefixListName", "Tags"}:
            return None
        ec2 = request.client("ec2")
        before = {item["Cidr"]: item.get("Description") for item in old.get("Entries", [])}
        after = {item["Cidr"]: item.get("Description") for item in new.get("Entries", [])}
        version = ec2.describe_managed_prefix_lists(PrefixListIds=[made.physical_id])["PrefixLists"][0]["Version"]
        values: dict[str, Any] = {"PrefixListId": made.physical_id, "CurrentVersion": version}
        values["AddEntries"] = [item for item in new.get("Entries", []) if item["Cidr"] not in before]
        values["RemoveEntries"] = [{"Cidr": cidr} for cidr in before if cidr not in after]
        ec2.modify_managed_prefix_list(**{key: value for key, value in values.items() if value})
        return made


register(
    ApiType(
        "AWS::EC2::VPC", "ec2", "create_vpc", "VpcId", "Vpc",
        attributes={
            "VpcId": "VpcId", "CidrBlock": "CidrBlock", "DefaultSecurityGroup": "DefaultSecurityGroup",
            "DefaultNetworkAcl": "DefaultNetworkAcl", "CidrBlockAssociations": "CidrBlockAssociations",
        },
        left_out=names("EnableDnsSupport", "EnableDnsHostnames"), tags="vpc",
        mutable=names("EnableDnsSupport", "EnableDnsHostnames"), after=_vpc_settings, describe=_describe_vpc,
        delete_call="delete_vpc", delete_by="VpcId",
    ),
    ApiType(
        "AWS::EC2::Subnet", "ec2", "create_subnet", "SubnetId", "Subnet",
        attributes={"SubnetId": "SubnetId", "AvailabilityZone": "AvailabilityZone", "CidrBlock": "CidrBlock",
                    "VpcId": "VpcId", "AvailabilityZoneId": "AvailabilityZoneId"},
        left_out=names("MapPublicIpOnLaunch"), mutable=names("MapPublicIpOnLaunch"), tags="subnet",
        after=_subnet_settings, delete_call="delete_subnet", delete_by="SubnetId",
    ),
    ApiType(
        "AWS::EC2::InternetGateway", "ec2", "create_internet_gateway", "InternetGatewayId", "InternetGateway",
        attributes={"InternetGatewayId": "InternetGatewayId"}, tags="internet-gateway",
        delete_call="delete_internet_gateway", delete_by="InternetGatewayId",
    ),
    Attachment(),
    ApiType(
        "AWS::EC2::RouteTable", "ec2", "create_route_table", "RouteTableId", "RouteTable",
        attributes={"RouteTableId": "RouteTableId"}, tags="route-table",
        delete_call="delete_route_table", delete_by="RouteTableId",
    ),
    Route(),
    ApiType(
        "AWS::EC2::SubnetRouteTableAssociation", "ec2", "associate_route_table", "AssociationId", tags="",
        attributes={"Id": "AssociationId"}, delete_call="disassociate_route_table", delete_by="AssociationId",
    ),
    ApiType(
        "AWS::EC2::EIP", "ec2", "allocate_address", "AllocationId",
        attributes={"AllocationId": "AllocationId", "PublicIp": "PublicIp"}, tags="elastic-ip",
        reference="PublicIp", before=_address_domain, delete_call="release_address", delete_by="AllocationId",
    ),
    ApiType(
        "AWS::EC2::NatGateway", "ec2", "create_nat_gateway", "NatGatewayId", "NatGateway",
        attributes={"NatGatewayId": "NatGatewayId"}, tags="natgateway",
        delete_call="delete_nat_gateway", delete_by="NatGatewayId",
    ),
    VpcEndpoint(
        "AWS::EC2::VPCEndpoint", "ec2", "create_vpc_endpoint", "VpcEndpointId", "VpcEndpoint",
        attributes={"Id": "VpcEndpointId", "DnsEntries": "DnsEntries", "NetworkInterfaceIds": "NetworkInterfaceIds",
                    "CreationTimestamp": "CreationTimestamp"},
        tags="vpc-endpoint", before=_endpoint, update_call="modify_vpc_endpoint", update_by="VpcEndpointId",
        mutable=names("PolicyDocument"),
    ),
    CidrBlock(),
    PrefixList(
        "AWS::EC2::PrefixList", "ec2", "create_managed_prefix_list", "PrefixListId", "PrefixList",
        attributes={"PrefixListId": "PrefixListId", "Arn": "PrefixListArn", "OwnerId": "OwnerId",
                    "Version": "Version"},
        tags="prefix-list", delete_call="delete_managed_prefix_list", delete_by="PrefixListId",
    ),
    ApiType(
        "AWS::EC2::InstanceConnectEndpoint", "ec2", "create_instance_connect_endpoint",
        "InstanceConnectEndpointId", "InstanceConnectEndpoint",
        attributes={"Id": "InstanceConnectEndpointId", "InstanceConnectEndpointArn": "InstanceConnectEndpointArn",
                    "VpcId": "VpcId", "State": "State", "AvailabilityZone": "AvailabilityZone"},
        tags="instance-connect-endpoint",
        delete_call="delete_instance_connect_endpoint", delete_by="InstanceConnectEndpointId",
    ),
)  # fmt: skip
