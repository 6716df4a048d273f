"""The services beyond CloudFormation: capacity, images, launches, file systems, Grafana, the server."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from emulator.services.images import parallelcluster_version
from tests.support import EmulatorTest, client

HERE = Path(__file__).resolve().parents[1]


class CapacityTest(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.ec2 = client("ec2")

    def buy(self, start: datetime) -> dict:  # type: ignore[type-arg]
        offering = self.ec2.describe_capacity_block_offerings(
            InstanceType="p5.48xlarge", InstanceCount=2, CapacityDurationHours=24, StartDateRange=start
        )["CapacityBlockOfferings"][0]
        return self.ec2.purchase_capacity_block(
            CapacityBlockOfferingId=offering["CapacityBlockOfferingId"], InstancePlatform="Linux/UNIX"
        )["CapacityReservation"]

    def test_a_block_follows_the_clock(self) -> None:
        moment = datetime.now(timezone.utc)
        future, running, past = (self.buy(moment + timedelta(hours=hours)) for hours in (5, -5, -50))
        found = self.ec2.describe_capacity_reservations()["CapacityReservations"]
        states = {item["CapacityReservationId"]: item for item in found}
        for block, state, count in ((future, "scheduled", 0), (running, "active", 2), (past, "expired", 2)):
            item = states[block["CapacityReservationId"]]
            self.assertEqual((item["State"], item["TotalInstanceCount"]), (state, count))
            self.assertEqual(item["ReservationType"], "capacity-block")
        status = self.ec2.describe_capacity_block_status()["CapacityBlockStatuses"]
        self.assertEqual(len(status), 3)

    def test_a_reservation_is_made_changed_and_cancelled(self) -> None:
        made = self.ec2.create_capacity_reservation(
            InstanceType="p5.48xlarge", InstancePlatform="Linux/UNIX", AvailabilityZone="us-east-1a", InstanceCount=1
        )["CapacityReservation"]["CapacityReservationId"]
        self.ec2.modify_capacity_reservation(CapacityReservationId=made, InstanceCount=3)
        find = self.ec2.describe_capacity_reservations
        item = find(CapacityReservationIds=[made])["CapacityReservations"][0]
        self.assertEqual(item["TotalInstanceCount"], 3)
        self.ec2.cancel_capacity_reservation(CapacityReservationId=made)
        found = find(Filters=[{"Name": "state", "Values": ["active"]}])["CapacityReservations"]
        self.assertEqual(found, [])
        self.refused("InvalidCapacityReservationId.NotFound", find, CapacityReservationIds=["cr-1"])

    def test_a_group_of_reservations(self) -> None:
        made = self.ec2.create_capacity_reservation(
            InstanceType="p5.48xlarge", InstancePlatform="Linux/UNIX", AvailabilityZone="us-east-1a", InstanceCount=1
        )["CapacityReservation"]["CapacityReservationArn"]
        groups = client("resource-groups")
        group = groups.create_group(
            Name="pool", Configuration=[{"Type": "AWS::EC2::CapacityReservationPool"}]
        )["Group"]["GroupArn"]
        groups.group_resources(Group=group, ResourceArns=[made])
        found = groups.list_group_resources(Group=group)["Resources"]
        self.assertEqual(found[0]["Identifier"]["ResourceArn"], made)

    def test_placement_groups(self) -> None:
        self.ec2.create_placement_group(GroupName="g", Strategy="cluster")
        self.assertEqual(len(self.ec2.describe_placement_groups(GroupNames=["g"])["PlacementGroups"]), 1)
        self.ec2.delete_placement_group(GroupName="g")
        self.refused("InvalidPlacementGroup.Unknown", self.ec2.describe_placement_groups, GroupNames=["g"])


class LaunchTest(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.ec2 = client("ec2")
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(
            VpcId=vpc, CidrBlock="10.0.0.0/20", AvailabilityZone="us-east-1a"
        )["Subnet"]["SubnetId"]
        self.image = self.official("x86_64")

    def official(self, architecture: str) -> str:
        filters = [{"Name": "name", "Values": ["aws-parallelcluster-*"]},
                   {"Name": "architecture", "Values": [architecture]}]  # fmt: skip
        return self.ec2.describe_images(Owners=["amazon"], Filters=filters)["Images"][0]["ImageId"]

    def test_every_os_has_both_images(self) -> None:
        from pcluster.constants import OS_TO_IMAGE_NAME_PART_MAP

        filters = [{"Name": "name", "Values": [f"aws-parallelcluster-{parallelcluster_version()}-*"]}]
        found = self.ec2.describe_images(Owners=["amazon"], Filters=filters)["Images"]
        self.assertEqual(len(found), 2 * len(OS_TO_IMAGE_NAME_PART_MAP))

    def test_dry_runs(self) -> None:
        good = {"ImageId": self.image, "InstanceType": "m5.large", "SubnetId": self.subnet, "MinCount": 1,
                "MaxCount": 1, "DryRun": True}  # fmt: skip
        cases = [
            ("DryRunOperation", {}),
            ("DryRunOperation", {"BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}]}),
            ("Unsupported", {"ImageId": self.official("arm64")}),
            ("InvalidKeyPair.NotFound", {"KeyName": "nobody"}),
            ("InvalidGroup.NotFound", {"SecurityGroupIds": ["sg-12345678"]}),
            ("InvalidSubnetID.NotFound", {"SubnetId": "subnet-12345678"}),
            ("InvalidPlacementGroup.Unknown", {"Placement": {"GroupName": "nobody"}}),
        ]
        for code, change in cases:
            with self.subTest(f"{code} {change}"):
                self.refused(code, self.ec2.run_instances, **(good | change))

    def test_topology(self) -> None:
        self.ec2.run_instances(ImageId=self.image, InstanceType="m5.large", SubnetId=self.subnet, MinCount=2, MaxCount=2)
        nodes = self.ec2.describe_instance_topology()["Instances"]
        self.assertEqual(len(nodes), 2)
        self.assertEqual(len(nodes[0]["NetworkNodes"]), 3)


class FsxTest(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        ec2 = client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")["Subnet"]["SubnetId"]
        self.fsx = client("fsx")

    def lustre(self, capacity: int | None, **settings: object) -> dict:  # type: ignore[type-arg]
        values = {"FileSystemType": "LUSTRE", "SubnetIds": [self.subnet], "LustreConfiguration": settings}
        if capacity:
            values["StorageCapacity"] = capacity
        return self.fsx.create_file_system(**values)["FileSystem"]

    def test_what_is_refused(self) -> None:
        second = {"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 125}
        cases = [
            (1300, second),
            (1200, {"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 100}),
            (1200, {"DeploymentType": "PERSISTENT_2"}),
            (1200, {"DeploymentType": "SCRATCH_2", "AutomaticBackupRetentionDays": 7}),
            (1200, second | {"ImportPath": "s3://bucket"}),
            (1200, second | {"EfaEnabled": True}),
            (None, second),
        ]
        for capacity, settings in cases:
            with self.subTest(f"{capacity} {settings}"):
                self.refused("BadRequest", self.lustre, capacity=capacity, **settings)

    def test_ids_interfaces_and_settings(self) -> None:
        made = self.lustre(2400, DeploymentType="PERSISTENT_2", PerUnitStorageThroughput=250,
                           AutomaticBackupRetentionDays=14)  # fmt: skip
        self.assertRegex(made["FileSystemId"], r"^fs-[0-9a-f]{17}$")
        self.assertEqual(made["LustreConfiguration"]["AutomaticBackupRetentionDays"], 14)
        cards = client("ec2").describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])
        self.assertEqual(cards["NetworkInterfaces"][0]["VpcId"], made["VpcId"])

    def test_storage_only_grows(self) -> None:
        made = self.lustre(2400, DeploymentType="SCRATCH_2")["FileSystemId"]
        self.refused("BadRequest", self.fsx.update_file_system, FileSystemId=made, StorageCapacity=1200)
        self.fsx.update_file_system(FileSystemId=made, StorageCapacity=4800)

    def test_what_does_not_exist(self) -> None:
        self.refused("FileSystemNotFound", self.fsx.describe_file_systems, FileSystemIds=["fs-" + "0" * 17])
        self.refused("VolumeNotFound", self.fsx.describe_volumes, VolumeIds=["fsvol-" + "0" * 17])


class ServerTest(EmulatorTest):
    def test_the_server_answers_and_ends_with_its_input(self) -> None:
        command = [sys.executable, "-m", "emulator", "serve", "--port", "0"]
        with subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout and server.stdin
            endpoint = json.loads(server.stdout.readline())["endpoint"]
            # This process answers AWS calls itself, so another one has to ask the server.
            script = (
                "import boto3,sys\n"
                "make = lambda name: boto3.client(name, 'us-east-1', endpoint_url=sys.argv[1],"
                " aws_access_key_id='a', aws_secret_access_key='b')\n"
                "make('grafana').create_workspace(accountAccessType='CURRENT_ACCOUNT',"
                " authenticationProviders=['AWS_SSO'], permissionType='SERVICE_MANAGED')\n"
                "print(len(make('grafana').list_workspaces()['workspaces']), len(make('dlm')"
                ".get_lifecycle_policies()['Policies']), make('sts').get_caller_identity()['Account'])\n"
            )
            done = subprocess.run([sys.executable, "-c", script, endpoint], capture_output=True, text=True, check=False)
            server.stdin.close()
            self.assertEqual(server.wait(timeout=10), 0)
        self.assertEqual(done.stdout.split(), ["1", "0", "123456789012"], done.stderr)


class GrafanaTest(EmulatorTest):
    def test_a_workspace_and_a_service_account(self) -> None:
        grafana = client("grafana")
        made = grafana.create_workspace(
            accountAccessType="CURRENT_ACCOUNT", authenticationProviders=["SAML"], permissionType="CUSTOMER_MANAGED",
            workspaceName="n", workspaceRoleArn="arn:aws:iam::123456789012:role/r", tags={"a": "b"},
        )["workspace"]  # fmt: skip
        found = grafana.describe_workspace(workspaceId=made["id"])["workspace"]
        self.assertEqual((found["name"], found["status"], found["tags"]), ("n", "ACTIVE", {"a": "b"}))
        account = grafana.create_workspace_service_account(workspaceId=made["id"], name="s", grafanaRole="ADMIN")
        token = grafana.create_workspace_service_account_token(
            workspaceId=made["id"], serviceAccountId=account["id"], name="t", secondsToLive=60
        )
        self.assertTrue(token["serviceAccountToken"]["key"].startswith("glsa_"))
        grafana.delete_workspace(workspaceId=made["id"])
        self.refused("ResourceNotFoundException", grafana.describe_workspace, workspaceId=made["id"])


