"""The metrics that alarms and the dashboard show: AWS's own, and those that the runtime writes."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from upwell._core.metrics import NAMESPACE, POOL, STAGE, Metric

READERS = ("fold", "aggregate")
"""The functions behind the stream of actions, by short name."""
STATISTICS = {"Count": "Sum", "Seconds": "p99", "None": "Maximum"}
"""By unit: what is shown of a metric, unless something else is asked for."""


class OwnMetrics:
    """The metrics that the runtime writes (`upwell._core.metrics`).

    Args:
        stage: Name of the stage.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def metric(self, metric: Metric, period: Duration) -> cloudwatch.Metric:
        """Return a metric of the whole stage."""
        assert not metric.by_pool  # its pools are not known here: search for it
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric.title,
            dimensions_map=metric.dimensions(self._stage, ""),
            statistic=STATISTICS[metric.unit],
            period=period,
        )

    def by_pool(
        self, metric: Metric, period: Duration, statistic: str | None = None
    ) -> cloudwatch.MathExpression:
        """Return a metric of every pool, those that are added later included."""
        assert metric.by_pool
        schema = f"{{{NAMESPACE},{STAGE},{POOL}}}"
        return _search(
            f'{schema} {STAGE}="{self._stage}" MetricName="{metric.title}"',
            statistic or STATISTICS[metric.unit],
            period,
        )

    def total(self, metric: Metric, period: Duration) -> cloudwatch.MathExpression:
        """Return the sum of a metric over all pools."""
        found = self.by_pool(metric, period).expression
        return cloudwatch.MathExpression(expression=f"SUM({found})", label=metric.title, period=period)


def runs(state_machine_arn: str, end: str, period: Duration) -> cloudwatch.Metric:
    """Return how many runs `Started`, or ended: `Succeeded`, `Failed`, `Aborted`, `TimedOut`."""
    return cloudwatch.Metric(
        namespace="AWS/States",
        metric_name=f"Executions{end}",
        dimensions_map={"StateMachineArn": state_machine_arn},
        statistic="Sum",
        period=period,
    )


def failed_runs_percent(state_machine_arn: str, period: Duration) -> cloudwatch.MathExpression:
    """Return how many of the runs that ended by themselves failed, or timed out; no value where none ended."""
    return cloudwatch.MathExpression(
        expression="100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(succeeded, 0))",
        using_metrics={
            "failed": runs(state_machine_arn, "Failed", period),
            "succeeded": runs(state_machine_arn, "Succeeded", period),
        },
        label="Failed runs (%)",
        period=period,
    )


def lag(reader: lambda_.IFunction, period: Duration) -> cloudwatch.Metric:
    """Return the age of the changes that a function of `READERS` gets, in ms; also where it fails."""
    return reader.metric("IteratorAge", period=period, statistic="Maximum")


def queues(prefix: str, metric: str, period: Duration) -> cloudwatch.MathExpression:
    """Return a metric of every pool's queue, those of pools that are added later included."""
    return _search(f'{{AWS/SQS,QueueName}} QueueName="{prefix}-" MetricName="{metric}"', "Maximum", period)


def _search(terms: str, statistic: str, period: Duration) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(expression=f"SEARCH('{terms}', '{statistic}')", label="", period=period)
