"""The program is killed; the same command again comes to the same end, and makes nothing twice.

In one life the program is killed after every single record that it writes; the full run also gives each
moment a life of its own, and kills at more random moments.
"""

from __future__ import annotations

import json
import random
import unittest
from typing import Any

from lives.program import Run
from lives.same_end import SameEndTest, first, second
from lives.support import FULL

RUNS_MAX = 80
# Slow enough that a random moment lies within a stack, or within the clean-up of one.
PACE_SECONDS = 0.02
SEED = 7


class Kills(SameEndTest):
    """SIGKILL, then the same command."""

    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(f"{SEED} {self.id()}")

    # -- one life, killed again and again --------------------------------------------------------

    def test_a_life_that_is_killed_after_every_record(self) -> None:
        self.undisturbed("first")
        self.write(first())
        self.kill_all_along("up", self.spec_file)
        self.same("first")
        self.write(second())
        self.kill_all_along("up", self.spec_file, "--yes")
        self.same("second")
        self.kill_all_along("down", self.spec_file, "--yes")
        self.same("down")
        self.away()

    def kill_all_along(self, *arguments: Any) -> None:
        """Killed after the first record that it writes, then after the second, as long as that gets it on."""
        for _ in range(RUNS_MAX):
            known = self.written()
            for records in (1, 2):
                if self.ended_well(self.program.kill_after("cpu", records, *map(str, arguments))):
                    return
            if self.written() == known:
                # The last step is looked at again in each run.
                self.tell(*arguments)
                return
        self.fail(f"no end after {RUNS_MAX} runs")

    def written(self) -> set[str]:
        """Which step was begun, done or undone, for which action."""
        path = self.program.journal("cpu")
        records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return {json.dumps([record["step"], record["what"]]) for record in records}

    def ended_well(self, run: Run) -> bool:
        """Whether it came to its end; anything but that and the kill is a failure."""
        self.assertIn(run.code, (0, -9), run.said)
        return run.code == 0

    def test_a_life_that_is_killed_at_random_moments(self) -> None:
        self.undisturbed("first")
        for _ in range(6 if FULL else 1):
            self.account.reset()
            self.account.options(pace=PACE_SECONDS)
            self.write(first())
            self.kill_at_random("up", self.spec_file, within=4.0)
            self.same("first")
            self.write(second())
            self.kill_at_random("up", self.spec_file, "--yes", within=3.0)
            self.same("second")
            self.kill_at_random("down", self.spec_file, "--yes", within=2.0)
            self.same("down")
            everything = ("--delete-data", "cpu", "--delete-data", "parallelcluster")
            self.kill_at_random("down", self.spec_file, *everything, "--yes", within=1.0)
            self.nothing_is_left()

    def kill_at_random(self, *arguments: Any, within: float) -> None:
        for _ in range(RUNS_MAX):
            moment = self.random.uniform(0.05, within)
            within *= 1.2  # so that it ends in the end
            if self.ended_well(self.program.kill_at(moment, *map(str, arguments))):
                return
        self.fail("no end")

    # -- a life for each moment -------------------------------------------------------------------

    @unittest.skipUnless(FULL, "only in the full run")
    def test_an_up_that_is_killed_once(self) -> None:
        self.undisturbed("first")
        self.each_record(lambda number: self.one_up(number))

    def one_up(self, number: int) -> Run:
        self.account.reset()
        self.write(first())
        run = self.program.kill_after("cpu", number, "up", str(self.spec_file))
        self.up()
        self.same("first")
        self.away()
        return run

    @unittest.skipUnless(FULL, "only in the full run")
    def test_a_down_that_is_killed_once(self) -> None:
        self.undisturbed("first")
        self.each_record(lambda number: self.one_down(number))

    def one_down(self, number: int) -> Run:
        self.account.reset()
        self.write(second())
        self.up()
        run = self.program.kill_after("cpu", number, "down", str(self.spec_file), "--yes")
        self.down("--yes")
        self.same("down")
        self.away()
        return run

    @unittest.skipUnless(FULL, "only in the full run")
    def test_an_update_that_is_killed_once(self) -> None:
        """There and back in one life: what is killed once is the way there."""
        self.undisturbed("first")
        self.write(first())
        self.up()
        self.each_record(lambda number: self.one_update(number))
        self.away()

    def one_update(self, number: int) -> Run:
        self.write(second())
        run = self.program.kill_after("cpu", number, "up", str(self.spec_file), "--yes")
        self.up("--yes")
        self.same("second")
        self.write(first())
        self.up("--yes")
        return run

    def each_record(self, one: Any) -> None:
        """One life for each record, until there is none so late."""
        for number in range(1, RUNS_MAX):
            with self.subTest(record=number):
                if one(number).code == 0:
                    return
