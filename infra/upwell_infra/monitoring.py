"""What to look at: one dashboard per platform, with its alarms."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from upwell._core.metrics import Metric
from upwell_infra import platform_metrics as metrics
from upwell_infra.alarms import PlatformAlarms
from upwell_infra.deployment import Deployment
from upwell_infra.stage import Stage, tag_component

MINUTE = Duration.minutes(1)
FULL_WIDTH = 24


class Monitoring(Construct):
    """The platform's dashboard, and the alarms on runs and on the platform's own functions.

    Args:
        deployment: The platform; it says which alarms there are.
        stage: The stage.
        functions: The platform's functions by short name; `fold` and `aggregate` are among them.
        lost_changes: The queue of changes that were given up.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        stage: Stage,
        functions: Mapping[str, lambda_.IFunction],
        lost_changes: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        self._functions = functions
        self._own = metrics.OwnMetrics(stage.name)
        if deployment.alarms.enabled:
            PlatformAlarms(
                self,
                "Alarms",
                prefix=deployment.prefix,
                props=deployment.alarms,
                stage=stage.name,
                state_machine_arn=deployment.state_machine_arn,
                functions=functions,
                lost_changes=lost_changes,
            )
        self._dashboard()
        tag_component(self, "monitoring")

    def _dashboard(self) -> None:
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self._deployment.prefix)
        for row in (self._runs(), self._waiting(), self._executors(), self._platform()):
            width = FULL_WIDTH // len(row)
            graphs = [
                cloudwatch.GraphWidget(title=title, left=shown, width=width) for title, shown in row.items()
            ]
            dashboard.add_widgets(*graphs)

    def _runs(self) -> Mapping[str, list[cloudwatch.IMetric]]:
        arn, own = self._deployment.state_machine_arn, self._own
        ends = ("Started", "Succeeded", "Failed", "Aborted", "TimedOut")
        of_actions = (
            Metric.ACTIONS_SUCCEEDED,
            Metric.ACTIONS_FAILED,
            Metric.ACTIONS_ABORTED,
            Metric.ACTIONS_TIMED_OUT,
        )
        return {
            "Runs": [metrics.runs(arn, end, MINUTE) for end in ends],
            "Actions that ended": [own.total(metric, MINUTE) for metric in of_actions],
        }

    def _waiting(self) -> Mapping[str, list[cloudwatch.IMetric]]:
        prefix, own = self._deployment.prefix, self._own
        return {
            "Waiting messages": [metrics.queues(prefix, "ApproximateNumberOfMessagesVisible", MINUTE)],
            "Age of the oldest message (s)": [metrics.queues(prefix, "ApproximateAgeOfOldestMessage", MINUTE)],
            "From queue to start (s, median and p99)": [
                own.by_pool(Metric.QUEUE_TO_START, MINUTE, statistic) for statistic in ("p50", "p99")
            ],
        }

    def _executors(self) -> Mapping[str, list[cloudwatch.IMetric]]:
        prefix, own = self._deployment.prefix, self._own
        trouble = (Metric.SYSTEM_LOSSES, Metric.CLAIMS_REFUSED)
        return {
            "Messages in work": [metrics.queues(prefix, "ApproximateNumberOfMessagesNotVisible", MINUTE)],
            "Workers": [own.by_pool(Metric.WORKERS, MINUTE), own.total(Metric.SCALING_DECISIONS, MINUTE)],
            "Lost executors, refused claims": [own.total(metric, MINUTE) for metric in trouble],
        }

    def _platform(self) -> Mapping[str, list[cloudwatch.IMetric]]:
        own, functions = self._own, self._functions
        rare = (Metric.THROTTLES, Metric.PUT_RIGHT, Metric.UNREADABLE)
        return {
            "Errors of the platform's functions": [
                function.metric_errors(period=MINUTE, label=name) for name, function in functions.items()
            ],
            "Lag of the views (s), and of what reads the stream (ms)": [
                own.metric(Metric.VIEW_LAG, MINUTE),
                *(metrics.lag(functions[name], MINUTE) for name in metrics.READERS),
            ],
            "Throttles, remedies of the sweeper, unreadable messages": [
                own.metric(metric, MINUTE) for metric in rare
            ],
        }
