"""Everything that the account holds beyond what a fresh one has, one line per thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.core import DEFAULT_ACCOUNT_ID

from ..engine.resource import client

GONE = ("terminated", "shutting-down")
Line = dict[str, Any]
# kind, service, call, path of the list, key of the id, key of the name
LISTED = (
    ("file_system", "fsx", "describe_file_systems", "FileSystems", "FileSystemId", ""),
    ("backup", "fsx", "describe_backups", "Backups", "BackupId", ""),
    ("file_cache", "fsx", "describe_file_caches", "FileCaches", "FileCacheId", ""),
    ("elastic_file_system", "efs", "describe_file_systems", "FileSystems", "FileSystemId", "Name"),
    ("volume", "ec2", "describe_volumes", "Volumes", "VolumeId", ""),
    ("log_group", "logs", "describe_log_groups", "logGroups", "logGroupName", ""),
    ("table", "dynamodb", "list_tables", "TableNames", "", ""),
    ("role", "iam", "list_roles", "Roles", "RoleName", ""),
    ("instance_profile", "iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName", ""),
    ("key_pair", "ec2", "describe_key_pairs", "KeyPairs", "KeyPairId", "KeyName"),
    ("secret", "secretsmanager", "list_secrets", "SecretList", "ARN", "Name"),
    ("address", "ec2", "describe_addresses", "Addresses", "AllocationId", "PublicIp"),
    ("internet_gateway", "ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId", ""),
    ("vpc_endpoint", "ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "ServiceName"),
    ("connect_endpoint", "ec2", "describe_instance_connect_endpoints", "InstanceConnectEndpoints",
     "InstanceConnectEndpointId", ""),
    ("network_interface", "ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId",
     "Description"),
    ("launch_template", "ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId",
     "LaunchTemplateName"),
    ("placement_group", "ec2", "describe_placement_groups", "PlacementGroups", "GroupId", "GroupName"),
    ("reservation", "ec2", "describe_capacity_reservations", "CapacityReservations", "CapacityReservationId", "State"),
    ("load_balancer", "elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn", "LoadBalancerName"),
    ("target_group", "elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn", "TargetGroupName"),
    ("scaling_group", "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName", ""),
    ("prometheus_workspace", "amp", "list_workspaces", "workspaces", "workspaceId", "alias"),
    ("grafana_workspace", "grafana", "list_workspaces", "workspaces", "id", "name"),
    ("function", "lambda", "list_functions", "Functions", "FunctionName", ""),
    ("layer", "lambda", "list_layers", "Layers", "LayerArn", "LayerName"),
    ("topic", "sns", "list_topics", "Topics", "TopicArn", ""),
    ("alarm", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName", ""),
    ("composite_alarm", "cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName", ""),
    ("dashboard", "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName", ""),
    ("database_cluster", "rds", "describe_db_clusters", "DBClusters", "DBClusterIdentifier", ""),
    ("database", "rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier", ""),
    ("directory", "ds", "describe_directories", "DirectoryDescriptions", "DirectoryId", "Name"),
    ("hosted_zone", "route53", "list_hosted_zones", "HostedZones", "Id", "Name"),
    ("certificate", "acm", "list_certificates", "CertificateSummaryList", "CertificateArn", "DomainName"),
    ("lifecycle_policy", "dlm", "get_lifecycle_policies", "Policies", "PolicyId", "Description"),
    ("parameter", "ssm", "describe_parameters", "Parameters", "Name", ""),
    ("resource_group", "resource-groups", "list_groups", "GroupIdentifiers", "GroupArn", "GroupName"),
)  # fmt: skip


def inventory(region: str) -> list[Line]:
    """What exists in a region, with what belongs to no region; the default network is left out."""
    lines = [line for source in SOURCES for line in source(region)]
    for kind, service, call, path, key, name in LISTED:
        answer = getattr(client(service, region), call)()
        for item in answer[path]:
            if _is_gone(item):
                continue
            identifier = item[key] if key else item
            lines.append(_line(kind, identifier, item.get(name) if name else None))
    lines += [
        _line("budget", item["BudgetName"])
        for item in client("budgets", region).describe_budgets(AccountId=DEFAULT_ACCOUNT_ID).get("Budgets", [])
    ]
    return sorted(lines, key=lambda line: (line["kind"], str(line["name"]), line["id"]))


def _is_gone(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    state = item.get("State") or item.get("Lifecycle") or ""
    return state in ("deleted", "DELETED", "cancelled", "expired", "Deleted") or item.get("LifeCycleState") == "deleted"


def _line(kind: str, identifier: str, name: str | None = None, **more: Any) -> Line:
    return {"kind": kind, "id": identifier, "name": name or identifier, **more}


def _stacks(region: str) -> Iterator[Line]:
    for stack in cloudformation_backends[DEFAULT_ACCOUNT_ID][region].stacks.values():
        yield _line("stack", stack.stack_id, stack.name, status=stack.status, nested=stack.parent_id is not None)


def _instances(region: str) -> Iterator[Line]:
    for group in client("ec2", region).describe_instances()["Reservations"]:
        for item in group["Instances"]:
            if item["State"]["Name"] not in GONE:
                tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}
                yield _line("instance", item["InstanceId"], tags.get("Name"), state=item["State"]["Name"])


def _networks(region: str) -> Iterator[Line]:
    ec2 = client("ec2", region)
    default = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if vpc["IsDefault"]}
    for kind, call, path, key in (
        ("vpc", ec2.describe_vpcs, "Vpcs", "VpcId"),
        ("subnet", ec2.describe_subnets, "Subnets", "SubnetId"),
        ("security_group", ec2.describe_security_groups, "SecurityGroups", "GroupId"),
        ("route_table", ec2.describe_route_tables, "RouteTables", "RouteTableId"),
        ("nat_gateway", ec2.describe_nat_gateways, "NatGateways", "NatGatewayId"),
    ):
        for item in call()[path]:
            is_main = any(link.get("Main") for link in item.get("Associations", []))
            own = item.get("GroupName") == "default" or (kind == "route_table" and is_main)
            if item.get("VpcId") not in default and not own and not _is_gone(item):
                tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}
                yield _line(kind, item[key], item.get("GroupName") or tags.get("Name"))


def _buckets(region: str) -> Iterator[Line]:
    s3 = client("s3", region)
    for item in s3.list_buckets()["Buckets"]:
        found = s3.list_object_versions(Bucket=item["Name"])
        yield _line("bucket", item["Name"], objects=len(found.get("Versions", [])))


def _snapshots(region: str) -> Iterator[Line]:
    """The account's own, but for those of the images that are there from the beginning."""
    ec2 = client("ec2", region)
    of_images = {
        device.get("Ebs", {}).get("SnapshotId")
        for image in ec2.describe_images()["Images"]
        for device in image.get("BlockDeviceMappings", [])
    }
    for item in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]:
        if item["SnapshotId"] not in of_images and item.get("Tags"):
            yield _line("snapshot", item["SnapshotId"])


def _policies(region: str) -> Iterator[Line]:
    for item in client("iam", region).list_policies(Scope="Local")["Policies"]:
        yield _line("policy", item["Arn"], item["PolicyName"])


SOURCES: tuple[Callable[[str], Iterator[Line]], ...] = (
    _stacks, _instances, _networks, _buckets, _snapshots, _policies,
)  # fmt: skip
