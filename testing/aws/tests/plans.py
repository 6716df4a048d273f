"""Writes the folder of a small plan, good as it is; tests spoil one part of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator.services.images import parallelcluster_version

WHOLE = {"configuration": "pcluster.yaml"}
NETWORK = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: Network of a cluster
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16, EnableDnsSupport: true, EnableDnsHostnames: true}
  PrivateSubnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: {Ref: Vpc}, CidrBlock: 10.0.64.0/18, AvailabilityZoneId: use1-az6}
  FileGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      VpcId: {Ref: Vpc}
      GroupDescription: File systems
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 988, ToPort: 988, CidrIp: 10.0.0.0/16, Description: Lustre}
        - {IpProtocol: tcp, FromPort: 1018, ToPort: 1023, CidrIp: 10.0.0.0/16, Description: Lustre}
Outputs:
  PrivateSubnetId: {Value: {Ref: PrivateSubnet}}
  FileGroupId: {Value: {"Fn::GetAtt": [FileGroup, GroupId]}}
"""
STORAGE = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: Storage of a cluster
Parameters:
  SubnetId: {Type: "AWS::EC2::Subnet::Id"}
  GroupId: {Type: "AWS::EC2::SecurityGroup::Id"}
Resources:
  Scratch:
    Type: AWS::FSx::FileSystem
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      FileSystemType: LUSTRE
      FileSystemTypeVersion: "2.15"
      StorageCapacity: 1200
      SubnetIds: [{Ref: SubnetId}]
      SecurityGroupIds: [{Ref: GroupId}]
      LustreConfiguration: {DeploymentType: PERSISTENT_2, PerUnitStorageThroughput: 250}
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      VersioningConfiguration: {Status: Enabled}
Outputs:
  ScratchId: {Value: {Ref: Scratch}}
  Bucket: {Value: {Ref: Bucket}}
"""
CLUSTER = """\
Region: us-east-1
Image: {Os: ubuntu2204}
Imds: {ImdsSupport: v2.0}
HeadNode:
  InstanceType: m5.4xlarge
  Networking: {SubnetId: "${network.PrivateSubnetId}"}
  Ssh: {KeyName: training}
  Iam:
    AdditionalIamPolicies: [{Policy: "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}]
    S3Access: [{BucketName: "${storage.Bucket}"}]
  CustomActions: {OnNodeConfigured: {Script: "s3://${storage.Bucket}/bootstrap/head.sh"}}
Scheduling:
  Scheduler: slurm
  SlurmQueues:
    - Name: gpu
      CapacityType: CAPACITY_BLOCK
      CapacityReservationTarget: {CapacityReservationId: cr-0123456789abcdef0}
      Networking: {SubnetIds: ["${network.PrivateSubnetId}"]}
      ComputeResources:
        - {Name: p5, InstanceType: p5.48xlarge, MinCount: 2, MaxCount: 2, Efa: {Enabled: true}}
    - Name: cpu
      Networking: {SubnetIds: ["${network.PrivateSubnetId}"]}
      ComputeResources:
        - {Name: c5, InstanceType: c5n.18xlarge, MinCount: 0, MaxCount: 4}
SharedStorage:
  - {Name: scratch, MountDir: /fsx, StorageType: FsxLustre, FsxLustreSettings: {FileSystemId: "${storage.ScratchId}"}}
  - {Name: old, MountDir: /old, StorageType: FsxLustre, FsxLustreSettings: {FileSystemId: fs-0123456789abcdef0}}
"""
EXPECTS: list[dict[str, Any]] = [
    {"kind": "key_pair", "name": "training"},
    {"kind": "reservation", "id": "cr-0123456789abcdef0", "instance": "p5.48xlarge", "zone": "us-east-1a",
     "count": 2, "is_block": True, "placement_group": None, "platform": "Linux/UNIX"},
    {"kind": "lustre", "id": "fs-0123456789abcdef0", "subnet": None},
    {"kind": "object", "bucket": "${storage.Bucket}", "key": "bootstrap/head.sh"},
]  # fmt: skip
SPOTS = {"network": "stacks/network.yaml", "storage": "stacks/storage.yaml", "cluster": "pcluster.yaml"}


def write(folder: Path, *changes: tuple[str, str, str], expects: list[dict[str, Any]] | None = None) -> str:
    """A plan's folder. A change names a text (network, storage, cluster), a part of it, and what comes instead."""
    texts = {"network": NETWORK, "storage": STORAGE, "cluster": CLUSTER}
    for name, old, new in changes:
        assert old in texts[name], f"{old!r} is not in {name}"
        texts[name] = texts[name].replace(old, new)
    (folder / "stacks").mkdir(parents=True, exist_ok=True)
    for name, place in SPOTS.items():
        (folder / place).write_text(texts[name])
    values = {"SubnetId": "${network.PrivateSubnetId}", "GroupId": "${network.FileGroupId}"}
    steps: list[dict[str, Any]] = [{"name": "wait", "action": "wait"}]
    steps += [
        {"name": name, "action": {"aws": {"deploy_stack": {
            "stack": name, "stack_name": f"train-1-{name}", "template": SPOTS[name],
            "parameters": values if name == "storage" else {}, "capabilities": [], "tags": {"cluster": "train-1"}}}}}
        for name in ("network", "storage")
    ]  # fmt: skip
    steps.append({"name": "cluster", "action": {"aws": {"deploy_cluster": {"start": WHOLE, "whole": WHOLE}}}})
    target = {"region": "us-east-1", "zones": ["us-east-1a", "us-east-1b"], "cluster": "train-1",
              "parallelcluster": parallelcluster_version(),
              "expects": EXPECTS if expects is None else expects}  # fmt: skip
    (folder / "plan.json").write_text(json.dumps({"target": {"aws": target}, "steps": steps}))
    return str(folder)
