"""Every resource type: it deploys, Ref and GetAtt answer, it changes where AWS changes it, it goes.

One row per type. The outputs of a row are all evaluated; a change must keep the physical id unless
the row says that it is a replacement.
"""

from __future__ import annotations

import json
import unittest
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.engine.resource import REGISTRY
from emulator.kinds.models import ModelType
from tests.support import NETWORK, EmulatorTest, Resources, att, client, ref, resource

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                                                 "Action": "sts:AssumeRole"}]}  # fmt: skip
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
OTHER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}
ROLE = resource("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)
GATEWAY: Resources = {
    "Gateway": resource("AWS::EC2::InternetGateway"),
    "Attachment": resource("AWS::EC2::VPCGatewayAttachment", VpcId=ref("Vpc"), InternetGatewayId=ref("Gateway")),
}
LUSTRE = {
    "FileSystemType": "LUSTRE", "StorageCapacity": "1200", "SubnetIds": [ref("Subnet")],
    "SecurityGroupIds": [ref("Group")],
    "LustreConfiguration": {"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": 125},
}  # fmt: skip
ZFS = {
    "FileSystemType": "OPENZFS", "StorageCapacity": 64, "SubnetIds": [ref("Subnet")],
    "OpenZFSConfiguration": {"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 64},
}  # fmt: skip
IMAGE = "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}"
INSTANCE: Resources = {
    "Server": resource(
        "AWS::EC2::Instance",
        ImageId=IMAGE,
        InstanceType="m6i.large",
        SubnetId=ref("Subnet"),
        SecurityGroupIds=[ref("Group")],
    )
}
AURORA: Resources = {
    "Password": resource("AWS::SecretsManager::Secret", GenerateSecretString={
        "SecretStringTemplate": '{"username": "slurm"}', "GenerateStringKey": "password",
        "ExcludePunctuation": True, "PasswordLength": 32}),
    "Subnets": resource("AWS::RDS::DBSubnetGroup", DBSubnetGroupDescription="d",
                        SubnetIds=[ref("Subnet"), ref("SubnetB")]),
    "Cluster": resource(
        "AWS::RDS::DBCluster", Engine="aurora-mysql", DBSubnetGroupName=ref("Subnets"), MasterUsername="slurm",
        MasterUserPassword={"Fn::Sub": "{{resolve:secretsmanager:${Password}:SecretString:password}}"},
        VpcSecurityGroupIds=[ref("Group")], StorageEncrypted=True,
        ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 4}, BackupRetentionPeriod=7),
}  # fmt: skip
BALANCER: Resources = {
    "Balancer": resource("AWS::ElasticLoadBalancingV2::LoadBalancer", Type="network", Scheme="internal",
                         Subnets=[ref("Subnet")], Tags=[{"Key": "a", "Value": "b"}]),
    "Targets": resource("AWS::ElasticLoadBalancingV2::TargetGroup", Port=3000, Protocol="TCP", VpcId=ref("Vpc")),
}  # fmt: skip
BUDGET = {"BudgetName": "monthly", "BudgetType": "COST", "TimeUnit": "MONTHLY",
          "BudgetLimit": {"Amount": 1000.5, "Unit": "USD"}}  # fmt: skip


@dataclass
class Row:
    """A type as Subject, what it needs beside it, and a change of its properties."""

    kind: str
    properties: dict[str, Any]
    attributes: tuple[str, ...] = ()
    beside: Resources = field(default_factory=dict)
    change: dict[str, Any] | None = None
    replaces: bool = False


NET, EMPTY = NETWORK, {}
ROWS = [
    Row("AWS::EC2::VPC", {"CidrBlock": "10.9.0.0/16"}, ("VpcId", "CidrBlock", "DefaultSecurityGroup"), EMPTY,
        {"EnableDnsHostnames": True}),
    Row("AWS::EC2::VPCCidrBlock", {"VpcId": ref("Vpc"), "CidrBlock": "10.1.0.0/16"}, ("Id",), NET),
    Row("AWS::EC2::Subnet", {"VpcId": ref("Vpc"), "CidrBlock": "10.0.32.0/20", "AvailabilityZoneId": "use1-az6"},
        ("SubnetId", "AvailabilityZone"), NET, {"MapPublicIpOnLaunch": True}),
    Row("AWS::EC2::RouteTable", {"VpcId": ref("Vpc")}, ("RouteTableId",), NET),
    Row("AWS::EC2::Route", {"RouteTableId": ref("Table"), "DestinationCidrBlock": "0.0.0.0/0",
                            "GatewayId": att("Gateway", "InternetGatewayId")}, (),
        NET | GATEWAY | {"Table": {"Type": "AWS::EC2::RouteTable", "DependsOn": "Attachment",
                                   "Properties": {"VpcId": ref("Vpc")}}}),
    Row("AWS::EC2::SubnetRouteTableAssociation", {"SubnetId": ref("Subnet"), "RouteTableId": ref("Table")}, ("Id",),
        NET | {"Table": resource("AWS::EC2::RouteTable", VpcId=ref("Vpc"))}),
    Row("AWS::EC2::EIP", {"Domain": "vpc"}, ("AllocationId", "PublicIp")),
    Row("AWS::EC2::NatGateway", {"SubnetId": ref("Subnet"), "AllocationId": att("Address", "AllocationId")},
        ("NatGatewayId",), NET | GATEWAY | {"Address": {"Type": "AWS::EC2::EIP", "DependsOn": "Attachment"}}),
    Row("AWS::EC2::VPCEndpoint", {"VpcId": ref("Vpc"), "ServiceName": "com.amazonaws.us-east-1.s3"}, ("Id",), NET),
    Row("AWS::EC2::InstanceConnectEndpoint", {"SubnetId": ref("Subnet"), "SecurityGroupIds": [ref("Group")]},
        ("Id",), NET),
    Row("AWS::EC2::PrefixList", {"PrefixListName": "p", "AddressFamily": "IPv4", "MaxEntries": 5,
                                 "Entries": [{"Cidr": "10.0.0.0/8"}]}, ("Arn", "PrefixListId"), EMPTY,
        {"Entries": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "192.168.0.0/16"}]}),
    Row("AWS::EC2::SecurityGroup", {"VpcId": ref("Vpc"), "GroupDescription": "d"}, ("GroupId",), NET,
        {"SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": "22", "ToPort": 22, "CidrIp": "10.0.0.0/8"}]}),
    Row("AWS::EC2::SecurityGroupIngress", {"GroupId": ref("Group"), "IpProtocol": "-1",
                                           "SourceSecurityGroupId": ref("Group")}, ("Id",), NET),
    Row("AWS::EC2::SecurityGroupEgress", {"GroupId": ref("Group"), "IpProtocol": "tcp", "FromPort": 443,
                                          "ToPort": 443, "CidrIp": "0.0.0.0/0"}, ("Id",), NET),
    Row("AWS::EC2::PlacementGroup", {"Strategy": "cluster"}, ("GroupName",)),
    Row("AWS::EC2::CapacityReservation",
        {"InstanceType": "p5.48xlarge", "InstancePlatform": "Linux/UNIX", "AvailabilityZone": "us-east-1a",
         "InstanceCount": 2}, ("Id", "AvailabilityZone", "TotalInstanceCount"), EMPTY, {"InstanceCount": 4}),
    Row("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"InstanceType": "m6i.large"}},
        ("LaunchTemplateId", "LatestVersionNumber"), EMPTY, {"LaunchTemplateData": {"InstanceType": "m6i.xlarge"}}),
    Row("AWS::EC2::Instance", INSTANCE["Server"]["Properties"], ("PrivateIp", "AvailabilityZone"), NET),
    Row("AWS::EC2::NetworkInterface", {"SubnetId": ref("Subnet"), "GroupSet": [ref("Group")]},
        ("PrimaryPrivateIpAddress",), NET),
    Row("AWS::EC2::Volume", {"AvailabilityZone": "us-east-1a", "Size": "100", "VolumeType": "gp3",
                             "Encrypted": True}, ("VolumeId",), EMPTY, {"Size": 200}),
    Row("AWS::FSx::FileSystem", LUSTRE, ("DNSName", "LustreMountName", "ResourceARN"), NET,
        {"StorageCapacity": 2400}),
    Row("AWS::FSx::FileSystem", ZFS, ("DNSName", "RootVolumeId"), NET,
        {"OpenZFSConfiguration": {"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 128}}),
    Row("AWS::FSx::FileSystem", LUSTRE, ("DNSName",), NET, {"LustreConfiguration": {
        "DeploymentType": "PERSISTENT_1", "PerUnitStorageThroughput": 100}}, True),
    Row("AWS::FSx::Volume", {"Name": "home", "VolumeType": "OPENZFS", "OpenZFSConfiguration": {
        "ParentVolumeId": att("Zfs", "RootVolumeId"), "DataCompressionType": "LZ4"}}, ("VolumeId", "ResourceARN"),
        NET | {"Zfs": resource("AWS::FSx::FileSystem", **ZFS)},
        {"OpenZFSConfiguration": {"ParentVolumeId": att("Zfs", "RootVolumeId"), "DataCompressionType": "ZSTD"}}),
    Row("AWS::FSx::DataRepositoryAssociation", {
        "FileSystemId": ref("Lustre"), "FileSystemPath": "/data", "DataRepositoryPath": "s3://bucket",
        "S3": {"AutoImportPolicy": {"Events": ["NEW"]}}}, ("AssociationId", "ResourceARN"),
        NET | {"Lustre": resource("AWS::FSx::FileSystem", **LUSTRE)},
        {"S3": {"AutoImportPolicy": {"Events": ["NEW", "CHANGED"]}}}),
    Row("AWS::EFS::FileSystem", {"Encrypted": True}, ("FileSystemId", "Arn")),
    Row("AWS::EFS::MountTarget", {"FileSystemId": ref("Files"), "SubnetId": ref("Subnet"),
                                  "SecurityGroups": [ref("Group")]}, ("Id",),
        NET | {"Files": resource("AWS::EFS::FileSystem")}),
    Row("AWS::S3::Bucket", {"VersioningConfiguration": {"Status": "Enabled"}, "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}},
        ("Arn", "DomainName"), EMPTY, {"LifecycleConfiguration": {"Rules": [
            {"Id": "old", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]}}),
    Row("AWS::S3::BucketPolicy", {"Bucket": ref("Bucket"), "PolicyDocument": ALLOW}, (),
        {"Bucket": resource("AWS::S3::Bucket")}, {"PolicyDocument": OTHER}),
    Row("AWS::DLM::LifecyclePolicy", {"Description": "d", "State": "ENABLED", "ExecutionRoleArn": att("Role", "Arn"),
                                      "PolicyDetails": {"ResourceTypes": ["VOLUME"]}}, ("Arn",), {"Role": ROLE},
        {"State": "DISABLED"}),
    Row("AWS::IAM::Role", ROLE["Properties"], ("Arn", "RoleId"), EMPTY,
        {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]}),
    Row("AWS::IAM::ManagedPolicy", {"PolicyDocument": ALLOW, "Roles": [ref("Role")]}, ("PolicyArn",),
        {"Role": ROLE}, {"PolicyDocument": OTHER}),
    Row("AWS::IAM::Policy", {"PolicyName": "p", "PolicyDocument": ALLOW, "Roles": [ref("Role")]}, (), {"Role": ROLE},
        {"PolicyDocument": OTHER}),
    Row("AWS::IAM::InstanceProfile", {"Roles": [ref("Role")]}, ("Arn",), {"Role": ROLE}),
    Row("AWS::APS::Workspace", {"Alias": "a", "LoggingConfiguration": {"LogGroupArn": att("Logs", "Arn")}},
        ("Arn", "WorkspaceId", "PrometheusEndpoint"), {"Logs": resource("AWS::Logs::LogGroup")}, {"Alias": "b"}),
    Row("AWS::APS::RuleGroupsNamespace", {"Workspace": att("Amp", "Arn"), "Name": "n", "Data": "groups: []"},
        ("Arn",), {"Amp": resource("AWS::APS::Workspace")}, {"Data": "groups: [{name: g, rules: []}]"}),
    Row("AWS::Grafana::Workspace", {"AccountAccessType": "CURRENT_ACCOUNT", "AuthenticationProviders": ["AWS_SSO"],
                                    "PermissionType": "SERVICE_MANAGED", "PluginAdminEnabled": "true"},
        ("Id", "Endpoint", "Status", "GrafanaVersion"), EMPTY, {"Name": "renamed"}),
    Row("AWS::Logs::LogGroup", {"RetentionInDays": "30"}, ("Arn",), EMPTY, {"RetentionInDays": 60}),
    Row("AWS::Logs::MetricFilter", {"LogGroupName": ref("Logs"), "FilterPattern": "ERROR", "MetricTransformations": [
        {"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1"}]}, (),
        {"Logs": resource("AWS::Logs::LogGroup")}, {"FilterPattern": "WARN"}),
    Row("AWS::CloudWatch::Alarm", {"MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": "1",
                                   "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum"},
        ("Arn",), EMPTY, {"Threshold": 2}),
    Row("AWS::CloudWatch::CompositeAlarm", {"AlarmRule": 'ALARM("a")'}, ("Arn",), EMPTY, {"AlarmRule": 'ALARM("b")'}),
    Row("AWS::CloudWatch::Dashboard", {"DashboardBody": json.dumps({"widgets": []})}, (), EMPTY,
        {"DashboardBody": json.dumps({"widgets": [], "start": "-PT6H"})}),
    Row("AWS::SNS::Topic", {"DisplayName": "d"}, ("TopicArn", "TopicName"), EMPTY, {"DisplayName": "e"}),
    Row("AWS::SNS::Subscription", {"TopicArn": ref("Topic"), "Protocol": "email", "Endpoint": "a@example.com"}, (),
        {"Topic": resource("AWS::SNS::Topic")}),
    Row("AWS::SNS::TopicPolicy", {"Topics": [ref("Topic")], "PolicyDocument": ALLOW}, ("Id",),
        {"Topic": resource("AWS::SNS::Topic")}),
    Row("AWS::Budgets::Budget", {"Budget": BUDGET, "NotificationsWithSubscribers": [{
        "Notification": {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80},
        "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}]}]}, (), EMPTY,
        {"Budget": BUDGET | {"BudgetLimit": {"Amount": 2000, "Unit": "USD"}}}),
    Row("AWS::SSM::Parameter", {"Type": "String", "Value": "v"}, ("Value",), EMPTY, {"Value": "w"}),
    Row("AWS::SecretsManager::Secret", {"GenerateSecretString": {"PasswordLength": 20}}, ("Id",), EMPTY,
        {"Description": "d"}),
    Row("AWS::SecretsManager::ResourcePolicy", {"SecretId": ref("Secret"), "ResourcePolicy": ALLOW}, (),
        {"Secret": resource("AWS::SecretsManager::Secret", SecretString="s")}),
    Row("AWS::RDS::DBInstance", {"DBClusterIdentifier": ref("Cluster"), "Engine": "aurora-mysql",
                                 "DBInstanceClass": "db.serverless"}, ("Endpoint.Address", "Endpoint.Port"),
        NET | AURORA),
    Row("AWS::SecretsManager::SecretTargetAttachment", {
        "SecretId": ref("Password"), "TargetId": ref("Cluster"), "TargetType": "AWS::RDS::DBCluster"}, (),
        NET | AURORA),
    Row("AWS::RDS::DBClusterParameterGroup", {"Family": "aurora-mysql8.0", "Description": "d",
                                              "Parameters": {"innodb_lock_wait_timeout": "900"}}),
    Row("AWS::DirectoryService::MicrosoftAD", {
        "Name": "corp.example.com", "Password": "Passw0rd-1", "Edition": "Standard", "ShortName": "corp",
        "VpcSettings": {"VpcId": ref("Vpc"), "SubnetIds": [ref("Subnet"), ref("SubnetB")]}}, (), NET),
    Row("AWS::ElasticLoadBalancingV2::LoadBalancer", BALANCER["Balancer"]["Properties"],
        ("DNSName", "LoadBalancerName"), NET, {"LoadBalancerAttributes": [
            {"Key": "deletion_protection.enabled", "Value": False}]}),
    Row("AWS::ElasticLoadBalancingV2::TargetGroup", {
        "Port": 3000, "Protocol": "TCP", "VpcId": ref("Vpc"), "Targets": [{"Id": ref("Server"), "Port": 3000}]},
        ("TargetGroupName",), NET | INSTANCE, {"HealthCheckIntervalSeconds": 10}),
    Row("AWS::ElasticLoadBalancingV2::Listener", {
        "LoadBalancerArn": ref("Balancer"), "Port": "443", "Protocol": "TCP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": ref("Targets")}]}, ("ListenerArn",),
        NET | BALANCER, {"Port": 444}),
    Row("AWS::CertificateManager::Certificate", {"DomainName": "example.com", "ValidationMethod": "DNS"}),
    Row("AWS::Route53::HostedZone", {"Name": "cluster.internal", "VPCs": [
        {"VPCId": ref("Vpc"), "VPCRegion": "us-east-1"}]}, ("Id",), NET),
    Row("AWS::Route53::RecordSet", {"HostedZoneId": ref("Zone"), "Name": "a.cluster.internal.", "Type": "A",
                                    "TTL": 60, "ResourceRecords": ["10.0.0.1"]}, (),
        NET | {"Zone": resource("AWS::Route53::HostedZone", Name="cluster.internal")},
        {"ResourceRecords": ["10.0.0.2"]}),
    Row("AWS::CloudFormation::WaitCondition", {"Handle": ref("Handle"), "Timeout": "60"}, ("Data",),
        {"Handle": resource("AWS::CloudFormation::WaitConditionHandle")}),
    Row("AWS::CloudFormation::CustomResource", {"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f"}),
    Row("AWS::EC2::VolumeAttachment", {"VolumeId": ref("Disk"), "InstanceId": ref("Server"), "Device": "/dev/sdf"}, (),
        NET | INSTANCE | {"Disk": resource("AWS::EC2::Volume", Size=10,
                                           AvailabilityZone=att("Server", "AvailabilityZone"))}),
    Row("AWS::EFS::AccessPoint", {"FileSystemId": ref("Files")}, ("AccessPointId", "Arn"),
        {"Files": resource("AWS::EFS::FileSystem")}),
    Row("AWS::FSx::StorageVirtualMachine", {"FileSystemId": ref("Ontap"), "Name": "svm"}, ("ResourceARN",),
        NET | {"Ontap": resource("AWS::FSx::FileSystem", FileSystemType="ONTAP", StorageCapacity=1024,
                                 SubnetIds=[ref("Subnet")], OntapConfiguration={"DeploymentType": "SINGLE_AZ_1"})}),
    Row("AWS::ElasticLoadBalancingV2::ListenerRule", {
        "ListenerArn": ref("Listener"), "Priority": "1", "Conditions": [{"Field": "path-pattern", "Values": ["/a"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": ref("Targets")}]}, ("RuleArn",),
        NET | BALANCER | {"Listener": resource(
            "AWS::ElasticLoadBalancingV2::Listener", LoadBalancerArn=ref("Balancer"), Port=80, Protocol="TCP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": ref("Targets")}])}),
    Row("AWS::IAM::RolePolicy", {"PolicyName": "p", "PolicyDocument": ALLOW, "RoleName": ref("Role")}, (),
        {"Role": ROLE}, {"PolicyDocument": OTHER}),
    Row("Custom::PclusterCluster", {"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f",
                                    "ClusterName": "demo"}, (), EMPTY, {"Tags": "x"}),
    Row("AWS::Lambda::Function", {"Code": {"ZipFile": "def handler(event, context):\n    pass\n"},
                                  "Handler": "index.handler", "Runtime": "python3.12", "Role": att("Role", "Arn"),
                                  "Layers": [ref("Layer")], "Tags": [{"Key": "a", "Value": "b"}]}, ("Arn",),
        {"Role": ROLE, "Layer": resource("AWS::Lambda::LayerVersion", Content={
            "S3Bucket": "us-east-1-aws-parallelcluster", "S3Key": "layer.zip"})}, {"Timeout": "30"}),
    Row("AWS::AutoScaling::AutoScalingGroup", {
        "MinSize": "1", "MaxSize": "1", "VPCZoneIdentifier": [ref("Subnet")], "LaunchTemplate": {
            "LaunchTemplateId": ref("Template"), "Version": att("Template", "LatestVersionNumber")}}, (),
        NET | {"Template": resource("AWS::EC2::LaunchTemplate", LaunchTemplateData={
            "ImageId": IMAGE, "InstanceType": "m6i.large"})}, {"MaxSize": "2"}),
    # From here on the emulator underneath makes the type itself.
    Row("AWS::KMS::Key", {"KeyPolicy": ALLOW}, ("Arn",)),
    Row("AWS::DynamoDB::Table", {"AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
                                 "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
                                 "BillingMode": "PAY_PER_REQUEST"}, ("Arn",)),
]  # fmt: skip


def tested() -> set[str]:
    """Every type that a row makes, as its subject or beside it."""
    beside = {item["Type"] for row in ROWS for item in row.beside.values()}
    return {row.kind for row in ROWS} | beside | {"Custom::*", "AWS::CloudFormation::Stack"}


def own_types() -> set[str]:
    """The types that have a module here, rather than coming from the emulator underneath."""
    return {name for name, kind in REGISTRY.items() if not isinstance(kind, ModelType)}


class CoverageTest(unittest.TestCase):
    def test_every_own_type_is_tested(self) -> None:
        self.assertEqual(own_types() - tested(), set())

    def test_every_own_type_is_in_the_documentation(self) -> None:
        text = (Path(__file__).resolve().parents[3] / "docs" / "emulator.md").read_text()
        self.assertEqual({name for name in own_types() if f"`{name}`" not in text}, set())


class TypesTest(EmulatorTest):
    def test_every_type(self) -> None:
        for row in ROWS:
            with self.subTest(row.kind):
                self.setUp()
                self.check(row)

    def check(self, row: Row) -> None:
        subject = {"Type": row.kind, "Properties": row.properties}
        outputs = {"Ref": ref("Subject")}
        outputs |= {f"A{index}": att("Subject", name) for index, name in enumerate(row.attributes)}
        self.deploy(row.beside | {"Subject": subject}, outputs)
        self.status("CREATE_COMPLETE")
        before = self.physical("Subject")
        self.assertTrue(before)
        self.assertTrue(all(self.outputs().values()), self.outputs())
        if row.change is not None:
            subject = {"Type": row.kind, "Properties": row.properties | row.change}
            self.deploy(row.beside | {"Subject": subject}, outputs)
            self.status("UPDATE_COMPLETE")
            self.assertEqual(self.physical("Subject") != before, row.replaces)
        self.assertEqual(self.delete()["StackStatus"], "DELETE_COMPLETE")
        self.nothing_left()

    def nothing_left(self) -> None:
        """What a stack made is gone with it: no network interface, file system or bucket stays."""
        ec2 = client("ec2")
        cards = [card["Description"] for card in ec2.describe_network_interfaces()["NetworkInterfaces"]]
        self.assertEqual([text for text in cards if text], [])
        self.assertEqual(client("fsx").describe_file_systems()["FileSystems"], [])
        self.assertEqual(client("s3").list_buckets()["Buckets"], [])
