"""FSx file systems: Lustre, OpenZFS, ONTAP and file caches.

Ids have 17 hexadecimal digits, every file system has network interfaces in its subnets with its
groups, and settings are kept as given. Nothing takes time: what is made is AVAILABLE at once.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.ec2 import ec2_backends
from moto.fsx.responses import FSxResponse

from .. import identifiers
from ..extension import extend, store, wrap
from . import fsx_rules

CONFIGURATIONS = {
    "LUSTRE": "LustreConfiguration",
    "ONTAP": "OntapConfiguration",
    "OPENZFS": "OpenZFSConfiguration",
    "WINDOWS": "WindowsConfiguration",
}


def identifier(prefix: str) -> str:
    return identifiers.new(prefix + "-", lambda: f"{prefix}-0{uuid.uuid4().hex[:16]}")


def not_found(kind: str, name: str) -> JsonRESTError:
    return JsonRESTError(f"{kind}NotFound", f"{kind} '{name}' does not exist.")


class FileSystem:
    """One file system: the document that DescribeFileSystems shows, and how it was asked for."""

    def __init__(self, document: dict[str, Any], request: dict[str, Any]):
        self.document, self.request = document, request
        self.resource_arn = document["ResourceARN"]
        self.file_system_type = document["FileSystemType"]


def given(response: Any) -> dict[str, Any]:
    return json.loads(response.body or "{}")


def answer(**fields: Any) -> str:
    return json.dumps(fields)


def interfaces(response: Any, subnets: list[str], groups: list[str], name: str) -> tuple[str, list[str]]:
    """Network interfaces in the subnets; answers the VPC and the interfaces' ids."""
    ec2 = ec2_backends[response.current_account][response.region]
    known = {subnet.id: subnet for subnet in ec2.describe_subnets()}
    missing = [subnet for subnet in subnets if subnet not in known]
    if missing:
        raise JsonRESTError("InvalidNetworkSettings", f"Subnets do not exist: {missing}")
    vpcs = {known[subnet].vpc_id for subnet in subnets}
    for group in groups:
        found = ec2.get_security_group_from_id(group)
        if found is None or {found.vpc_id} != vpcs:
            raise JsonRESTError("InvalidNetworkSettings", f"Security group {group} is not in the VPC of the subnets")
    cards = [
        ec2.create_network_interface(known[subnet], None, group_ids=list(groups), description=f"FSx {name}")
        for subnet in subnets
    ]
    return vpcs.pop(), [card.id for card in cards]


def remove_interfaces(response: Any, cards: list[str]) -> None:
    ec2 = ec2_backends[response.current_account][response.region]
    for card in cards:
        ec2.enis.pop(card, None)


def arn(response: Any, resource: str) -> str:
    return f"arn:aws:fsx:{response.region}:{response.current_account}:{resource}"


def file_system(response: Any, name: str) -> FileSystem:
    found = response.fsx_backend.file_systems.get(name)
    if found is None:
        raise not_found("FileSystem", name)
    return found


def shown(response: Any, document: dict[str, Any]) -> dict[str, Any]:
    return document | {"Tags": response.fsx_backend.list_tags_for_resource(document["ResourceARN"])}


@extend(FSxResponse)
def create_file_system(self: Any) -> str:
    request = given(self)
    fsx_rules.check(request)
    return answer(FileSystem=add_file_system(self, request))


def add_file_system(response: Any, request: dict[str, Any]) -> dict[str, Any]:
    kind, name = request["FileSystemType"], identifier("fs")
    groups = request.get("SecurityGroupIds") or []
    vpc, cards = interfaces(response, request["SubnetIds"], groups, name)
    key = CONFIGURATIONS[kind]
    settings = dict(request.get(key) or {})
    document = {
        "OwnerId": response.current_account,
        "CreationTime": time.time(),
        "FileSystemId": name,
        "FileSystemType": kind,
        "Lifecycle": "AVAILABLE",
        "StorageType": request.get("StorageType", "SSD"),
        "VpcId": vpc,
        "SubnetIds": request["SubnetIds"],
        "NetworkInterfaceIds": cards,
        "DNSName": f"{name}.fsx.{response.region}.amazonaws.com",
        "ResourceARN": arn(response, f"file-system/{name}"),
        key: settings,
    }
    for optional in ("StorageCapacity", "KmsKeyId", "FileSystemTypeVersion"):
        if optional in request:
            document[optional] = request[optional]
    if kind == "LUSTRE":
        _complete_lustre(document, settings)
    elif kind == "OPENZFS":
        _complete_zfs(response, document, settings)
    backend = response.fsx_backend
    backend.file_systems[name] = FileSystem(document, request)
    if request.get("Tags"):
        backend.tagger.tag_resource(document["ResourceARN"], request["Tags"])
    return shown(response, document)


def _complete_lustre(document: dict[str, Any], settings: dict[str, Any]) -> None:
    settings.setdefault("DeploymentType", "SCRATCH_1")
    settings["MountName"] = "fsx" if settings["DeploymentType"] == "SCRATCH_1" else uuid.uuid4().hex[:8]
    settings.setdefault("DataCompressionType", "NONE")
    settings.setdefault("WeeklyMaintenanceStartTime", "7:05:00")
    if settings["DeploymentType"].startswith("PERSISTENT"):
        settings.setdefault("AutomaticBackupRetentionDays", 0)
    repository = {
        name: settings.pop(name)
        for name in ("ImportPath", "ExportPath", "ImportedFileChunkSize", "AutoImportPolicy")
        if name in settings
    }
    if repository:
        settings["DataRepositoryConfiguration"] = repository | {"Lifecycle": "AVAILABLE"}
    document.setdefault("FileSystemTypeVersion", "2.15")


def _complete_zfs(response: Any, document: dict[str, Any], settings: dict[str, Any]) -> None:
    root = settings.pop("RootVolumeConfiguration", None) or {}
    volume = add_volume(response, document["FileSystemId"], "fsx", "/fsx", root, None)
    settings["RootVolumeId"] = volume["VolumeId"]
    settings.setdefault("AutomaticBackupRetentionDays", 0)
    settings.setdefault("WeeklyMaintenanceStartTime", "7:05:00")
    if settings["DeploymentType"] == "MULTI_AZ_1":
        document["OpenZFSConfiguration"]["EndpointIpAddress"] = "198.19.255.1"


@extend(FSxResponse)
def describe_file_systems(self: Any) -> str:
    names = given(self).get("FileSystemIds") or list(self.fsx_backend.file_systems)
    return answer(FileSystems=[shown(self, file_system(self, name).document) for name in names])


@extend(FSxResponse)
def update_file_system(self: Any) -> str:
    request = given(self)
    found = file_system(self, request["FileSystemId"])
    document, kind = found.document, found.file_system_type
    if "StorageCapacity" in request:
        fsx_rules.check_growth(kind, document["StorageCapacity"], request["StorageCapacity"], found.request)
        document["StorageCapacity"] = request["StorageCapacity"]
    settings = request.get(CONFIGURATIONS[kind]) or {}
    merged = found.request | {CONFIGURATIONS[kind]: (found.request.get(CONFIGURATIONS[kind]) or {}) | settings}
    fsx_rules.check(
        merged | {"StorageCapacity": document.get("StorageCapacity")}
        if document["StorageType"] != "INTELLIGENT_TIERING"
        else merged
    )
    document[CONFIGURATIONS[kind]].update(settings)
    found.request = merged
    return answer(FileSystem=shown(self, document))


@extend(FSxResponse)
def delete_file_system(self: Any) -> str:
    request = given(self)
    found = file_system(self, request["FileSystemId"])
    name, options = request["FileSystemId"], (request.get("OpenZFSConfiguration") or {}).get("Options") or []
    volumes = store(self.fsx_backend, "volumes")
    children = [key for key, item in volumes.items() if item["FileSystemId"] == name]
    root = found.document.get("OpenZFSConfiguration", {}).get("RootVolumeId")
    if set(children) - {root} and "DELETE_CHILD_VOLUMES_AND_SNAPSHOTS" not in options:
        raise fsx_rules.bad_request(f"File system {name} has volumes that must be deleted first.")
    for key in children:
        del volumes[key]
    associations = store(self.fsx_backend, "associations")
    for key in [key for key, item in associations.items() if item.get("FileSystemId") == name]:
        del associations[key]
    remove_interfaces(self, found.document["NetworkInterfaceIds"])
    final = _final_backup(self, found, request)
    del self.fsx_backend.file_systems[name]
    return answer(FileSystemId=name, Lifecycle="DELETING", **final)


def _final_backup(self: Any, found: FileSystem, request: dict[str, Any]) -> dict[str, Any]:
    """OpenZFS makes one unless it is told not to, Lustre only where it is told to."""
    settings = request.get(CONFIGURATIONS[found.file_system_type]) or {}
    if settings.get("SkipFinalBackup", found.file_system_type != "OPENZFS"):
        return {}
    own = CONFIGURATIONS[found.file_system_type]
    copies = found.document.get(own, {}).get("CopyTagsToBackups")
    tags = settings.get("FinalBackupTags") or (found.request.get("Tags") if copies else None)
    backup = self.fsx_backend.create_backup(request["FileSystemId"], None, None, tags)
    backup.lifecycle = "AVAILABLE"
    key = "OpenZFSResponse" if found.file_system_type == "OPENZFS" else "LustreResponse"
    return {key: {"FinalBackupId": backup.backup_id}}


# -- volumes ----------------------------------------------------------------------------------


def add_volume(
    response: Any, owner: str, name: str, path: str, settings: dict[str, Any], tags: Any, kind: str = "OPENZFS"
) -> dict[str, Any]:
    volume_id = identifier("fsvol")
    document = {
        "CreationTime": time.time(),
        "FileSystemId": owner,
        "Lifecycle": "AVAILABLE",
        "Name": name,
        "ResourceARN": arn(response, f"volume/{owner}/{volume_id}"),
        "VolumeId": volume_id,
        "VolumeType": kind,
    }
    if kind == "OPENZFS":
        document["OpenZFSConfiguration"] = settings | {"VolumePath": path}
    else:
        document["OntapConfiguration"] = settings | {"UUID": str(uuid.uuid4())}
    store(response.fsx_backend, "volumes")[volume_id] = document
    if tags:
        response.fsx_backend.tagger.tag_resource(document["ResourceARN"], tags)
    return shown(response, document)


def _volume(response: Any, name: str) -> dict[str, Any]:
    found = store(response.fsx_backend, "volumes").get(name)
    if found is None:
        raise not_found("Volume", name)
    return found


@extend(FSxResponse)
def create_volume(self: Any) -> str:
    request = given(self)
    kind, name = request["VolumeType"], request["Name"]
    if kind == "OPENZFS":
        settings = dict(request["OpenZFSConfiguration"])
        parent = _volume(self, settings["ParentVolumeId"])
        path = parent["OpenZFSConfiguration"]["VolumePath"] + "/" + name
        taken = [
            item.get("OpenZFSConfiguration", {}).get("VolumePath")
            for item in store(self.fsx_backend, "volumes").values()
            if item["FileSystemId"] == parent["FileSystemId"]
        ]
        if path in taken:
            raise fsx_rules.bad_request(f"A volume {path} exists already.")
        return answer(Volume=add_volume(self, parent["FileSystemId"], name, path, settings, request.get("Tags")))
    settings = dict(request["OntapConfiguration"])
    machine = store(self.fsx_backend, "machines").get(settings["StorageVirtualMachineId"])
    if machine is None:
        raise not_found("StorageVirtualMachine", settings["StorageVirtualMachineId"])
    owner = machine["FileSystemId"]
    return answer(Volume=add_volume(self, owner, name, "/", settings, request.get("Tags"), kind))


@extend(FSxResponse)
def describe_volumes(self: Any) -> str:
    request = given(self)
    names = request.get("VolumeIds")
    found = [_volume(self, name) for name in names] if names else list(store(self.fsx_backend, "volumes").values())
    for item in request.get("Filters") or []:
        if item["Name"] == "file-system-id":
            found = [volume for volume in found if volume["FileSystemId"] in item["Values"]]
    return answer(Volumes=[shown(self, volume) for volume in found])


@extend(FSxResponse)
def update_volume(self: Any) -> str:
    request = given(self)
    volume = _volume(self, request["VolumeId"])
    for key in ("OpenZFSConfiguration", "OntapConfiguration"):
        volume.get(key, {}).update(request.get(key) or {})
    volume["Name"] = request.get("Name", volume["Name"])
    return answer(Volume=shown(self, volume))


@extend(FSxResponse)
def delete_volume(self: Any) -> str:
    name = given(self)["VolumeId"]
    _volume(self, name)
    volumes = store(self.fsx_backend, "volumes")
    if any(item.get("OpenZFSConfiguration", {}).get("ParentVolumeId") == name for item in volumes.values()):
        raise fsx_rules.bad_request(f"Volume {name} has child volumes.")
    del volumes[name]
    return answer(VolumeId=name, Lifecycle="DELETING")


@extend(FSxResponse)
def create_storage_virtual_machine(self: Any) -> str:
    request = given(self)
    owner = file_system(self, request["FileSystemId"]).document["FileSystemId"]
    name = identifier("svm")
    document = {
        "CreationTime": time.time(),
        "FileSystemId": owner,
        "Lifecycle": "CREATED",
        "Name": request["Name"],
        "ResourceARN": arn(self, f"storage-virtual-machine/{owner}/{name}"),
        "StorageVirtualMachineId": name,
        "UUID": str(uuid.uuid4()),
        "Endpoints": {"Nfs": {"DNSName": f"{name}.{owner}.fsx.{self.region}.amazonaws.com"}},
    }
    store(self.fsx_backend, "machines")[name] = document
    return answer(StorageVirtualMachine=document)


@extend(FSxResponse)
def describe_storage_virtual_machines(self: Any) -> str:
    machines = store(self.fsx_backend, "machines")
    names = given(self).get("StorageVirtualMachineIds") or list(machines)
    for name in names:
        if name not in machines:
            raise not_found("StorageVirtualMachine", name)
    return answer(StorageVirtualMachines=[machines[name] for name in names])


@extend(FSxResponse)
def delete_storage_virtual_machine(self: Any) -> str:
    machines, name = store(self.fsx_backend, "machines"), given(self)["StorageVirtualMachineId"]
    if name not in machines:
        raise not_found("StorageVirtualMachine", name)
    del machines[name]
    return answer(StorageVirtualMachineId=name, Lifecycle="DELETING")


@wrap(FSxResponse, "create_backup")
def create_backup(original: Any, self: Any) -> str:
    document = json.loads(original(self))
    self.fsx_backend.backups[document["Backup"]["BackupId"]].lifecycle = "AVAILABLE"
    return answer(Backup=document["Backup"] | {"Lifecycle": "AVAILABLE"})
