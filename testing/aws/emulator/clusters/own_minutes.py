"""Lets no two clusters be made in the same minute, as far as their log groups can tell.

ParallelCluster puts the minute of its making into the name of a cluster's log group, and that group stays when the
cluster goes. On AWS a cluster takes minutes; here it is made, deleted and made again within one.
"""

from __future__ import annotations

import datetime
from typing import Any

MINUTE = datetime.timedelta(minutes=1)


class Clock(datetime.datetime):
    """The time, at least a minute later than when it was asked for last."""

    last = datetime.datetime.fromtimestamp(0, datetime.UTC)

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        Clock.last = max(datetime.datetime.now(datetime.UTC), Clock.last + MINUTE)
        return Clock.last if tz else Clock.last.replace(tzinfo=None)


def give_each_cluster_its_minute() -> None:
    from pcluster.templates import cluster_stack

    cluster_stack.datetime = Clock
