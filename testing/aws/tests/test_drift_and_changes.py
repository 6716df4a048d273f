"""What has changed outside of a stack, and what a change set says of a change."""

from __future__ import annotations

import json
from typing import Any

from tests.support import NETWORK, EmulatorTest, client, ref, resource

GROUP = resource(
    "AWS::EC2::SecurityGroup", VpcId=ref("Vpc"), GroupDescription="d",
    SecurityGroupIngress=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/8"}],
    Tags=[{"Key": "owner", "Value": "us"}],
)  # fmt: skip
BUCKET = resource("AWS::S3::Bucket", VersioningConfiguration={"Status": "Enabled"})


class DriftTest(EmulatorTest):
    def drifts(self) -> dict[str, str]:
        identifier = self.cloudformation.detect_stack_drift(StackName="stack")["StackDriftDetectionId"]
        status = self.cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=identifier)
        self.assertEqual(status["DetectionStatus"], "DETECTION_COMPLETE")
        found = self.cloudformation.describe_stack_resource_drifts(StackName="stack")["StackResourceDrifts"]
        return {item["LogicalResourceId"]: item["StackResourceDriftStatus"] for item in found}

    def test_nothing_has_changed(self) -> None:
        self.deploy(NETWORK | {"Door": GROUP, "Bucket": BUCKET})
        self.assertEqual(set(self.drifts().values()), {"IN_SYNC"})
        self.assertEqual(self.stack()["DriftInformation"]["StackDriftStatus"], "IN_SYNC")

    def test_what_somebody_has_changed_by_hand(self) -> None:
        self.deploy(NETWORK | {"Door": GROUP, "Bucket": BUCKET})
        ec2, group = client("ec2"), self.physical("Door")
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        ec2.delete_subnet(SubnetId=self.physical("SubnetB"))
        client("s3").put_bucket_versioning(
            Bucket=self.physical("Bucket"), VersioningConfiguration={"Status": "Suspended"}
        )
        found = self.drifts()
        self.assertEqual((found["Door"], found["SubnetB"], found["Bucket"]), ("MODIFIED", "DELETED", "MODIFIED"))
        self.assertEqual((found["Vpc"], found["Subnet"]), ("IN_SYNC", "IN_SYNC"))


class ChangeSetTest(EmulatorTest):
    def changes(self, resources: dict[str, Any], **options: Any) -> dict[str, dict[str, Any]]:
        self.cloudformation.create_change_set(
            StackName="stack", ChangeSetName="next", TemplateBody=json.dumps({"Resources": resources, **options})
        )
        found = self.cloudformation.describe_change_set(StackName="stack", ChangeSetName="next")["Changes"]
        return {item["ResourceChange"]["LogicalResourceId"]: item["ResourceChange"] for item in found}

    def test_which_resources_are_replaced(self) -> None:
        self.deploy(NETWORK | {"Bucket": BUCKET, "Old": BUCKET})
        vpc = resource("AWS::EC2::VPC", CidrBlock="10.1.0.0/16")
        found = self.changes(NETWORK | {"Vpc": vpc, "New": BUCKET, "Bucket": resource("AWS::S3::Bucket")})
        self.assertEqual((found["New"]["Action"], found["Old"]["Action"]), ("Add", "Remove"))
        self.assertEqual((found["Vpc"]["Action"], found["Vpc"]["Replacement"]), ("Modify", "True"))
        self.assertEqual((found["Bucket"]["Action"], found["Bucket"]["Replacement"]), ("Modify", "False"))
        self.assertEqual(found["Bucket"]["Details"][0]["Target"]["Name"], "VersioningConfiguration")
        # What stands in the VPC follows it, which the service knows only when it is there.
        self.assertEqual(found["Subnet"]["Replacement"], "Conditional")
        self.assertEqual(found["Subnet"]["Details"][0]["Evaluation"], "Dynamic")
        self.assertEqual(found["Subnet"]["Details"][0]["CausingEntity"], "Vpc")
