"""What the reading commands say, held against what ParallelCluster's own command line says of the same cluster."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lives.account import QUICK
from lives.support import LivesTest, changed, example, note

REPEATS = 5
RUN_SECONDS = 120
LOGIN = {"name": "shell", "count": 2, "subnet": "private"}
# A cluster as somebody makes it who has never heard of this program, in the account's default network.
FOREIGN = """
Region: us-east-1
Image: {{ Os: ubuntu2204 }}
HeadNode: {{ InstanceType: t3.medium, Networking: {{ SubnetId: {subnet} }}, Ssh: {{ KeyName: {key} }} }}
Scheduling:
  Scheduler: slurm
  SlurmQueues:
    - Name: q
      Networking: {{ SubnetIds: [{subnet}] }}
      ComputeResources: [{{ Name: c, InstanceType: c5.large, MinCount: 0, MaxCount: 2 }}]
"""


class Peers(LivesTest):
    """One cluster, made by ParallelCluster's command line, and read by both."""

    def test_both_say_the_same_of_a_cluster(self) -> None:
        self.write(changed(example("cpu"), parallelcluster={"engine": "cli"}, login=[LOGIN]))
        self.up()
        self.make_a_foreign_one()
        self.compare_status()
        self.compare_instances()
        self.compare_fleet()
        self.compare_lists()
        self.reads_what_another_machine_made()
        self.compare_times()
        self.down("--delete-data", "cpu", "--yes")
        self.assertIn("foreign", [line["name"] for line in self.read("list", "--region", "us-east-1")])

    # -- ParallelCluster's side ---------------------------------------------------------------------

    def pcluster(self, *arguments: str) -> Any:
        environment = {**self.program.environment, "AWS_REGION": "us-east-1"}
        done = subprocess.run(
            ["pcluster", *arguments, "--region", "us-east-1"], env=environment, cwd=self.folder, text=True,
            capture_output=True, timeout=RUN_SECONDS,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def make_a_foreign_one(self) -> None:
        ec2 = self.account.client("ec2")
        ec2.create_key_pair(KeyName="foreign", KeyType="ed25519")
        # The zone's name says that it has these types.
        subnets = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
        subnet = next(item["SubnetId"] for item in subnets if item["AvailabilityZone"] == "us-east-1a")
        path = self.folder / "foreign.yaml"
        path.write_text(FOREIGN.format(subnet=subnet, key="foreign"))
        self.pcluster("create-cluster", "-n", "foreign", "-c", str(path), "--suppress-validators", "ALL")
        end = time.monotonic() + RUN_SECONDS
        while self.pcluster("describe-cluster", "-n", "foreign")["clusterStatus"] != "CREATE_COMPLETE":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.3)

    # -- field by field -----------------------------------------------------------------------------

    def compare_status(self) -> None:
        theirs, status = self.pcluster("describe-cluster", "-n", "cpu"), self.status()
        cloud = status["cloud"]
        ours = cloud["cluster"]
        self.assertEqual(ours["cluster_status"], theirs["clusterStatus"])
        self.assertEqual(ours["stack_status"], theirs["cloudFormationStackStatus"])
        self.assertEqual(ours["version"], theirs["version"])
        self.assertEqual(second_of(ours["created_at"]), second_of(theirs["creationTime"]))
        # ParallelCluster writes the time of its making where a cluster was never changed.
        self.assertEqual(second_of(ours["updated_at"] or ours["created_at"]), second_of(theirs["lastUpdatedTime"]))
        self.assertEqual(cloud["fleet"]["status"], theirs["computeFleetStatus"])
        head = next(one for one in cloud["instances"] if kind_of(one) == "HeadNode")
        self.same_instance(head, theirs["headNode"])
        pools = {pool["pool"]: pool for pool in cloud["logins"]}
        self.assertEqual(set(pools), {pool["poolName"] for pool in theirs["loginNodes"]})
        for pool in theirs["loginNodes"]:
            mine = pools[pool["poolName"]]
            said = (mine["status"], mine["address"], mine["scheme"], mine["healthy"], mine["unhealthy"])
            keys = ("status", "address", "scheme", "healthyNodes", "unhealthyNodes")
            self.assertEqual(said, tuple(pool[key] for key in keys))

    def compare_instances(self) -> None:
        theirs = self.pcluster("describe-cluster-instances", "-n", "cpu")["instances"]
        ours = {one["id"]: one for one in self.status()["cloud"]["instances"]}
        self.assertEqual(set(ours), {one["instanceId"] for one in theirs})
        for one in theirs:
            mine = ours[one["instanceId"]]
            self.same_instance(mine, one)
            self.assertEqual(kind_of(mine), {"ComputeNode": "Compute"}.get(one["nodeType"], one["nodeType"]))
            self.assertEqual(mine["tags"].get("parallelcluster:queue-name"), one.get("queueName"))

    def same_instance(self, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
        pairs = {"id": "instanceId", "instance": "instanceType", "state": "state", "private_ip": "privateIpAddress",
                 "public_ip": "publicIpAddress"}  # fmt: skip
        for mine, other in pairs.items():
            self.assertEqual(ours[mine], theirs.get(other), other)
        self.assertEqual(second_of(ours["launched_at"]), second_of(theirs["launchTime"]))

    def compare_fleet(self) -> None:
        self.same_fleet()
        self.tell("fleet", "stop", self.spec_file, "--yes")
        self.same_fleet()
        self.assertEqual(self.read("fleet status", self.spec_file)["status"], "STOPPED")
        self.tell("fleet", "start", self.spec_file)
        self.same_fleet()
        self.pcluster("update-compute-fleet", "-n", "cpu", "--status", "STOP_REQUESTED")
        self.wait_for(lambda: self.read("fleet status", self.spec_file)["status"] == "STOPPED")
        self.same_fleet()
        self.tell("fleet", "start", self.spec_file)

    def same_fleet(self) -> None:
        ours, theirs = self.read("fleet status", self.spec_file), self.pcluster("describe-compute-fleet", "-n", "cpu")
        self.assertEqual(ours["status"], theirs["status"])
        self.assertEqual(second_of(ours["updated_at"]), second_of(theirs["lastStatusUpdatedTime"]))

    def compare_lists(self) -> None:
        theirs = {one["clusterName"]: one for one in self.pcluster("list-clusters")["clusters"]}
        ours = {one["name"]: one for one in self.read("list")}
        self.assertEqual(set(ours), set(theirs))
        for name, one in theirs.items():
            mine = ours[name]
            said = (mine["place"], mine["status"], mine["version"], mine["scheduler"])
            self.assertEqual(said, (one["region"], one["clusterStatus"], one["version"], one["scheduler"]["type"]))

    def reads_what_another_machine_made(self) -> None:
        """Without any file of the machine that made it, the spec is enough."""
        here, mine = self.status(), self.program
        self.program = self.another_program("elsewhere")
        there = self.status()
        self.program = mine
        self.assertEqual(there["cloud"]["cluster"], here["cloud"]["cluster"])
        self.assertEqual(there["nodes"], here["nodes"])

    # -- how long it takes ----------------------------------------------------------------------------

    def compare_times(self) -> None:
        pairs: list[tuple[str, list[str], list[str]]] = [
            ("status", ["status", str(self.spec_file)], ["describe-cluster", "-n", "cpu"]),
            ("nodes", ["nodes", "list", "-f", str(self.spec_file)], ["describe-cluster-instances", "-n", "cpu"]),
            ("fleet", ["fleet", "status", str(self.spec_file)], ["describe-compute-fleet", "-n", "cpu"]),
            ("list", ["list"], ["list-clusters"]),
        ]
        lines = []
        for name, ours, theirs in pairs:
            waited = median(lambda: self.tell(*ours, "--format", "json"))
            # ParallelCluster's commands do not ask Slurm: what a node takes to answer is not theirs to wait for.
            self.account.options(command=0.0, command_unknown=0.0)
            mine = median(lambda: self.tell(*ours, "--format", "json"))
            self.account.options(**QUICK)
            other = median(lambda: self.pcluster(*theirs))
            lines.append(
                f"{name}: {mine:.3f} s ({waited:.3f} s with {QUICK['command']} s for Slurm's answer), "
                f"pcluster {theirs[0]}: {other:.2f} s, {other / mine:.1f} times as long"
            )
        note(*lines)

    def wait_for(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + RUN_SECONDS
        while not done():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)


def kind_of(instance: dict[str, Any]) -> str:
    return instance["tags"]["parallelcluster:node-type"]


def second_of(text: str | None) -> int | None:
    """A time to the second, in whatever form it is written."""
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) if text else None


def median(call: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(REPEATS):
        begun = time.monotonic()
        call()
        seconds.append(time.monotonic() - begun)
    return statistics.median(seconds)
