"""EC2 Instance Connect Endpoints, each with a network interface in its subnet."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, EC2_RESOURCE_TO_PREFIX

from ..extension import extend, store

# So that CreateTags takes their ids.
EC2_RESOURCE_TO_PREFIX["instance-connect-endpoint"] = "eice"
EC2_PREFIX_TO_RESOURCE["eice"] = "instance-connect-endpoint"


def endpoints(backend: Any) -> dict[str, dict[str, Any]]:
    return store(backend, "instance_connect_endpoints")


@extend(EC2Response)
def create_instance_connect_endpoint(self: Any) -> ActionResult:
    backend = self.ec2_backend
    subnet = backend.get_subnet(self._get_param("SubnetId"))
    if any(item["VpcId"] == subnet.vpc_id for item in endpoints(backend).values()):
        raise EC2ClientError("VpcEndpointLimitExceeded", "One EC2 Instance Connect Endpoint per VPC is allowed.")
    groups = self._get_param("SecurityGroupIds", []) or []
    for group in groups:
        if backend.get_security_group_from_id(group) is None:
            raise EC2ClientError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
    identifier = "eice-0" + uuid.uuid4().hex[:16]
    card = backend.create_network_interface(
        subnet, None, group_ids=list(groups), description=f"EC2 Instance Connect Endpoint {identifier}"
    )
    preserve = self._get_param("PreserveClientIp")
    item = {
        "OwnerId": backend.account_id,
        "InstanceConnectEndpointId": identifier,
        "InstanceConnectEndpointArn": f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:"
        f"instance-connect-endpoint/{identifier}",
        "State": "create-complete",
        "StateMessage": "",
        "DnsName": f"{identifier}.{uuid.uuid4().hex[:8]}.ec2-instance-connect-endpoint.{backend.region_name}"
        ".amazonaws.com",
        "FipsDnsName": "",
        "NetworkInterfaceIds": [card.id],
        "VpcId": subnet.vpc_id,
        "AvailabilityZone": subnet.availability_zone,
        "CreatedAt": datetime.now(UTC),
        "SubnetId": subnet.id,
        "PreserveClientIp": str(preserve).lower() == "true",
        "SecurityGroupIds": [group.id for group in card.group_set],
        "Tags": [
            {"Key": key, "Value": value}
            for key, value in self._parse_tag_specification().get("instance-connect-endpoint", {}).items()
        ],
    }
    endpoints(backend)[identifier] = item
    return ActionResult({"InstanceConnectEndpoint": item})


@extend(EC2Response)
def describe_instance_connect_endpoints(self: Any) -> ActionResult:
    wanted = self._get_param("InstanceConnectEndpointIds", []) or []
    found = list(endpoints(self.ec2_backend).values())
    for identifier in wanted:
        _get(self.ec2_backend, identifier)
    names = {"vpc-id": "VpcId", "subnet-id": "SubnetId", "state": "State"}
    for name, values in (self._filters_from_querystring() or {}).items():
        if name in names:
            found = [item for item in found if item[names[name]] in values]
    chosen = [item for item in found if not wanted or item["InstanceConnectEndpointId"] in wanted]
    return ActionResult({"InstanceConnectEndpoints": chosen})


@extend(EC2Response)
def delete_instance_connect_endpoint(self: Any) -> ActionResult:
    backend = self.ec2_backend
    item = _get(backend, self._get_param("InstanceConnectEndpointId"))
    for card in item["NetworkInterfaceIds"]:
        backend.enis.pop(card, None)
    del endpoints(backend)[item["InstanceConnectEndpointId"]]
    return ActionResult({"InstanceConnectEndpoint": item | {"State": "delete-complete"}})


def _get(backend: Any, identifier: str) -> dict[str, Any]:
    if identifier not in endpoints(backend):
        raise EC2ClientError(
            "InvalidInstanceConnectEndpointId.NotFound",
            f"The Instance Connect Endpoint '{identifier}' does not exist",
        )
    return endpoints(backend)[identifier]
