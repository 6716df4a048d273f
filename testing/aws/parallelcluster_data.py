#!/usr/bin/env python3
"""What one ParallelCluster release accepts, as data for review and for the generator.

Run it with the Python of an environment that has `aws-parallelcluster` installed:

    PYTHON testing/aws/parallelcluster_data.py --schema    > schema-3.16.tsv
    PYTHON testing/aws/parallelcluster_data.py --constants > constants-3.16.json

Contract
- Output goes to stdout, and depends on the installed package alone: no network, no credentials, no clock. Two runs
  give the same bytes.
- `--schema`: comment lines (`#`), then one line per key of a cluster's configuration, sorted by path:
  path, type, required (1 or 0), update policy (`-` where the package names none), separated by tabs.
  `[]` marks the entries of a list: `/Scheduling/SlurmQueues[]/Name`. Required means required inside its section.
  A custom action is a script or a sequence of scripts; both shapes have their lines.
- `--constants`: one JSON object with sorted keys.
- Numbers come from the package's constants, its schema, or the source of its validators. What a validator decides in
  code is stated here in `BY_HAND`, and compared with the validator itself over a range of inputs.
- Anything that is not as expected ends the run with an exception and no output: a new release has to be looked at,
  not guessed.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

# The package asks for a region while it is imported; which one makes no difference to what is printed.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

import pcluster
from marshmallow import Schema, fields, validate
from pcluster import constants
from pcluster.config import cluster_config
from pcluster.config.common import CapacityType
from pcluster.schemas.cluster_schema import ClusterSchema, OneOrManyCustomActionField
from pcluster.validators import cluster_validators, ebs_validators, fsx_validators
from pcluster.validators.common import Validator
from pcluster.validators.instances_validators import InstancesAllocationStrategyValidator
from pcluster.validators.slurm_settings_validator import SLURM_SETTINGS_DENY_LIST

# Decided in a validator's code, so there is no name to read. Each is compared with its validator before it is printed.
BY_HAND: dict[str, Any] = {
    "ebs_gp3_throughput_mb_s": {"minimum": 125, "maximum": 1000},
    "ebs_gp3_throughput_per_iops_maximum": 0.25,
    "fsx_lustre_associations_maximum": 8,
    # A capacity is fine if it is one of `exactly`, or a multiple of `multiple_of`.
    "fsx_lustre_capacity_gib": {
        "PERSISTENT_1": {"exactly": [1200], "multiple_of": 2400},
        "PERSISTENT_1 HDD 12": {"exactly": [], "multiple_of": 6000},
        "PERSISTENT_1 HDD 40": {"exactly": [], "multiple_of": 1800},
        "PERSISTENT_2": {"exactly": [1200], "multiple_of": 2400},
        "SCRATCH_1": {"exactly": [1200, 2400], "multiple_of": 3600},
        "SCRATCH_2": {"exactly": [1200], "multiple_of": 2400},
    },
}

# Steps in which capacities are compared: it divides each multiple above, and the range holds several of each.
CAPACITY_STEP_GIB = 100
CAPACITY_LIMIT_GIB = 40_000


class Key(NamedTuple):
    """One line of the schema table."""

    path: str
    type: str
    required: bool
    update_policy: str

    def line(self) -> str:
        """The line, without its end."""
        return "\t".join((self.path, self.type, str(int(self.required)), self.update_policy))


class Unexpected(Exception):
    """The installed package is not the way this script knows it."""


# ---- schema


def type_name(field: fields.Field) -> str:
    """What a reader calls the field's type."""
    if isinstance(field, OneOrManyCustomActionField):
        return "Script|Sequence"
    if isinstance(field, fields.Nested):
        return "List[Object]" if field.many else "Object"
    if isinstance(field, fields.List):
        return f"List[{type_name(field.inner)}]"
    return {"String": "Str", "Integer": "Int", "Boolean": "Bool"}.get(type(field).__name__, type(field).__name__)


def policy_name(field: fields.Field) -> str:
    """The update policy's name; `-` where the package gives none."""
    return getattr(field.metadata.get("update_policy"), "name", None) or "-"


def keys_of(schema: Schema, path: str) -> Iterator[Key]:
    """Every key of a section and of the sections in it."""
    for name, field in schema.fields.items():
        here = f"{path}/{field.data_key or name}"
        yield Key(here, type_name(field), bool(field.required), policy_name(field))
        if isinstance(field, OneOrManyCustomActionField):
            yield Key(f"{here}/Sequence", "List[Object]", False, policy_name(field))
            for key in keys_of(field.schema, f"{here}/Sequence[]"):
                yield key
                # Outside a sequence the script is one of two shapes, so it is not required by itself.
                yield key._replace(path=key.path.replace("/Sequence[]", ""), required=False)
        elif isinstance(field, fields.Nested):
            yield from keys_of(field.schema, here + ("[]" if field.many else ""))


def schema_table() -> str:
    """The `--schema` output."""
    keys = sorted(keys_of(ClusterSchema(cluster_name="x"), ""))
    if len({key.path for key in keys}) != len(keys):
        raise Unexpected("two keys have one path")
    head = [
        f"# aws-parallelcluster {version('aws-parallelcluster')}: every key of a cluster's configuration",
        "# made by testing/aws/parallelcluster_data.py --schema",
        "# path\ttype\trequired\tupdate_policy",
    ]
    return "\n".join(head + [key.line() for key in keys]) + "\n"


# ---- what is read out of validators


def source_tree(thing: Any) -> ast.Module:
    """The syntax tree of a class or a function of the package."""
    return ast.parse(textwrap.dedent(inspect.getsource(thing)))


def list_in_source(thing: Any, variable: str) -> list[str]:
    """The list that a function assigns to a variable, all of its entries literals."""
    for node in ast.walk(source_tree(thing)):
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [variable]:
            return list(ast.literal_eval(node.value))
    raise Unexpected(f"{thing.__qualname__} no longer assigns {variable}")


def head_node_memory() -> dict[str, float]:
    """The numbers in `min(nodes / A + B, C)`, GiB that the head node needs."""
    validator = cluster_validators.HeadNodeMemorySizeValidator
    for node in ast.walk(source_tree(validator)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "required_memory":
            numbers = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
            numbers.sort(key=float)
            system, at_most, per_gib = numbers
            if ast.unparse(node.value) != f"min(total_max_compute_nodes / {per_gib} + {system}, {at_most})":
                break
            return {"nodes_per_gib": per_gib, "system_gib": system, "at_most_gib": at_most}
    raise Unexpected(f"{validator.__name__} has another formula")


def field_at(path: str) -> fields.Field:
    """The schema's field at a path such as `Monitoring/Logs`."""
    schema: Schema = ClusterSchema(cluster_name="x")
    field: fields.Field | None = None
    for part in path.split("/"):
        by_key = {candidate.data_key: candidate for candidate in schema.fields.values()}
        field = by_key[part]
        schema = field.schema if isinstance(field, fields.Nested) else schema
    if field is None:
        raise Unexpected(f"no key {path}")
    return field


def choices_at(path: str) -> list[Any]:
    """The values that the schema lists for a key."""
    for validator in field_at(path).validators:
        if isinstance(validator, validate.OneOf):
            return list(validator.choices)
    raise Unexpected(f"{path} no longer lists its values")


def range_at(path: str) -> dict[str, int | None]:
    """The bounds that the schema has for a key."""
    for validator in field_at(path).validators:
        if isinstance(validator, validate.Range):
            return {"minimum": validator.min, "maximum": validator.max}
    raise Unexpected(f"{path} no longer has bounds")


def accepts(validator: type[Validator], **arguments: Any) -> bool:
    """Whether a validator has nothing to say against these arguments."""
    made = validator()
    made._validate(**arguments)
    return not made._failures


def allocation_strategies() -> dict[str, list[str]]:
    """Per capacity type the allocation strategies that its validator lets pass; none means that it must not be set."""
    return {
        capacity.value: sorted(
            strategy.value
            for strategy in cluster_config.AllocationStrategy
            if accepts(
                InstancesAllocationStrategyValidator,
                compute_resource_name="x",
                capacity_type=capacity,
                allocation_strategy=strategy,
            )
        )
        for capacity in CapacityType
    }


def compare(what: str, expected: Callable[[int], bool], found: Callable[[int], bool], inputs: range) -> None:
    """Ends the run if a rule in `BY_HAND` and its validator differ for an input."""
    for value in inputs:
        if expected(value) != found(value):
            raise Unexpected(f"{what}: the validator says {found(value)} to {value}")


def check_by_hand() -> None:
    """Compares each rule in `BY_HAND` with its validator."""
    for kind, rule in BY_HAND["fsx_lustre_capacity_gib"].items():
        deployment, _, disk = kind.partition(" HDD ")
        compare(
            f"capacity of {kind}",
            lambda gib, rule=rule: gib in rule["exactly"] or gib % rule["multiple_of"] == 0,
            lambda gib, deployment=deployment, disk=disk: accepts(
                fsx_validators.FsxStorageCapacityValidator,
                storage_capacity=gib,
                deployment_type=deployment,
                fsx_storage_type="HDD" if disk else None,
                per_unit_storage_throughput=int(disk) if disk else None,
                file_system_id=None,
                backup_id=None,
            ),
            range(CAPACITY_STEP_GIB, CAPACITY_LIMIT_GIB, CAPACITY_STEP_GIB),
        )
    compare(
        "associations of one file system",
        lambda count: count <= BY_HAND["fsx_lustre_associations_maximum"],
        lambda count: accepts(
            fsx_validators.FsxDraValidator,
            data_repository_associations=[None] * count,
            import_path=None,
            export_path=None,
        ),
        range(1, 20),
    )
    bounds = BY_HAND["ebs_gp3_throughput_mb_s"]
    compare(
        "throughput of gp3",
        lambda rate: bounds["minimum"] <= rate <= bounds["maximum"],
        lambda rate: accepts(ebs_validators.EbsVolumeThroughputValidator, volume_type="gp3", volume_throughput=rate),
        range(1, 2_000),
    )
    compare(
        "throughput per IOPS of gp3",
        lambda rate: rate <= 3_000 * BY_HAND["ebs_gp3_throughput_per_iops_maximum"],
        lambda rate: accepts(
            ebs_validators.EbsVolumeThroughputIopsValidator,
            volume_type="gp3",
            volume_iops=3_000,
            volume_throughput=rate,
        ),
        range(1, 2_000),
    )


# ---- constants


def supported_regions() -> list[str]:
    """The regions in the package. The package itself prefers a list that it downloads."""
    text = (Path(inspect.getfile(pcluster)).parent / "resources" / "supported-regions").read_text(encoding="utf-8")
    return sorted(text.split())


def bounds_by_name(table: dict[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    """A table of pairs, with the pairs' parts named."""
    return {name: {"minimum": low, "maximum": high} for name, (low, high) in table.items()}


def ports_by_kind() -> dict[str, dict[str, list[int]]]:
    """Per kind of FSx file system the ports that must be open."""
    return {kind: dict(ports) for kind, ports in constants.FSX_PORTS.items()}


def features_by_region() -> dict[str, list[str]]:
    """Per feature the beginnings of the regions' names that do not have it."""
    return {feature.name: sorted(prefixes) for feature, prefixes in constants.UNSUPPORTED_FEATURES_MAP.items()}


def timeouts() -> dict[str, int]:
    """The defaults of `DevSettings/Timeouts`."""
    section = cluster_config.Timeouts
    names = [name for name in inspect.signature(section).parameters if name != "self"]
    made = section()
    return {f"{name}_seconds": int(getattr(made, name)) for name in names}


def shared_storage() -> dict[str, Any]:
    """Mount directories and the numbers of storage entries."""
    return {
        "default_ephemeral_dir": constants.DEFAULT_EPHEMERAL_DIR,
        "ebs_maximum": constants.MAX_EBS_COUNT,
        "existing_maximum": constants.MAX_EXISTING_STORAGE_COUNT,
        "new_maximum": constants.MAX_NEW_STORAGE_COUNT,
    }


def constants_object() -> dict[str, Any]:
    """The `--constants` output as an object."""
    check_by_hand()
    denied = SLURM_SETTINGS_DENY_LIST
    return {
        "allocation_strategies_by_capacity_type": allocation_strategies(),
        "capacity_types": sorted(capacity.value for capacity in CapacityType),
        "capacity_reservation_platforms": getattr(constants, "CAPACITY_RESERVATION_OS_MAP", {}),
        "default_timeouts": timeouts(),
        "ebs": {
            "gp3_throughput_mb_s": BY_HAND["ebs_gp3_throughput_mb_s"],
            "gp3_throughput_per_iops_maximum": BY_HAND["ebs_gp3_throughput_per_iops_maximum"],
            "iops": bounds_by_name(ebs_validators.EBS_VOLUME_IOPS_BOUNDS),
            "iops_default": constants.EBS_VOLUME_TYPE_IOPS_DEFAULT,
            "iops_per_gib_maximum": ebs_validators.EBS_VOLUME_TYPE_TO_IOPS_RATIO,
            "size_gib": bounds_by_name(ebs_validators.EBS_VOLUME_TYPE_TO_VOLUME_SIZE_BOUNDS),
            "size_gib_default": constants.EBS_VOLUME_SIZE_DEFAULT,
            "type_default": constants.EBS_VOLUME_TYPE_DEFAULT,
        },
        "features_unsupported_in_regions": features_by_region(),
        "fsx": {
            "lustre_associations_maximum": BY_HAND["fsx_lustre_associations_maximum"],
            "lustre_backup_retention_days": range_at(
                "SharedStorage/FsxLustreSettings/AutomaticBackupRetentionDays"
            ),
            "lustre_capacity_gib": BY_HAND["fsx_lustre_capacity_gib"],
            "lustre_throughput_hdd_mb_s_per_tib": constants.FSX_HDD_THROUGHPUT,
            "lustre_throughput_ssd_mb_s_per_tib": constants.FSX_SSD_THROUGHPUT,
            "ports": ports_by_kind(),
        },
        "head_node_memory": head_node_memory(),
        "instance_families": {
            "denied_by_gpu_driver": sorted(constants.NVIDIA_OPENRM_UNSUPPORTED_INSTANCE_TYPES),
            "p6-b300_denied_operating_systems": getattr(constants, "UNSUPPORTED_OSES_FOR_P6_B300", None),
            "p6e-gb200_denied_operating_systems": getattr(constants, "UNSUPPORTED_OSES_FOR_P6E_GB200", None),
            "ultraserver_block_sizes": getattr(constants, "ULTRASERVER_CAPACITY_BLOCK_ALLOWED_SIZE_DICT", {}),
        },
        "limits": {
            "cluster_name": constants.PCLUSTER_NAME_MAX_LENGTH,
            "cluster_name_and_hosted_zone": cluster_validators.CLUSTER_NAME_AND_CUSTOM_DOMAIN_NAME_MAX_LENGTH,
            "cluster_name_pattern": constants.PCLUSTER_NAME_REGEX,
            "cluster_name_with_accounting": constants.PCLUSTER_NAME_MAX_LENGTH_SLURM_ACCOUNTING,
            "compute_resources_per_cluster": constants.MAX_NUMBER_OF_COMPUTE_RESOURCES_PER_CLUSTER,
            "compute_resources_per_queue": constants.MAX_COMPUTE_RESOURCES_PER_QUEUE,
            "data_repository_associations": BY_HAND["fsx_lustre_associations_maximum"],
            "iam_name_prefix": constants.IAM_NAME_PREFIX_LENGTH_LIMIT,
            "iam_path": constants.IAM_PATH_LENGTH_LIMIT,
            "login_node_pools": constants.MAX_NUMBER_OF_LOGIN_NODE_POOLS,
            "maximum_count_default": constants.DEFAULT_MAX_COUNT,
            "minimum_count_default": constants.DEFAULT_MIN_COUNT,
            "node_priority": [constants.MIN_SLURM_NODE_PRIORITY, constants.MAX_SLURM_NODE_PRIORITY],
            "queue_resource_or_pool_name": cluster_validators.NAME_MAX_LENGTH,
            "queue_resource_or_pool_name_pattern": cluster_validators.NAME_REGEX,
            "queues": constants.MAX_NUMBER_OF_QUEUES,
            "shared_storage_name": cluster_validators.SHARED_STORAGE_NAME_MAX_LENGTH,
            "shared_storage_name_pattern": constants.PCLUSTER_TAG_VALUE_REGEX,
            "tags": constants.MAX_TAGS_COUNT,
        },
        "log_retention_days": choices_at("Monitoring/Logs/CloudWatch/RetentionInDays"),
        "log_retention_days_default": constants.CW_LOGS_RETENTION_DAYS_DEFAULT,
        "login_nodes_gracetime_minutes": range_at("LoginNodes/Pools/GracetimePeriod"),
        "operating_systems": {
            "all": choices_at("Image/Os"),
            "default_user": {name: entry["user"] for name, entry in constants.OS_MAPPING.items()},
            "image_name_part": constants.OS_TO_IMAGE_NAME_PART_MAP,
            "needing_custom_ami": constants.PRIVATE_OSES,
            "without_dcv": constants.UNSUPPORTED_OSES_FOR_DCV,
            "without_dcv_on_arm": constants.UNSUPPORTED_ARM_OSES_FOR_DCV,
        },
        "regions": supported_regions(),
        "reserved_mount_dirs": list_in_source(
            cluster_validators.SharedStorageMountDirValidator, "reserved_directories"
        ),
        "root_volume_minimum_gib": constants.EBS_ROOT_VOLUME_SIZE_DEFAULT,
        "schedulers": choices_at("Scheduling/Scheduler"),
        "shared_storage": shared_storage(),
        "slurm_settings_denied": {
            "accounting": denied["SlurmConf"]["Accounting"],
            "cluster": denied["SlurmConf"]["Global"],
            "compute_resource": denied["ComputeResource"]["Global"],
            "queue": denied["Queue"]["Global"],
        },
        "version": version("aws-parallelcluster"),
    }


def plain(value: Any) -> Any:
    """JSON has no enumerations."""
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{value!r} has no place in JSON")


def main() -> int:
    """Prints what the flag asks for."""
    parser = argparse.ArgumentParser(description="What the installed ParallelCluster release accepts, as data.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--schema", action="store_true", help="every key of a cluster's configuration, as a table")
    which.add_argument("--constants", action="store_true", help="limits, lists and rules, as JSON")
    if parser.parse_args().schema:
        text = schema_table()
    else:
        text = json.dumps(constants_object(), indent=1, sort_keys=True, default=plain) + "\n"
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
