"""The one exception with which this package's own API actions refuse a request."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class Refusal(ServiceException):
    """Refusal(code, message): the serializer of the service's protocol writes it out.

    It is a class of its own because the emulator underneath looks up a service by the module of the
    exception, and its own base class belongs to none.
    """
