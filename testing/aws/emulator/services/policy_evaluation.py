"""Whether policies allow an action, as IAM's documentation says: an explicit deny wins, and what nothing allows is denied.

Policies of identities only: no policy of a resource, no session policy. An operator that is not known here is refused
rather than guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..errors import Refusal

Policy = dict[str, Any]
Context = dict[str, list[str]]
ALLOWED, EXPLICIT, IMPLICIT = "allowed", "explicitDeny", "implicitDeny"


@dataclass
class Verdict:
    decision: str
    # The keys that conditions of the policies ask for and that the request does not have.
    missing: list[str] = field(default_factory=list)


def evaluate(policies: list[Policy], action: str, resource: str, context: Context) -> Verdict:
    """What these policies together say of one action on one resource; the keys of the context are in small letters."""
    decision, missing = IMPLICIT, set()
    for statement in (one for policy in policies for one in _list(policy.get("Statement"))):
        conditions = statement.get("Condition") or {}
        missing |= {key for keys in conditions.values() for key in keys if key.lower() not in context}
        if not (_is_action(statement, action) and _is_resource(statement, resource)):
            continue
        if not all(_holds(operator, keys, context) for operator, keys in conditions.items()):
            continue
        if statement["Effect"] == "Deny":
            return Verdict(EXPLICIT, sorted(missing))
        decision = ALLOWED
    return Verdict(decision, sorted(missing))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_action(statement: Policy, action: str) -> bool:
    if "NotAction" in statement:
        return not any(_fits(one, action, small=True) for one in _list(statement["NotAction"]))
    return any(_fits(one, action, small=True) for one in _list(statement.get("Action")))


def _is_resource(statement: Policy, resource: str) -> bool:
    if "NotResource" in statement:
        return not any(_fits(one, resource) for one in _list(statement["NotResource"]))
    return any(_fits(one, resource) for one in _list(statement.get("Resource")))


@lru_cache(4096)
def _pattern(text: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(letter) or re.escape(letter) for letter in text), re.DOTALL)


def _fits(pattern: str, text: str, small: bool = False) -> bool:
    if small:
        pattern, text = pattern.lower(), text.lower()
    return _pattern(pattern).fullmatch(text) is not None


def _same(wanted: str, text: str) -> bool:
    return wanted == text


COMPARISONS = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": lambda wanted, text: wanted.lower() == text.lower(),
    "StringLike": _fits,
    "ArnEquals": _fits,
    "ArnLike": _fits,
    "Bool": lambda wanted, text: wanted.lower() == text.lower(),
}


def _holds(operator: str, keys: dict[str, Any], context: Context) -> bool:
    """All keys of one operator."""
    return all(_holds_for(operator, context.get(key.lower()), [_text(one) for one in _list(wanted)])
               for key, wanted in keys.items())  # fmt: skip


def _holds_for(operator: str, given: list[str] | None, wanted: list[str]) -> bool:
    if operator == "Null":
        return (given is None) == (wanted[0] == "true")
    together, _, single = operator.rpartition(":")
    is_optional = single.endswith("IfExists")
    single = single.removesuffix("IfExists")
    is_not = "Not" in single
    compare = COMPARISONS.get(single.replace("Not", ""))
    if compare is None or together not in ("", "ForAnyValue", "ForAllValues"):
        raise Refusal("InvalidInput", f"The emulator does not evaluate the condition operator {operator}.")
    if given is None:
        return is_optional or is_not or together == "ForAllValues"
    # A negated operator holds for a value that fits none of those that are listed.
    each = [any(compare(one, value) for one in wanted) != is_not for value in given]
    return all(each) if together == "ForAllValues" else any(each)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
