"""What the caller may not do is said before anything is made."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from lives.support import LivesTest, Spec, example


class Permissions(LivesTest):
    """The policies of `trainyard render iam` are enough, and less is named."""

    def setUp(self) -> None:
        super().setUp()
        self.spec: Spec = example("cpu")
        self.write(self.spec)

    def test_the_rendered_policies_are_enough(self) -> None:
        for name in ("cpu", "p5-odcr", "openzfs-home"):
            with self.subTest(example=name):
                self.account.reset()
                self.spec = example(name)
                self.expect(self.spec)
                self.as_user(self.policies())
                said = self.tell("check", "--online", self.spec_file)
                self.assertNotIn("not known", said.err, said.said)

    def test_what_is_missing_is_named_and_nothing_is_made(self) -> None:
        for missing in ("iam:PassRole", "ec2:CreateVpc", "s3:PutObject"):
            with self.subTest(missing=missing):
                self.account.reset()
                self.as_user([without(policy, missing) for policy in self.policies()])
                before = self.account.inventory()
                run = self.tell("check", "--online", self.spec_file, code=1)
                self.assertIn("not-allowed", run.err, run.said)
                self.assertIn(missing, run.err, run.said)
                run = self.program.run("up", str(self.spec_file), "--yes")
                self.assertNotEqual(run.code, 0, run.said)
                self.assertIn(missing, run.err, run.said)
                self.assertEqual(self.account.inventory(), before)
                # Somebody whose policy has conditions that no simulation knows is not kept from trying.
                skipping = dict(self.program.environment) | {"TRAINYARD_SKIP_PERMISSIONS": "1"}
                self.program.environment = skipping
                self.tell("check", "--online", self.spec_file)

    def test_a_denial_by_name_is_told_from_a_gap(self) -> None:
        deny = {"Effect": "Deny", "Action": "fsx:*", "Resource": "*"}
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        self.spec = example("p5-odcr")
        self.expect(self.spec)
        self.as_user([{"Version": "2012-10-17", "Statement": [everything, deny]}])
        run = self.tell("check", "--online", self.spec_file, code=1)
        self.assertIn("fsx:CreateFileSystem (denied by name)", run.err, run.said)

    def test_who_may_not_ask_iam_is_told_so_and_goes_on(self) -> None:
        self.as_user([without(policy, "iam:SimulatePrincipalPolicy") for policy in self.policies()])
        plan = self.tell("plan", "--online", self.spec_file)
        self.assertIn("it may not ask (iam:SimulatePrincipalPolicy)", plan.out + plan.err, plan.said)
        self.up()
        self.down_with_everything("cpu")

    def test_a_session_of_a_role_is_its_role(self) -> None:
        iam = self.account.client("iam")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
        role = iam.create_role(RoleName="team", Path="/deep/er/", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        for number, policy in enumerate(self.policies()):
            policy = without(policy, "ssm:SendCommand")
            iam.put_role_policy(RoleName="team", PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        session = self.account.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ada")["Credentials"]
        self.program.environment |= {
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }  # fmt: skip
        run = self.tell("check", "--online", self.spec_file, code=1)
        self.assertIn("the caller may not do ssm:SendCommand", run.err, run.said)


def without(policy: dict[str, Any], action: str) -> dict[str, Any]:
    """The policy without what allows this action."""
    statements = [
        {**one, "Action": [pattern for pattern in one["Action"] if not fnmatchcase(action, pattern)]}
        for one in policy["Statement"]
    ]
    return {**policy, "Statement": [one for one in statements if one["Action"]]}
