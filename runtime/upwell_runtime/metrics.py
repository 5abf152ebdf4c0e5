"""Metrics as lines of the log, in CloudWatch's embedded metric format: no request, and nothing to wait for.

What is counted is added up in memory. `flush` writes a line for each set of dimensions in which there is
anything: at the end of an invocation, once a minute in a worker. Where nothing happened, nothing is written.
"""

from __future__ import annotations

import threading
from collections import defaultdict

from upwell._core.metrics import NAMESPACE, Metric

MILLISECONDS = 3
"""Digits of a value that are written."""
Dimensions = tuple[tuple[str, str], ...]


class EmfMetrics:
    """Implements `Metrics`.

    Args:
        stage: Of the deployment.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._lock = threading.Lock()
        self._values: dict[Dimensions, dict[Metric, list[float]]] = {}

    def add(self, metric: Metric, value: float = 1.0, *, pool: str = "") -> None:
        """See `Metrics.add`."""
        dimensions = tuple(metric.dimensions(self._stage, pool).items())
        with self._lock:
            values = self._values.setdefault(dimensions, defaultdict(list))[metric]
            if metric.unit == "Count" and values:
                values[0] += value
            else:
                values.append(value)

    def flush(self) -> None:
        """Write what was counted since the last time."""
        with self._lock:
            taken, self._values = self._values, {}
        if not taken:
            return
        from aws_lambda_powertools.metrics import EphemeralMetrics  # not before user processes are split off

        for dimensions, by_metric in taken.items():
            lines = EphemeralMetrics(namespace=NAMESPACE, default_dimensions=dict(dimensions))
            for metric, values in by_metric.items():
                for value in values:  # it writes a line by itself for each 100 values
                    lines.add_metric(name=metric.title, unit=metric.unit, value=round(value, MILLISECONDS))
            if lines.metric_set:
                lines.flush_metrics()
