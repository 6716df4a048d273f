"""Resource groups of capacity reservations: membership, which the emulator underneath lacks."""

from __future__ import annotations

import json
from typing import Any

from moto.resourcegroups import urls
from moto.resourcegroups.models import ResourceGroupsBackend
from moto.resourcegroups.responses import ResourceGroupsResponse

from ..extension import extend, store, wrap

for _path in ("group-resources", "ungroup-resources", "list-group-resources"):
    urls.url_paths["{0}/" + _path + "$"] = ResourceGroupsResponse.dispatch


@wrap(ResourceGroupsBackend, "get_group")
def get_group(original: Any, self: Any, group_name: str) -> Any:
    return original(self, _name(group_name))


@wrap(ResourceGroupsBackend, "get_group_configuration")
def get_group_configuration(original: Any, self: Any, group_name: str) -> Any:
    return original(self, _name(group_name))


@wrap(ResourceGroupsBackend, "_validate_resource_query")
def check_query(original: Any, self: Any, resource_query: Any) -> None:
    """A group of reservations has a configuration instead of a query."""
    if resource_query is not None:
        original(resource_query)


def members(backend: Any, group: str) -> list[str]:
    """ARNs in a group, which may be named by name or ARN."""
    return store(backend, "members").setdefault(_name(group), [])


def _name(group: str) -> str:
    return group.rsplit("group/", maxsplit=1)[-1].split("/", maxsplit=1)[0]


def _group(response: Any) -> str:
    given = json.loads(response.body or "{}")
    group = given.get("Group") or given.get("GroupName")
    response.resourcegroups_backend.get_group(_name(group))
    return group


@extend(ResourceGroupsResponse)
def group_resources(self: Any) -> str:
    group, added = _group(self), json.loads(self.body)["ResourceArns"]
    found = members(self.resourcegroups_backend, group)
    found.extend(arn for arn in added if arn not in found)
    return json.dumps({"Succeeded": added, "Failed": [], "Pending": []})


@extend(ResourceGroupsResponse)
def ungroup_resources(self: Any) -> str:
    group, removed = _group(self), json.loads(self.body)["ResourceArns"]
    found = members(self.resourcegroups_backend, group)
    found[:] = [arn for arn in found if arn not in removed]
    return json.dumps({"Succeeded": removed, "Failed": [], "Pending": []})


@extend(ResourceGroupsResponse)
def list_group_resources(self: Any) -> str:
    identifiers = [
        {"ResourceArn": arn, "ResourceType": "AWS::EC2::CapacityReservation"}
        for arn in members(self.resourcegroups_backend, _group(self))
    ]
    resources = [{"Identifier": item} for item in identifiers]
    return json.dumps({"Resources": resources, "ResourceIdentifiers": identifiers})
