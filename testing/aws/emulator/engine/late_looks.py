"""DescribeStacks is answered from copies: for a moment after an operation has begun it shows what stood before.

Only callers from outside see that; events are never late.
"""

from __future__ import annotations

import time
from typing import Any

from ..world import world

# Kept with the backend, so that a fresh account has none.
SHELF = "emulator_before"
Shown = dict[str, Any] | None


def remember(backend: Any, name: str, shown: Shown) -> None:
    """What a look is answered with for `world.options.stale` seconds; `None`: no such stack."""
    if world.options.stale and world.caller == "outside":
        backend.__dict__.setdefault(SHELF, {})[name] = (time.monotonic(), shown)


def before(backend: Any, name: str) -> list[Shown]:
    """What a look at this moment is answered with, if that is not what stands."""
    begun, shown = backend.__dict__.get(SHELF, {}).get(name, (float("-inf"), None))
    is_late = world.caller == "outside" and time.monotonic() - begun < world.options.stale
    return [shown] if is_late else []
