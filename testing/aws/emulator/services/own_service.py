"""Adding a whole service that the emulator underneath does not know.

A service is a response class with one method per action; parameters and answers follow the API's
public model, so a method only gets and gives dictionaries.
"""

from __future__ import annotations

import re
from typing import Any

import moto.backend_index as backend_index
import moto.backends as backends
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import BaseResponse


class OwnResponse(BaseResponse):
    """An action reads self.given and returns ActionResult."""

    def __init__(self, service_name: str) -> None:
        super().__init__(service_name=service_name)
        self.automated_parameter_parsing = True

    @property
    def given(self) -> dict[str, Any]:
        return self.params

    @property
    def backend(self) -> Any:
        return OWN[self.service_name or ""][self.current_account][self.region]


OWN: dict[str, BackendDict[Any]] = {}


def add_service(name: str, host: str, response: type[OwnResponse], paths: tuple[str, ...]) -> BackendDict[Any]:
    """Register a service under its API name; host is the pattern of its addresses."""

    class Urls:
        url_bases = [rf"https?://{host}\.(.+)\.amazonaws\.com"]
        url_paths = {"{0}" + path: response.dispatch for path in paths}

    class Backend(BaseBackend):
        """Keeps the service's objects of one region."""

        @property
        def _url_module(self) -> Any:  # type: ignore[misc]
            return Urls

    OWN[name] = BackendDict(Backend, name)
    backend_index.backend_url_patterns.append((name, re.compile(Urls.url_bases[0])))
    return OWN[name]


_original_import = backends._import_backend


def _import_backend(module_name: str, backends_name: str) -> Any:
    return OWN[module_name] if module_name in OWN else _original_import(module_name, backends_name)


backends._import_backend = _import_backend  # type: ignore[assignment]
_original_modules = backends.list_of_moto_modules
backends.list_of_moto_modules = lambda: [*_original_modules(), *OWN]
