"""The control API: faults in the form of each protocol, the list of calls, quotas, what stands beforehand."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.server import ServerTest
from tests.support import resource

# service, its botocore method, its operation, and how it throttles, denies and finds a session expired
SERVICES = (
    ("cloudformation", "describe_stacks", "Throttling", "AccessDenied", "ExpiredToken"),
    ("ec2", "describe_vpcs", "RequestLimitExceeded", "UnauthorizedOperation", "RequestExpired"),
    ("s3", "list_buckets", "SlowDown", "AccessDenied", "ExpiredToken"),
    ("dynamodb", "list_tables", "ProvisionedThroughputExceededException", "AccessDeniedException",
     "ExpiredTokenException"),
    ("lambda", "list_functions", "TooManyRequestsException", "AccessDeniedException", "ExpiredTokenException"),
    ("cloudwatch", "describe_alarms", "ThrottlingException", "AccessDeniedException", "ExpiredTokenException"),
    ("service-quotas", "list_service_quotas", "TooManyRequestsException", "AccessDeniedException",
     "ExpiredTokenException"),
)  # fmt: skip


class FaultTest(ServerTest):
    def call(self, service: str, method: str) -> Any:
        options = {"ServiceCode": "ec2"} if service == "service-quotas" else {}
        return getattr(self.server.client(service), method)(**options)

    def met(self, service: str, method: str, kind: str, **more: Any) -> tuple[str, str]:
        """The code and message of the next call; the one after that must pass."""
        self.server.ask("POST", "faults", [{"service": service, "kind": kind, "times": 1, **more}])
        with self.assertRaises(ClientError) as caught:
            self.call(service, method)
        self.call(service, method)
        return caught.exception.response["Error"]["Code"], caught.exception.response["Error"]["Message"]

    def test_every_protocol(self) -> None:
        for service, method, throttled, denied, expired in SERVICES:
            with self.subTest(service):
                self.assertEqual(self.met(service, method, "throttle")[0], throttled)
                self.assertEqual(self.met(service, method, "expired")[0], expired)
                code, text = self.met(service, method, "denied")
                self.assertEqual(code, denied)
                self.assertIn("not authorized to perform", text)
                self.assertEqual(self.met(service, method, "server_error", code="Odd", status=503)[0], "Odd")

    def test_a_connection_that_breaks(self) -> None:
        self.server.ask("POST", "faults", [{"service": "sts", "kind": "reset_connection", "times": 1}])
        with self.assertRaises(BotoCoreError):
            self.call("sts", "get_caller_identity")
        self.call("sts", "get_caller_identity")

    def test_an_answer_that_is_lost(self) -> None:
        rule = {"operation": "CreateBucket", "kind": "reset_connection", "times": 1, "performed": True}
        self.server.ask("POST", "faults", [rule])
        with self.assertRaises(BotoCoreError):
            self.server.client("s3").create_bucket(Bucket="made-all-the-same")
        self.assertIn("bucket", self.inventory())

    def test_some_calls_may_pass_first(self) -> None:
        self.server.ask("POST", "faults", [{"service": "sts", "kind": "throttle", "after": 2, "times": 1}])
        for _ in range(2):
            self.call("sts", "get_caller_identity")
        with self.assertRaises(ClientError):
            self.call("sts", "get_caller_identity")
        self.server.ask("POST", "faults", [{"service": "sts", "kind": "throttle"}])
        self.server.ask("DELETE", "faults")
        self.call("sts", "get_caller_identity")


class AccountTest(ServerTest):
    def test_calls_are_told_in_order(self) -> None:
        s3 = self.server.client("s3")
        s3.create_bucket(Bucket="one")
        s3.put_object(Bucket="one", Key="a/b", Body=b"x")
        s3.list_objects_v2(Bucket="one")
        s3.get_bucket_versioning(Bucket="one")
        self.server.client("ssm").describe_parameters()
        self.server.client("grafana").list_workspaces()
        with self.assertRaises(ClientError):
            s3.head_object(Bucket="one", Key="nothing")
        calls = self.server.ask("GET", "calls?caller=outside")
        self.assertEqual(
            [(call["service"], call["operation"], call["status"] < 400) for call in calls],
            [("s3", "CreateBucket", True), ("s3", "PutObject", True), ("s3", "ListObjectsV2", True),
             ("s3", "GetBucketVersioning", True), ("ssm", "DescribeParameters", True),
             ("grafana", "ListWorkspaces", True), ("s3", "HeadObject", False)],
        )  # fmt: skip
        self.assertIn("Boto3", calls[0]["user_agent"])

    def test_a_fresh_account_is_empty(self) -> None:
        self.assertEqual(self.server.ask("GET", "inventory"), [])
        self.create({"Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"), "Topic": resource("AWS::SNS::Topic")})
        self.assertEqual(self.inventory(), {"stack", "vpc", "topic"})
        self.server.ask("POST", "reset")
        self.assertEqual(self.server.ask("GET", "inventory"), [])

    def test_quotas_and_permissions(self) -> None:
        quotas = self.server.client("service-quotas")
        self.server.ask("POST", "quotas", [{"service": "ec2", "code": "L-417A185B", "value": 96}])
        found = quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-417A185B")["Quota"]
        self.assertEqual((found["Value"], found["QuotaName"]), (96.0, "Running On-Demand P instances"))
        self.server.ask("POST", "permissions", [{"action": "ec2:Run*"}])
        iam = self.server.client("iam")
        arn = iam.create_user(UserName="x")["User"]["Arn"]
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="x", PolicyName="all", PolicyDocument=json.dumps(everything))
        answer = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=["ec2:RunInstances", "s3:GetObject"]
        )
        decisions = [item["EvalDecision"] for item in answer["EvaluationResults"]]
        self.assertEqual(decisions, ["implicitDeny", "allowed"])

    def test_what_a_plan_expects_has_the_ids_of_the_plan(self) -> None:
        vpc, subnet, block = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "cr-0123456789abcdef0"
        secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:munge-AbCdEf"
        expects = [
            {"kind": "vpc", "id": vpc},
            {"kind": "subnet", "id": subnet, "vpc": vpc, "zone": "us-east-1a", "public": False},
            {"kind": "reservation", "id": block, "instance": "p5.48xlarge", "zone": "us-east-1a", "count": 2,
             "is_block": True, "placement_group": None, "platform": "Linux/UNIX", "start": 3600, "end": 90000},
            {"kind": "lustre", "id": "fs-0123456789abcdef0"},
            {"kind": "efs", "id": "fs-0123456789abcdef1"},
            {"kind": "secret", "arn": secret},
        ]  # fmt: skip
        plan = {"target": {"aws": {"region": "us-east-1", "zones": ["us-east-1a"], "expects": expects}}}
        answer = self.server.ask("POST", "expect", plan)
        self.assertEqual((answer["problems"], answer["waiting"]), ([], []))
        self.assertEqual({given for given, real in answer["made"].items() if given != real}, set())
        ec2 = self.server.client("ec2")
        self.assertEqual(ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"], vpc)
        found = ec2.describe_capacity_reservations(CapacityReservationIds=[block])["CapacityReservations"][0]
        self.assertEqual((found["State"], found["ReservationType"]), ("scheduled", "capacity-block"))
        self.assertIn("SecretString", self.server.client("secretsmanager").get_secret_value(SecretId=secret))

    def test_a_new_instance_has_no_address_at_first(self) -> None:
        ec2 = self.server.client("ec2")
        self.server.ask("POST", "options", {"unknown": 0.1})
        self.addCleanup(self.server.ask, "POST", "options", {"unknown": 0})
        image = self.server.client("ssm").get_parameter(
            Name="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
        )["Parameter"]["Value"]
        made = ec2.run_instances(ImageId=image, InstanceType="m6i.large", MinCount=1, MaxCount=1)["Instances"][0]
        self.assertNotIn("PrivateIpAddress", made)
        with self.assertRaises(ClientError) as caught:
            ec2.describe_instances(InstanceIds=[made["InstanceId"]])
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidInstanceID.NotFound")

        def address() -> bool:
            found = ec2.describe_instances()["Reservations"][0]["Instances"][0]
            return "PrivateIpAddress" in found

        self.eventually(True, address)
