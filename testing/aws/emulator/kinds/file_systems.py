"""FSx and EFS."""

from __future__ import annotations

from typing import Any

from ..engine.resource import Made, Properties, Request, changed, register
from ..engine.shapes import parameters_for
from .api_type import ApiType, names

CONFIGURATIONS = ("LustreConfiguration", "OntapConfiguration", "OpenZFSConfiguration", "WindowsConfiguration")
# What UpdateFileSystem and UpdateVolume take; a change of anything else inside replaces the thing.
CHANGEABLE = {
    "AutomaticBackupRetentionDays", "DailyAutomaticBackupStartTime", "DataCompressionType",
    "DiskIopsConfiguration", "MetadataConfiguration", "PerUnitStorageThroughput", "CopyTagsToBackups",
    "ThroughputCapacity", "WeeklyMaintenanceStartTime", "AutoImportPolicy", "RootSquashConfiguration",
    "LogConfiguration", "Options", "ReadOnly", "NfsExports", "RecordSizeKiB", "StorageCapacityQuotaGiB",
    "StorageCapacityReservationGiB", "UserAndGroupQuotas", "DataReadCacheConfiguration",
}  # fmt: skip


def _only_changes(old: Properties, new: Properties) -> dict[str, Any] | None:
    """The changed settings inside the configurations, or None where one cannot change in place."""
    result: dict[str, Any] = {}
    for name in CONFIGURATIONS:
        moved = changed(old.get(name) or {}, new.get(name) or {})
        if moved - CHANGEABLE:
            return None
        kept = {key: new[name][key] for key in moved if key in (new.get(name) or {})}
        if kept:
            result[name] = kept
    return result


class FsxType(ApiType):
    """A type whose settings sit in one nested configuration."""

    def replaces_within(self, name: str, old: Any, new: Any) -> bool:
        return name in CONFIGURATIONS and _only_changes({name: old}, {name: new}) is None

    def update(self, request: Request, made: Made, old: Properties, new: Properties) -> Made | None:
        if changed(old, new) - self.mutable - set(CONFIGURATIONS) - {"Tags"}:
            return None
        settings = _only_changes(old, new)
        if settings is None:
            return None
        values = settings | {name: new[name] for name in changed(old, new) & self.mutable if name in new}
        for name in ("OpenZFSConfiguration",):
            values.get(name, {}).pop("Options", None)
        client = request.client("fsx")
        if values:
            values[self.update_by] = made.physical_id
            getattr(client, self.update_call)(**parameters_for(client, self.update_call, values))
        if "Tags" in changed(old, new) and self.tags:
            self._retag(request, made, new)
        return made


class FileSystem(FsxType):
    def delete(self, request: Request, made: Made, properties: Properties) -> None:
        values: dict[str, Any] = {"FileSystemId": made.physical_id}
        if properties["FileSystemType"] == "OPENZFS":
            # The options are written in the template, for the deletion only.
            options = (properties.get("OpenZFSConfiguration") or {}).get("Options") or []
            values["OpenZFSConfiguration"] = {"SkipFinalBackup": True, "Options": options}
        request.client("fsx").delete_file_system(**values)


def _without_options(request: Request, properties: Properties) -> Properties:
    settings = properties.get("OpenZFSConfiguration")
    if not settings or "Options" not in settings:
        return dict(properties)
    return properties | {"OpenZFSConfiguration": {key: item for key, item in settings.items() if key != "Options"}}


def _retag(request: Request, made: Made, labels: list[dict[str, str]]) -> None:
    request.client("fsx").tag_resource(ResourceARN=made.attributes["ResourceARN"], Tags=labels)


def _described(kind: str) -> Any:
    def describe(fsx: Any, identifier: str) -> Any:
        return fsx.describe_file_systems(FileSystemIds=[identifier])["FileSystems"][0]

    return describe


def _efs_creation(request: Request, properties: Properties) -> Properties:
    values = {key: item for key, item in properties.items() if key in (
        "Encrypted", "KmsKeyId", "PerformanceMode", "ThroughputMode", "ProvisionedThroughputInMibps",
        "AvailabilityZoneName")}  # fmt: skip
    labels = list(properties.get("FileSystemTags", []))
    labels += [{"Key": key, "Value": value} for key, value in request.tags.items()]
    return values | {"CreationToken": request.generated_name(64), "Backup": False, "EfsTags": labels}


def _efs_policies(request: Request, made: Made, new: Properties, old: Properties | None) -> None:
    efs = request.client("efs")
    if new.get("LifecyclePolicies"):
        efs.put_lifecycle_configuration(FileSystemId=made.physical_id, LifecyclePolicies=new["LifecyclePolicies"])


register(
    FileSystem(
        "AWS::FSx::FileSystem", "fsx", "create_file_system", "FileSystemId", "FileSystem",
        attributes={"DNSName": "DNSName", "ResourceARN": "ResourceARN",
                    "LustreMountName": "LustreConfiguration.MountName",
                    "RootVolumeId": "OpenZFSConfiguration.RootVolumeId"},
        before=_without_options, describe=_described("file system"), retag=_retag,
        update_call="update_file_system", update_by="FileSystemId",
        mutable=names("StorageCapacity", "StorageType", "FileSystemTypeVersion"),
    ),
    FsxType(
        "AWS::FSx::Volume", "fsx", "create_volume", "VolumeId", "Volume",
        attributes={"VolumeId": "VolumeId", "ResourceARN": "ResourceARN", "UUID": "OntapConfiguration.UUID"},
        before=_without_options, retag=_retag, update_call="update_volume", update_by="VolumeId",
        mutable=names("Name"), delete_call="delete_volume", delete_by="VolumeId",
    ),
    FsxType(
        "AWS::FSx::DataRepositoryAssociation", "fsx", "create_data_repository_association", "AssociationId",
        "Association",
        attributes={"AssociationId": "AssociationId", "ResourceARN": "ResourceARN"}, retag=_retag,
        update_call="update_data_repository_association", update_by="AssociationId",
        mutable=names("S3", "ImportedFileChunkSize"),
        delete_call="delete_data_repository_association", delete_by="AssociationId",
    ),
    FsxType(
        "AWS::FSx::StorageVirtualMachine", "fsx", "create_storage_virtual_machine", "StorageVirtualMachineId",
        "StorageVirtualMachine",
        attributes={"StorageVirtualMachineId": "StorageVirtualMachineId", "ResourceARN": "ResourceARN",
                    "UUID": "UUID"},
        delete_call="delete_storage_virtual_machine", delete_by="StorageVirtualMachineId",
    ),
    ApiType(
        "AWS::EFS::FileSystem", "efs", "create_file_system", "FileSystemId",
        attributes={"FileSystemId": "FileSystemId", "Arn": "FileSystemArn"}, renames={"EfsTags": "Tags"}, tags="",
        before=_efs_creation, after=_efs_policies,
        mutable=names("LifecyclePolicies", "BackupPolicy", "FileSystemPolicy", "FileSystemTags",
                      "ThroughputMode", "ProvisionedThroughputInMibps"),
        delete_call="delete_file_system", delete_by="FileSystemId",
    ),
    ApiType(
        "AWS::EFS::MountTarget", "efs", "create_mount_target", "MountTargetId", tags="",
        attributes={"Id": "MountTargetId", "IpAddress": "IpAddress"},
        update_call="modify_mount_target_security_groups", update_by="MountTargetId", mutable=names("SecurityGroups"),
        delete_call="delete_mount_target", delete_by="MountTargetId",
    ),
    ApiType(
        "AWS::EFS::AccessPoint", "efs", "create_access_point", "AccessPointId", tags="",
        attributes={"AccessPointId": "AccessPointId", "Arn": "AccessPointArn"},
        renames={"AccessPointTags": "Tags"}, before=lambda request, properties: properties | {
            "ClientToken": properties.get("ClientToken") or request.generated_name(64)},
        delete_call="delete_access_point", delete_by="AccessPointId",
    ),
)  # fmt: skip
