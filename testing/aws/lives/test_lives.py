"""From nothing to a cluster and back to nothing, for the examples."""

from __future__ import annotations

import time
from typing import Any

from lives.program import Run
from lives.support import LivesTest, Spec, example

MARKER = b"somebody's data"


class Examples(LivesTest):
    """Each example: up, looked at, down, adopted, away."""

    def test_cpu_lives_and_leaves_nothing(self) -> None:
        self.live("cpu", single="home")

    def test_p4d_lives_and_leaves_nothing(self) -> None:
        self.live("p4d-ondemand", single="data")

    def test_p5_lives_and_leaves_nothing(self) -> None:
        self.live("p5-odcr")

    def test_trn1_lives_and_leaves_nothing(self) -> None:
        self.live("trn1")

    def test_p5en_lives_and_leaves_nothing(self) -> None:
        self.live("p5en-capacity-block", single="fsx")

    def live(self, name: str, single: str | None = None) -> None:
        spec = example(name)
        self.expect(spec)
        self.arrived(spec, self.up())
        self.look(spec)
        held = self.kept_ids()
        bucket = self.bucket()
        self.account.client("s3").put_object(Bucket=bucket, Key="marker", Body=MARKER)

        kept = self.down("--yes").events[-1]["kept"]
        self.only_kept(kept)
        if single:
            self.adopt(bucket, held)
            kept = self.delete(single)
            self.only_kept(kept)
        last = self.down("--delete-data", spec["name"], "--yes").events[-1]
        # Other clusters and images of the region may use this one.
        self.assertEqual([one["name"] for one in last["kept"]], ["parallelcluster"])
        self.only_kept(last["kept"])
        self.down_with_everything(spec["name"])
        self.nothing_is_left()

    def arrived(self, spec: Spec, run: Run) -> None:
        """What `up` tells programs: how far stacks are, and at the end every queue."""
        events = run.events
        stacks = [event for event in events if event["event"] == "progress" and "resources" in event]
        self.assertTrue(any(event["resources"]["in_progress"] for event in stacks), stacks)
        asked = {queue["name"]: sum(one.get("min", 0) for one in queue["compute"]) for queue in spec["queues"]}
        ends = {queue["queue"]: (queue["asked"], queue["running"], queue["idle"]) for queue in events[-1]["queues"]}
        self.assertEqual(ends, {name: (count, count, count) for name, count in asked.items()})

    def look(self, spec: Spec) -> None:
        """What the reading commands say of a cluster that has just come up."""
        asked = {queue["name"]: sum(one.get("min", 0) for one in queue["compute"]) for queue in spec["queues"]}
        status = self.status()
        self.assertEqual(status["cloud"]["cluster"]["cluster_status"], "CREATE_COMPLETE")
        self.assertEqual(status["cloud"]["fleet"]["status"], "RUNNING")
        for queue in status["cloud"]["queues"]:
            self.assertEqual((queue["asked"], queue["ready"]), (asked[queue["queue"]],) * 2, queue)
        most = sum(one["max"] for queue in spec["queues"] for one in queue["compute"])
        self.assertEqual(len(self.read("nodes list", self.spec_file)), most)
        listed = self.read("list")
        self.assertEqual([(line["name"], line["place"]) for line in listed], [(spec["name"], spec["region"])])
        self.assertEqual(self.read("fleet status", self.spec_file)["status"], "RUNNING")

    def adopt(self, bucket: str, held: dict[str, Any]) -> None:
        """The same file again finds what stayed, and nothing of it is made anew."""
        self.up()
        self.assertEqual(self.kept_ids(), held)
        answer = self.account.client("s3").get_object(Bucket=bucket, Key="marker")
        self.assertEqual(answer["Body"].read(), MARKER)
        self.only_kept(self.down("--yes").events[-1]["kept"])

    def delete(self, name: str) -> list[dict[str, Any]]:
        last = self.down("--delete-data", name, "--yes").events[-1]
        self.assertEqual([one["name"] for one in last["deleted"]], [name])
        self.assertNotIn(name, [one["name"] for one in last["kept"]])
        return last["kept"]

    def kept_ids(self) -> dict[str, Any]:
        """Physical ids of what must be the same after `down` and `up`."""
        kinds = ("bucket", "file_system", "volume", "vpc", "key_pair")
        lines = [line for line in self.made() if line["kind"] in kinds]
        goes = self.attached()
        # The provider's own bucket goes with it.
        return {line["id"]: line["name"] for line in lines if line["id"] not in goes and "-provider-" not in line["id"]}

    def bucket(self) -> str:
        """The bucket with people's data, or the one of the nodes' files."""
        names = [line["id"] for line in self.made() if line["kind"] == "bucket"]
        ours = [name for name in names if not name.startswith("parallelcluster-") and "-provider-" not in name]
        return min(ours, key=lambda name: name.startswith("trainyard-"))


class Patience(LivesTest):
    """Things that take their time."""

    def test_a_block_that_has_not_started_is_shown_with_its_time(self) -> None:
        start = time.time() + 86400

        def tomorrow(item: dict[str, Any]) -> None:
            if item["kind"] == "reservation":
                item["start"] = 86400

        spec = example("p5en-capacity-block")
        self.expect(spec, tomorrow)
        self.up()
        queue = next(one for one in self.status()["cloud"]["queues"] if one["queue"] == "train")
        when = time.strftime("%Y-%m-%d", time.gmtime(start))
        self.assertIn(when, queue["waits_for"])
        self.assertEqual((queue["asked"], queue["running"]), (8, 0))
        self.down_with_everything("p5en")
        self.nothing_is_left()
