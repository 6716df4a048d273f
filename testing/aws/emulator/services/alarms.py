"""CloudWatch: composite alarms, which the emulator underneath can show but not make."""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import EmptyResult

from ..extension import extend


@extend(CloudWatchResponse)
def put_composite_alarm(self: Any) -> EmptyResult:
    get = self._get_param
    self.cloudwatch_backend.put_metric_alarm(
        name=get("AlarmName"),
        namespace="",
        metric_name="",
        comparison_operator="",
        evaluation_periods=0,
        period=0,
        threshold=0,
        statistic="",
        description=get("AlarmDescription"),
        dimensions=[],
        alarm_actions=list(get("AlarmActions", []) or []),
        ok_actions=list(get("OKActions", []) or []),
        insufficient_data_actions=list(get("InsufficientDataActions", []) or []),
        rule=get("AlarmRule"),
        tags=list(get("Tags", []) or []),
    )
    return EmptyResult()
