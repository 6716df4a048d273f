"""An AWS emulator for deployments of GPU clusters: moto and what it lacks, in one process.

No file of moto is changed: importing the services and the engine adds methods to its classes.
install() must run before the first AWS call; reset() gives a fresh account.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import Any

REGION = "us-east-1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    # Nothing may leave the machine: whatever is not emulated meets a closed port at once.
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1,localhost",
}
_mock: Any = None


def install(region: str = REGION, account: str | None = None) -> None:
    """Answer every AWS call of this process from the emulator. A second call does nothing."""
    global _mock
    if _mock is not None:
        return
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        os.environ.pop(name, None)
    os.environ.update(ENVIRONMENT, AWS_DEFAULT_REGION=region, AWS_REGION=region)
    if account:
        _live_in(account)
    from moto import mock_aws

    for package in ("services", "engine", "kinds"):
        found = importlib.import_module(f"{__name__}.{package}")
        for module in pkgutil.iter_modules(found.__path__):
            importlib.import_module(f"{found.__name__}.{module.name}")
    from .kinds import models

    models.register_rest()
    _mock = mock_aws()
    _mock.start()


def _live_in(account: str) -> None:
    """Requests read the account from the environment, everything else from a constant of moto's core."""
    import moto.core

    assert moto.core
    os.environ["MOTO_ACCOUNT_ID"] = account
    for name, module in list(sys.modules.items()):
        if name.startswith("moto") and hasattr(module, "DEFAULT_ACCOUNT_ID"):
            module.DEFAULT_ACCOUNT_ID = account  # type: ignore[attr-defined]


def reset() -> None:
    """A fresh account: everything that was made is gone."""
    from moto.core.base_backend import BackendDict, backend_lock
    from moto.core.model_instances import reset_model_data

    with backend_lock:
        for backends in BackendDict._instances:
            backends.clear()
            # Bucket names are remembered beside the accounts, since they are unique in the world.
            getattr(backends, "bucket_accounts", {}).clear()
        BackendDict._instances.clear()
    reset_model_data()
