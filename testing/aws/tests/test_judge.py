"""Verdicts of the judge on a good plan and on plans with one fault each."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any

from judge import Options, judge_one
from judging.folder import Texts
from tests import plans, support

assert support.emulator  # the emulator must be in place before the judge loads ParallelCluster

VPC, SUBNET = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0"


class JudgeTest(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = Path(place.name)

    def judge(self, *changes: tuple[str, str, str], **options: Any) -> dict[str, Any]:
        expects = options.pop("expects", None)
        return judge_one(plans.write(self.place / "plan", *changes, expects=expects), Options(**options))

    def test_a_good_plan(self) -> None:
        verdict = self.judge(delete=True)
        self.assertTrue(verdict["ok"], verdict["findings"])
        self.assertGreater(verdict["validators_run"], 100)
        self.assertTrue(any("AWS::FSx::FileSystem" in item for item in verdict["retained"]))
        statuses = {(item["stack"], item["status"]) for item in verdict["stacks"]}
        self.assertIn(("storage", "CREATE_COMPLETE"), statuses)
        self.assertIn(("storage", "DELETE_COMPLETE"), statuses)
        self.assertIn(("network", "DELETE_FAILED"), statuses)

    def test_an_update(self) -> None:
        other = plans.write(self.place / "other", ("storage", "1200", "2400"))
        verdict = self.judge(then=other)
        self.assertTrue(verdict["ok"], verdict["findings"])
        self.assertEqual(verdict["stacks"][-1]["status"], "UPDATE_COMPLETE")

    def test_faults(self) -> None:
        closed = ("network", "FromPort: 988, ToPort: 988", "FromPort: 80, ToPort: 80")
        efa = ("cluster", "{Name: c5, ", "{Name: c5, Efa: {Enabled: true}, ")
        cases: list[tuple[str, str, tuple[str, str, str]]] = [
            ("Stack storage", "StorageCapacity 1300 is not valid", ("storage", "1200", "1300")),
            ("Stack storage", "Unrecognized resource types", ("storage", "AWS::S3::Bucket", "AWS::S3::Pail")),
            ("Stack storage", "unsupported property Colour", ("storage", "VersioningConfiguration", "Colour")),
            ("Placeholder", "${storage.Nothing} has no output", ("cluster", "storage.ScratchId", "storage.Nothing")),
            ("EfaPlacementGroupValidator", "placement group", efa),
            ("ConfigSchemaValidator", "MiniCount", ("cluster", "MinCount: 0", "MiniCount: 0")),
            ("KeyPairValidator", "nobody", ("cluster", "KeyName: training", "KeyName: nobody")),
            ("CapacityReservationSizeValidator", "cr-", ("cluster", "Count: 2", "Count: 3")),
            ("ExistingFsxNetworkingValidator", "988", closed),
            ("NameValidator", "must begin", ("cluster", "Name: gpu", "Name: 1gpu")),
        ]
        for who, what, change in cases:
            with self.subTest(f"{who} {change}"):
                verdict = self.judge(change)
                self.assertFalse(verdict["ok"])
                errors = [finding for finding in verdict["findings"] if finding[0] == "ERROR"]
                self.assertTrue(any(who in rule and what in text for _, rule, text in errors), errors)

    def test_an_existing_network(self) -> None:
        """Given ids are replaced everywhere, also where one begins like another."""
        expects = [
            {"kind": "vpc", "id": VPC},
            {"kind": "subnet", "id": SUBNET, "vpc": VPC, "zone": "us-east-1a", "public": False},
            {"kind": "efs", "id": "fs-0123456789abcdef1"},
            {"kind": "zfs_volume", "id": "fsvol-0123456789abcdef0"},
            {"kind": "ontap_volume", "id": "fsvol-0123456789abcdef1"},
            {"kind": "file_cache", "id": "fc-0123456789abcdef0"},
            {"kind": "image", "id": "ami-0123456789abcdef0", "os": "ubuntu2204", "architecture": "x86_64"},
            {"kind": "secret", "arn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:munge-AbCdEf"},
            {"kind": "policy", "arn": "arn:aws:iam::111122223333:policy/team/extra"},
            {"kind": "elastic_ip", "id": "eipalloc-0123456789abcdef0"},
            {"kind": "volume", "id": "vol-0123456789abcdef0", "zone": "use1-az6"},
            {"kind": "reservation_group", "arn": "arn:aws:resource-groups:us-east-1:111122223333:group/pool",
             "instances": ["c5n.18xlarge"], "zone": "us-east-1a", "count": 4},
        ]  # fmt: skip
        storage = "".join(
            f"  - {{Name: {name}, MountDir: /{name}, StorageType: {kind}, {kind}Settings: {{{key}: {value}}}}}\n"
            for name, kind, key, value in (
                ("efs", "Efs", "FileSystemId", "fs-0123456789abcdef1"),
                ("zfs", "FsxOpenZfs", "VolumeId", "fsvol-0123456789abcdef0"),
                ("ontap", "FsxOntap", "VolumeId", "fsvol-0123456789abcdef1"),
                ("cache", "FileCache", "FileCacheId", "fc-0123456789abcdef0"),
                ("disk", "Ebs", "VolumeId", "vol-0123456789abcdef0"),
            )
        )
        reserved = ("- Name: cpu\n      CapacityReservationTarget: {CapacityReservationResourceGroupArn: "
                    "'arn:aws:resource-groups:us-east-1:111122223333:group/pool'}")  # fmt: skip
        verdict = self.judge(
            ("cluster", "${network.PrivateSubnetId}", SUBNET),
            ("cluster", "SharedStorage:\n", "SharedStorage:\n" + storage),
            ("cluster", "{Os: ubuntu2204}", "{Os: ubuntu2204, CustomAmi: ami-0123456789abcdef0}"),
            ("cluster", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
             "arn:aws:iam::111122223333:policy/team/extra"),
            ("cluster", "- Name: cpu", reserved),
            ("cluster", "${storage.ScratchId}", "fs-0123456789abcdef0"),
            ("cluster", "  - {Name: old, MountDir: /old, StorageType: FsxLustre, FsxLustreSettings: "
                        "{FileSystemId: fs-0123456789abcdef0}}\n", ""),
            expects=plans.EXPECTS + expects,
        )  # fmt: skip
        self.assertTrue(verdict["ok"], [item for item in verdict["findings"] if item[0] == "ERROR"])

    def test_an_unknown_kind_of_expectation(self) -> None:
        verdict = self.judge(expects=[{"kind": "unicorn", "id": "u-1"}])
        self.assertIn(["ERROR", "Expects", "expects: unknown kind unicorn"], verdict["findings"])

    def test_a_folder_without_a_plan(self) -> None:
        verdict = judge_one(str(self.place), Options())
        self.assertEqual((verdict["ok"], verdict["stage"]), (False, "read"))


class TextsTest(unittest.TestCase):
    def test_longest_first_and_in_one_pass(self) -> None:
        texts = Texts()
        texts.identifiers = {"cr-1": "cr-12", "cr-12": "cr-9"}
        texts.outputs = {("network", "Id"): "x"}
        self.assertEqual(texts.with_identifiers("cr-1 cr-12"), "cr-12 cr-9")
        self.assertEqual(texts.resolved("${network.Id} ${network.No} ${HOME}"), ("x ${network.No} ${HOME}", ["${network.No}"]))


if __name__ == "__main__":
    unittest.main()
