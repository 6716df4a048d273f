"""A cluster through ParallelCluster's provider: made, looked at, stopped, changed, deleted, and what goes wrong."""

from __future__ import annotations

import json
import time
from typing import Any

from emulator.services.images import parallelcluster_version
from tests.server import CONSENT, PROVIDER, ServerTest
from tests.support import att

NAME = "train-1"
SINFO = "sinfo -a -h -N -o '%N|%R|%t|%c|%m|%G|%E'"
SQUEUE = "squeue -a -h -o '%i|%u|%P|%T|%D|%M|%R|%j'"
Config = dict[str, Any]


class ClusterTest(ServerTest):
    def setUp(self) -> None:
        super().setUp()
        ec2 = self.server.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for setting in ("EnableDnsSupport", "EnableDnsHostnames"):
            ec2.modify_vpc_attribute(VpcId=vpc, **{setting: {"Value": True}})
        self.subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/18", AvailabilityZone="us-east-1a")[
            "Subnet"]["SubnetId"]  # fmt: skip
        ec2.create_key_pair(KeyName="training", KeyType="ed25519")
        self.ec2 = ec2
        self.token = self.provider()

    def provider(self, version: str | None = None, name: str = "provider") -> str:
        url = PROVIDER.format(version=version or parallelcluster_version())
        self.cloudformation.create_stack(StackName=name, TemplateURL=url, Capabilities=CONSENT)
        stack = self.settled(name)
        self.assertEqual(stack["StackStatus"], "CREATE_COMPLETE", self.events(name))
        return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}["ServiceToken"]

    def config(self, least: int = 1, **queue: Any) -> Config:
        place = {"SubnetIds": [self.subnet]}
        resource = {"Name": "c5", "InstanceType": "c5.xlarge", "MinCount": least, "MaxCount": least + 1}
        return {
            "Region": "us-east-1",
            "Image": {"Os": "ubuntu2204"},
            "HeadNode": {"InstanceType": "m5.xlarge", "Networking": {"SubnetId": self.subnet},
                         "Ssh": {"KeyName": "training"}},
            "Scheduling": {"Scheduler": "slurm", "SlurmQueues": [
                {"Name": "cpu", "Networking": place, "ComputeResources": [resource], **queue}]},
        }  # fmt: skip

    def resources(self, config: Config, **properties: Any) -> dict[str, Any]:
        values = {"ServiceToken": self.token, "ClusterName": NAME, "ClusterConfiguration": config, **properties}
        return {"Cluster": {"Type": "Custom::PclusterCluster", "Properties": values}}

    def make(self, config: Config, **properties: Any) -> dict[str, Any]:
        outputs = {"Head": {"Value": att("Cluster", "headNode.instanceId")}}
        options = {"outputs": outputs} if not properties.pop("plain", False) else {}
        options |= properties.pop("options", {})
        return self.create(self.resources(config, **properties), **options)

    def change(self, config: Config, **properties: Any) -> dict[str, Any]:
        body = json.dumps({"Resources": self.resources(config, **properties)})
        self.cloudformation.update_stack(StackName="stack", TemplateBody=body)
        return self.settled("stack")

    def failure(self, name: str = "stack") -> str:
        return next(reason for who, status, reason in self.events(name) if who == "Cluster" and "FAILED" in status)

    def log(self) -> str:
        logs = self.server.client("logs")
        group = "/aws/lambda/" + self.token.split(":")[-1]
        return "".join(event["message"] for event in logs.filter_log_events(logGroupName=group)["events"])

    def run_script(self, *lines: str) -> tuple[int, str, str]:
        """A script on the head node: exit code, output, errors."""
        ssm, head = self.server.client("ssm"), self.nodes("HeadNode")[0]
        sent = ssm.send_command(
            InstanceIds=[head], DocumentName="AWS-RunShellScript", Parameters={"commands": list(lines)}
        )
        while True:
            try:
                found = ssm.get_command_invocation(CommandId=sent["Command"]["CommandId"], InstanceId=head)
            except ssm.exceptions.InvocationDoesNotExist:
                found = {"Status": "Pending"}
            if found["Status"] in ("Success", "Failed"):
                return found["ResponseCode"], found["StandardOutputContent"], found["StandardErrorContent"]
            time.sleep(0.02)

    def states(self) -> dict[str, str]:
        lines = self.run_script("/opt/slurm/bin/" + SINFO)[1].splitlines()
        return {line.split("|")[0]: line.split("|")[2] for line in lines}

    def nodes(self, kind: str) -> list[str]:
        filters = [{"Name": "tag:parallelcluster:cluster-name", "Values": [NAME]},
                   {"Name": "tag:parallelcluster:node-type", "Values": [kind]},
                   {"Name": "instance-state-name", "Values": ["running"]}]  # fmt: skip
        found = self.ec2.describe_instances(Filters=filters)["Reservations"]
        return [item["InstanceId"] for group in found for item in group["Instances"]]

    def fleet(self, request: str | None = None) -> str:
        table, key = f"parallelcluster-{NAME}", {"Id": {"S": "COMPUTE_FLEET"}}
        dynamodb = self.server.client("dynamodb")
        if request:
            dynamodb.update_item(
                TableName=table, Key=key, UpdateExpression="set #d.#s = :s", ExpressionAttributeValues={
                    ":s": {"S": request}}, ExpressionAttributeNames={"#d": "Data", "#s": "status"})  # fmt: skip
        item = dynamodb.get_item(TableName=table, Key=key).get("Item")
        return item["Data"]["M"]["status"]["S"] if item else ""


class LifeTest(ClusterTest):
    def test_a_life(self) -> None:
        stack = self.make(self.config(), options={"Tags": [{"Key": "team", "Value": "ml"}]})
        self.assertEqual(stack["StackStatus"], "CREATE_COMPLETE", self.events("stack"))
        self.assertEqual(stack["Outputs"][0]["OutputValue"], self.nodes("HeadNode")[0])
        cluster = self.stack(NAME)
        tags = {tag["Key"]: tag["Value"] for tag in cluster["Tags"]}
        self.assertEqual((tags["team"], tags["parallelcluster:custom_resource"]), ("ml", "cluster"))
        with self.subTest("nodes come up"):
            self.eventually({"cpu-st-c5-1": "idle", "cpu-dy-c5-1": "idle~"}, self.states)
            self.assertEqual((len(self.nodes("Compute")), self.fleet()), (1, "RUNNING"))
        with self.subTest("scripts"):
            code, output, _ = self.run_script("set -e", f"echo nodes && {SINFO}", f"echo jobs; {SQUEUE}")
            self.assertEqual((code, output.splitlines()[0], output.splitlines()[-1]), (0, "nodes", "jobs"))
            self.assertIn("cpu-st-c5-1|cpu|idle|4|7782|(null)|none\n", output)
            self.assertIn("is UP", self.run_script("scontrol ping")[1])
            self.assertEqual(self.run_script("frobnicate")[0], 127)
        with self.subTest("the fleet stops and starts"):
            self.fleet("STOP_REQUESTED")
            self.eventually("STOPPED", self.fleet)
            self.assertEqual((self.nodes("Compute"), set(self.states().values())), ([], {"idle~"}))
            self.fleet("START_REQUESTED")
            self.eventually(1, lambda: len(self.nodes("Compute")))
        with self.subTest("a lost node comes back"):
            lost = self.nodes("Compute")
            self.ec2.terminate_instances(InstanceIds=lost)
            self.eventually(True, lambda: len(self.nodes("Compute")) == 1 and self.nodes("Compute") != lost)
        with self.subTest("an update"):
            self.assertEqual(self.change(self.config(2))["StackStatus"], "UPDATE_COMPLETE", self.events("stack"))
            self.eventually(2, lambda: len(self.nodes("Compute")))
        with self.subTest("an update of what cannot be changed goes back"):
            wrong = self.config(2)
            wrong["HeadNode"]["Networking"]["SubnetId"] = "subnet-0123456789abcdef0"
            self.assertEqual(self.change(wrong)["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
            told = [status for who, status, _ in self.events("stack") if who == "Cluster"][-3:]
            self.assertEqual(told, ["UPDATE_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"])
        with self.subTest("deletion"):
            self.cloudformation.delete_stack(StackName="stack")
            self.assertEqual(self.settled(stack["StackId"])["StackStatus"], "DELETE_COMPLETE")
            left = self.inventory()
            self.assertEqual({"instance", "table", "volume", "launch_template"} & left, set())

    def test_nodes_without_capacity(self) -> None:
        ec2 = self.ec2
        offers = ec2.describe_capacity_block_offerings(InstanceType="p5.48xlarge", InstanceCount=1,
                                                       CapacityDurationHours=24)["CapacityBlockOfferings"]  # fmt: skip
        offer = next(item for item in offers if item["AvailabilityZone"] == "us-east-1a")
        block = ec2.purchase_capacity_block(
            CapacityBlockOfferingId=offer["CapacityBlockOfferingId"], InstancePlatform="Linux/UNIX"
        )["CapacityReservation"]["CapacityReservationId"]
        config = self.config()
        config["Scheduling"]["SlurmQueues"].append({
            "Name": "gpu", "CapacityType": "CAPACITY_BLOCK",
            "CapacityReservationTarget": {"CapacityReservationId": block},
            "Networking": {"SubnetIds": [self.subnet]}, "ComputeResources": [
                {"Name": "p5", "InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1}]})  # fmt: skip
        self.server.ask("POST", "capacity", [{"instance_type": "c5.xlarge", "available": 0}])
        self.assertEqual(self.make(config, plain=True)["StackStatus"], "CREATE_COMPLETE", self.events("stack"))
        wanted = {"gpu-st-p5-1": "maint", "cpu-st-c5-1": "down~", "cpu-dy-c5-1": "idle~"}
        self.eventually(wanted, self.states)
        self.assertIn("(Code:InsufficientInstanceCapacity)Failure when resuming", self.run_script(SINFO)[1])
        self.server.ask("POST", "capacity", [])
        self.eventually("idle", lambda: self.states()["cpu-st-c5-1"])
        self.server.ask("POST", "slurm", {
            "cluster": NAME, "nodes": {"cpu-st-c5-1": {"state": "drain", "reason": "gpu lost"}},
            "jobs": [{"id": "7", "name": "train", "partition": "gpu", "state": "PENDING", "reason": "(Resources)"}],
        })  # fmt: skip
        self.assertIn("|drain|4|7782|(null)|gpu lost", self.run_script(SINFO)[1])
        self.assertEqual(self.run_script(SQUEUE)[1], "7|ubuntu|gpu|PENDING|1|0:00|(Resources)|train\n")


class FailureTest(ClusterTest):
    def test_a_configuration_that_does_not_validate(self) -> None:
        config = self.config()
        config["HeadNode"]["Ssh"]["KeyName"] = "nobody"
        stack = self.make(config, plain=True)
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
        self.assertIn("ERROR: (truncated) ", self.failure())
        self.assertIn('"configurationValidationErrors"', self.log())
        self.assertIn("KeyPairValidator", self.log())

    def test_properties_that_an_operation_does_not_take(self) -> None:
        cases = (("ForceUpdate", "true", "unexpected arguments: {'force_update'}"),
                 ("ServiceTimeout", "60", "unexpected arguments: {'service_timeout'}"))  # fmt: skip
        for number, (name, value, words) in enumerate(cases):
            with self.subTest(name):
                stack = self.create(self.resources(self.config(), **{name: value}), name=f"stack{number}")
                self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
                self.assertIn(words, self.failure(f"stack{number}"))

    def test_the_name_of_the_stack_is_taken(self) -> None:
        stack = self.create(self.resources(self.config()), name=NAME, OnFailure="DO_NOTHING")
        self.assertEqual(stack["StackStatus"], "CREATE_FAILED")
        self.assertIn("already exists", self.failure(NAME))

    def test_providers_that_cannot_answer(self) -> None:
        self.token = self.provider("3.15.1", "older")
        self.make(self.config(), plain=True)
        self.assertIn("same ParallelCluster version", self.failure())
        self.token = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
        self.create(self.resources(self.config()), name="second")
        self.assertIn("Function not found", self.failure("second"))

    def test_an_operation_that_takes_too_long(self) -> None:
        self.server.ask("POST", "faults", [{"cluster_timeout": True}])
        stack = self.make(self.config(), plain=True)
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE", self.events("stack"))
        self.assertIn("did not receive a response", self.failure())
        self.assertNotIn("instance", self.inventory())

    def test_a_cluster_that_outlives_its_stack(self) -> None:
        stack = self.make(self.config(0), plain=True, DeletionPolicy="Retain")
        self.cloudformation.delete_stack(StackName="stack")
        self.assertEqual(self.settled(stack["StackId"])["StackStatus"], "DELETE_COMPLETE")
        self.assertEqual(self.stack(NAME)["StackStatus"], "CREATE_COMPLETE")

    def test_a_cluster_whose_stack_fails(self) -> None:
        self.server.ask("POST", "faults", [{"stack": NAME, "logical_id": "HeadNode", "reason": "no room"}])
        stack = self.make(self.config(), plain=True)
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE", self.events("stack"))
        self.assertIn(f"{NAME}: ClusterCreationFailure", self.failure())
        self.assertEqual({"instance", "table"} & self.inventory(), set())
