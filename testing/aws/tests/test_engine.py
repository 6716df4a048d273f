"""The engine: order, rollback, retention, refusals, functions, exports, change sets."""

from __future__ import annotations

import json
import unittest

from emulator.engine.intrinsics import Scope, evaluate
from emulator.engine.template import TemplateError, creation_order, parse
from tests.support import NETWORK, EmulatorTest, att, client, ref, resource

LUSTRE = resource(
    "AWS::FSx::FileSystem", FileSystemType="LUSTRE", StorageCapacity=1200, SubnetIds=[ref("Subnet")],
    SecurityGroupIds=[ref("Group")],
    LustreConfiguration={"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 125},
)  # fmt: skip
BUCKET = resource("AWS::S3::Bucket")


class RefusalTest(EmulatorTest):
    def test_an_unknown_type_is_refused_and_nothing_is_made(self) -> None:
        body = json.dumps({"Resources": {"Bucket": BUCKET, "Other": resource("AWS::EC2::Nonsense")}})
        message = self.refused(
            "ValidationError", self.cloudformation.create_stack, StackName="stack", TemplateBody=body
        )
        self.assertIn("Unrecognized resource types: [AWS::EC2::Nonsense]", message)
        self.assertEqual(client("s3").list_buckets()["Buckets"], [])

    def test_an_unknown_property_fails_the_resource(self) -> None:
        self.deploy({"Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16", Colour="red")})
        self.status("ROLLBACK_COMPLETE")
        self.assertIn("unsupported property Colour", self.reasons())

    def test_templates_that_the_service_refuses(self) -> None:
        cases = {
            "Unresolved resource dependencies [Nobody]": {"Resources": {"A": resource("AWS::S3::Bucket", BucketName=ref("Nobody"))}},
            "null": {"Resources": {"A": resource("AWS::S3::Bucket", BucketName=None)}},
            "At least one Resources member": {"Resources": {}},
            "Invalid template property": {"Resources": {"A": BUCKET}, "Output": {}},
            "Every Resources object must contain a Type": {"Resources": {"A": {"Properties": {}}}},
            "Circular dependency": {"Resources": {
                "A": resource("AWS::S3::Bucket", BucketName=ref("B")), "B": resource("AWS::S3::Bucket", BucketName=ref("A"))}},
            "must have values": {"Parameters": {"P": {"Type": "String"}}, "Resources": {"A": BUCKET}},
        }  # fmt: skip
        for expected, template in cases.items():
            with self.subTest(expected):
                message = self.refused(
                    "ValidationError", self.cloudformation.create_stack, StackName="stack",
                    TemplateBody=json.dumps(template),
                )  # fmt: skip
                self.assertIn(expected, message)

    def test_iam_needs_consent(self) -> None:
        trust = {"Version": "2012-10-17", "Statement": []}
        body = json.dumps({"Resources": {"R": resource("AWS::IAM::Role", RoleName="r", AssumeRolePolicyDocument=trust)}})
        self.refused("InsufficientCapabilitiesException", self.cloudformation.create_stack, StackName="stack",
                     TemplateBody=body, Capabilities=["CAPABILITY_IAM"])  # fmt: skip

    def test_a_template_over_the_limit_is_refused(self) -> None:
        body = json.dumps({"Resources": {"A": BUCKET}, "Description": "x" * 52_000})
        self.refused("ValidationError", self.cloudformation.create_stack, StackName="stack", TemplateBody=body)

    def test_parameters_are_checked(self) -> None:
        sections = {"Parameters": {"Subnet": {"Type": "AWS::EC2::Subnet::Id"}}}
        body = json.dumps({"Resources": {"A": BUCKET}, **sections})
        for values in ([], [{"ParameterKey": "Subnet", "ParameterValue": "vpc-1"}],
                       [{"ParameterKey": "Other", "ParameterValue": "x"}]):  # fmt: skip
            self.refused("ValidationError", self.cloudformation.create_stack, StackName="stack", TemplateBody=body,
                         Parameters=values)  # fmt: skip


class LifeTest(EmulatorTest):
    def test_a_failure_rolls_back_what_was_made(self) -> None:
        wrong = resource("AWS::FSx::FileSystem", **(LUSTRE["Properties"] | {"StorageCapacity": 1300}))
        self.deploy(NETWORK | {"Lustre": wrong})
        self.status("ROLLBACK_COMPLETE")
        self.assertIn("StorageCapacity 1300 is not valid", self.reasons())
        vpcs = client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
        self.assertEqual(vpcs, [])
        self.refused("ValidationError", self.deploy, resources=NETWORK)

    def test_a_failure_can_be_kept_for_a_look(self) -> None:
        wrong = resource("AWS::FSx::FileSystem", **(LUSTRE["Properties"] | {"StorageCapacity": 1300}))
        self.deploy(NETWORK | {"Lustre": wrong}, DisableRollback=True)
        self.status("CREATE_FAILED")

    def test_a_missing_wait_for_the_gateway_fails(self) -> None:
        """On AWS it fails now and then; here always."""
        address = {"Type": "AWS::EC2::EIP"}
        nat = resource("AWS::EC2::NatGateway", SubnetId=ref("Subnet"), AllocationId=att("Address", "AllocationId"))
        gateway = {
            "Gateway": resource("AWS::EC2::InternetGateway"),
            "Attachment": resource("AWS::EC2::VPCGatewayAttachment", VpcId=ref("Vpc"), InternetGatewayId=ref("Gateway")),
        }
        self.deploy(NETWORK | gateway | {"Address": address, "Nat": nat})
        self.status("ROLLBACK_COMPLETE")
        self.assertIn("not attached to any internet gateway", self.reasons())

    def test_retained_resources_stay(self) -> None:
        self.deploy({"Kept": BUCKET | {"DeletionPolicy": "Retain"}, "Gone": BUCKET})
        kept = self.physical("Kept")
        self.assertEqual(self.delete()["StackStatus"], "DELETE_COMPLETE")
        self.assertEqual([bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]], [kept])

    def test_a_retained_file_system_keeps_its_network(self) -> None:
        self.deploy(NETWORK, {"Subnet": ref("Subnet"), "Group": att("Group", "GroupId")}, name="network")
        places = self.outputs("network")
        lustre = resource("AWS::FSx::FileSystem", **(LUSTRE["Properties"] | {
            "SubnetIds": [places["Subnet"]], "SecurityGroupIds": [places["Group"]]}))  # fmt: skip
        self.deploy({"Lustre": lustre | {"DeletionPolicy": "Retain"}}, name="storage")
        self.assertEqual(self.delete("storage")["StackStatus"], "DELETE_COMPLETE")
        self.assertEqual(self.delete("network")["StackStatus"], "DELETE_FAILED")
        self.assertIn("DependencyViolation", self.reasons("network"))
        file_system = client("fsx").describe_file_systems()["FileSystems"][0]
        self.refused("DependencyViolation", client("ec2").delete_subnet, SubnetId=places["Subnet"])
        self.refused("DependencyViolation", client("ec2").delete_security_group, GroupId=places["Group"])
        client("fsx").delete_file_system(FileSystemId=file_system["FileSystemId"])
        self.assertEqual(self.delete("network")["StackStatus"], "DELETE_COMPLETE")

    def test_a_group_that_another_stack_names_cannot_go(self) -> None:
        self.deploy(NETWORK, {"Group": att("Group", "GroupId"), "Vpc": ref("Vpc")}, name="network")
        group = self.outputs("network")["Group"]
        other = resource("AWS::EC2::SecurityGroup", GroupDescription="d", VpcId=self.outputs("network")["Vpc"],
                         SecurityGroupIngress=[{"IpProtocol": "-1", "SourceSecurityGroupId": group}])  # fmt: skip
        self.deploy({"Other": other}, name="other")
        self.refused("DependencyViolation", client("ec2").delete_security_group, GroupId=group)

    def test_a_failed_update_goes_back(self) -> None:
        self.deploy(NETWORK | {"Lustre": LUSTRE})
        before = self.physical("Lustre")
        changed = resource("AWS::FSx::FileSystem", **(LUSTRE["Properties"] | {"StorageCapacity": 1250}))
        self.deploy(NETWORK | {"Lustre": changed, "Bucket": BUCKET})
        self.status("UPDATE_ROLLBACK_COMPLETE")
        self.assertEqual(self.physical("Lustre"), before)
        self.assertEqual(client("fsx").describe_file_systems()["FileSystems"][0]["StorageCapacity"], 1200)
        self.assertEqual(client("s3").list_buckets()["Buckets"], [])

    def test_an_update_removes_what_left_the_template(self) -> None:
        self.deploy({"A": BUCKET, "B": BUCKET})
        self.deploy({"A": BUCKET})
        self.status("UPDATE_COMPLETE")
        self.assertEqual(len(client("s3").list_buckets()["Buckets"]), 1)

    def test_an_update_without_a_change_is_refused(self) -> None:
        self.deploy({"A": BUCKET})
        message = self.refused("ValidationError", self.deploy, resources={"A": BUCKET})
        self.assertIn("No updates are to be performed", message)

    def test_a_replacement_respects_its_policy(self) -> None:
        kept = BUCKET | {"UpdateReplacePolicy": "Retain", "Properties": {"BucketName": "first"}}
        self.deploy({"A": kept})
        self.deploy({"A": kept | {"Properties": {"BucketName": "second"}}})
        self.status("UPDATE_COMPLETE")
        names = [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]
        self.assertEqual(names, ["first", "second"])

    def test_termination_protection(self) -> None:
        self.deploy({"A": BUCKET}, EnableTerminationProtection=True)
        self.refused("ValidationError", self.cloudformation.delete_stack, StackName="stack")

    def test_tags_of_the_stack_reach_its_resources(self) -> None:
        self.deploy(NETWORK | {"Lustre": LUSTRE}, Tags=[{"Key": "cluster", "Value": "a"}])
        subnet = client("ec2").describe_subnets(SubnetIds=[self.physical("Subnet")])["Subnets"][0]
        self.assertIn({"Key": "cluster", "Value": "a"}, subnet["Tags"])
        file_system = client("fsx").describe_file_systems()["FileSystems"][0]
        self.assertIn({"Key": "cluster", "Value": "a"}, file_system["Tags"])

    def test_exports_and_imports(self) -> None:
        body = {"Resources": {"A": BUCKET}, "Outputs": {"O": {"Value": ref("A"), "Export": {"Name": "bucket"}}}}
        self.cloudformation.create_stack(StackName="one", TemplateBody=json.dumps(body))
        importing = resource("AWS::SSM::Parameter", Type="String", Value={"Fn::ImportValue": "bucket"})
        self.deploy({"P": importing}, name="two")
        self.status("CREATE_COMPLETE", "two")
        self.assertEqual(self.delete("one")["StackStatus"], "DELETE_FAILED")
        self.delete("two")
        self.assertEqual(self.delete("one")["StackStatus"], "DELETE_COMPLETE")

    def test_a_change_set(self) -> None:
        body = json.dumps({"Resources": {"A": BUCKET}})
        made = self.cloudformation.create_change_set(
            StackName="stack", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=body
        )
        found = self.cloudformation.describe_change_set(ChangeSetName=made["Id"])
        self.assertEqual(found["Changes"][0]["ResourceChange"]["Action"], "Add")
        self.cloudformation.execute_change_set(ChangeSetName=made["Id"])
        self.status("CREATE_COMPLETE")

    def test_events_tell_of_every_resource(self) -> None:
        self.deploy(NETWORK)
        events = self.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
        told = {(event["LogicalResourceId"], event["ResourceStatus"]) for event in events}
        for name in (*NETWORK, "stack"):
            self.assertIn((name, "CREATE_IN_PROGRESS"), told)
            self.assertIn((name, "CREATE_COMPLETE"), told)
        self.assertEqual(events[0]["ResourceStatus"], "CREATE_COMPLETE")

    def test_a_nested_stack_and_its_outputs(self) -> None:
        s3 = client("s3")
        s3.create_bucket(Bucket="templates")
        inner = {"Resources": {"A": BUCKET}, "Outputs": {"Name": {"Value": ref("A")}}}
        s3.put_object(Bucket="templates", Key="inner.json", Body=json.dumps(inner).encode())
        nested = resource("AWS::CloudFormation::Stack", TemplateURL="https://templates.s3.amazonaws.com/inner.json")
        self.deploy({"Inner": nested}, {"Name": att("Inner", "Outputs.Name")})
        self.status("CREATE_COMPLETE")
        self.assertIn(self.outputs()["Name"], [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])
        self.assertEqual(self.delete()["StackStatus"], "DELETE_COMPLETE")


class FunctionsTest(unittest.TestCase):
    scope = Scope(
        reference=lambda name: {"A": "a", "List": ["x", "y"], "AWS::Region": "us-east-1"}[name],
        attribute=lambda name, attribute: f"{name}-{attribute}",
        imported=lambda name: f"imported {name}",
        zones=lambda region: ["z1", "z2"],
        mappings={"M": {"a": {"b": "c"}}},
        conditions={"Yes": {"Fn::Equals": [{"Ref": "A"}, "a"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
    )

    def test_functions(self) -> None:
        cases = [
            ({"Ref": "A"}, "a"),
            ({"Fn::GetAtt": ["B", "C.D"]}, "B-C.D"),
            ({"Fn::GetAtt": "B.C.D"}, "B-C.D"),
            ({"Fn::Sub": "${A}/${B.C}/${!A}/${AWS::Region}"}, "a/B-C/${A}/us-east-1"),
            ({"Fn::Sub": ["${v}${A}", {"v": {"Ref": "A"}}]}, "aa"),
            ({"Fn::Join": ["-", [1, True, {"Ref": "A"}]]}, "1-true-a"),
            ({"Fn::Select": ["1", {"Ref": "List"}]}, "y"),
            ({"Fn::Split": ["/", "p/q"]}, ["p", "q"]),
            ({"Fn::Cidr": ["10.0.0.0/16", 2, "8"]}, ["10.0.0.0/24", "10.0.1.0/24"]),
            ({"Fn::If": ["Yes", 1, 2]}, 1),
            ({"Fn::If": ["No", 1, {"a": {"Ref": "AWS::NoValue"}, "b": 1}]}, {"b": 1}),
            ([{"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, 2], [2]),
            ({"Fn::FindInMap": ["M", {"Ref": "A"}, "b"]}, "c"),
            ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "z1"),
            ({"Fn::ImportValue": "x"}, "imported x"),
            ({"Fn::Base64": "a"}, "YQ=="),
            ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
        ]
        for value, expected in cases:
            with self.subTest(str(value)):
                self.assertEqual(evaluate(value, self.scope), expected)

    def test_what_is_refused(self) -> None:
        for value in ({"Fn::Select": [5, ["a"]]}, {"Fn::FindInMap": ["M", "x", "y"]}, {"Fn::Sub": "${List}"},
                      {"Fn::Cidr": ["10.0.0.0/30", 9, "1"]}):  # fmt: skip
            with self.subTest(str(value)), self.assertRaises(TemplateError):
                evaluate(value, self.scope)

    def test_short_forms_dates_and_order(self) -> None:
        template = parse(
            "AWSTemplateFormatVersion: 2010-09-09\n"
            "Resources:\n"
            "  A: {Type: 'AWS::S3::Bucket', DependsOn: B, Properties: {BucketName: !Sub 'x-${B}'}}\n"
            "  B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Join ['-', [!GetAtt C.Arn, !Ref C]]}}\n"
            "  C: {Type: 'AWS::S3::Bucket'}\n"
        )
        self.assertEqual(template["AWSTemplateFormatVersion"], "2010-09-09")
        self.assertEqual(creation_order(template), ["C", "B", "A"])
        joined = template["Resources"]["B"]["Properties"]["BucketName"]["Fn::Join"][1]
        self.assertEqual(joined, [{"Fn::GetAtt": ["C", "Arn"]}, {"Ref": "C"}])


if __name__ == "__main__":
    unittest.main()
