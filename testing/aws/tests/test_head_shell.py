"""Scripts on heads that are really run: who they run as, what ends them, what srun does with them."""

from __future__ import annotations

import os
import time
import unittest
from collections.abc import Callable

from emulator.clusters import head_shell, shell
from emulator.clusters.head_shell import Running
from emulator.clusters.slurm import Node, Shape, Slurm

AS_USER = """runuser -l -s /bin/bash -c 'exec "$@"' -- ubuntu bash """


def slurm() -> Slurm:
    shape = Shape("cpu", "c5", "c5.large", "subnet", "", 2, 3000, "", None, False)
    up = Node("cpu-st-c5-1", shape, True, instance="i-1", launched_at=0.0)
    return Slurm(head_name="ip-10-0-0-1", nodes={node.name: node for node in (up, Node("cpu-dy-c5-1", shape, False))})


class HeadShellTest(unittest.TestCase):
    def setUp(self) -> None:
        self.addCleanup(head_shell.forget_all)
        self.head = head_shell.of("i-0", "ubuntu2404")

    def begin(self, script: str, seconds: float = 30.0, of: Slurm | None = None) -> Running:
        return self.head.begin(script, seconds, of or slurm())

    def run_script(self, script: str, of: Slurm | None = None) -> shell.Outcome:
        running = self.begin(script, of=of)
        self.until(lambda: running.is_over)
        return running.outcome()

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not is_so():
            self.assertLess(time.monotonic(), end, "it did not come")
            time.sleep(0.01)

    def test_it_is_a_shell_with_output_errors_and_code(self) -> None:
        found = self.run_script("f() { echo \"$1\"; }\nf 'a  b' | tr a c\necho err >&2\nexit 3")
        self.assertEqual((found.code, found.output, found.error), (3, "c  b\n", "err\n"))
        self.assertEqual(self.run_script("frobnicate").code, 127)

    def test_the_clusters_user_is_the_systems(self) -> None:
        found = self.run_script(AS_USER + "sh -c 'echo $USER in $PWD; echo $HOME'")
        self.assertEqual(found.output, f"ubuntu in {self.head.folder}/home\n{self.head.folder}/home\n", found.error)
        other = self.run_script(AS_USER.replace("-- ubuntu", "-- rocky") + "true")
        self.assertEqual((other.code, other.error), (1, "runuser: user rocky does not exist\n"))
        if os.geteuid() == 0:
            self.assertEqual(self.run_script("id -u").output, f"{head_shell.NOBODY}\n")

    def test_srun_takes_nodes_that_are_there_and_gives_the_worst_code(self) -> None:
        for line, code, output, error in (
            ("srun --nodes=1 hostname", 0, "cpu-st-c5-1\n", ""),
            ("srun --nodes=2 sh -c 'sleep 0.$SLURM_PROCID; echo $SLURM_PROCID'", 0, "0\n1\n", ""),
            ("srun --ntasks=3 sh -c 'sleep 0.$SLURM_PROCID; hostname'", 0, "cpu-st-c5-1\ncpu-st-c5-1\ncpu-dy-c5-1\n", ""),
            ("srun --ntasks=2 sh -c 'exit $((SLURM_PROCID * 4))'", 4, "", "task 1: Exited with exit code 4"),
            ("srun --nodes=3 hostname", 1, "", "Requested node configuration is not available"),
            ("srun --nodes=1 --gpus-per-node=1 hostname", 1, "", "Requested node configuration is not available"),
            ("srun --partition=none --nodes=1 hostname", 1, "", "Invalid partition name"),
            ("srun --overlap hostname", 1, "", "does not know --overlap"),
        ):
            with self.subTest(line):
                found = self.run_script(line)
                self.assertEqual((found.code, found.output), (code, output), found.error)
                self.assertIn(error, found.error)
        down = slurm()
        down.is_up = False
        self.assertIn("Unable to contact slurm controller", self.run_script("srun --nodes=1 hostname", of=down).error)

    def test_a_script_is_killed_with_its_group_and_not_with_other_sessions(self) -> None:
        for why, seconds in (("Cancelled", 30.0), ("TimedOut", 0.5)):
            with self.subTest(why):
                mark = self.head.folder / "home" / why
                running = self.begin(f"{AS_USER} sh -c 'sleep 1; echo here >{why}' & wait", seconds)
                if why == "Cancelled":
                    time.sleep(0.3)
                    running.kill(why)
                self.until(lambda: running.is_over)
                self.assertEqual((running.end, running.outcome().code), (why, 137))
                self.until(lambda mark=mark: mark.exists())

    def test_nothing_is_left_of_a_head_that_is_forgotten(self) -> None:
        running = self.begin("sleep 60")
        head_shell.forget_all()
        self.assertTrue(running.is_over)
        self.assertFalse(self.head.folder.exists())


class KnownTest(unittest.TestCase):
    """What the small interpreter answers, and what is left to the shell."""

    def test_only_what_is_known_is_interpreted(self) -> None:
        for script, known in (
            ("/opt/slurm/bin/scontrol ping\necho x\n/opt/slurm/bin/sinfo -a -h -o '%N'", True),
            ("set -e\n# a remark\necho a && squeue -a -h -o '%i'", True),
            ("hostname", False),
            ("scontrol show job 1", False),
            ("echo 'a\nb'", False),
            ("runuser -l -c 'sinfo' -- ubuntu", False),
        ):
            self.assertEqual(shell.knows(script), known, script)
