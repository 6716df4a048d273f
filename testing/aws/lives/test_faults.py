"""What goes wrong at AWS: said with what to do, exit code by code, and gone with the next run.

Each row of `faults.py` is a fault at one step of a life. The rows of one part of a life are met one after the other
in the same account, as somebody meets them who repeats the same command until it works. The full run also gives each
row a life of its own.
"""

from __future__ import annotations

import signal
import subprocess
import time
import unittest
from dataclasses import replace

from lives.faults import DELETE, DOWN, HIDDEN, UP, UPDATE, Row
from lives.program import Run
from lives.same_end import SameEndTest, first, second
from lives.support import FULL

# The commands of a life, and what stands after each.
PARTS = {
    "up": ("up", "SPEC"),
    "update": ("up", "SPEC", "--yes"),
    "down": ("down", "SPEC", "--yes"),
    "delete": ("down", "SPEC", "--delete-data", "cpu", "--delete-data", "parallelcluster", "--yes"),
}
ENDS = {"up": "first", "update": "second", "down": "down"}
SETTLED_SECONDS = 30
ROWS = {"up": UP, "update": UPDATE, "down": DOWN, "delete": DELETE}


class Faults(SameEndTest):
    """Every fault of the table, and every part of a life."""

    def test_a_life_in_which_everything_goes_wrong_once(self) -> None:
        self.undisturbed("first")
        for part, rows in ROWS.items():
            self.begin(part)
            for row in rows:
                if FULL or not row.is_slow:
                    with self.subTest(part=part, fault=row.name):
                        self.meet(part, row)
            self.end(part)

    def test_faults_that_retries_hide(self) -> None:
        self.undisturbed("first")
        for part in PARTS:
            self.begin(part)
            self.account.options(pace=0.01)
            self.account.faults(*HIDDEN[part])
            run = self.carry_out(part)
            self.assertEqual(run.code, 0, run.said)
            self.end(part)

    @unittest.skipUnless(FULL, "only in the full run")
    def test_a_life_for_each_fault(self) -> None:
        self.undisturbed("first")
        for part, rows in ROWS.items():
            for row in rows:
                with self.subTest(part=part, fault=row.name):
                    self.one_life(part, row)

    def one_life(self, part: str, row: Row) -> None:
        """No more of a life than the part needs before it, and the way out."""
        self.account.reset()
        self.program = self.another_program(f"home-{part}-{rank(row.name)}")
        if part == "update":
            self.begin("up")
            self.end("up")
        elif part != "up":
            self.write(second())
            self.up()
        self.begin(part)
        self.meet(part, replace(row, leaves_it_stuck=False))
        self.end(part)
        if part != "delete":
            self.end("delete")

    # -- one part of a life ----------------------------------------------------------------------

    def begin(self, part: str) -> None:
        self.write(first() if part == "up" else second())

    def end(self, part: str) -> None:
        """Without the fault, the same command does it."""
        self.account.no_faults()
        self.account.ask("POST", "capacity", [])
        self.account.options(pace=0.0)
        run = self.carry_out(part)
        self.assertEqual(run.code, 0, run.said)
        if part == "delete":
            self.nothing_is_left()
        else:
            # Each attempt leaves the logs that say why it failed.
            self.same(ENDS[part], besides=("log_group",))

    def meet(self, part: str, row: Row) -> None:
        self.account.no_faults()
        self.wait_until_nothing_moves()
        self.account.options(pace=row.pace)
        self.account.faults(*row.rules)
        run = self.carry_out(part)
        self.account.no_faults()
        self.assertEqual(run.code, row.code, run.said)
        for text in row.says:
            self.assertIn(text, run.err, run.said)
        if row.code:
            self.assertIn("hint: ", run.err, run.said)
        self.assertNotIn("panicked", run.err)
        if row.leaves_it_stuck:
            # Back to where it was, so that the next row's fault meets a change and not the mending.
            self.write(first())
            self.up("--yes")
            # The budget, with its stack, outlives a change that asked for it.
            self.same("first", besides=("log_group", "budget", "stack"))
            self.write(second())

    def wait_until_nothing_moves(self) -> None:
        """What an earlier row left at work would meet this row's fault."""
        end = time.monotonic() + SETTLED_SECONDS
        while moving := [line["name"] for line in self.made() if line.get("status", "").endswith("_IN_PROGRESS")]:
            self.assertLess(time.monotonic(), end, moving)
            time.sleep(0.1)

    def carry_out(self, part: str) -> Run:
        return self.program.run(*(str(self.spec_file) if word == "SPEC" else word for word in PARTS[part]))

    # -- stopping --------------------------------------------------------------------------------

    def test_somebody_stops_it_while_it_waits_for_nodes(self) -> None:
        self.undisturbed("first")
        self.write(first())
        self.account.ask("POST", "capacity", [{"instance_type": "c5.large", "available": 0}])

        def stop(process: subprocess.Popen[str]) -> None:
            # The last step has begun when the journal says so.
            while '"step":"nodes"' not in self.written():
                time.sleep(0.05)
                if process.poll() is not None:
                    return
            time.sleep(1)
            process.send_signal(signal.SIGINT)

        run = self.tell("up", self.spec_file, code=4, until=stop)
        self.assertIn("trainyard up", run.err, run.said)
        self.account.ask("POST", "capacity", [])
        self.up()
        self.same("first")
        self.away()

    def written(self) -> str:
        path = self.program.journal("cpu")
        return path.read_text() if path.exists() else ""


def rank(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)
