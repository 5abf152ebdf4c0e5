"""What calls for somebody: alarms of the platform, and of each pool."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from upwell._core.metrics import Metric
from upwell_infra import platform_metrics as metrics
from upwell_infra.alarm_props import AlarmProps, Thresholds
from upwell_infra.queue_pair import QueuePair

FIVE_MINUTES = Duration.minutes(5)
HOUR = Duration.hours(1)


class Alarms(Construct):
    """Alarms of one component; those below are all made by it.

    Args:
        prefix: Their names start with it.
        props: What was chosen.
    """

    def __init__(self, scope: Construct, construct_id: str, *, prefix: str, props: AlarmProps) -> None:
        super().__init__(scope, construct_id)
        self._prefix = prefix
        self._props = props

    def add(
        self, construct_id: str, name: str, metric: cloudwatch.IMetric, threshold: float, meaning: str
    ) -> None:
        """Make an alarm that goes off where a metric reaches a threshold, and not where there are no data."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=meaning,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        resource.alarm_actions = list(self._props.topic_arns) or None
        if self._props.condition is not None:
            resource.cfn_options.condition = self._props.condition


class PoolAlarms(Alarms):
    """Alarms of a pool: its oldest message, messages that were given up, throttled invocations.

    Args:
        pool: Its name.
        queues: Its queues.
        function: Its executors, if they are on Lambda.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        props: AlarmProps,
        pool: str,
        queues: QueuePair,
        function: lambda_.IFunction | None,
    ) -> None:
        super().__init__(scope, construct_id, prefix=prefix, props=props)
        self.add(
            "OldestMessage",
            f"{pool}-oldest-message",
            queues.queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES),
            props.thresholds.message_age_s,
            f"work for pool {pool} waits too long: its executors are too few or do not start",
        )
        self.add(
            "DeadLetters",
            f"{pool}-dead-letters",
            # Received, not visible: their handler takes them at once, and a redrive does not count as sent.
            queues.dead.metric_number_of_messages_received(period=FIVE_MINUTES),
            1,
            f"messages of pool {pool} came back too often and were given up; their actions failed",
        )
        if function is not None:
            self.add(
                "Throttled",
                f"{pool}-throttled",
                function.metric_throttles(period=FIVE_MINUTES),
                props.thresholds.throttles,
                f"executors of pool {pool} are refused by Lambda: raise the account's concurrency, or set "
                "max_concurrency",
            )


class PlatformAlarms(Alarms):
    """Alarms on runs, on the platform's own functions, and on how far the views are behind.

    Args:
        stage: Name of the stage.
        state_machine_arn: Of runs.
        functions: The platform's functions by short name; `fold` and `aggregate` are among them.
        lost_changes: The queue of changes that were given up.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        props: AlarmProps,
        stage: str,
        state_machine_arn: str,
        functions: Mapping[str, lambda_.IFunction],
        lost_changes: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id, prefix=prefix, props=props)
        self.add(
            "FailedRuns",
            "failed-runs",
            metrics.failed_runs_percent(state_machine_arn, HOUR),
            props.thresholds.failed_runs_percent,
            "too many runs failed or timed out within an hour: see `upwell get runs`",
        )
        self._on_functions(functions, props.thresholds.view_lag_s)
        self._on_lost_changes(lost_changes)
        self._on_own_metrics(metrics.OwnMetrics(stage), props.thresholds)

    def _on_functions(self, functions: Mapping[str, lambda_.IFunction], view_lag_s: float) -> None:
        for name, function in functions.items():
            self.add(
                f"{name}-errors",
                f"{name}-errors",
                function.metric_errors(period=FIVE_MINUTES),
                1,
                f"function {name} of the platform failed: see its log",
            )
        for name in metrics.READERS:
            self.add(
                f"{name}-lag",
                f"{name}-lag",
                metrics.lag(functions[name], FIVE_MINUTES),
                view_lag_s * 1000,
                f"what is shown of runs is behind: see the log of the function {name}",
            )

    def _on_lost_changes(self, lost_changes: sqs.IQueue) -> None:
        self.add(
            "LostChanges",
            "lost-changes",
            lost_changes.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES),
            1,
            "changes of actions could not be counted for hours and were given up: what is shown of their runs "
            "stays wrong; the log of fold or aggregate says why, the messages which records",
        )

    def _on_own_metrics(self, own: metrics.OwnMetrics, limits: Thresholds) -> None:
        self.add(
            "Throttles",
            "throttles",
            own.metric(Metric.THROTTLES, FIVE_MINUTES),
            limits.throttles,
            "AWS refuses requests of the platform, most likely DynamoDB's or SQS's: lower what is in flight",
        )
        self.add(
            "PutRight",
            "put-right",
            own.metric(Metric.PUT_RIGHT, HOUR),
            limits.put_right,
            "the sweeper acts often: messages or wake-ups get lost; its log has them as 'put right'",
        )
        self.add(
            "Unreadable",
            "unreadable-messages",
            own.metric(Metric.UNREADABLE, HOUR),
            1,
            "a dead letter cannot be read; it stays in its queue, and the log of dead-letters names it",
        )
