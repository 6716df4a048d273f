"""IAM's simulation, by the policies of users and roles."""

from __future__ import annotations

import json
import unittest

from botocore.exceptions import ClientError

from emulator.services.simulation import Statement, decide
from tests.server import ServerTest

ROLE = "arn:aws:iam::123456789012:role/team/head"


def allow(actions: object, resource: object = "*", **more: object) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


PASS = {"StringLike": {"iam:PassedToService": ["ec2.amazonaws.com*"]}}
CASES: list[tuple[str, list[Statement], dict[str, list[str]], str, set[str]]] = [
    ("nothing", [], {}, "implicitDeny", set()),
    ("by name", [allow("iam:PassRole", ROLE)], {}, "allowed", set()),
    ("in any letters", [allow(["IAM:pass*"], "arn:aws:iam::*:role/team/*")], {}, "allowed", set()),
    ("another resource", [allow("iam:*", "arn:aws:iam::*:role/other/*")], {}, "implicitDeny", set()),
    ("all but", [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], {}, "allowed", set()),
    ("a denial wins", [allow("*"), allow("iam:*") | {"Effect": "Deny"}], {}, "explicitDeny", set()),
    ("not told", [allow("*", Condition=PASS)], {}, "implicitDeny", {"iam:PassedToService"}),
    ("told", [allow("*", Condition=PASS)], {"iam:passedtoservice": ["ec2.amazonaws.com"]}, "allowed", set()),
    ("told otherwise", [allow("*", Condition=PASS)], {"iam:passedtoservice": ["rds.a"]}, "implicitDeny", set()),
]


class DecideTest(unittest.TestCase):
    def test_decisions(self) -> None:
        for name, statements, context, decision, missing in CASES:
            with self.subTest(name):
                self.assertEqual(decide(statements, "iam:PassRole", ROLE, context), (decision, missing))


class SimulationTest(ServerTest):
    def test_users_have_what_their_policies_say_page_by_page(self) -> None:
        iam = self.server.client("iam")
        arn = iam.create_user(UserName="ada", Path="/team/")["User"]["Arn"]
        policy = {"Version": "2012-10-17", "Statement": allow("s3:Get*", "arn:aws:s3:::data/*")}
        iam.put_user_policy(UserName="ada", PolicyName="read", PolicyDocument=json.dumps(policy))
        asked = {
            "PolicySourceArn": arn, "ActionNames": ["s3:GetObject", "s3:PutObject"],
            "ResourceArns": ["arn:aws:s3:::data/x", "arn:aws:s3:::other/x"], "MaxItems": 3,
        }  # fmt: skip
        first = iam.simulate_principal_policy(**asked)
        self.assertTrue(first["IsTruncated"])
        second = iam.simulate_principal_policy(**asked, Marker=first["Marker"])
        self.assertFalse(second["IsTruncated"])
        found = [item["EvalDecision"] for item in first["EvaluationResults"] + second["EvaluationResults"]]
        self.assertEqual(found, ["allowed", "implicitDeny", "implicitDeny", "implicitDeny"])

    def test_what_iam_refuses(self) -> None:
        iam = self.server.client("iam")
        somebody = "arn:aws:iam::123456789012:user/somebody"
        for code, arn, action, resource in (
            ("NoSuchEntity", "arn:aws:iam::123456789012:role/nobody", "s3:GetObject", "*"),
            ("InvalidInput", somebody, "GetObject", "*"),
            ("InvalidInput", somebody, "s3:GetObject", "data"),
        ):
            with self.assertRaises(ClientError) as caught:
                iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource])
            self.assertEqual(caught.exception.response["Error"]["Code"], code)
