"""Makes what a plan expects to exist, and remembers which real id stands for which given one.

Objects that need a VPC wait until there is one: either the plan names it, or its network stack makes
it. Objects whose bucket is a placeholder wait for that stack.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import ServiceException
from moto.ec2 import ec2_backends
from moto.ec2.models.amis import Ami
from moto.resourcegroups import resourcegroups_backends

from emulator import identifiers
from emulator.services import capacity, placement, reservation_groups
from emulator.services.images import parallelcluster_version

from .folder import Folder, Texts

NEEDS_NETWORK = ("lustre", "zfs_volume", "ontap_volume", "file_cache", "efs")
ANYWHERE = "10.0.0.0/8"
ORDER = (
    "vpc", "subnet", "security_group", "placement_group", "key_pair", "reservation", "reservation_group",
    "image", "elastic_ip", "volume", "secret", "policy", "certificate", "prometheus_workspace",
    "grafana_workspace", "bucket", "object",
)  # fmt: skip
Expected = dict[str, Any]


def _moment(given: str | float | None) -> datetime | None:
    """A time as a text, or as seconds from now."""
    if given is None:
        return None
    if isinstance(given, (int, float)):
        return capacity.now() + timedelta(seconds=given)
    return datetime.fromisoformat(given)


class Surroundings:
    """The account around a plan."""

    def __init__(self, folder: Folder, texts: Texts, keeps_identifiers: bool = False):
        self.region, self.texts, self.keeps_identifiers = folder.region, texts, keeps_identifiers
        self.ec2 = self.client("ec2")
        self.backend = ec2_backends[DEFAULT_ACCOUNT_ID][self.region]
        self.waiting: list[Expected] = []
        self.made: set[str] = set()
        self.public_tables: dict[str, str] = {}
        self.subnet_counts: dict[str, int] = {}
        self.everything_is_deployed = False
        self.file_systems: list[str] = []
        zones = self.ec2.describe_availability_zones()["AvailabilityZones"]
        self.zone_names = {zone["ZoneId"]: zone["ZoneName"] for zone in zones}
        self.zones = [self._zone(zone) for zone in folder.zones]

    def client(self, service: str) -> Any:
        return boto3.client(service, self.region)

    def expect(self, expected: list[Expected]) -> list[str]:
        """Make what can be made now; the answer says what cannot be made at all."""
        fresh = [item for item in expected if json.dumps(item, sort_keys=True) not in self.made]
        self.made.update(json.dumps(item, sort_keys=True) for item in fresh)
        rank = {kind: index for index, kind in enumerate((*ORDER, *NEEDS_NETWORK))}
        self.waiting += sorted(fresh, key=lambda item: rank.get(item["kind"], 0))
        return self.catch_up()

    def catch_up(self) -> list[str]:
        """Try again what waited for a stack."""
        problems, still = [], []
        for item in self.waiting:
            maker: Callable[[Expected], bool] | None = getattr(self, "_" + item["kind"], None)
            if maker is None:
                problems.append(f"expects: unknown kind {item['kind']}")
                continue
            try:
                with identifiers.wanting(item.get("id") if self.keeps_identifiers else None):
                    if not maker(item):
                        still.append(item)
            except (ClientError, ServiceException) as error:
                problems.append(f"expects: {item['kind']} {item.get('id') or item.get('name')}: {error}")
        self.waiting = still
        return problems

    def _zone(self, given: str) -> str:
        """A zone's name; plans may write its id."""
        return self.zone_names.get(given, given)

    def _stands_for(self, given: str, real: str) -> bool:
        if self.keeps_identifiers:
            real = identifiers.rename(given, real, self.region)
        self.texts.identifiers[given] = real
        return True

    def _real(self, given: str | None) -> str | None:
        return self.texts.identifiers.get(given, given) if given else None

    # -- network ----------------------------------------------------------------------------

    def _vpc(self, item: Expected) -> bool:
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for setting in ("EnableDnsSupport", "EnableDnsHostnames"):
            self.ec2.modify_vpc_attribute(VpcId=vpc, **{setting: {"Value": True}})
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        table = self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        self.public_tables[vpc] = table
        return self._stands_for(item["id"], vpc)

    def _subnet(self, item: Expected) -> bool:
        vpc = self._real(item["vpc"]) or ""
        index = self.subnet_counts.get(vpc, 0)
        self.subnet_counts[vpc] = index + 1
        subnet = self.ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{index * 16}.0/20", AvailabilityZone=self._zone(item["zone"])
        )["Subnet"]["SubnetId"]
        if item.get("public"):
            self.ec2.associate_route_table(RouteTableId=self.public_tables[vpc], SubnetId=subnet)
            self.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        return self._stands_for(item["id"], subnet)

    def _security_group(self, item: Expected) -> bool:
        group = self._group(self._real(item["vpc"]) or "", item["id"])
        itself = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=itself)
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=itself)
        return self._stands_for(item["id"], group)

    def _group(self, vpc: str, name: str) -> str:
        return self.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]

    def _elastic_ip(self, item: Expected) -> bool:
        if item["id"].startswith("eipalloc-"):
            return self._stands_for(item["id"], self.ec2.allocate_address(Domain="vpc")["AllocationId"])
        self.ec2.allocate_address(Domain="vpc", Address=item["id"])
        return True

    # -- compute ----------------------------------------------------------------------------

    def _placement_group(self, item: Expected) -> bool:
        if item["name"] not in placement.groups(self.backend):
            self.ec2.create_placement_group(GroupName=item["name"], Strategy="cluster")
        return True

    def _reservation(self, item: Expected) -> bool:
        group = item.get("placement_group")
        if group:
            self._placement_group({"name": group})
        made = capacity.add_reservation(
            self.backend,
            item["instance"],
            self._zone(item["zone"]),
            int(item["count"]),
            platform=item.get("platform") or "Linux/UNIX",
            match="targeted",
            placement_group_arn=placement.groups(self.backend)[group]["GroupArn"] if group else None,
            block=bool(item.get("is_block")),
            start=_moment(item.get("start")),
            end=_moment(item.get("end")),
        )
        return self._stands_for(item["id"], made["CapacityReservationId"])

    def _reservation_group(self, item: Expected) -> bool:
        name = item["arn"].split("/")[-1]
        arn = self.client("resource-groups").create_group(
            Name=name,
            Configuration=[
                {"Type": "AWS::EC2::CapacityReservationPool"},
                {
                    "Type": "AWS::ResourceGroups::Generic",
                    "Parameters": [{"Name": "allowed-resource-types", "Values": ["AWS::EC2::CapacityReservation"]}],
                },
            ],
        )["Group"]["GroupArn"]
        found = reservation_groups.members(resourcegroups_backends[DEFAULT_ACCOUNT_ID][self.region], arn)
        for kind in item["instances"]:
            made = capacity.add_reservation(
                self.backend, kind, self._zone(item["zone"]), int(item["count"]), match="targeted"
            )
            found.append(made["CapacityReservationArn"])
        return self._stands_for(item["arn"], arn)

    def _key_pair(self, item: Expected) -> bool:
        self.ec2.create_key_pair(KeyName=item["name"], KeyType="ed25519")
        return True

    def _image(self, item: Expected) -> bool:
        """The given id is kept: an image can be put into the account under any id."""
        self.backend.amis[item["id"]] = Ami(
            self.backend,
            item["id"],
            name=f"custom-{item['os']}-{item['id']}",
            architecture=item["architecture"],
            root_device_name="/dev/sda1",
            root_device_type="ebs",
            virtualization_type="hvm",
            hypervisor="xen",
            # As the build leaves it, by the release that judges.
            tags={
                "parallelcluster:version": parallelcluster_version(),
                "parallelcluster:os": item["os"],
                "parallelcluster:build_status": "available",
            },
        )
        return True

    def _volume(self, item: Expected) -> bool:
        made = self.ec2.create_volume(Size=100, AvailabilityZone=self._zone(item["zone"]), VolumeType="gp3")
        return self._stands_for(item["id"], made["VolumeId"])

    # -- identity and storage ---------------------------------------------------------------

    def _secret(self, item: Expected) -> bool:
        name = item["arn"].split(":secret:")[-1]
        if len(name) > 7 and name[-7] == "-":
            name = name[:-7]
        # Long enough and in base64, so that it can also be a munge key.
        value = base64.b64encode(b"emulated" * 16).decode()
        made = self.client("secretsmanager").create_secret(Name=name, SecretString=value)
        return self._stands_for(item["arn"], made["ARN"])

    def _policy(self, item: Expected) -> bool:
        iam, arn = self.client("iam"), item["arn"]
        if ":iam::aws:" in arn:
            iam.get_policy(PolicyArn=arn)
            return True
        path, _, name = arn.split(":policy", 1)[1].rpartition("/")
        allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
        made = iam.create_policy(
            PolicyName=name,
            Path=path + "/",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
        )
        return self._stands_for(arn, made["Policy"]["Arn"])

    def _certificate(self, item: Expected) -> bool:
        made = self.client("acm").request_certificate(DomainName="example.com", ValidationMethod="DNS")
        return self._stands_for(item["arn"], made["CertificateArn"])

    def _prometheus_workspace(self, item: Expected) -> bool:
        made = self.client("amp").create_workspace(alias="existing")
        return self._stands_for(item["id"], made["workspaceId"])

    def _grafana_workspace(self, item: Expected) -> bool:
        made = self.client("grafana").create_workspace(
            accountAccessType="CURRENT_ACCOUNT",
            authenticationProviders=["AWS_SSO"],
            permissionType="SERVICE_MANAGED",
            workspaceName="existing",
        )
        return self._stands_for(item["id"], made["workspace"]["id"])

    def _bucket(self, item: Expected) -> bool:
        place = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        self.client("s3").create_bucket(Bucket=item["name"], **place)
        return True

    def _object(self, item: Expected) -> bool:
        bucket, missing = self.texts.resolved(item["bucket"])
        if missing:
            return False
        if bucket not in [known["Name"] for known in self.client("s3").list_buckets()["Buckets"]]:
            if "${" not in item["bucket"] and not self.everything_is_deployed:
                return False  # perhaps a stack of the plan makes it
            self._bucket({"name": bucket})
        key = self.texts.resolved(item["key"])[0]
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=b"#!/bin/bash\n")
        return True

    # -- file systems, which need the cluster's network ---------------------------------------

    def _place(self, given: str | None = None) -> tuple[str, str] | None:
        """A subnet for an existing file system, and a group that admits the cluster."""
        subnets = [subnet for subnet in self.ec2.describe_subnets()["Subnets"] if not self._is_default(subnet["VpcId"])]
        wanted = self._real(given)
        chosen = (
            [subnet for subnet in subnets if subnet["SubnetId"] == wanted]
            if wanted
            else sorted(
                subnets,
                key=lambda subnet: (subnet["MapPublicIpOnLaunch"], subnet["AvailabilityZone"] != self.zones[0]),
            )
        )
        if not chosen:
            return None
        group = self._group(chosen[0]["VpcId"], f"existing-{len(self.backend.enis)}-{len(self.texts.identifiers)}")
        self.ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}]
        )
        return chosen[0]["SubnetId"], group

    def _is_default(self, vpc: str) -> bool:
        return bool(self.backend.get_vpc(vpc).is_default)

    def _file_system(self, item: Expected, **settings: Any) -> dict[str, Any] | None:
        place = self._place(item.get("subnet"))
        if place is None:
            return None
        subnet, group = place
        answer = self.client("fsx").create_file_system(SubnetIds=[subnet], SecurityGroupIds=[group], **settings)
        self.file_systems.append(answer["FileSystem"]["FileSystemId"])
        return answer["FileSystem"]

    def remove_file_systems(self) -> None:
        """Take away what stands in for existing file systems, so that it holds no network of a stack."""
        fsx = self.client("fsx")
        for name in self.file_systems:
            fsx.delete_file_system(
                FileSystemId=name, OpenZFSConfiguration={"Options": ["DELETE_CHILD_VOLUMES_AND_SNAPSHOTS"]}
            )
        self.file_systems.clear()

    def _lustre(self, item: Expected) -> bool:
        made = self._file_system(
            item, FileSystemType="LUSTRE", StorageCapacity=1200,
            LustreConfiguration={"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 125},
        )  # fmt: skip
        return bool(made) and self._stands_for(item["id"], made["FileSystemId"])

    def _zfs_volume(self, item: Expected) -> bool:
        made = self._file_system(
            item, FileSystemType="OPENZFS", StorageCapacity=64,
            OpenZFSConfiguration={"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 64},
        )  # fmt: skip
        return bool(made) and self._stands_for(item["id"], made["OpenZFSConfiguration"]["RootVolumeId"])

    def _ontap_volume(self, item: Expected) -> bool:
        made = self._file_system(
            item, FileSystemType="ONTAP", StorageCapacity=1024,
            OntapConfiguration={"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 128},
        )  # fmt: skip
        if not made:
            return False
        fsx = self.client("fsx")
        machine = fsx.create_storage_virtual_machine(FileSystemId=made["FileSystemId"], Name="svm")
        machine_id = machine["StorageVirtualMachine"]["StorageVirtualMachineId"]
        settings = {"StorageVirtualMachineId": machine_id, "JunctionPath": "/vol", "SizeInMegabytes": 1024}
        volume = fsx.create_volume(VolumeType="ONTAP", Name="vol", OntapConfiguration=settings)
        return self._stands_for(item["id"], volume["Volume"]["VolumeId"])

    def _file_cache(self, item: Expected) -> bool:
        place = self._place(item.get("subnet"))
        if place is None:
            return False
        made = self.client("fsx").create_file_cache(
            FileCacheType="LUSTRE", FileCacheTypeVersion="2.12", StorageCapacity=1200,
            SubnetIds=[place[0]], SecurityGroupIds=[place[1]],
            LustreConfiguration={
                "DeploymentType": "CACHE_1",
                "PerUnitStorageThroughput": 1000,
                "MetadataConfiguration": {"StorageCapacity": 2400},
            },
        )  # fmt: skip
        return self._stands_for(item["id"], made["FileCache"]["FileCacheId"])

    def _efs(self, item: Expected) -> bool:
        place = self._place(item.get("subnet"))
        if place is None:
            return False
        efs = self.client("efs")
        made = efs.create_file_system(CreationToken=item["id"])["FileSystemId"]
        vpc = self.backend.get_subnet(place[0]).vpc_id
        zones: set[str] = set()
        for subnet in self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]:
            if subnet["AvailabilityZone"] not in zones:
                zones.add(subnet["AvailabilityZone"])
                efs.create_mount_target(FileSystemId=made, SubnetId=subnet["SubnetId"], SecurityGroups=[place[1]])
        return self._stands_for(item["id"], made)
