"""The life of clusters after their stack is made."""

from __future__ import annotations


def start() -> None:
    """Later."""
