"""The linter of policies: what it must find."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import policies


class PoliciesTest(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = Path(place.name)

    def lint(self, action: str, resource: str) -> tuple[int, str]:
        statement = {"Effect": "Allow", "Action": [action], "Resource": [resource]}
        (self.place / "iam").mkdir(exist_ok=True)
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        (self.place / "iam" / "1.json").write_text(text)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = policies.main([str(self.place)])
        return code, output.getvalue()

    def test_a_good_policy(self) -> None:
        code, output = self.lint("s3:GetObject", "arn:aws:s3:::bucket/*")
        self.assertEqual(code, 0, output)

    def test_an_action_that_there_is_not(self) -> None:
        code, output = self.lint("s3:HeadObject", "arn:aws:s3:::bucket/*")
        self.assertEqual(code, 1)
        self.assertIn("headobject", output.lower())

    def test_a_resource_of_another_kind(self) -> None:
        code, output = self.lint("dynamodb:GetItem", "arn:aws:s3:::bucket")
        self.assertEqual(code, 1, output)

    def test_a_folder_without_policies(self) -> None:
        with self.assertRaises(SystemExit):
            policies.main([str(self.place)])


if __name__ == "__main__":
    unittest.main()
