"""What can be chosen about alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from aws_cdk import CfnCondition

from upwell_infra.errors import InfraError


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From what on something calls for somebody.

    Args:
        message_age_s: Age of a pool's oldest message. Work that nobody takes for so long has too few executors,
            or none that start.
        failed_runs_percent: Of the runs that ended within an hour.
        throttles: Requests that AWS refused because there were too many, within five minutes. Single ones are
            tried again and do no harm.
        view_lag_s: How far views of runs are behind.
        put_right: Remedies of the sweeper within an hour. A few are bad luck.

    Raises:
        InfraError: a number is not above 0.
    """

    message_age_s: float = 3600
    failed_runs_percent: float = 10
    throttles: float = 100
    view_lag_s: float = 300
    put_right: float = 10

    def __post_init__(self) -> None:
        for threshold in fields(self):
            value = getattr(self, threshold.name)
            if value <= 0:
                raise InfraError(f"{threshold.name}={value} must be above 0; turn alarms off to have none")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmProps:
    """What can be chosen about alarms. Each costs $0.10 a month.

    Args:
        enabled: Whether there are any.
        topic_arns: SNS topics that they notify.
        thresholds: When they go off.
        condition: Makes them only where it holds, in a template that is deployed without CDK.
    """

    enabled: bool = True
    topic_arns: Sequence[str] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    condition: CfnCondition | None = None
