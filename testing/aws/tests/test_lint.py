"""The linter: what counts, what is only said, and the short list of skips."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import lint
from tests import plans


class LintTest(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = Path(place.name)

    def lint(self, *changes: tuple[str, str, str]) -> tuple[int, str]:
        folder = plans.write(self.place / "plan", *changes)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = lint.main([folder])
        return code, output.getvalue()

    def test_a_good_plan(self) -> None:
        code, output = self.lint()
        self.assertEqual(code, 0, output)
        self.assertIn("all", output.splitlines()[-1])

    def test_an_error_and_a_warning_count(self) -> None:
        for rule, change in (
            ("E3002", ("network", "EnableDnsSupport", "EnableDns")),
            ("W2001", ("storage", "  GroupId: {Type", "  Spare: {Type: String}\n  GroupId: {Type")),
        ):
            with self.subTest(rule):
                code, output = self.lint(change)
                self.assertEqual(code, 1)
                self.assertIn(rule, output)

    def test_information_is_printed_but_does_not_count(self) -> None:
        code, output = self.lint(("storage", "    DeletionPolicy: Delete\n", ""))
        self.assertEqual(code, 0, output)
        self.assertIn("info I3011", output)

    def test_skips_are_few_and_have_reasons(self) -> None:
        self.assertLessEqual(len(lint.read_skips()), lint.MOST_SKIPS)
        path = self.place / "skips.yaml"
        path.write_text("".join(f"- {{id: CKV_{index}, reason: because}}\n" for index in range(11)))
        with self.assertRaises(SystemExit):
            lint.read_skips(path)
        path.write_text("- {id: CKV_1, reason: ' '}\n")
        with self.assertRaises(SystemExit):
            lint.read_skips(path)


if __name__ == "__main__":
    unittest.main()
