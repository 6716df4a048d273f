"""Faults that a test asks for: errors of the services, and broken connections.

A rule is {service, operation, kind, times, after, caller}: "*" or nothing means any; the first
`after` calls pass, then `times` calls meet the fault (all, where it is missing). code, message and
status replace what the kind says. With `performed` the request is carried out, and only its answer
is lost.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
import weakref
from fnmatch import fnmatchcase
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID

from . import wire
from .calls import SIGNING_NAMES, Call

KINDS = ("throttle", "server_error", "timeout", "denied", "expired", "not_found_once", "reset_connection")
TIMEOUT_SECONDS = 120.0
# The prefix of a permission, where it is not the service's name.
PREFIXES = {
    "elbv2": "elasticloadbalancing", "amp": "aps", "efs": "elasticfilesystem", "service-quotas": "servicequotas",
    "ds": "ds", "resource-groups": "resource-groups",
}  # fmt: skip
S3_ACTIONS = {
    "HeadBucket": "ListBucket", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket", "HeadObject": "GetObject",
    "ListObjectVersions": "ListBucketVersions", "DeleteObjects": "DeleteObject", "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject", "CopyObject": "PutObject",
    "ListBuckets": "ListAllMyBuckets",
}  # fmt: skip
NOT_FOUND = {
    "cloudformation": ("ValidationError", 400), "ec2": ("InvalidInstanceID.NotFound", 400), "s3": ("NoSuchKey", 404),
    "iam": ("NoSuchEntity", 404), "elbv2": ("LoadBalancerNotFound", 400), "route53": ("NoSuchHostedZone", 404),
}  # fmt: skip
USER = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/emulated"
Answer = tuple[str, list[tuple[str, str]], bytes]
# Connections that the server has to close without a farewell.
BROKEN: weakref.WeakSet[Any] = weakref.WeakSet()
_rules: list[dict[str, Any]] = []
_lock = threading.Lock()


class Reset(ConnectionError):
    """The connection is gone; the server has nothing to write to."""


def add(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        if rule.get("kind") not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}: {rule}")
    with _lock:
        _rules.extend(dict(rule) for rule in rules)


def clear() -> None:
    with _lock:
        _rules.clear()


def remaining() -> list[dict[str, Any]]:
    with _lock:
        return [dict(rule) for rule in _rules]


def next_for(call: Call) -> dict[str, Any] | None:
    """The fault that this call meets, if any; counts the rule down."""
    with _lock:
        for rule in _rules:
            if not _matches(rule, call) or rule.get("times") == 0:
                continue
            if rule.get("after"):
                rule["after"] -= 1
                continue
            once = 1 if rule["kind"] == "not_found_once" else None
            left = rule.get("times", once)
            rule["times"] = None if left is None else left - 1
            return rule
    return None


def _matches(rule: dict[str, Any], call: Call) -> bool:
    wanted = rule.get("service") or "*"
    return (
        rule.get("caller", "outside") in (call.caller, "any")
        and fnmatchcase(call.service, SIGNING_NAMES.get(wanted, wanted))
        and fnmatchcase(call.operation, rule.get("operation") or "*")
    )


def carry_out(rule: dict[str, Any], call: Call, environ: dict[str, Any]) -> Answer:
    """The answer that the fault is; Reset where there is none."""
    kind = rule["kind"]
    if kind == "timeout":
        time.sleep(float(rule.get("seconds", TIMEOUT_SECONDS)))
    if kind in ("timeout", "reset_connection"):
        break_connection(environ)
        raise Reset(call.operation)
    code, message, status = _error(kind, call)
    return wire.error(
        call, rule.get("code", code), rule.get("message", message), int(rule.get("status", status))
    )  # fmt: skip


def break_connection(environ: dict[str, Any]) -> None:
    connection = environ.get("werkzeug.socket")
    if connection is None:
        return
    # Closed with nothing to wait for, the kernel sends RST in place of an orderly end.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    BROKEN.add(connection)


def _error(kind: str, call: Call) -> tuple[str, str, int]:
    if kind == "throttle":
        return _throttled(call)
    if kind == "server_error":
        code = {"query": "InternalFailure", "ec2": "InternalError", "rest-xml": "InternalError"}.get(call.protocol)
        return code or "InternalServerException", "An internal error has occurred", 500
    if kind == "denied":
        return _denied(call)
    if kind == "expired":
        return _expired(call)
    if call.operation == "GetCommandInvocation":
        return "InvocationDoesNotExist", "", 400
    code, status = NOT_FOUND.get(call.service, ("ResourceNotFoundException", 400))
    return code, "The requested resource does not exist", status


def _throttled(call: Call) -> tuple[str, str, int]:
    by_service = {
        "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
        "s3": ("SlowDown", "Please reduce your request rate.", 503),
        "dynamodb": ("ProvisionedThroughputExceededException", "The level of configured provisioned throughput for "
                     "the table was exceeded.", 400),
        "lambda": ("TooManyRequestsException", "Rate exceeded", 429),
        "service-quotas": ("TooManyRequestsException", "Rate exceeded", 400),
    }  # fmt: skip
    if call.service in by_service:
        return by_service[call.service]
    if call.protocol in ("query", "rest-xml"):
        return "Throttling", "Rate exceeded", 400
    return "ThrottlingException", "Rate exceeded", 429 if call.protocol == "rest-json" else 400


def permission(call: Call) -> str:
    action = S3_ACTIONS.get(call.operation, call.operation) if call.service == "s3" else call.operation
    return f"{PREFIXES.get(call.service, call.service)}:{action}"


def _denied(call: Call) -> tuple[str, str, int]:
    action = permission(call)
    reason = f"because no identity-based policy allows the {action} action"
    text = f"User: {USER} is not authorized to perform: {action} on resource: * {reason}"
    if call.protocol == "ec2":
        return "UnauthorizedOperation", f"You are not authorized to perform this operation. {text}", 403
    if call.protocol in ("query", "rest-xml"):
        return "AccessDenied", text, 403
    return "AccessDeniedException", text, 403 if call.protocol == "rest-json" else 400


def _expired(call: Call) -> tuple[str, str, int]:
    text = "The security token included in the request is expired"
    if call.protocol == "ec2":
        return "RequestExpired", "Request has expired.", 400
    if call.service == "s3":
        return "ExpiredToken", "The provided token has expired.", 400
    if call.protocol in ("query", "rest-xml"):
        return "ExpiredToken", text, 403
    return "ExpiredTokenException", text, 403 if call.protocol == "rest-json" else 400
