"""Stacks on the server: in progress first, events as they come, and what may be done meanwhile."""

from __future__ import annotations

import json
import time

from botocore.exceptions import ClientError

from tests.server import ServerTest
from tests.support import resource

BUCKET = resource("AWS::S3::Bucket")
MANY = {f"Topic{number}": resource("AWS::SNS::Topic") for number in range(40)}


class TimeTest(ServerTest):
    def begin(self, resources: object, **options: object) -> str:
        body = json.dumps({"Resources": resources})
        return self.cloudformation.create_stack(StackName="stack", TemplateBody=body, **options)["StackId"]

    def refused(self, words: str, call: object, **options: object) -> None:
        with self.assertRaises(ClientError) as caught:
            call(**options)  # type: ignore[operator]
        self.assertIn(words, str(caught.exception))

    def paced(self, seconds: float) -> None:
        self.server.ask("POST", "options", {"pace": seconds})
        self.addCleanup(self.server.ask, "POST", "options", {"pace": 0})

    def test_a_stack_is_in_progress_before_it_is_complete(self) -> None:
        self.paced(0.1)
        self.begin({"A": BUCKET, "B": BUCKET}, ClientRequestToken="attempt-1")
        self.assertEqual(self.stack("stack")["StackStatus"], "CREATE_IN_PROGRESS")
        self.assertEqual(self.settled("stack")["StackStatus"], "CREATE_COMPLETE")
        self.assertEqual(self.events("stack"), [
            ("stack", "CREATE_IN_PROGRESS", "User Initiated"),
            ("B", "CREATE_IN_PROGRESS", ""),
            ("B", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
            ("B", "CREATE_COMPLETE", ""),
            ("A", "CREATE_IN_PROGRESS", ""),
            ("A", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
            ("A", "CREATE_COMPLETE", ""),
            ("stack", "CREATE_COMPLETE", ""),
        ])  # fmt: skip
        page = self.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
        self.assertEqual({event["ClientRequestToken"] for event in page}, {"attempt-1"})

    def test_a_look_may_be_late(self) -> None:
        self.server.ask("POST", "options", {"stale": 0.5})
        self.addCleanup(self.server.ask, "POST", "options", {"stale": 0})
        self.begin({"A": BUCKET})
        self.refused("does not exist", self.cloudformation.describe_stacks, StackName="stack")
        time.sleep(0.6)
        self.assertEqual(self.stack("stack")["StackStatus"], "CREATE_COMPLETE")
        body = json.dumps({"Resources": {"A": BUCKET, "B": BUCKET}})
        self.cloudformation.update_stack(StackName="stack", TemplateBody=body)
        self.assertEqual(self.stack("stack")["StackStatus"], "CREATE_COMPLETE")
        time.sleep(0.6)
        self.assertEqual(self.stack("stack")["StackStatus"], "UPDATE_COMPLETE")

    def test_a_second_request_with_the_same_token_is_the_same_request(self) -> None:
        first = self.begin({"A": BUCKET}, ClientRequestToken="attempt-1")
        self.assertEqual(self.begin({"A": BUCKET}, ClientRequestToken="attempt-1"), first)
        self.refused("already exists", self.begin, resources={"A": BUCKET}, ClientRequestToken="attempt-2")

    def test_events_come_in_pages_of_a_hundred(self) -> None:
        self.begin(MANY)
        self.settled("stack")
        page = self.cloudformation.describe_stack_events(StackName="stack")
        self.assertEqual((len(page["StackEvents"]), "NextToken" in page), (100, True))
        self.assertEqual(len(self.events("stack")), 2 + 3 * len(MANY))

    def test_a_stack_in_progress_takes_no_other_operation(self) -> None:
        self.paced(0.3)
        self.begin({"A": BUCKET})
        update = json.dumps({"Resources": {"A": BUCKET, "B": BUCKET}})
        self.refused("is in CREATE_IN_PROGRESS state and can not be updated", self.cloudformation.update_stack,
                     StackName="stack", TemplateBody=update)  # fmt: skip
        self.settled("stack")
        self.cloudformation.update_stack(StackName="stack", TemplateBody=update)
        self.refused("cannot be deleted while in status UPDATE_IN_PROGRESS", self.cloudformation.delete_stack,
                     StackName="stack")  # fmt: skip
        self.assertEqual(self.settled("stack")["StackStatus"], "UPDATE_COMPLETE")
        self.refused("No updates are to be performed", self.cloudformation.update_stack, StackName="stack",
                     TemplateBody=update)  # fmt: skip

    def test_a_stack_can_be_deleted_while_it_is_made(self) -> None:
        self.paced(0.2)
        identifier = self.begin(MANY)
        time.sleep(0.5)
        self.cloudformation.delete_stack(StackName="stack")
        self.assertEqual(self.stack(identifier)["StackStatus"], "DELETE_IN_PROGRESS")
        self.server.ask("POST", "options", {"pace": 0})
        self.assertEqual(self.settled(identifier)["StackStatus"], "DELETE_COMPLETE")
        self.assertNotIn("topic", self.inventory())

    def test_an_update_can_be_cancelled(self) -> None:
        self.begin({"A": BUCKET})
        self.settled("stack")
        self.paced(0.2)
        self.cloudformation.update_stack(
            StackName="stack", TemplateBody=json.dumps({"Resources": {"A": BUCKET} | MANY})
        )
        self.cloudformation.cancel_update_stack(StackName="stack")
        self.server.ask("POST", "options", {"pace": 0})
        self.assertEqual(self.settled("stack")["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        self.assertNotIn("topic", self.inventory())

    def test_what_is_missing(self) -> None:
        self.cloudformation.delete_stack(StackName="nobody")
        self.refused("Stack with id nobody does not exist", self.cloudformation.describe_stacks, StackName="nobody")

    def test_a_resource_fails_where_a_rule_says_so(self) -> None:
        rule = {"stack": "stack", "logical_id": "A", "reason": "No capacity. (Service: Ec2)"}
        self.server.ask("POST", "faults", [rule])
        stack = self.create({"A": BUCKET, "B": BUCKET})
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
        self.assertIn(("A", "CREATE_FAILED", rule["reason"]), self.events("stack"))
        self.cloudformation.delete_stack(StackName="stack")
        self.settled(stack["StackId"])
        self.assertEqual(self.create({"A": BUCKET})["StackStatus"], "CREATE_COMPLETE")

    def test_a_rollback_that_fails_can_be_continued(self) -> None:
        enabled, suspended = (
            resource("AWS::S3::Bucket", VersioningConfiguration={"Status": status})
            for status in ("Enabled", "Suspended")
        )
        self.create({"Bucket": enabled})
        # The one written last comes first: the bucket is changed, the new one fails, the change back fails.
        body = json.dumps({"Resources": {"New": BUCKET, "Bucket": suspended}})
        self.server.ask("POST", "faults", [
            {"stack": "stack", "logical_id": "New", "reason": "no"},
            {"stack": "stack", "logical_id": "Bucket", "operation": "update", "reason": "never", "after": 1},
        ])  # fmt: skip
        self.cloudformation.update_stack(StackName="stack", TemplateBody=body)
        self.assertEqual(self.settled("stack")["StackStatus"], "UPDATE_ROLLBACK_FAILED")
        self.cloudformation.continue_update_rollback(StackName="stack")
        self.assertEqual(self.settled("stack")["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")

    def test_a_template_with_a_transform_needs_consent(self) -> None:
        body = json.dumps({"Resources": {"A": BUCKET}, "Transform": "AWS::Serverless-2016-10-31"})
        self.refused("CAPABILITY_AUTO_EXPAND", self.cloudformation.create_stack, StackName="stack", TemplateBody=body)

    def test_a_failure_that_is_left_can_be_updated(self) -> None:
        self.server.ask("POST", "faults", [{"stack": "stack", "logical_id": "A", "reason": "no"}])
        self.assertEqual(self.create({"A": BUCKET}, DisableRollback=True)["StackStatus"], "CREATE_FAILED")
        body = json.dumps({"Resources": {"A": BUCKET}})
        self.cloudformation.update_stack(StackName="stack", TemplateBody=body, DisableRollback=True)
        self.assertEqual(self.settled("stack")["StackStatus"], "UPDATE_COMPLETE")

    def test_what_cannot_go_back_can_be_left_out_of_the_way_back(self) -> None:
        self.create({"Topic": resource("AWS::SNS::Topic", DisplayName="one")})
        body = json.dumps({"Resources": {"New": BUCKET, "Topic": resource("AWS::SNS::Topic", DisplayName="two")}})
        never = {"stack": "stack", "logical_id": "Topic", "operation": "update", "after": 1, "times": 9}
        self.server.ask("POST", "faults", [{"stack": "stack", "logical_id": "New"}, never])
        self.cloudformation.update_stack(StackName="stack", TemplateBody=body)
        self.assertEqual(self.settled("stack")["StackStatus"], "UPDATE_ROLLBACK_FAILED")
        again = self.cloudformation.continue_update_rollback
        again(StackName="stack")
        self.assertEqual(self.settled("stack")["StackStatus"], "UPDATE_ROLLBACK_FAILED")
        self.refused("cannot be skipped", again, StackName="stack", ResourcesToSkip=["New"])
        again(StackName="stack", ResourcesToSkip=["Topic"])
        self.assertEqual(self.settled("stack")["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
