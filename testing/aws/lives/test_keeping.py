"""What outlives a cluster: listed by its name and id, deleted by its name, and nothing else."""

from __future__ import annotations

from typing import Any

from lives.support import LivesTest, Spec, changed, example


def with_storage(spec: Spec, **values: Any) -> Spec:
    return changed(spec, storage={**spec["storage"], **values})


def with_lustre(deployment: str) -> Spec:
    shared = {"kind": "lustre", "deployment": deployment, "size_gib": 1200}
    return with_storage(example("cpu"), shared=shared, home={"kind": "ephemeral"})


class Keeping(LivesTest):
    """`down` and `--delete-data`, with things that no stack holds."""

    def test_what_a_change_replaced_and_copies_are_listed(self) -> None:
        self.write(with_lustre("scratch2"))
        self.up()
        old = self.file_systems()
        self.write(with_lustre("persistent2"))
        refused = self.tell("up", self.spec_file, code=2)
        self.assertIn("replaced", refused.err, refused.said)
        self.up("--yes")
        new = self.file_systems() - old
        self.assertEqual((len(old), len(new)), (1, 1))
        copy = self.snapshot()

        kept = {one["name"]: one for one in self.down("--yes").events[-1]["kept"]}
        self.assertEqual(set(kept["replaced"]["resources"]), old)
        self.assertEqual(set(kept["fsx"]["resources"]) & new, new)
        self.assertEqual(kept["backups"]["resources"], [copy])
        self.only_kept(list(kept.values()))

        # The network cannot go before what has interfaces in it.
        refused = self.tell("down", self.spec_file, "--delete-data", "network", "--delete-data", "fsx", "--yes", code=2)
        self.assertIn("`replaced`", refused.err, refused.said)
        self.assertEqual(self.file_systems(), old | new)
        last = self.down("--delete-data", "replaced", "--yes").events[-1]
        self.assertEqual([one["name"] for one in last["deleted"]], ["replaced"])
        self.assertEqual(self.file_systems(), new)
        self.down_with_everything("cpu")
        self.nothing_is_left()

    def test_what_cannot_be_looked_for_is_said(self) -> None:
        self.write(example("cpu"))
        self.up()
        copy = self.snapshot()
        self.account.faults({"service": "fsx", "operation": "DescribeBackups", "kind": "denied"})
        text = self.tell("down", self.spec_file, "--yes")
        self.assertIn("fsx:DescribeBackups", text.err, text.said)
        self.assertIn(copy, text.err, text.said)
        self.assertIn("at least", text.err, text.said)
        run = self.tell("down", self.spec_file, "--delete-data", "cpu", "--yes", code=3)
        self.assertIn("fsx:DescribeBackups", run.err, run.said)
        self.account.no_faults()
        self.down_with_everything("cpu")
        self.nothing_is_left()

    def test_what_cannot_be_deleted_does_not_keep_the_rest(self) -> None:
        self.write(example("cpu"))
        self.up()
        self.down("--yes")
        copy = self.snapshot()
        held = {"code": "InvalidSnapshot.InUse", "message": "The snapshot is in use by ami-1", "status": 400}
        self.account.faults({"service": "ec2", "operation": "DeleteSnapshot", "kind": "denied", **held})
        run = self.tell("down", self.spec_file, "--delete-data", "cpu", "--yes", code=3)
        for text in (copy, "in use by ami-1", "deleted: ", "network"):
            self.assertIn(text, run.err, run.said)
        self.assertNotIn("vpc", {line["kind"] for line in self.made()})
        self.account.no_faults()
        self.down_with_everything("cpu")
        self.nothing_is_left()

    def test_a_volume_that_somebody_uses_elsewhere_is_listed_and_left(self) -> None:
        self.write(example("cpu"))
        self.up()
        kept = {one["name"]: one for one in self.down("--yes").events[-1]["kept"]}
        volume = next(iter(kept["home"]["resources"]))
        self.account.client("cloudformation").delete_stack(StackName="cpu-home")
        cloud = self.account.client("ec2")
        zone = cloud.describe_volumes(VolumeIds=[volume])["Volumes"][0]["AvailabilityZone"]
        image = cloud.describe_images()["Images"][0]["ImageId"]
        other = cloud.run_instances(ImageId=image, MinCount=1, MaxCount=1, Placement={"AvailabilityZone": zone})
        instance = other["Instances"][0]["InstanceId"]
        cloud.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        cloud.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdh")
        kept = {one["name"]: one for one in self.down("--yes").events[-1]["kept"]}
        self.assertEqual(kept["replaced"]["resources"], [volume])
        run = self.tell("down", self.spec_file, "--delete-data", "replaced", "--yes", code=3)
        for text in (volume, "another instance"):
            self.assertIn(text, run.err, run.said)
        cloud.detach_volume(VolumeId=volume, InstanceId=instance)
        self.down("--delete-data", "replaced", "--yes")
        self.assertNotIn(volume, {line["id"] for line in self.made()})

    def test_a_home_that_no_stack_holds_is_not_passed_over(self) -> None:
        self.write(example("cpu"))
        self.up()
        kept = {one["name"]: one for one in self.down("--yes").events[-1]["kept"]}
        volume = next(iter(kept["home"]["resources"]))
        self.account.client("cloudformation").delete_stack(StackName="cpu-home")
        text = self.tell("down", self.spec_file)
        self.assertIn(volume, text.err, text.said)
        run = self.tell("up", self.spec_file, code=2)
        self.assertIn(f"{volume} is there from before", run.err, run.said)
        self.up("--yes")
        self.down("--delete-data", "replaced", "--yes")
        self.assertNotIn(volume, {line["id"] for line in self.made()})

    def test_a_refused_deletion_leaves_homes_protected(self) -> None:
        self.write(example("cpu"))
        self.up()
        self.down("--yes")
        # A home of EBS needs nothing of FSx.
        self.account.faults({"service": "fsx", "operation": "DescribeFileSystems", "kind": "denied"})
        last = self.down("--delete-data", "home", "--yes").events[-1]
        self.assertEqual([one["name"] for one in last["deleted"]], ["home"])
        self.account.no_faults()
        self.down_with_everything("cpu")
        self.nothing_is_left()

    def test_zfs_leaves_its_last_backup_unless_that_goes_too(self) -> None:
        spec = with_storage(example("cpu"), home={"kind": "openzfs"})
        self.write(spec)
        self.up()
        self.down("--yes")
        last = self.down("--delete-data", "home", "--yes").events[-1]
        self.assertEqual([one["name"] for one in last["deleted"]], ["home"])
        kept = {one["name"]: one for one in last["kept"]}
        self.assertEqual(len(kept["backups"]["resources"]), 1, last)
        self.assertEqual(self.file_systems(), set())
        self.down_with_everything("cpu")
        self.nothing_is_left()

    def test_a_home_on_the_heads_disk_is_not_lost_unasked(self) -> None:
        spec = with_storage(example("cpu"), home={"kind": "ephemeral"})
        self.write(spec)
        self.up()
        before = self.account.inventory()
        for command in ("down", "recreate"):
            run = self.tell(command, self.spec_file, code=2)
            self.assertIn("/home", run.err, run.said)
            self.assertIn("--yes", run.err, run.said)
        self.write(changed(spec, head={**spec["head"], "instance": "m5.xlarge"}))
        run = self.tell("up", self.spec_file, code=2)
        self.assertIn("/home", run.err, run.said)
        self.assertEqual(self.account.inventory(), before)
        self.write(spec)
        self.down("--yes")
        # Nothing of it is left that could be lost.
        self.down()
        self.down_with_everything("cpu")
        self.nothing_is_left()

    def test_a_linked_bucket_does_not_go_before_what_it_is_linked_to(self) -> None:
        shared = {"kind": "lustre", "deployment": "persistent2"}
        spec = with_storage(example("cpu"), shared=shared, data_bucket={"name": "trainyard-linked-data"})
        self.write(spec)
        self.up()
        self.down("--yes")
        before = self.account.inventory()
        run = self.tell("down", self.spec_file, "--delete-data", "data", "--yes", code=2)
        self.assertIn("--delete-data fsx", run.err, run.said)
        self.assertEqual(self.account.inventory(), before)
        self.down("--delete-data", "data", "--delete-data", "fsx", "--yes")
        self.assertEqual(self.file_systems(), set())
        self.down_with_everything("cpu")
        self.nothing_is_left()

    # -- the account -----------------------------------------------------------------------------

    def file_systems(self) -> set[str]:
        found = self.account.client("fsx").describe_file_systems()["FileSystems"]
        return {one["FileSystemId"] for one in found if one["Lifecycle"] != "DELETING"}

    def snapshot(self) -> str:
        """As the lifecycle policy of the home makes one: of a volume of the cluster, with its tags."""
        cloud = self.account.client("ec2")
        zone = cloud.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
        volume = cloud.create_volume(Size=8, AvailabilityZone=zone)["VolumeId"]
        tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "trainyard:cluster", "Value": "cpu"}]}]
        copy = cloud.create_snapshot(VolumeId=volume, TagSpecifications=tags)["SnapshotId"]
        cloud.delete_volume(VolumeId=volume)
        return copy
