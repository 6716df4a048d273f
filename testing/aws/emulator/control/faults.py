"""Faults that a test asks for: errors in the form that the service's protocol has, and broken connections."""

from __future__ import annotations

from typing import Any

from .calls import Call


def next_for(call: Call) -> dict[str, Any] | None:
    return None


def carry_out(fault: dict[str, Any], call: Call, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    raise NotImplementedError
