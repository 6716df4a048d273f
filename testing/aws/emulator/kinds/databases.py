"""Secrets, Aurora and other databases, directories."""

from __future__ import annotations

import json
from typing import Any

from ..engine.resource import Made, Properties, PropertyError, Request, ResourceType, changed, register
from ..engine.shapes import parameters_for
from .api_type import ApiType, names, pick, tag_list
from .holding import hold, release


class Secret(ResourceType):
    """Ref gives the ARN. A generated value is made once, when the secret is made."""

    name = "AWS::SecretsManager::Secret"

    def create(self, request: Request, properties: Properties) -> Made:
        manager = request.client("secretsmanager")
        values: dict[str, Any] = {
            "Name": properties.get("Name") or request.generated_name(512),
            **{key: properties[key] for key in ("Description", "KmsKeyId") if key in properties},
        }
        if "SecretString" in properties and "GenerateSecretString" in properties:
            raise PropertyError("Specify SecretString or GenerateSecretString, not both")
        if "GenerateSecretString" in properties:
            values["SecretString"] = self._generated(manager, properties["GenerateSecretString"])
        elif "SecretString" in properties:
            values["SecretString"] = properties["SecretString"]
        if labels := tag_list(properties, request):
            values["Tags"] = labels
        arn = manager.create_secret(**values)["ARN"]
        return Made(arn, {"Id": arn})

    @staticmethod
    def _generated(manager: Any, settings: Properties) -> str:
        rest = {key: item for key, item in settings.items() if key not in ("SecretStringTemplate", "GenerateStringKey")}
        answer = manager.get_random_password(**parameters_for(manager, "get_random_password", rest))
        template = settings.get("SecretStringTemplate")
        if not template:
            return answer["RandomPassword"]
        document = template if isinstance(template, dict) else json.loads(template)
        return json.dumps({**document, settings["GenerateStringKey"]: answer["RandomPassword"]})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved = changed(old, new)
        if moved & {"Name"}:
            return None
        manager = request.client("secretsmanager")
        values = {key: new[key] for key in moved & {"Description", "KmsKeyId", "SecretString"} if key in new}
        if "GenerateSecretString" in moved and "GenerateSecretString" in new:
            values["SecretString"] = self._generated(manager, new["GenerateSecretString"])
        if values:
            manager.update_secret(SecretId=made.physical_id, **values)
        return made

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("secretsmanager").delete_secret(SecretId=made.physical_id, ForceDeleteWithoutRecovery=True)


class SecretPolicy(ResourceType):
    name = "AWS::SecretsManager::ResourcePolicy"

    def create(self, request: Request, properties: Properties) -> Made:
        self._put(request, properties)
        return Made(properties["SecretId"], {"Id": properties["SecretId"]})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if "SecretId" in changed(old, new):
            return None
        self._put(request, new)
        return made

    @staticmethod
    def _put(request: Request, properties: Properties) -> None:
        request.client("secretsmanager").put_resource_policy(
            SecretId=properties["SecretId"], ResourcePolicy=json.dumps(properties["ResourcePolicy"])
        )

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        request.client("secretsmanager").delete_resource_policy(SecretId=properties["SecretId"])


class SecretAttachment(ResourceType):
    """Writes a database's address into its secret; Ref gives the secret."""

    name = "AWS::SecretsManager::SecretTargetAttachment"

    def create(self, request: Request, properties: Properties) -> Made:
        manager, rds = request.client("secretsmanager"), request.client("rds")
        target = properties["TargetId"]
        if properties["TargetType"] == "AWS::RDS::DBCluster":
            found = rds.describe_db_clusters(DBClusterIdentifier=target)["DBClusters"][0]
            place = {"host": found["Endpoint"], "port": found["Port"], "dbClusterIdentifier": target}
        else:
            found = rds.describe_db_instances(DBInstanceIdentifier=target)["DBInstances"][0]
            place = {
                "host": found["Endpoint"]["Address"],
                "port": found["Endpoint"]["Port"],
                "dbInstanceIdentifier": target,
            }
        value = json.loads(manager.get_secret_value(SecretId=properties["SecretId"])["SecretString"])
        value |= place | {"engine": found["Engine"]}
        manager.update_secret(SecretId=properties["SecretId"], SecretString=json.dumps(value))
        return Made(properties["SecretId"], {"Id": properties["SecretId"]})

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        """The secret keeps the address."""


def _subnets_of(request: Request, properties: Properties) -> list[str]:
    group = properties.get("DBSubnetGroupName")
    if not group:
        return []
    found = request.client("rds").describe_db_subnet_groups(DBSubnetGroupName=group)["DBSubnetGroups"][0]
    return [subnet["SubnetIdentifier"] for subnet in found["Subnets"]]


class Database(ResourceType):
    """A cluster or an instance of RDS; its interfaces hold on to subnets and groups."""

    def __init__(self, kind: str, document: str, attributes: dict[str, str], fixed: frozenset[str]):
        self.kind, self.document, self.attributes, self.fixed = kind, document, attributes, fixed
        self.name = f"AWS::RDS::DB{kind.capitalize()}"
        self.identifier = f"DB{kind.capitalize()}Identifier"

    def create(self, request: Request, properties: Properties) -> Made:
        rds = request.client("rds")
        name = properties.get(self.identifier) or request.generated_name(63, lower=True)
        values = {key: item for key, item in properties.items() if key not in ("Tags", "DeleteAutomatedBackups")}
        values = {
            ("VpcSecurityGroupIds" if key in ("VPCSecurityGroups", "VpcSecurityGroupIds") else key): item
            for key, item in values.items()
        } | {self.identifier: name}
        if labels := tag_list(properties, request):
            values["Tags"] = labels
        call = f"create_db_{self.kind}"
        answer = getattr(rds, call)(**parameters_for(rds, call, values))
        hold(request, f"rds {name}", _subnets_of(request, properties), values.get("VpcSecurityGroupIds", []))
        return self._made(name, answer[self.document])

    def _made(self, name: str, document: Any) -> Made:
        found = {key: pick(document, path) for key, path in self.attributes.items()}
        texts = {key: str(value) if isinstance(value, int) else value for key, value in found.items()}
        return Made(name, {key: value for key, value in texts.items() if value is not None})

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        moved = changed(old, new) - {"Tags"}
        if moved & (self.fixed | {self.identifier}):
            return None
        rds, call = request.client("rds"), f"modify_db_{self.kind}"
        values = {key: new[key] for key in moved if key in new} | {self.identifier: made.physical_id}
        answer = getattr(rds, call)(**parameters_for(rds, call, values | {"ApplyImmediately": True}))
        return self._made(made.physical_id, answer[self.document])

    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        rds = request.client("rds")
        values: dict[str, Any] = {self.identifier: made.physical_id, "SkipFinalSnapshot": True}
        if request.deletion_policy == "Snapshot" and self.kind == "cluster":
            snapshot = request.generated_name(63, lower=True)
            rds.create_db_cluster_snapshot(DBClusterIdentifier=made.physical_id, DBClusterSnapshotIdentifier=snapshot)
        getattr(rds, f"delete_db_{self.kind}")(**values)
        release(request, f"rds {made.physical_id}")


def _named(key: str) -> Any:
    def before(request: Request, properties: Properties) -> Properties:
        return {**properties, key: properties.get(key) or request.generated_name(63, lower=True)}

    return before


def _directory(request: Request, properties: Properties) -> Properties:
    return {"Edition": "Enterprise", **properties}


def _describe_directory(ds: Any, identifier: str) -> Any:
    return ds.describe_directories(DirectoryIds=[identifier])["DirectoryDescriptions"][0]


FIXED = names(
    "Engine",
    "DBSubnetGroupName",
    "DatabaseName",
    "DBName",
    "KmsKeyId",
    "StorageEncrypted",
    "MasterUsername",
    "DBClusterIdentifier",
    "AvailabilityZone",
)
register(
    Secret(),
    SecretPolicy(),
    SecretAttachment(),
    Database(
        "cluster", "DBCluster",
        {"DBClusterArn": "DBClusterArn", "DBClusterResourceId": "DbClusterResourceId", "Endpoint.Address": "Endpoint",
         "Endpoint.Port": "Port", "ReadEndpoint.Address": "ReaderEndpoint",
         "MasterUserSecret.SecretArn": "MasterUserSecret.SecretArn"},
        FIXED - {"DBClusterIdentifier"},
    ),
    Database(
        "instance", "DBInstance",
        {"DBInstanceArn": "DBInstanceArn", "DbiResourceId": "DbiResourceId", "Endpoint.Address": "Endpoint.Address",
         "Endpoint.Port": "Endpoint.Port", "MasterUserSecret.SecretArn": "MasterUserSecret.SecretArn"},
        FIXED,
    ),
    ApiType(
        "AWS::RDS::DBSubnetGroup", "rds", "create_db_subnet_group", "DBSubnetGroupName", "DBSubnetGroup",
        before=_named("DBSubnetGroupName"), update_call="modify_db_subnet_group", update_by="DBSubnetGroupName",
        mutable=names("SubnetIds", "DBSubnetGroupDescription"),
        delete_call="delete_db_subnet_group", delete_by="DBSubnetGroupName",
    ),
    ApiType(
        "AWS::RDS::DBClusterParameterGroup", "rds", "create_db_cluster_parameter_group",
        "DBClusterParameterGroupName", "DBClusterParameterGroup", before=_named("DBClusterParameterGroupName"),
        renames={"Family": "DBParameterGroupFamily"}, left_out=names("Parameters"),
        mutable=names("Parameters"),
        delete_call="delete_db_cluster_parameter_group", delete_by="DBClusterParameterGroupName",
    ),
    ApiType(
        "AWS::DirectoryService::MicrosoftAD", "ds", "create_microsoft_ad", "DirectoryId",
        attributes={"Alias": "Alias", "DnsIpAddresses": "DnsIpAddrs"}, before=_directory,
        left_out=names("CreateAlias", "EnableSso"), describe=_describe_directory,
        delete_call="delete_directory", delete_by="DirectoryId",
    ),
)  # fmt: skip
