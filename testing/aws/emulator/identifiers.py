"""Ids that are given: what a spec names beforehand gets the very id that the spec has for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from moto.acm import acm_backends
from moto.amp import amp_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2 import utils
from moto.efs import efs_backends
from moto.secretsmanager import secretsmanager_backends

_wanted: list[str] = []


@contextlib.contextmanager
def wanting(identifier: str | None) -> Iterator[None]:
    """The next object with this id's prefix gets this id."""
    if identifier:
        _wanted.append(identifier)
    try:
        yield
    finally:
        _wanted.clear()


def new(prefix: str, make: Callable[[], str]) -> str:
    """An id with a prefix such as "cr-": the wanted one, or a made up one."""
    for identifier in _wanted:
        if identifier.startswith(prefix):
            _wanted.remove(identifier)
            return identifier
    return make()


_random_id = utils.random_id


def _wanted_or_random(prefix: str = "", size: int = 17) -> str:
    return new(prefix + "-", lambda: _random_id(prefix, size))


utils.random_id = _wanted_or_random


def rename(given: str, real: str, region: str) -> str:
    """Give an object that exists the given id, where its service has no other way; answers its id."""
    service = given.split(":")[2] if given.startswith("arn:") else given.split("-")[0]
    function = RENAMES.get(service)
    if function is None or given == real:
        return real
    function(given, real, region)
    return given


def _secret(given: str, real: str, region: str) -> None:
    secretsmanager_backends[DEFAULT_ACCOUNT_ID][region].secrets[real].arn = given


def _certificate(given: str, real: str, region: str) -> None:
    certificates = acm_backends[DEFAULT_ACCOUNT_ID][region]._certificates
    certificate = certificates.pop(real)
    certificate.arn = given
    certificates[given] = certificate


def _prometheus(given: str, real: str, region: str) -> None:
    workspaces = amp_backends[DEFAULT_ACCOUNT_ID][region].workspaces
    workspace = workspaces.pop(real)
    for name in ("workspace_id", "arn", "endpoint"):
        setattr(workspace, name, getattr(workspace, name).replace(real, given))
    workspaces[given] = workspace


def _elastic_file_system(given: str, real: str, region: str) -> None:
    backend: Any = efs_backends[DEFAULT_ACCOUNT_ID][region]
    system = backend.file_systems_by_id.pop(real)
    system.file_system_id = given
    system.file_system_arn = system.file_system_arn.replace(real, given)
    for target in system.iter_mount_targets():
        target.file_system_id = given
    backend.file_systems_by_id[given] = system


RENAMES: dict[str, Callable[[str, str, str], None]] = {
    "secretsmanager": _secret,
    "acm": _certificate,
    "ws": _prometheus,
    "fs": _elastic_file_system,
}
