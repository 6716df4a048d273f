"""The account as a place where time passes.

The emulator underneath keeps everything in plain dictionaries, so one lock stands around all of it:
a request holds it while it is answered, background work holds it all the time and gives way in
pauses. In the judge's process nothing is in the background and a pause does nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

# Long enough for a waiting request to get its turn, short enough for a hundred resources in a second.
TURN_SECONDS = 0.001
POLL_SECONDS = 0.03


@dataclass
class Options:
    """What a server may be told about time; every value is in seconds."""

    clusters: bool = False
    scripts: bool = False  # whether scripts on head nodes are really run
    pace: float = 0.0  # between two resources of a stack
    operation_limit: float = 3600.0  # of one operation of a custom resource, as on AWS
    boot: float = 1.0  # from the launch of a node until Slurm calls it idle
    head_boot: float = 0.0  # how long a cluster's stack waits for its head node
    fleet: float = 0.5  # how long the compute fleet stays in STARTING and STOPPING
    stale: float = 0.0  # how long DescribeStacks shows a stack as it was before an operation
    unknown: float = 0.0  # how long DescribeInstances does not find a new instance by its id
    addressless: float = 0.3  # how long a new instance is shown without its address
    command: float = 0.3  # how long a command on a node takes
    command_unknown: float = 0.1  # how long its invocation does not exist yet


class Abandoned(BaseException):
    """Background work of an account that is gone. Not an Exception: no failed resource may catch it."""


class World:
    """The lock, the options, and what runs in the background."""

    def __init__(self) -> None:
        self.options = Options()
        self.lock = threading.RLock()
        self._turn = threading.Condition(self.lock)
        self._generation = 0
        self._own = threading.local()

    # -- callers ----------------------------------------------------------------------------

    @property
    def is_background(self) -> bool:
        return getattr(self._own, "generation", None) is not None

    @property
    def caller(self) -> str:
        """Who asks in this thread: "outside", "provider" (ParallelCluster in here), or "" (the engine)."""
        return getattr(self._own, "caller", "")

    def as_caller(self, name: str, answer: Callable[[], Any]) -> Any:
        self._own.caller = name
        try:
            with self.lock:
                return answer()
        finally:
            self._own.caller = ""

    # -- background -------------------------------------------------------------------------

    def start(self, work: Callable[[], None]) -> None:
        """Do work at once, or behind the caller's back where the account's time passes."""
        if not self.options.clusters or self.is_background:
            work()
            return
        self.spawn(work)

    def spawn(self, work: Callable[[], None]) -> None:
        generation = self._generation

        def run() -> None:
            with self.lock:
                self._own.generation = generation
                if generation == self._generation:
                    try:
                        work()
                    except Abandoned:
                        pass

        threading.Thread(target=run, daemon=True).start()

    def pause(self, seconds: float = 0.0) -> None:
        """Let others in; Abandoned when the account is gone afterwards."""
        if not self.is_background:
            return
        end = time.monotonic() + seconds
        while True:
            self._turn.wait(max(min(end - time.monotonic(), POLL_SECONDS), TURN_SECONDS))
            if self._own.generation != self._generation:
                raise Abandoned
            if time.monotonic() >= end:
                return

    def wait_for(self, done: Callable[[], Any], limit: float) -> bool:
        """Whether done() became true within the limit."""
        end = time.monotonic() + limit
        while not done():
            if time.monotonic() > end:
                return False
            self.pause(POLL_SECONDS)
        return True

    def without_lock(self, call: Callable[[], Any]) -> Any:
        """The answer of a call in another process that will ask this one: others must get in meanwhile."""
        result: list[Any] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                result.append(call())
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.wait_for(lambda: not thread.is_alive(), float("inf"))
        if failure:
            raise failure[0]
        return result[0]

    def abandon(self) -> None:
        """Background work that belongs to the account ends at its next pause."""
        self._generation += 1

    def set(self, values: dict[str, Any]) -> None:
        """Change options by name; the mode of the server stays."""
        known = {item.name: item.type for item in fields(Options) if item.name not in ("clusters", "scripts")}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no option {name}; there are {', '.join(known)}")
            setattr(self.options, name, float(value))


world = World()
