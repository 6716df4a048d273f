"""What FSx refuses: capacities, throughputs and combinations of a new or changed file system."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError

LUSTRE_THROUGHPUT = {
    ("PERSISTENT_1", "SSD"): (50, 100, 200),
    ("PERSISTENT_1", "HDD"): (12, 40),
    ("PERSISTENT_2", "SSD"): (125, 250, 500, 1000),
}
ZFS_THROUGHPUT = {
    "SINGLE_AZ_1": (64, 128, 256, 512, 1024, 2048, 3072, 4096),
    "SINGLE_AZ_2": (160, 320, 640, 1280, 2560, 3840, 5120, 7680, 10240),
    "SINGLE_AZ_HA_1": (64, 128, 256, 512, 1024, 2048, 3072, 4096),
    "SINGLE_AZ_HA_2": (160, 320, 640, 1280, 2560, 3840, 5120, 7680, 10240),
    "MULTI_AZ_1": (160, 320, 640, 1280, 2560, 3840, 5120, 7680, 10240),
}


def bad_request(message: str) -> JsonRESTError:
    return JsonRESTError("BadRequest", message)


def check(request: dict[str, Any]) -> None:
    kind = request["FileSystemType"]
    if kind == "LUSTRE":
        check_lustre(request)
    elif kind == "OPENZFS":
        check_zfs(request)


def check_lustre(request: dict[str, Any]) -> None:
    settings = request.get("LustreConfiguration") or {}
    deployment = settings.get("DeploymentType", "SCRATCH_1")
    storage = request.get("StorageType", "SSD")
    capacity = request.get("StorageCapacity")
    if len(request["SubnetIds"]) != 1:
        raise bad_request("A Lustre file system has exactly one subnet.")
    if storage == "INTELLIGENT_TIERING":
        _check_tiering(settings, deployment, capacity)
    else:
        throughput = settings.get("PerUnitStorageThroughput")
        allowed = LUSTRE_THROUGHPUT.get((deployment, storage))
        if deployment.startswith("PERSISTENT") and allowed is None:
            raise bad_request(f"{deployment} does not support storage type {storage}.")
        if allowed and throughput not in allowed:
            raise bad_request(f"PerUnitStorageThroughput of {deployment} {storage} must be one of {allowed}.")
        if not allowed and throughput is not None:
            raise bad_request(f"PerUnitStorageThroughput is not supported for {deployment}.")
        _check_capacity(capacity, deployment, storage, throughput)
    if deployment.startswith("SCRATCH"):
        if settings.get("AutomaticBackupRetentionDays"):
            raise bad_request(f"Backups are not supported on {deployment} file systems.")
        if request.get("KmsKeyId"):
            raise bad_request(f"KmsKeyId is not supported for {deployment}.")
    if deployment == "PERSISTENT_2" and (settings.get("ImportPath") or settings.get("ExportPath")):
        raise bad_request(
            "ImportPath and ExportPath are not supported on PERSISTENT_2: use data repository associations."
        )
    if settings.get("ImportPath") and settings.get("AutomaticBackupRetentionDays"):
        raise bad_request("Backups are not supported on file systems that are linked to a data repository.")
    if settings.get("EfaEnabled") and (deployment != "PERSISTENT_2" or not settings.get("MetadataConfiguration")):
        raise bad_request("EfaEnabled needs PERSISTENT_2 and a MetadataConfiguration.")
    if settings.get("MetadataConfiguration") and deployment != "PERSISTENT_2":
        raise bad_request("MetadataConfiguration is supported on PERSISTENT_2 only.")


def _check_tiering(settings: dict[str, Any], deployment: str, capacity: Any) -> None:
    if deployment != "PERSISTENT_2" or capacity is not None:
        raise bad_request("INTELLIGENT_TIERING needs PERSISTENT_2 and takes no StorageCapacity.")
    throughput = settings.get("ThroughputCapacity")
    if not throughput or throughput % 4000:
        raise bad_request("ThroughputCapacity of INTELLIGENT_TIERING must be a multiple of 4000.")


def _check_capacity(capacity: Any, deployment: str, storage: str, throughput: Any) -> None:
    if not capacity:
        raise bad_request("StorageCapacity is required.")
    if storage == "HDD":
        valid = capacity % (6000 if throughput == 12 else 1800) == 0
    elif deployment == "SCRATCH_1":
        valid = capacity in (1200, 2400) or capacity % 3600 == 0
    else:
        valid = capacity == 1200 or capacity % 2400 == 0
    if not valid:
        raise bad_request(f"StorageCapacity {capacity} is not valid for {deployment} {storage}.")


def check_zfs(request: dict[str, Any]) -> None:
    settings = request.get("OpenZFSConfiguration") or {}
    deployment, throughput = settings.get("DeploymentType"), settings.get("ThroughputCapacity")
    if deployment not in ZFS_THROUGHPUT:
        raise bad_request(f"DeploymentType {deployment} is not valid.")
    if throughput not in ZFS_THROUGHPUT[deployment]:
        raise bad_request(f"ThroughputCapacity of {deployment} must be one of {ZFS_THROUGHPUT[deployment]}.")
    if request.get("StorageType", "SSD") == "SSD" and not 64 <= (request.get("StorageCapacity") or 0) <= 524_288:
        raise bad_request("StorageCapacity must be between 64 and 524288 GiB.")
    subnets, wide = len(request["SubnetIds"]), deployment == "MULTI_AZ_1"
    if subnets != (2 if wide else 1):
        raise bad_request(f"{deployment} needs {2 if wide else 1} subnet(s), not {subnets}.")
    if wide and settings.get("PreferredSubnetId") not in request["SubnetIds"]:
        raise bad_request("MULTI_AZ_1 needs a PreferredSubnetId out of SubnetIds.")


def check_growth(kind: str, old: int, new: int, request: dict[str, Any]) -> None:
    """Storage only grows, and by at least a tenth."""
    if new == old:
        return
    if new < old * 1.1:
        raise bad_request(f"StorageCapacity can only grow, by at least 10 %: {old} to {new} is refused.")
    if kind == "LUSTRE":
        check_lustre(request | {"StorageCapacity": new})
