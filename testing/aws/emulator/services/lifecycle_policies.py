"""Data Lifecycle Manager: policies are kept as given; no snapshot is ever made."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any

from moto.core.responses import ActionResult

from ..errors import Refusal
from ..extension import store
from .own_service import OwnResponse, add_service


class LifecycleResponse(OwnResponse):
    def __init__(self) -> None:
        super().__init__(service_name="dlm")

    @property
    def policies(self) -> dict[str, dict[str, Any]]:
        return store(self.backend, "policies")

    def _policy(self) -> dict[str, Any]:
        identifier = self.given["PolicyId"]
        if identifier not in self.policies:
            raise Refusal("ResourceNotFoundException", f"The policy {identifier} does not exist.")
        return self.policies[identifier]

    def create_lifecycle_policy(self) -> ActionResult:
        given, identifier = self.given, "policy-0" + uuid.uuid4().hex[:16]
        moment = datetime.now(timezone.utc)
        self.policies[identifier] = {
            "PolicyId": identifier,
            "Description": given["Description"],
            "State": given["State"],
            "ExecutionRoleArn": given["ExecutionRoleArn"],
            "PolicyDetails": given.get("PolicyDetails", {}),
            "Tags": dict(given.get("Tags", {})),
            "DateCreated": moment,
            "DateModified": moment,
            "PolicyArn": f"arn:aws:dlm:{self.region}:{self.current_account}:policy/{identifier}",
            "StatusMessage": given["State"],
        }
        return ActionResult({"PolicyId": identifier})

    def get_lifecycle_policy(self) -> ActionResult:
        return ActionResult({"Policy": self._policy()})

    def get_lifecycle_policies(self) -> ActionResult:
        wanted = self.given.get("PolicyIds") or list(self.policies)
        found = [
            {**policy, "PolicyType": policy["PolicyDetails"].get("PolicyType", "EBS_SNAPSHOT_MANAGEMENT")}
            for identifier, policy in self.policies.items()
            if identifier in wanted and policy["State"] == self.given.get("State", policy["State"])
        ]
        return ActionResult({"Policies": found})

    def update_lifecycle_policy(self) -> ActionResult:
        policy = self._policy()
        for key in ("ExecutionRoleArn", "State", "Description", "PolicyDetails"):
            if key in self.given:
                policy[key] = self.given[key]
        policy["DateModified"] = datetime.now(timezone.utc)
        return ActionResult({})

    def delete_lifecycle_policy(self) -> ActionResult:
        del self.policies[self._policy()["PolicyId"]]
        return ActionResult({})

    def tag_resource(self) -> ActionResult:
        self._tagged()["Tags"].update(self.given["Tags"])
        return ActionResult({})

    def list_tags_for_resource(self) -> ActionResult:
        return ActionResult({"Tags": self._tagged()["Tags"]})

    def _tagged(self) -> dict[str, Any]:
        return self.policies[self.given["ResourceArn"].split("/")[-1]]


add_service(
    "dlm", "dlm", LifecycleResponse, ("/policies$", "/policies/(?P<id>[^/]+)/?$", "/tags/(?P<arn>.+)$")
)
