"""The stand-in for the template of ParallelCluster's CloudFormation provider.

AWS publishes one per release and region. This one has the same parameters, outputs, names and needs;
its function is a record, and custom_resource.py does the function's work.
"""

from __future__ import annotations

import json
import re
from typing import Any

ADDRESS = re.compile(
    r"https://(?P<region>[a-z0-9-]+)-aws-parallelcluster\.s3\.(?P=region)\.amazonaws\.com(?:\.cn)?"
    r"/parallelcluster/(?P<version>\d+\.\d+\.\d+)/templates/custom_resource/cluster\.yaml"
)
# The provider exists since 3.6.0.
PUBLISHED = frozenset(
    ("3.6.0", "3.6.1", "3.7.0", "3.7.1", "3.7.2", "3.8.0", "3.9.0", "3.9.1", "3.9.2", "3.9.3", "3.10.0", "3.10.1",
     "3.11.0", "3.11.1", "3.12.0", "3.13.0", "3.13.1", "3.13.2", "3.14.0", "3.14.1", "3.14.2", "3.15.0", "3.15.1",
     "3.16.0", "3.16.1")
)  # fmt: skip
SUFFIX = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
ANY_PASS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}


def published_at(url: str) -> str | None:
    """The template at an address of AWS's own bucket; None for any other address or release."""
    match = ADDRESS.fullmatch(url)
    if match is None or match["version"] not in PUBLISHED:
        return None
    return json.dumps(template(match["version"]))


def template(version: str) -> dict[str, Any]:
    text = {"Type": "String", "Default": ""}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        # There is nothing to transform, but as with AWS's own, who deploys it has to accept transforms.
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": "ParallelCluster's provider of clusters as custom resources, emulated",
        "Parameters": {
            "CustomLambdaRole": text,
            "AdditionalIamPolicies": {"Type": "CommaDelimitedList", "Default": ""},
            "CustomBucket": text,
        },
        "Conditions": {
            "OwnRole": {"Fn::Equals": [{"Ref": "CustomLambdaRole"}, ""]},
            "MorePolicies": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "AdditionalIamPolicies"}]}, ""]}]},
        },
        "Resources": _resources(version),
        "Outputs": {
            "ServiceToken": {"Value": {"Fn::GetAtt": ["PclusterCfnFunction", "Arn"]}},
            "LogGroupArn": {"Value": {"Fn::GetAtt": ["PclusterCfnFunctionLogGroup", "Arn"]}},
            "LambdaLayerArn": {"Value": {"Ref": "PclusterLayer"}},
        },
    }


def _resources(version: str) -> dict[str, Any]:
    def policy() -> dict[str, Any]:
        return {"Type": "AWS::IAM::ManagedPolicy", "Condition": "OwnRole", "Properties": {"PolicyDocument": ANY_PASS}}

    own_policies = [{"Ref": "ClusterPolicy"}, {"Ref": "EventsPolicy"}, {"Ref": "S3Policy"}]
    bucket = {"Ref": "PclusterCustomResourceBucket"}
    return {
        "PclusterLayer": {
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {
                "LayerName": {"Fn::Sub": ["PCLayer-${Suffix}", {"Suffix": SUFFIX}]},
                "Content": {
                    "S3Bucket": {"Fn::Sub": "${AWS::Region}-aws-parallelcluster"},
                    "S3Key": f"parallelcluster/{version}/layers/aws-parallelcluster/lambda-layer.zip",
                },
                "CompatibleRuntimes": ["python3.12"],
            },
        },
        "ClusterPolicy": policy(),
        "EventsPolicy": policy(),
        "S3Policy": policy(),
        "PclusterCustomResourceBucket": {"Type": "AWS::S3::Bucket"},
        "PclusterCfnFunctionLogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Retain",
            "Properties": {"RetentionInDays": 90, "LogGroupName": {"Fn::Sub": "/aws/lambda/${PclusterCfnFunction}"}},
        },
        "PclusterLambdaRole": {
            "Type": "AWS::IAM::Role",
            "Condition": "OwnRole",
            "Properties": {
                "AssumeRolePolicyDocument": LAMBDA,
                "ManagedPolicyArns": {
                    "Fn::If": [
                        "MorePolicies",
                        {"Fn::Split": [",", {"Fn::Join": [",", [*own_policies, _joined("AdditionalIamPolicies")]]}]},
                        own_policies,
                    ]
                },
            },
        },
        "PclusterCfnFunction": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": {"Fn::Sub": ["pcluster-cfn-${Suffix}", {"Suffix": SUFFIX}]},
                "Tags": [
                    {"Key": "parallelcluster:version", "Value": version},
                    {"Key": "parallelcluster:custom_resource", "Value": "cluster"},
                ],
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "MemorySize": 2048,
                "Timeout": 60,
                "TracingConfig": {"Mode": "Active"},
                "Code": {"ZipFile": "def handler(event, context):\n    pass\n"},
                "Environment": {"Variables": {"EVENTS_BUCKET": bucket}},
                "Role": {
                    "Fn::If": ["OwnRole", {"Fn::GetAtt": ["PclusterLambdaRole", "Arn"]}, {"Ref": "CustomLambdaRole"}]
                },
                "Layers": [{"Ref": "PclusterLayer"}],
            },
        },
        "CleanupS3bucketCustomResource": {
            "Type": "AWS::CloudFormation::CustomResource",
            "Properties": {
                "S3Bucket": bucket,
                "Action": "EMPTY_BUCKET",
                "ServiceToken": {"Fn::GetAtt": ["PclusterCfnFunction", "Arn"]},
            },
        },
    }


def _joined(parameter: str) -> dict[str, Any]:
    return {"Fn::Join": [",", {"Ref": parameter}]}
