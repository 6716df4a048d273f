"""A cluster that stands is changed: shown first, asked about where something is lost, and carried out."""

from __future__ import annotations

import time
from typing import Any

from lives.support import LivesTest, Spec, changed, example

MORE = {"name": "more", "compute": [{"name": "c6i", "instance": "c6i.xlarge", "max": 2}]}
BUDGET = {"usd_per_month": 100, "notify": ["somebody@example.com"]}


class Changes(LivesTest):
    """One life with every kind of change."""

    def test_changes_of_a_cluster_that_stands(self) -> None:
        first = changed(example("cpu"), monitoring={"mode": "amp"}, budget=BUDGET)
        self.write(first)
        self.up()
        self.adds_a_queue(first)
        wide = changed(first, queues=[*first["queues"], MORE])
        self.asks_before_it_replaces_the_head(wide)
        self.asks_before_it_stops_the_fleet(wide, first)
        self.removes_what_the_spec_does_not_name(first)
        self.is_made_anew()
        self.only_kept(self.down("--yes").events[-1]["kept"])
        self.down_with_everything("cpu")
        self.nothing_is_left()

    def adds_a_queue(self, spec: Spec) -> None:
        head, nodes = self.head(), len(self.read("nodes list", self.spec_file))
        self.write(changed(spec, queues=[*spec["queues"], MORE]))
        text = self.tell("up", self.spec_file)
        self.assertIn("what changes:", text.err, text.said)
        self.assertNotIn("interrupted or lost", text.err, text.said)
        self.assertEqual(len(self.read("nodes list", self.spec_file)), nodes + 2)
        self.assertEqual(self.head(), head)
        self.stands()

    def asks_before_it_replaces_the_head(self, spec: Spec) -> None:
        before, journal = self.account.inventory(), self.program.journal("cpu").read_bytes()
        plan = (self.program.folder("cpu") / "plan.json").read_bytes()
        self.write(changed(spec, head={**spec["head"], "instance": "m5.xlarge"}))
        run = self.tell("up", self.spec_file, code=2)
        self.assertIn("made anew", run.err, run.said)
        self.assertIn("--yes", run.err, run.said)
        self.assertEqual(self.account.inventory(), before)
        self.assertEqual(self.program.journal("cpu").read_bytes(), journal)
        self.assertEqual((self.program.folder("cpu") / "plan.json").read_bytes(), plan)
        self.write(spec)

    def asks_before_it_stops_the_fleet(self, wide: Spec, narrow: Spec) -> None:
        self.write(narrow)
        head = self.head()
        run = self.tell("up", self.spec_file, code=2)
        self.assertIn("the fleet stops", run.err, run.said)
        self.stands()
        self.up("--yes")
        self.assertEqual({node["queues"][0] for node in self.read("nodes list", self.spec_file)}, {"cpu"})
        self.assertEqual(self.head(), head)
        self.stands()

    def removes_what_the_spec_does_not_name(self, spec: Spec) -> None:
        lean = {key: value for key, value in spec.items() if key not in ("monitoring", "budget")}
        self.write({**lean, "monitoring": {"mode": "none"}})
        text = self.tell("up", self.spec_file, "--yes")
        self.assertIn("stack cpu-monitoring goes", text.err, text.said)
        stacks = {line["name"] for line in self.made() if line["kind"] == "stack"}
        self.assertNotIn("cpu-monitoring", stacks)
        # What outlives a cluster outlives the spec's change as well; `down` knows of it.
        self.assertIn("cpu-budget", stacks)
        self.assertNotIn("prometheus_workspace", {line["kind"] for line in self.made()})
        self.stands()

    def is_made_anew(self) -> None:
        head, held = self.head(), self.lasting()
        refused = self.tell("recreate", self.spec_file, code=2)
        self.assertIn("--yes", refused.err)
        self.tell("recreate", self.spec_file, "--yes")
        self.assertNotEqual(self.head(), head)
        self.assertEqual(self.lasting(), held)
        self.stands()

    def stands(self) -> None:
        """Well, and with its fleet as it was."""
        cloud = self.status()["cloud"]
        self.assertIn(cloud["cluster"]["cluster_status"], ("CREATE_COMPLETE", "UPDATE_COMPLETE"))
        self.assertEqual(cloud["fleet"]["status"], "RUNNING")
        self.assertEqual([(queue["asked"], queue["ready"]) for queue in cloud["queues"]], [(1, 1)])

    def head(self) -> str:
        found: list[dict[str, Any]] = self.status()["cloud"]["instances"]
        return next(one["id"] for one in found if one["tags"]["parallelcluster:node-type"] == "HeadNode")

    def lasting(self) -> set[str]:
        """Buckets and disks that outlive a cluster."""
        found = {line["id"] for line in self.made() if line["kind"] in ("bucket", "volume", "vpc")}
        return {name for name in found if "-provider-" not in name} - self.attached()


class ByAnInstalledProgram(LivesTest):
    """`parallelcluster.engine: cli`: the installed `pcluster` makes, changes and deletes the cluster."""

    def test_changes_by_an_installed_pcluster(self) -> None:
        first = changed(example("cpu"), parallelcluster={"engine": "cli"})
        self.write(first)
        self.it_is_needed()
        self.up()
        self.write(changed(first, queues=[*first["queues"], MORE]))
        text = self.tell("up", self.spec_file)
        self.assertIn("what changes:", text.err, text.said)
        self.has({"cpu", "more"})
        again = self.up()
        self.assertNotIn("cluster", again.steps_done, again.said)
        self.write(first)
        refused = self.tell("up", self.spec_file, code=2)
        self.assertIn("the fleet stops", refused.err, refused.said)
        self.up("--yes")
        self.has({"cpu"})
        # ParallelCluster names a cluster's log group by the minute, and the old one stays; AWS is never so quick.
        time.sleep(60.5 - time.time() % 60)
        self.tell("recreate", self.spec_file, "--yes")
        self.has({"cpu"})
        self.only_kept(self.down("--yes").events[-1]["kept"])
        self.down_with_everything("cpu")
        self.nothing_is_left()

    def it_is_needed(self) -> None:
        """Without it nothing is begun, and what to install is said."""
        path = self.program.environment["PATH"]
        self.program.environment["PATH"] = "/usr/bin:/bin"
        run = self.tell("up", self.spec_file, code=3)
        self.assertIn("pcluster", run.err, run.said)
        self.assertIn("pip install", run.err, run.said)
        self.program.environment["PATH"] = path

    def has(self, queues: set[str]) -> None:
        nodes = self.read("nodes list", self.spec_file)
        self.assertEqual({node["queues"][0] for node in nodes}, queues)
        self.assertEqual(self.status()["cloud"]["fleet"]["status"], "RUNNING")
