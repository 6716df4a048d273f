"""IAM's simulator: whose policies, which decision, in which pages, and who is refused."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.exceptions import ClientError
from emulator.services.policy_evaluation import evaluate

from tests.server import ServerTest


def statement(effect: str, action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


# policies, action, resource, context, and what is decided
CASES: tuple[tuple[list[dict[str, Any]], str, str, dict[str, list[str]], str], ...] = (
    ([], "s3:GetObject", "*", {}, "implicitDeny"),
    ([statement("Allow", "s3:get*")], "s3:GetObject", "*", {}, "allowed"),
    ([statement("Allow", "s3:Get?bject")], "s3:GetObject", "*", {}, "allowed"),
    ([statement("Allow", "s3:*"), statement("Deny", "s3:GetObject")], "s3:GetObject", "*", {}, "explicitDeny"),
    ([statement("Allow", "s3:*", "arn:aws:s3:::a/*")], "s3:GetObject", "arn:aws:s3:::a/b/c", {}, "allowed"),
    ([statement("Allow", "s3:*", "arn:aws:s3:::a/*")], "s3:GetObject", "arn:aws:s3:::A/b", {}, "implicitDeny"),
    ([statement("Allow", "s3:*", "arn:aws:s3:::a")], "s3:GetObject", "*", {}, "implicitDeny"),
    ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "iam:GetRole", "*", {}, "implicitDeny"),
    ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:x"}], "iam:GetRole", "arn:y", {}, "allowed"),
    ([statement("Allow", "a:B", **when("StringLike", "k", "ec2.*"))], "a:B", "*", {"k": ["ec2.x"]}, "allowed"),
    ([statement("Allow", "a:B", **when("StringLike", "k", "ec2.*"))], "a:B", "*", {}, "implicitDeny"),
    ([statement("Allow", "a:B", **when("StringEqualsIfExists", "k", "v"))], "a:B", "*", {}, "allowed"),
    ([statement("Allow", "a:B"), statement("Deny", "*", **when("StringNotEquals", "k", "v"))],
     "a:B", "*", {}, "explicitDeny"),
    ([statement("Allow", "a:B"), statement("Deny", "*", **when("StringNotEquals", "k", "v", "w"))],
     "a:B", "*", {"k": ["w"]}, "allowed"),
    ([statement("Allow", "a:B"), statement("Deny", "*", **when("Null", "k", "true"))], "a:B", "*", {}, "explicitDeny"),
    ([statement("Allow", "a:B", **when("ForAllValues:StringEquals", "k", "x", "y"))],
     "a:B", "*", {"k": ["x", "z"]}, "implicitDeny"),
    ([statement("Allow", "a:B", **when("ForAnyValue:StringEquals", "k", "x", "y"))],
     "a:B", "*", {"k": ["x", "z"]}, "allowed"),
)  # fmt: skip


class Simulation(ServerTest):
    """Against a server, as a program meets it."""

    def setUp(self) -> None:
        super().setUp()
        self.server.ask("POST", "reset")
        self.iam = self.server.client("iam")

    def user(self, *statements: dict[str, Any], **options: str) -> str:
        arn = self.iam.create_user(UserName="ada", **options)["User"]["Arn"]
        self.iam.put_user_policy(UserName="ada", PolicyName="own", PolicyDocument=json.dumps(policy(*statements)))
        return arn

    def code(self, client: Any = None, **request: Any) -> str:
        with self.assertRaises(ClientError) as caught:
            (client or self.iam).simulate_principal_policy(**request)
        return caught.exception.response["Error"]["Code"]

    def test_decisions_follow_the_documentation(self) -> None:
        for statements, action, resource, context, expected in CASES:
            with self.subTest(statements=statements, action=action, resource=resource, context=context):
                self.assertEqual(evaluate([policy(*statements)], action, resource, context).decision, expected)

    def test_a_group_counts_and_a_key_that_is_missing_is_named(self) -> None:
        arn = self.user(statement("Allow", "s3:GetObject", **when("StringEquals", "aws:SourceVpce", "vpce-1")))
        self.iam.create_group(GroupName="team")
        self.iam.put_group_policy(
            GroupName="team", PolicyName="own", PolicyDocument=json.dumps(policy(statement("Allow", "s3:PutObject")))
        )
        self.iam.add_user_to_group(GroupName="team", UserName="ada")
        asked = {"PolicySourceArn": arn, "ActionNames": ["s3:PutObject", "s3:GetObject"]}
        put, get = self.iam.simulate_principal_policy(**asked)["EvaluationResults"]
        self.assertEqual((put["EvalDecision"], get["EvalDecision"]), ("allowed", "implicitDeny"))
        self.assertEqual(get["MissingContextValues"], ["aws:SourceVpce"])
        entry = {"ContextKeyName": "aws:sourcevpce", "ContextKeyType": "string", "ContextKeyValues": ["vpce-1"]}
        _, get = self.iam.simulate_principal_policy(**asked, ContextEntries=[entry])["EvaluationResults"]
        self.assertEqual((get["EvalDecision"], get["MissingContextValues"]), ("allowed", []))

    def test_each_resource_has_its_result_and_the_strictest_stands_above(self) -> None:
        arn = self.user(statement("Allow", "s3:GetObject", "arn:aws:s3:::a/*"))
        resources = ["arn:aws:s3:::a/x", "arn:aws:s3:::b/x"]
        answer = self.iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=["s3:GetObject"], ResourceArns=resources
        )
        [result] = answer["EvaluationResults"]
        self.assertEqual(result["EvalDecision"], "implicitDeny")
        found = [(one["EvalResourceName"], one["EvalResourceDecision"]) for one in result["ResourceSpecificResults"]]
        self.assertEqual(found, [(resources[0], "allowed"), (resources[1], "implicitDeny")])

    def test_a_boundary_and_an_organization_are_told(self) -> None:
        boundary = json.dumps(policy(statement("Allow", "s3:*")))
        bound = self.iam.create_policy(PolicyName="bound", PolicyDocument=boundary)["Policy"]["Arn"]
        trust = json.dumps(policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}))
        role = self.iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust, PermissionsBoundary=bound)["Role"]
        everything = json.dumps(policy(statement("Allow", "*")))
        self.iam.put_role_policy(RoleName="r", PolicyName="all", PolicyDocument=everything)
        self.server.ask("POST", "permissions", [
            {"action": "s3:PutObject", "decision": "explicitDeny", "by": "organization"}])  # fmt: skip
        answer = self.iam.simulate_principal_policy(
            PolicySourceArn=role["Arn"], ActionNames=["s3:GetObject", "ec2:CreateVpc", "s3:PutObject"]
        )
        get, vpc, put = answer["EvaluationResults"]
        self.assertEqual([one["EvalDecision"] for one in (get, vpc, put)], ["allowed", "implicitDeny", "explicitDeny"])
        self.assertFalse(vpc["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"])
        self.assertTrue(get["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"])
        self.assertFalse(put["OrganizationsDecisionDetail"]["AllowedByOrganizations"])

    def test_answers_come_in_pages(self) -> None:
        arn = self.user(statement("Allow", "s3:*"))
        actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        pages = self.iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=arn, ActionNames=actions, PaginationConfig={"PageSize": 2}
        )
        found = [[one["EvalActionName"] for one in page["EvaluationResults"]] for page in pages]
        self.assertEqual(found, [actions[:2], actions[2:]])

    def test_what_cannot_be_simulated_is_refused(self) -> None:
        arn = self.user(statement("Allow", "s3:*"))
        session = "arn:aws:sts::123456789012:assumed-role/r/ada"
        self.assertEqual(self.code(PolicySourceArn=arn, ActionNames=["s3:MakeTea"]), "InvalidInput")
        self.assertEqual(self.code(PolicySourceArn=arn, ActionNames=["GetObject"]), "InvalidInput")
        self.assertEqual(self.code(PolicySourceArn=session, ActionNames=["s3:GetObject"]), "InvalidInput")
        self.assertEqual(self.code(PolicySourceArn=arn + "x", ActionNames=["s3:GetObject"]), "NoSuchEntity")

    def test_whoever_may_not_simulate_is_refused(self) -> None:
        arn = self.user(statement("Allow", "s3:*"))
        user = self.iam.create_access_key(UserName="ada")["AccessKey"]
        trust = json.dumps(policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}))
        role = self.iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        assumed = self.server.client("sts").assume_role(RoleArn=role, RoleSessionName="ada")["Credentials"]
        for key in (user, assumed):
            theirs = boto3.client(
                "iam", "us-east-1", endpoint_url=self.iam.meta.endpoint_url, aws_access_key_id=key["AccessKeyId"],
                aws_secret_access_key=key["SecretAccessKey"], aws_session_token=key.get("SessionToken"),
            )  # fmt: skip
            self.assertEqual(self.code(theirs, PolicySourceArn=arn, ActionNames=["s3:GetObject"]), "AccessDenied")

    def test_a_key_that_nobody_has_is_the_root_of_the_account(self) -> None:
        arn = self.server.client("sts").get_caller_identity()["Arn"]
        self.assertTrue(arn.startswith("arn:aws:iam::") and arn.endswith(":root"), arn)
