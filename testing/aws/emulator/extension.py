"""The two ways in which this package changes the emulator underneath: adding a method, wrapping one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]


def extend(target: type) -> Callable[[Function], Function]:
    """Put a function on a class under its own name: a new API action, or a whole replacement."""

    def attach(function: Function) -> Function:
        setattr(target, function.__name__, function)
        return function

    return attach


def wrap(target: type, name: str) -> Callable[[Function], Function]:
    """Replace a method by one that gets the original as its first argument."""
    original = getattr(target, name)

    def attach(function: Function) -> Function:
        def method(self: Any, *arguments: Any, **options: Any) -> Any:
            return function(original, self, *arguments, **options)

        setattr(target, name, method)
        return function

    return attach


def store(backend: Any, name: str) -> dict[str, Any]:
    """A dictionary that lives and dies with a service's backend of one region."""
    return backend.__dict__.setdefault("emulator_" + name, {})
