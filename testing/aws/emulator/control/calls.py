"""Which operation of which service a request is, and the list of all of them."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.session

from ..clusters.worker_link import PROVIDER_KEY

SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([a-z0-9-]+)/([a-zA-Z0-9_-]+)/aws4_request")
# The name in a signature, where it is not the service's own.
SIGNING_NAMES = {
    "monitoring": "cloudwatch",
    "aps": "amp",
    "servicequotas": "service-quotas",
    "elasticloadbalancing": "elbv2",
    "elasticfilesystem": "efs",
    "email": "ses",
    "states": "stepfunctions",
}
ERROR_IN_XML = re.compile(rb"<Code>([^<]+)</Code>")
RPC = re.compile(r"/service/[^/]+/operation/([^/]+)")
LIMIT = 100_000  # calls that are kept
Environ = dict[str, Any]


@dataclass
class Call:
    service: str
    operation: str
    region: str
    protocol: str
    caller: str
    user_agent: str
    error: str | None = None
    status: int = 0
    number: int = 0

    def line(self) -> dict[str, Any]:
        return {
            "number": self.number, "service": self.service, "operation": self.operation, "region": self.region,
            "caller": self.caller, "user_agent": self.user_agent, "status": self.status, "error": self.error,
        }  # fmt: skip


@dataclass
class Record:
    calls: list[Call] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


RECORD = Record()


def remember(call: Call, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
    call.status = int(status.split()[0])
    if call.status >= 400:
        call.error = error_code(headers, body) or str(call.status)
    _keep(call)


def remember_lost(call: Call) -> None:
    """A call whose connection was broken."""
    call.error = "ConnectionReset"
    _keep(call)


def _keep(call: Call) -> None:
    with RECORD.lock:
        if len(RECORD.calls) < LIMIT:
            call.number = len(RECORD.calls) + 1
            RECORD.calls.append(call)


def error_code(headers: list[tuple[str, str]], body: bytes) -> str | None:
    for name, value in headers:
        if name.lower() == "x-amzn-errortype":
            return value.split(":")[0]
    if match := ERROR_IN_XML.search(body):
        return match[1].decode()
    try:
        document = json.loads(body)
    except ValueError:
        return None
    code = document.get("__type") or document.get("code") if isinstance(document, dict) else None
    return str(code).split("#")[-1] if code else None


def recognize(environ: Environ) -> Call:
    """The call that a request makes; "?" where the operation is not known."""
    query = environ.get("QUERY_STRING", "")
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")) or SCOPE.search(
        "Credential=" + unquote("".join(parse_qs(query).get("X-Amz-Credential", [])))
    )
    key, region, signed = scope.groups() if scope else ("", "", "s3")
    name = SIGNING_NAMES.get(signed.lower(), signed.lower())
    model = model_of(name)
    call = Call(
        name, "?", region, model.metadata["protocol"] if model else "?",
        "provider" if key == PROVIDER_KEY else "outside", environ.get("HTTP_USER_AGENT", ""),
    )  # fmt: skip
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        call.operation, call.protocol = target.split(".")[-1], "json"
    elif match := RPC.fullmatch(environ.get("PATH_INFO", "")):
        call.operation, call.protocol = match[1], "cbor"
    elif call.protocol in ("query", "ec2"):
        call.operation = _action(environ, query)
    elif model:
        call.operation = _by_path(name, environ, query)
    return call


@cache
def model_of(name: str) -> Any:
    session = botocore.session.get_session()
    try:
        return session.get_service_model(name)
    except Exception:
        return None


def _action(environ: Environ, query: str) -> str:
    import io

    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    values = parse_qs(body.decode("utf-8", "replace")) or parse_qs(query)
    return values.get("Action", ["?"])[0]


@dataclass
class Route:
    """One operation of a service that is told by method, path and query."""

    operation: str
    method: str
    path: re.Pattern[str]
    needs: frozenset[str]
    weight: tuple[int, int]


@cache
def routes(name: str) -> list[Route]:
    """The operations of a service, the most particular first."""
    model, found = model_of(name), []
    for operation in model.operation_names:
        shape = model.operation_model(operation)
        path, _, fixed = shape.http["requestUri"].partition("?")
        needs = {item.split("=")[0] for item in fixed.split("&") if item}
        if shape.input_shape:
            needs |= {
                member.serialization["name"]
                for key, member in shape.input_shape.members.items()
                if member.serialization.get("location") == "querystring" and key in shape.input_shape.required_members
            }
        pattern = re.sub(r"\\\{[^}]*?\\\+\\\}", "(.+)", re.escape(path))
        pattern = re.sub(r"\\\{[^}]*\\\}", "([^/]+)", pattern)
        weight = (len(needs), len(re.sub(r"\{[^}]*\}", "", path)))
        found.append(Route(operation, shape.http["method"], re.compile(pattern + "/?"), frozenset(needs), weight))
    return sorted(found, key=lambda route: route.weight, reverse=True)


# What S3 tells apart by a header only: the operation without it, and with it.
COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
PLAIN = {copying: plain for plain, copying in COPIES.items()}


def _by_path(name: str, environ: Environ, query: str) -> str:
    given = set(parse_qs(query, keep_blank_values=True))
    path, method = environ.get("PATH_INFO", "/"), environ.get("REQUEST_METHOD", "GET")
    for route in routes(name):
        if route.method == method and route.needs <= given and route.path.fullmatch(path):
            plain = PLAIN.get(route.operation, route.operation)
            return COPIES.get(plain, plain) if "HTTP_X_AMZ_COPY_SOURCE" in environ else plain
    return "?"
