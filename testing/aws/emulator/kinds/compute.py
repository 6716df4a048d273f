"""Instances, launch templates, placement groups, capacity reservations, network interfaces."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from ..engine.resource import Made, Properties, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for
from .api_type import ApiType, names, tag_list

LEFT_OUT = names(
    "PropagateTagsToVolumeOnCreation",
    "SourceDestCheck",
    "Volumes",
    "Affinity",
    "Tenancy",
    "AvailabilityZone",
    "PlacementGroupName",
    "Tags",
)


class Instance(ResourceType):
    name = "AWS::EC2::Instance"

    def create(self, request: Request, properties: Properties) -> Made:
        ec2 = request.client("ec2")
        values = {key: value for key, value in properties.items() if key not in LEFT_OUT}
        placement = {
            "AvailabilityZone": properties.get("AvailabilityZone"),
            "GroupName": properties.get("PlacementGroupName"),
            "Tenancy": properties.get("Tenancy"),
        }
        if any(placement.values()):
            values["Placement"] = {key: value for key, value in placement.items() if value}
        if "IamInstanceProfile" in values:
            values["IamInstanceProfile"] = {"Name": values["IamInstanceProfile"]}
        if "Monitoring" in values:
            values["Monitoring"] = {"Enabled": values["Monitoring"]}
        if "UserData" in values:
            values["UserData"] = base64.b64decode(values["UserData"]).decode()
        for card in values.get("NetworkInterfaces", []):
            if "GroupSet" in card:
                card["Groups"] = card.pop("GroupSet")
        values |= {"MinCount": 1, "MaxCount": 1, "ClientToken": str(uuid.uuid4())}
        if labels := tag_list(properties, request):
            values["TagSpecifications"] = [{"ResourceType": "instance", "Tags": labels}]
        answer = ec2.run_instances(**parameters_for(ec2, "run_instances", values))
        return self._made(ec2, answer["Instances"][0]["InstanceId"])

    @staticmethod
    def _made(ec2: Any, identifier: str) -> Made:
        found = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
        attributes = {
            "InstanceId": identifier,
            "AvailabilityZone": found["Placement"]["AvailabilityZone"],
            "PrivateDnsName": found.get("PrivateDnsName", ""),
            "PrivateIp": found.get("PrivateIpAddress", ""),
            "PublicDnsName": found.get("PublicDnsName", ""),
            "PublicIp": found.get("PublicIpAddress", ""),
            "VpcId": found.get("VpcId", ""),
        }
        return Made(identifier, attributes)

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved, ec2 = changed(old, new), request.client("ec2")
        if moved - {"SecurityGroupIds", "InstanceType", "Tags", "DisableApiTermination", "Monitoring"}:
            return None
        if "SecurityGroupIds" in moved:
            ec2.modify_instance_attribute(InstanceId=made.physical_id, Groups=new["SecurityGroupIds"])
        if "InstanceType" in moved:
            ec2.stop_instances(InstanceIds=[made.physical_id])
            ec2.modify_instance_attribute(InstanceId=made.physical_id, InstanceType={"Value": new["InstanceType"]})
            ec2.start_instances(InstanceIds=[made.physical_id])
        if labels := tag_list(new, request):
            ec2.create_tags(Resources=[made.physical_id], Tags=labels)
        return self._made(ec2, made.physical_id)

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("ec2").terminate_instances(InstanceIds=[made.physical_id])


class LaunchTemplate(ResourceType):
    name = "AWS::EC2::LaunchTemplate"

    def create(self, request: Request, properties: Properties) -> Made:
        ec2 = request.client("ec2")
        values = {"LaunchTemplateName": request.generated_name(128), **properties}
        labels = [{"Key": key, "Value": value} for key, value in request.tags.items()]
        specifications = values.pop("TagSpecifications", None)
        if not specifications and labels:
            specifications = [{"ResourceType": "launch-template", "Tags": labels}]
        if specifications:
            values["TagSpecifications"] = specifications
        template = ec2.create_launch_template(**parameters_for(ec2, "create_launch_template", values))
        return self._made(template["LaunchTemplate"])

    @staticmethod
    def _made(template: dict[str, Any]) -> Made:
        return Made(
            template["LaunchTemplateId"],
            {
                "LaunchTemplateId": template["LaunchTemplateId"],
                "DefaultVersionNumber": str(template["DefaultVersionNumber"]),
                "LatestVersionNumber": str(template["LatestVersionNumber"]),
            },
        )

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) - {"LaunchTemplateData", "VersionDescription"}:
            return None
        ec2 = request.client("ec2")
        values = {"LaunchTemplateId": made.physical_id, "LaunchTemplateData": new["LaunchTemplateData"]}
        ec2.create_launch_template_version(**parameters_for(ec2, "create_launch_template_version", values))
        found = ec2.describe_launch_templates(LaunchTemplateIds=[made.physical_id])["LaunchTemplates"][0]
        return self._made(found)

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("ec2").delete_launch_template(LaunchTemplateId=made.physical_id)


def _group_name(request: Request, properties: Properties) -> Properties:
    return {"Strategy": "cluster", **properties, "GroupName": request.generated_name(255)}


def _describe_reservation(ec2: Any, identifier: str) -> Any:
    return ec2.describe_capacity_reservations(CapacityReservationIds=[identifier])["CapacityReservations"][0]


register(
    Instance(),
    LaunchTemplate(),
    ApiType(
        "AWS::EC2::PlacementGroup", "ec2", "create_placement_group", "GroupName", "PlacementGroup",
        attributes={"GroupName": "GroupName", "GroupId": "GroupId"}, tags="placement-group", before=_group_name,
        delete_call="delete_placement_group", delete_by="GroupName",
    ),
    ApiType(
        "AWS::EC2::CapacityReservation", "ec2", "create_capacity_reservation", "CapacityReservationId",
        "CapacityReservation",
        attributes={
            "Id": "CapacityReservationId", "CapacityReservationArn": "CapacityReservationArn",
            "AvailabilityZone": "AvailabilityZone", "AvailableInstanceCount": "AvailableInstanceCount",
            "InstanceType": "InstanceType", "Tenancy": "Tenancy", "TotalInstanceCount": "TotalInstanceCount",
        },
        tags="", describe=_describe_reservation,
        update_call="modify_capacity_reservation", update_by="CapacityReservationId",
        mutable=names("InstanceCount", "EndDate", "EndDateType", "InstanceMatchCriteria"),
        delete_call="cancel_capacity_reservation", delete_by="CapacityReservationId",
    ),
    ApiType(
        "AWS::EC2::NetworkInterface", "ec2", "create_network_interface", "NetworkInterfaceId", "NetworkInterface",
        attributes={"Id": "NetworkInterfaceId", "PrimaryPrivateIpAddress": "PrivateIpAddress", "VpcId": "VpcId"},
        renames={"GroupSet": "Groups"}, left_out=names("SourceDestCheck"), tags="network-interface",
        mutable=names("SourceDestCheck"),
        delete_call="delete_network_interface", delete_by="NetworkInterfaceId",
    ),
)  # fmt: skip
