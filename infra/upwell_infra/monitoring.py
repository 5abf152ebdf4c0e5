"""What to look at, and what calls for somebody: one dashboard per platform, alarms per component."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from upwell._core.metrics import NAMESPACE, Metric
from upwell._core.settings import stage_of
from upwell_infra.deployment import Deployment
from upwell_infra.queue_pair import QueuePair
from upwell_infra.stage import tag_component

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)
HOUR = Duration.hours(1)
MAX_MESSAGE_AGE_S = 3600
"""Work that nobody takes for so long needs a look: too few executors, or none that start."""
MAX_PUT_RIGHT = 10
"""Remedies of the sweeper in an hour that are more than bad luck."""
MAX_FOLD_LAG_MS = 300_000
"""Views of runs that are so far behind are misleading."""


class PoolAlarms(Construct):
    """Alarms on a pool's queue: its oldest message, and messages that were given up."""

    def __init__(
        self, scope: Construct, construct_id: str, *, deployment: Deployment, pool: str, queues: QueuePair
    ) -> None:
        super().__init__(scope, construct_id)
        _alarm(
            self,
            "OldestMessage",
            deployment,
            name=f"{pool}-oldest-message",
            metric=queues.queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES),
            threshold=MAX_MESSAGE_AGE_S,
            meaning=f"work for pool {pool} has waited for an hour: its executors are too few or do not start",
        )
        _alarm(
            self,
            "DeadLetters",
            deployment,
            name=f"{pool}-dead-letters",
            # Received, not visible: their handler takes them at once, and a redrive does not count as sent.
            metric=queues.dead.metric_number_of_messages_received(period=FIVE_MINUTES),
            threshold=1,
            meaning=f"messages of pool {pool} came back too often and were given up; their actions failed",
        )


class Monitoring(Construct):
    """The platform's dashboard, and alarms on runs and on the platform's own functions.

    Args:
        deployment: The platform.
        functions: The platform's functions by short name; `fold` is among them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        functions: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        failed = self._runs("ExecutionsFailed")
        _alarm(
            self,
            "FailedRuns",
            deployment,
            name="failed-runs",
            metric=failed,
            threshold=1,
            meaning="a run failed or timed out: see `upwell get runs`",
        )
        for name, function in functions.items():
            _alarm(
                self,
                f"{name}-errors",
                deployment,
                name=f"{name}-errors",
                metric=function.metric_errors(period=FIVE_MINUTES),
                threshold=1,
                meaning=f"function {name} of the platform failed: see its log",
            )
        _alarm(
            self,
            "PutRight",
            deployment,
            name="put-right",
            metric=self._own(Metric.PUT_RIGHT),
            threshold=MAX_PUT_RIGHT,
            meaning="the sweeper acts often: messages or wake-ups get lost; its log has them as 'put right'",
        )
        _alarm(
            self,
            "Unreadable",
            deployment,
            name="unreadable-messages",
            metric=self._own(Metric.UNREADABLE),
            threshold=1,
            meaning="a dead letter cannot be read; it stays in its queue, and the log of dead-letters names it",
        )
        lag = functions["fold"].metric("IteratorAge", period=FIVE_MINUTES, statistic="Maximum")
        _alarm(
            self,
            "FoldLag",
            deployment,
            name="fold-lag",
            metric=lag,
            threshold=MAX_FOLD_LAG_MS,
            meaning="views of runs are five minutes behind",
        )
        self._dashboard(functions, lag)
        tag_component(self, "monitoring")

    def _dashboard(self, functions: Mapping[str, lambda_.IFunction], lag: cloudwatch.Metric) -> None:
        runs = [self._runs(f"Executions{end}") for end in ("Started", "Succeeded", "Failed", "Aborted")]
        errors = [function.metric_errors(period=MINUTE, label=name) for name, function in functions.items()]
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self._deployment.prefix)
        dashboard.add_widgets(
            cloudwatch.GraphWidget(title="Runs", left=runs, width=12),
            cloudwatch.GraphWidget(title="Errors of the platform's functions", left=errors, width=12),
        )
        dashboard.add_widgets(
            self._queues("Waiting messages", "ApproximateNumberOfMessagesVisible"),
            self._queues("Messages in work", "ApproximateNumberOfMessagesNotVisible"),
            self._queues("Age of the oldest message (s)", "ApproximateAgeOfOldestMessage"),
        )
        dashboard.add_widgets(cloudwatch.GraphWidget(title="Lag of the views (ms)", left=[lag], width=12))

    def _runs(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=name,
            dimensions_map={"StateMachineArn": self._deployment.state_machine_arn},
            statistic="Sum",
            period=FIVE_MINUTES,
        )

    def _own(self, metric: Metric) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric.title,
            dimensions_map=metric.dimensions(stage_of(self._deployment.prefix), ""),
            statistic="Sum",
            period=HOUR,
        )

    def _queues(self, title: str, metric: str) -> cloudwatch.GraphWidget:
        """Graph a metric of every pool's queue, those of pools that are added later too."""
        schema = "{AWS/SQS,QueueName}"
        search = (
            f"SEARCH('{schema} QueueName=\"{self._deployment.prefix}-\" MetricName=\"{metric}\"', 'Maximum')"
        )
        expression = cloudwatch.MathExpression(expression=search, label="", period=MINUTE)
        return cloudwatch.GraphWidget(title=title, left=[expression], width=8)


def _alarm(
    scope: Construct,
    construct_id: str,
    deployment: Deployment,
    *,
    name: str,
    metric: cloudwatch.Metric,
    threshold: float,
    meaning: str,
) -> None:
    alarm = cloudwatch.Alarm(
        scope,
        construct_id,
        alarm_name=f"{deployment.prefix}-{name}",
        alarm_description=meaning,
        metric=metric,
        threshold=threshold,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    resource = alarm.node.default_child
    assert isinstance(resource, cloudwatch.CfnAlarm)
    resource.alarm_actions = list(deployment.alarm_topic_arns) or None
