"""What stands otherwise than the last command left it: somebody else was there, or AWS shows what was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from lives.support import LivesTest, Spec, changed, example

MORE = {"name": "more", "compute": [{"name": "c6i", "instance": "c6i.xlarge", "max": 2}]}
HOLDER = "cpu-cluster"
WAIT_SECONDS = 30


def wide() -> Spec:
    spec = example("cpu")
    return changed(spec, queues=[*spec["queues"], MORE])


class OthersTest(LivesTest):
    def queues(self) -> set[str]:
        return {node["queues"][0] for node in self.read("nodes list", self.spec_file)}

    def stack(self, name: str) -> dict[str, Any]:
        return self.account.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while not is_so():
            self.assertLess(time.monotonic(), end, "it does not come to that")
            time.sleep(0.1)

    def becomes(self, name: str, status: str) -> None:
        self.until(lambda: self.stack(name)["StackStatus"] == status)

    def away(self) -> None:
        self.down_with_everything("cpu")
        self.nothing_is_left()


class Others(OthersTest):
    """Changes from another machine, by hand, and by other tools."""

    def test_a_change_from_another_machine_is_seen(self) -> None:
        self.write(example("cpu"))
        self.up()
        here, there = self.program, self.another_program("elsewhere")
        self.write(wide())
        self.program = there
        self.up()
        self.assertEqual(self.queues(), {"cpu", "more"})
        self.write(example("cpu"))
        self.program = here
        # To this machine's journal everything is as it was asked for.
        run = self.tell("up", self.spec_file, code=2)
        self.assertIn("more", run.err, run.said)
        self.up("--yes")
        self.assertEqual(self.queues(), {"cpu"})
        self.away()

    def test_a_stopped_fleet_is_not_waited_for(self) -> None:
        self.write(example("cpu"))
        self.up()
        self.tell("fleet", "stop", self.spec_file, "--yes")
        run = self.tell("up", self.spec_file, code=3)
        self.assertIn("fleet of cpu is stopped", run.err, run.said)
        self.assertIn("trainyard fleet start", run.err, run.said)
        self.tell("fleet", "start", self.spec_file)
        self.up()
        self.away()

    def test_what_runs_is_not_ended_where_slurm_cannot_be_asked(self) -> None:
        self.write(example("cpu"))
        self.up()
        self.account.ask("POST", "slurm", {"cluster": "cpu", "is_up": False})
        for command in (["down", "--yes"], ["recreate", "--yes"]):
            run = self.tell(command[0], self.spec_file, *command[1:], code=3)
            self.assertIn("Slurm cannot be asked", run.err, run.said)
            self.assertIn("--force", run.err, run.said)
        run = self.tell("fleet", "stop", self.spec_file, code=2)
        self.assertIn("Slurm cannot be asked", run.err, run.said)
        self.assertEqual(self.status()["cloud"]["fleet"]["status"], "RUNNING")
        self.down("--force", "--yes")
        self.away()

    def test_a_cluster_deleted_by_hand_is_made_anew(self) -> None:
        self.write(example("cpu"))
        self.up()
        self.account.client("cloudformation").delete_stack(StackName="cpu")
        self.until(lambda: "cpu" not in {line["name"] for line in self.made() if line["kind"] == "stack"})
        self.up("--yes")
        self.assertEqual(self.status()["cloud"]["cluster"]["cluster_status"], "CREATE_COMPLETE")
        self.assertEqual(self.queues(), {"cpu"})
        self.away()

    def test_a_stack_that_is_somebody_elses_is_left_alone(self) -> None:
        body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
        for tags in ([], [{"Key": "trainyard:cluster", "Value": "other"}]):
            self.account.reset()
            self.program = self.another_program(f"home-{len(tags)}")
            self.write(example("cpu"))
            stacks = self.account.client("cloudformation")
            stacks.create_stack(StackName="cpu-network", TemplateBody=body, Tags=tags)
            # What is still being made is another account a moment later.
            waiting = {"Delay": 1, "MaxAttempts": 60}
            stacks.get_waiter("stack_create_complete").wait(StackName="cpu-network", WaiterConfig=waiting)
            before = self.account.inventory()
            run = self.tell("up", self.spec_file, code=3)
            self.assertIn("cpu-network", run.err, run.said)
            self.assertIn("name", run.err, run.said)
            self.assertEqual(self.account.inventory(), before)
            # `down` knows of no cluster, and takes nobody's stack for its own.
            self.program.run("down", str(self.spec_file), "--delete-data", "cpu", "--yes")
            self.assertEqual(self.account.inventory(), before)

    def test_another_engine_is_refused_while_the_cluster_stands(self) -> None:
        spec = example("cpu")
        self.write(spec)
        self.up()
        before = self.account.inventory()
        self.write(changed(spec, parallelcluster={"engine": "cli"}))
        run = self.tell("up", self.spec_file, "--yes", code=3)
        self.assertIn("parallelcluster.engine", run.err, run.said)
        self.assertEqual(self.account.inventory(), before)
        self.write(spec)
        self.up()
        self.away()


class Stuck(OthersTest):
    """Stacks that other people's operations left half done, and looks that are late."""

    def test_looks_that_are_late_change_nothing(self) -> None:
        self.account.options(stale=1.0)
        self.write(example("cpu"))
        self.up()
        self.write(wide())
        self.up()
        self.assertEqual(self.queues(), {"cpu", "more"})
        self.tell("recreate", self.spec_file, "--yes")
        self.assertEqual(self.queues(), {"cpu", "more"})
        self.away()

    def test_a_change_that_was_left_half_done_is_sent_back_first(self) -> None:
        self.write(example("cpu"))
        self.up()
        formation = self.account.client("cloudformation")
        template = formation.get_template(StackName="cpu-network")["TemplateBody"]
        template = template if isinstance(template, dict) else json.loads(self.as_json(template))
        template["Resources"]["Extra"] = {"Type": "AWS::SNS::Topic"}
        self.account.faults({"stack": "cpu-network", "logical_id": "Extra", "operation": "create", "reason": "no"})
        stands = self.stack("cpu-network")
        formation.update_stack(
            StackName="cpu-network", TemplateBody=json.dumps(template), DisableRollback=True,
            Parameters=stands["Parameters"], Capabilities=stands["Capabilities"],
        )  # fmt: skip
        self.becomes("cpu-network", "UPDATE_FAILED")
        self.account.no_faults()
        self.up("--yes")
        self.assertIn(self.stack("cpu-network")["StackStatus"], ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE"))
        self.assertNotIn("Extra", formation.get_template(StackName="cpu-network")["TemplateBody"])
        self.away()

    def as_json(self, text: str) -> str:
        """CloudFormation's short tags are what they stand for: the plan writes them out."""
        import yaml

        return json.dumps(yaml.safe_load(text))


class Fleet(OthersTest):
    """A change that stopped the fleet was interrupted before it started it again."""

    def test_who_stopped_the_fleet_by_hand_keeps_it_stopped(self) -> None:
        self.write(example("cpu"))
        self.up()
        self.mark()
        self.tell("fleet", "stop", self.spec_file, "--yes")
        self.program = self.another_program("elsewhere")
        run = self.tell("up", self.spec_file, code=3)
        self.assertIn("fleet of cpu is stopped", run.err, run.said)
        self.assertEqual(self.status()["cloud"]["fleet"]["status"], "STOPPED")
        self.tell("fleet", "start", self.spec_file)
        self.away()

    def test_whoever_comes_next_starts_it(self) -> None:
        self.write(example("cpu"))
        self.up()
        self.tell("fleet", "stop", self.spec_file, "--yes")
        self.mark()
        # Also where the journal says that all is done.
        self.up()
        self.assertEqual(self.status()["cloud"]["fleet"]["status"], "RUNNING")
        self.away()

    def mark(self) -> None:
        outputs = {one["OutputKey"]: one["OutputValue"] for one in self.stack("cpu-data")["Outputs"]}
        self.account.client("s3").put_object(Bucket=outputs["FilesBucketName"], Key="state/fleet-stopped", Body=b"x")
