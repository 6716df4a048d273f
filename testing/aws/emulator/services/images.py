"""The official ParallelCluster images of the installed version: every OS, both architectures.

Their names and tags are what ParallelCluster looks for; the ids are made from the names, so they are
the same in every run. Of the other images only the Amazon Linux 2023 ones are kept, since loading
all of them for every fresh account would take longer than judging it.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from typing import Any

from moto.ec2.models import amis
from moto.ec2.models.amis import Ami
from moto.utilities.utils import load_resource

from ..extension import wrap

OWNER = "247102896272"
CREATED = "2026-01-15T12:00:00.000Z"
ROOT_VOLUME_GIB = 35
VERSION_VARIABLE = "EMULATOR_PARALLELCLUSTER_VERSION"


@lru_cache
def parallelcluster_version() -> str:
    """The version whose images exist: the one asked for in the environment, or the installed one."""
    from pcluster.utils import get_installed_version

    return os.environ.get(VERSION_VARIABLE) or get_installed_version()


@lru_cache
def official_images() -> list[dict[str, Any]]:
    from pcluster.constants import OS_TO_IMAGE_NAME_PART_MAP

    version = parallelcluster_version()
    return [
        _image(f"aws-parallelcluster-{version}-{part}-{architecture}-202601151200", system, architecture, version)
        for system, part in OS_TO_IMAGE_NAME_PART_MAP.items()
        for architecture in ("x86_64", "arm64")
    ]


def _image(name: str, system: str, architecture: str, version: str) -> dict[str, Any]:
    return {
        "ami_id": "ami-" + hashlib.sha256(name.encode()).hexdigest()[:17],
        "state": "available",
        "public": True,
        "owner_id": OWNER,
        "owner_alias": "amazon",
        "image_location": "amazon/" + name,
        "sriov": "simple",
        "root_device_type": "ebs",
        "root_device_name": "/dev/xvda" if system.startswith("alinux") else "/dev/sda1",
        "description": f"AWS ParallelCluster AMI for {system}",
        "image_type": "machine",
        "platform": None,
        "architecture": architecture,
        "name": name,
        "virtualization_type": "hvm",
        "hypervisor": "xen",
        "creation_date": amis.parse_timestamp(CREATED),
        "tags": {
            "parallelcluster:version": version,
            "parallelcluster:os": system,
            "parallelcluster:build_status": "available",
        },
    }


@lru_cache
def amazon_linux(region: str) -> list[dict[str, Any]]:
    try:
        images = load_resource(f"ec2/resources/latest_amis/{region}.json")
    except FileNotFoundError:
        return []
    chosen = [image for image in images if str(image.get("name", "")).startswith("al2023-ami-")]
    for image in chosen:
        image["owner_alias"] = "amazon"
        if image.get("creation_date"):
            image["creation_date"] = amis.parse_timestamp(image["creation_date"])
    return chosen


@wrap(amis.AmiBackend, "_load_amis")
def load_images(_original: Any, self: Any) -> None:
    for image in (*official_images(), *amazon_linux(self.region_name)):
        self.amis[image["ami_id"]] = Ami(self, **image)


def _mappings(self: Ami) -> list[dict[str, Any]]:
    ours = (self.name or "").startswith("aws-parallelcluster-")
    return [
        {
            "DeviceName": self.root_device_name,
            "Ebs": {
                "SnapshotId": self.ebs_snapshot.id,
                "VolumeSize": ROOT_VOLUME_GIB if ours else 8,
                "DeleteOnTermination": True,
                "VolumeType": "gp3",
                "Encrypted": False,
            },
        }
    ]


Ami.block_device_mappings = property(_mappings)  # type: ignore[assignment]
