"""Which operations of AWS the program asks for: what all the other tests have seen, in one list."""

from __future__ import annotations

import unittest

from lives.support import WORK, note

FILE = WORK / "calls.txt"


class Calls(unittest.TestCase):
    """Comes last: it reads what the others have left."""

    def test_what_the_program_asked_of_aws_is_listed(self) -> None:
        seen: dict[str, set[str]] = {}
        for path in sorted((WORK / "calls").glob("*.txt")):
            for line in path.read_text().splitlines():
                operation, test = line.split("\t")
                seen.setdefault(operation, set()).add(test.split(".")[1])
        if not seen:
            self.skipTest("no other test has run before it")
        FILE.write_text("".join(f"{name}\n" for name in sorted(seen)))
        self.assertEqual([name for name in seen if "?" in name], [], "operations that the emulator cannot tell")
        note(f"{len(seen)} operations of {len({name.split(':')[0] for name in seen})} services: {FILE}")
