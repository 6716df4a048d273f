"""IAM's simulation of what a user or role may do, by the policies that it has, and who asks.

Identity policies with Action, NotAction, Resource, and the conditions StringEquals and StringLike; of what a request has
only the context of the simulation is known. Policies of organizations and of resources are not there. The caller with
no key of its own is an administrator, except for what the control API takes away (`POST permissions`).
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse
from moto.sts.models import STSBackend

from ..errors import Refusal
from ..extension import extend, wrap

# {action, decision}: what is not allowed whatever a policy says.
PERMISSIONS: list[dict[str, str]] = []
ADMINISTRATOR = "user/somebody"
PAIRS_MAX = 1000
PAGE = 100
Statement = dict[str, Any]


@wrap(STSBackend, "get_caller_identity")
def get_caller_identity(original: Any, self: Any, access_key_id: str, region: str) -> tuple[str, str, str]:
    user, arn, account = original(self, access_key_id, region)
    # On AWS nobody is called by an ARN of STS but sessions.
    if arn.endswith(":user/moto"):
        arn = arn.replace(":sts:", ":iam:").replace("user/moto", ADMINISTRATOR)
    return user, arn, account


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(patterns: Any, text: str, *, fold: bool = False) -> bool:
    for pattern in map(str, _list(patterns)):
        pattern = pattern.replace("[", "[[]")
        if fnmatchcase(text.lower(), pattern.lower()) if fold else fnmatchcase(text, pattern):
            return True
    return False


def _holds(conditions: dict[str, Any], context: dict[str, list[str]], missing: set[str]) -> bool:
    holds = True
    for operator, keys in conditions.items():
        for key, values in keys.items():
            given = context.get(key.lower())
            if given is None:
                missing.add(key)
                holds = False
            elif operator == "StringEquals":
                holds = holds and any(one in map(str, _list(values)) for one in given)
            elif operator == "StringLike":
                holds = holds and any(_matches(values, one) for one in given)
            else:
                raise Refusal("InvalidInput", f"the emulator does not know the condition {operator}")
    return holds


def decide(
    statements: list[Statement], action: str, resource: str, context: dict[str, list[str]]
) -> tuple[str, set[str]]:
    """The decision, and the keys of conditions that were not given."""
    decision, missing = "implicitDeny", set()
    for statement in statements:
        asked = (
            _matches(statement["Action"], action, fold=True)
            if "Action" in statement
            else not _matches(statement["NotAction"], action, fold=True)
        )
        if not asked or not _matches(statement.get("Resource", "*"), resource):
            continue
        if not _holds(statement.get("Condition", {}), context, missing):
            continue
        if statement["Effect"] == "Deny":
            return "explicitDeny", set()
        decision = "allowed"
    return decision, set() if decision == "allowed" else missing


def _taken_away(action: str) -> str | None:
    for rule in PERMISSIONS:
        if _matches(rule["action"], action, fold=True):
            return rule.get("decision", "implicitDeny")
    return None


def _statements(backend: Any, arn: str) -> list[Statement]:
    kind, _, name = arn.split(":", 5)[5].partition("/")
    holders = {"user": backend.users.values(), "role": backend.roles.values()}.get(kind)
    holder = next((one for one in holders or () if one.arn == arn), None)
    if holder is None and f"{kind}/{name}" == ADMINISTRATOR:
        return [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    if holder is None:
        raise Refusal("NoSuchEntity", f"The {kind} with name {name} cannot be found.")
    texts = [*holder.policies.values()]
    texts += [policy.document for policy in holder.managed_policies.values()]
    found: list[Statement] = []
    for text in texts:
        document = json.loads(text) if isinstance(text, str) else text
        found += _list(document["Statement"])
    return found


@extend(IamResponse)
def simulate_principal_policy(self: Any) -> ActionResult:
    arn, actions = self._get_param("PolicySourceArn"), self._get_param("ActionNames", []) or []
    if not actions or any(":" not in action for action in actions):
        raise Refusal("InvalidInput", "Invalid Action names are provided.")
    resources = self._get_param("ResourceArns", []) or ["*"]
    if wrong := [one for one in resources if one != "*" and not one.startswith("arn:")]:
        raise Refusal("InvalidInput", f"Invalid resource ARN: {wrong[0]}")
    context = {
        entry["ContextKeyName"].lower(): _list(entry["ContextKeyValues"])
        for entry in self._get_param("ContextEntries", []) or []
    }
    statements = _statements(self.backend, arn)
    pairs = [(action, resource) for action in actions for resource in resources]
    start, size = int(self._get_param("Marker") or 0), int(self._get_param("MaxItems") or PAGE)
    if not 1 <= size <= PAIRS_MAX:
        raise Refusal("ValidationError", f"MaxItems {size} is not between 1 and {PAIRS_MAX}")
    results = []
    for action, resource in pairs[start : start + size]:
        decision, missing = decide(statements, action, resource, context)
        results.append(
            {
                "EvalActionName": action, "EvalResourceName": resource,
                "EvalDecision": _taken_away(action) or decision, "MatchedStatements": [],
                "MissingContextValues": sorted(missing),
            }  # fmt: skip
        )
    page: dict[str, Any] = {"EvaluationResults": results, "IsTruncated": start + size < len(pairs)}
    return ActionResult(page | ({"Marker": str(start + size)} if page["IsTruncated"] else {}))
