"""FSx data repository associations and tasks, and file caches."""

from __future__ import annotations

import time
from typing import Any

from moto.fsx.responses import FSxResponse

from ..extension import extend, store
from . import fsx_rules
from .fsx import answer, arn, file_system, given, identifier, interfaces, not_found, remove_interfaces, shown

MOST_ASSOCIATIONS = 8


def _associations(response: Any) -> dict[str, dict[str, Any]]:
    return store(response.fsx_backend, "associations")


def _association(response: Any, name: str) -> dict[str, Any]:
    if name not in _associations(response):
        raise not_found("DataRepositoryAssociation", name)
    return _associations(response)[name]


@extend(FSxResponse)
def create_data_repository_association(self: Any) -> str:
    request = given(self)
    owner = file_system(self, request["FileSystemId"]).document
    if owner.get("LustreConfiguration", {}).get("DeploymentType") in (None, "SCRATCH_1"):
        raise fsx_rules.bad_request("Data repository associations need a Lustre file system that is not SCRATCH_1.")
    others = [item for item in _associations(self).values() if item.get("FileSystemId") == owner["FileSystemId"]]
    path = request.get("FileSystemPath", "/")
    if len(others) >= MOST_ASSOCIATIONS or any(item["FileSystemPath"] == path for item in others):
        raise fsx_rules.bad_request(f"{path} is taken, or there are {MOST_ASSOCIATIONS} associations already.")
    name = identifier("dra")
    document = {
        "AssociationId": name,
        "ResourceARN": arn(self, f"association/{owner['FileSystemId']}/{name}"),
        "FileSystemId": owner["FileSystemId"],
        "Lifecycle": "AVAILABLE",
        "FileSystemPath": path,
        "DataRepositoryPath": request["DataRepositoryPath"],
        "BatchImportMetaDataOnCreate": request.get("BatchImportMetaDataOnCreate", False),
        "ImportedFileChunkSize": request.get("ImportedFileChunkSize", 1024),
        "S3": request.get("S3", {}),
        "CreationTime": time.time(),
    }
    _associations(self)[name] = document
    if request.get("Tags"):
        self.fsx_backend.tagger.tag_resource(document["ResourceARN"], request["Tags"])
    return answer(Association=shown(self, document))


@extend(FSxResponse)
def describe_data_repository_associations(self: Any) -> str:
    request = given(self)
    names = request.get("AssociationIds") or list(_associations(self))
    found = [_association(self, name) for name in names]
    for item in request.get("Filters") or []:
        if item["Name"] == "file-system-id":
            found = [entry for entry in found if entry["FileSystemId"] in item["Values"]]
    return answer(Associations=[shown(self, entry) for entry in found])


@extend(FSxResponse)
def update_data_repository_association(self: Any) -> str:
    request = given(self)
    document = _association(self, request["AssociationId"])
    document.update({key: request[key] for key in ("S3", "ImportedFileChunkSize") if key in request})
    return answer(Association=shown(self, document))


@extend(FSxResponse)
def delete_data_repository_association(self: Any) -> str:
    request = given(self)
    document = _association(self, request["AssociationId"])
    del _associations(self)[document["AssociationId"]]
    return answer(
        AssociationId=document["AssociationId"],
        Lifecycle="DELETING",
        DeleteDataInFileSystem=request.get("DeleteDataInFileSystem", False),
    )


@extend(FSxResponse)
def create_data_repository_task(self: Any) -> str:
    request = given(self)
    file_system(self, request["FileSystemId"])
    name = "task-0" + identifier("t")[2:]
    document = {
        "TaskId": name,
        "Lifecycle": "SUCCEEDED",
        "Type": request["Type"],
        "CreationTime": time.time(),
        "StartTime": time.time(),
        "EndTime": time.time(),
        "ResourceARN": arn(self, f"task/{name}"),
        "FileSystemId": request["FileSystemId"],
        "Paths": request.get("Paths", []),
        "Report": request["Report"],
        "Status": {"TotalCount": 0, "SucceededCount": 0, "FailedCount": 0},
    }
    store(self.fsx_backend, "tasks")[name] = document
    return answer(DataRepositoryTask=document)


@extend(FSxResponse)
def describe_data_repository_tasks(self: Any) -> str:
    tasks = store(self.fsx_backend, "tasks")
    names = given(self).get("TaskIds") or list(tasks)
    return answer(DataRepositoryTasks=[tasks[name] for name in names if name in tasks])


@extend(FSxResponse)
def create_file_cache(self: Any) -> str:
    request, name = given(self), identifier("fc")
    vpc, cards = interfaces(self, request["SubnetIds"], request.get("SecurityGroupIds") or [], name)
    document = {
        "OwnerId": self.current_account,
        "CreationTime": time.time(),
        "FileCacheId": name,
        "FileCacheType": request["FileCacheType"],
        "FileCacheTypeVersion": request["FileCacheTypeVersion"],
        "Lifecycle": "AVAILABLE",
        "StorageCapacity": request["StorageCapacity"],
        "VpcId": vpc,
        "SubnetIds": request["SubnetIds"],
        "NetworkInterfaceIds": cards,
        "DNSName": f"{name}.fsx.{self.region}.amazonaws.com",
        "ResourceARN": arn(self, f"file-cache/{name}"),
        "LustreConfiguration": (request.get("LustreConfiguration") or {}) | {"MountName": name[-8:]},
    }
    store(self.fsx_backend, "caches")[name] = document
    return answer(FileCache=document)


def _cache(response: Any, name: str) -> dict[str, Any]:
    caches = store(response.fsx_backend, "caches")
    if name not in caches:
        raise not_found("FileCache", name)
    return caches[name]


@extend(FSxResponse)
def describe_file_caches(self: Any) -> str:
    names = given(self).get("FileCacheIds") or list(store(self.fsx_backend, "caches"))
    return answer(FileCaches=[_cache(self, name) for name in names])


@extend(FSxResponse)
def delete_file_cache(self: Any) -> str:
    document = _cache(self, given(self)["FileCacheId"])
    remove_interfaces(self, document["NetworkInterfaceIds"])
    del store(self.fsx_backend, "caches")[document["FileCacheId"]]
    return answer(FileCacheId=document["FileCacheId"], Lifecycle="DELETING")
