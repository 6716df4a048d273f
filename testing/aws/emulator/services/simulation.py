"""IAM's simulator, over the policies that users and roles of the account have, and who it is that asks.

Calls themselves are not held against policies, except the simulator's own: whoever may not simulate is refused.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from functools import cache
from typing import Any
from urllib.parse import unquote

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.iam.models import IAMBackend, Role, User
from moto.iam.responses import IamResponse
from moto.sts.models import STSBackend, sts_backends

from ..errors import Refusal
from ..extension import extend, wrap
from .policy_evaluation import ALLOWED, EXPLICIT, IMPLICIT, Context, Policy, Verdict, evaluate

# {action, decision, by}: what is not allowed whatever the policies say; `by: organization` is a service control policy.
PERMISSIONS: list[dict[str, str]] = []
PRINCIPAL = re.compile(r"arn:[a-z-]+:iam::\d{12}:(user|role|group)/.+")
ACTION = re.compile(r"([a-z0-9-]+):([A-Za-z0-9]+)")
PAGE, PAGE_MAX = 100, 1000


@wrap(STSBackend, "get_caller_identity")
def get_caller_identity(original: Any, self: Any, access_key_id: str, region: str) -> tuple[str, str, str]:
    """A key that nobody has was made up for a test: it is the account's root, who may do everything."""
    user, arn, account = original(self, access_key_id, region)
    if arn.endswith(":user/moto"):
        return account, f"arn:{arn.split(':')[1]}:iam::{account}:root", account
    return user, arn, account


@extend(IamResponse)
def simulate_principal_policy(self: Any) -> ActionResult:
    source = self._get_param("PolicySourceArn") or ""
    actions = self._get_param("ActionNames", []) or []
    resources = self._get_param("ResourceArns", []) or ["*"]
    _refuse_whoever_may_not(self, source)
    if not PRINCIPAL.fullmatch(source):
        raise Refusal("InvalidInput", f"Invalid Entity Arn: {source} does not clearly define entity type and name.")
    for action in actions:
        if not _is_known(action):
            raise Refusal("InvalidInput", f"Invalid action: {action}")
    identity = _identity(self.backend, source)
    if identity is None:
        raise Refusal("NoSuchEntity", f"The entity with ARN {source} cannot be found.")
    context = {
        entry["ContextKeyName"].lower(): entry.get("ContextKeyValues", [])
        for entry in self._get_param("ContextEntries", []) or []
    }
    results = [_result(identity, action, resources, context) for action in actions]
    return ActionResult(_page(results, self._get_param("Marker"), self._get_param("MaxItems")))


def _page(results: list[dict[str, Any]], marker: str | None, most: Any) -> dict[str, Any]:
    size = int(most or PAGE)
    if not 1 <= size <= PAGE_MAX:
        raise Refusal("ValidationError", f"Value '{size}' at 'maxItems' failed to satisfy a constraint.")
    if marker and not marker.isdigit():
        raise Refusal("ValidationError", "Invalid Marker")
    start = int(marker or 0)
    page: dict[str, Any] = {"EvaluationResults": results[start : start + size], "IsTruncated": False}
    if start + size < len(results):
        page |= {"IsTruncated": True, "Marker": str(start + size)}
    return page


# -- who ----------------------------------------------------------------------------------------


class Identity:
    """The policies of a user or role, and its permissions boundary, where it has one."""

    def __init__(self, policies: list[Policy], boundary: Policy | None):
        self.policies = policies
        self.boundary = boundary


def _identity(backend: IAMBackend, arn: str) -> Identity | None:
    users: list[User | Role] = [*backend.users.values(), *backend.roles.values()]
    one = next((one for one in users if one.arn == arn), None)
    if one is None:
        return None
    holders: list[Any] = [one]
    if isinstance(one, User):
        holders += [group for group in backend.groups.values() if one in group.users]
    policies = [_document(text) for holder in holders for text in holder.policies.values()]
    managed = [policy for holder in holders for policy in holder.managed_policies.values()]
    boundary = getattr(one, "permissions_boundary_arn", None)
    return Identity(
        policies + [_default(policy) for policy in managed],
        _default(backend.managed_policies[boundary]) if boundary else None,
    )


def _default(policy: Any) -> Policy:
    versions = {version.version_id: version.document for version in policy.versions}
    return _document(versions[policy.default_version_id])


def _document(text: Any) -> Policy:
    if isinstance(text, dict):
        return text
    return json.loads(text if text.lstrip().startswith("{") else unquote(text))


def _refuse_whoever_may_not(self: Any, source: str) -> None:
    key = self.get_access_key()
    user = self.backend.get_user_from_access_key_id(key)
    session = sts_backends[self.current_account][self.partition].get_assumed_role_from_access_key(key)
    asks = user.arn if user else session.role_arn if session else None
    if asks is None:
        return
    identity = _identity(self.backend, asks)
    action = "iam:SimulatePrincipalPolicy"
    if identity and _verdict(identity, action, source, {}).decision != ALLOWED:
        raise Refusal(
            "AccessDenied",
            f"User: {asks} is not authorized to perform: {action} on resource: {source}"
            " because no identity-based policy allows the action",
        )


# -- what ---------------------------------------------------------------------------------------


@cache
def _known() -> dict[str, set[str]]:
    """Every service's actions in small letters, as cfn-lint has them."""
    from cfnlint.data import AdditionalSpecs
    from cfnlint.helpers import load_resource

    found = load_resource(AdditionalSpecs, "Policies.json")
    return {service: set(one["Actions"]) for service, one in found.items() if isinstance(one, dict) and "Actions" in one}


def _is_known(action: str) -> bool:
    parts = ACTION.fullmatch(action)
    return bool(parts) and parts[2].lower() in _known().get(parts[1], ())


def _verdict(identity: Identity, action: str, resource: str, context: Context) -> Verdict:
    found = evaluate(identity.policies, action, resource, context)
    if identity.boundary is None:
        return found
    bound = evaluate([identity.boundary], action, resource, context)
    missing = sorted({*found.missing, *bound.missing})
    if EXPLICIT in (found.decision, bound.decision):
        return Verdict(EXPLICIT, missing)
    return Verdict(ALLOWED if found.decision == bound.decision == ALLOWED else IMPLICIT, missing)


def _one(identity: Identity, action: str, resource: str, context: Context) -> dict[str, Any]:
    for rule in PERMISSIONS:
        if fnmatchcase(action.lower(), rule["action"].lower()):
            said = {"decision": rule.get("decision", IMPLICIT), "missing": []}
            if rule.get("by") == "organization":
                said["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": False}
            return said
    verdict = _verdict(identity, action, resource, context)
    said = {"decision": verdict.decision, "missing": verdict.missing}
    if identity.boundary is not None:
        within = evaluate([identity.boundary], action, resource, context).decision == ALLOWED
        said["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within}
    return said


def _result(identity: Identity, action: str, resources: list[str], context: Context) -> dict[str, Any]:
    """One result for an action: above the strictest decision, and for resources that were named one for each."""
    each = [(resource, _one(identity, action, resource, context)) for resource in resources]
    order = [EXPLICIT, IMPLICIT, ALLOWED]
    resource, strictest = min(each, key=lambda one: order.index(one[1]["decision"]))
    details = {key: value for key, value in strictest.items() if key.endswith("Detail")}
    result = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": strictest["decision"],
        "MatchedStatements": [],
        "MissingContextValues": strictest["missing"] if resources == ["*"] else [],
        **details,
    }
    if resources != ["*"]:
        result["ResourceSpecificResults"] = [
            {
                "EvalResourceName": resource,
                "EvalResourceDecision": said["decision"],
                "MatchedStatements": [],
                "MissingContextValues": said["missing"],
                **{key: value for key, value in said.items() if key.startswith("PermissionsBoundary")},
            }
            for resource, said in each
        ]
    return result
