"""How an error is written in each of AWS's protocols."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from xml.sax.saxutils import escape

from .calls import Call

Answer = tuple[str, list[tuple[str, str]], bytes]


def error(call: Call, code: str, message: str, status: int) -> Answer:
    request = str(uuid.uuid4())
    if call.protocol == "cbor":
        return _answer(status, "application/cbor", _cbor({"__type": code, "message": message}), request)
    if call.protocol in ("json", "rest-json"):
        kind = "application/json" if call.protocol == "rest-json" else "application/x-amz-json-1.1"
        text = json.dumps({"__type": code, "message": message, "Message": message})
        return _answer(status, kind, text.encode(), request, ("x-amzn-ErrorType", code))
    text = _xml(call, escape(code), escape(message), request, "Receiver" if status >= 500 else "Sender")
    return _answer(status, "text/xml", text.encode(), request)


def _xml(call: Call, code: str, message: str, request: str, fault: str) -> str:
    pair = f"<Code>{code}</Code><Message>{message}</Message>"
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    if call.protocol == "ec2":
        return f"{head}<Response><Errors><Error>{pair}</Error></Errors><RequestID>{request}</RequestID></Response>"
    if call.service == "s3":
        return f"{head}<Error>{pair}<RequestId>{request}</RequestId></Error>"
    return (
        f"{head}<ErrorResponse><Error><Type>{fault}</Type>{pair}</Error>"
        f"<RequestId>{request}</RequestId></ErrorResponse>"
    )


def _answer(status: int, kind: str, body: bytes, request: str, *more: tuple[str, str]) -> Answer:
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-RequestId", request), *more]
    if kind == "application/cbor":
        headers.append(("smithy-protocol", "rpc-v2-cbor"))
    return f"{status} {HTTPStatus(status).phrase}", headers, body


def _cbor(values: dict[str, str]) -> bytes:
    return bytes([0xA0 + len(values)]) + b"".join(_cbor_text(item) for pair in values.items() for item in pair)


def _cbor_text(text: str) -> bytes:
    data = text.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data
