"""Metrics as lines of the log."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pytest

from upwell._core.metrics import Metric
from upwell_runtime.metrics import EmfMetrics


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_counts_are_added_up_and_values_kept_in_a_line_a_pool(
    capsys: pytest.CaptureFixture[str],
) -> None:
    metrics = EmfMetrics("dev")
    for waited_s in (0.25, 1.5, 0.25):
        metrics.add(Metric.QUEUE_TO_START, waited_s, pool="train")
        metrics.add(Metric.ACTIONS_SUCCEEDED, pool="train")
    metrics.add(Metric.ACTIONS_FAILED, 2, pool="default")
    metrics.add(Metric.THROTTLES)
    metrics.flush()
    train, default, stage = lines(capsys)
    assert (train["Stage"], train["Pool"]) == ("dev", "train")
    assert train["QueueToStart"] == [0.25, 1.5, 0.25]
    assert train["ActionsSucceeded"] == [3.0]
    assert (default["Pool"], default["ActionsFailed"]) == ("default", [2.0])
    assert stage["Throttles"] == [1.0]
    assert "Pool" not in stage
    (described,) = train["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "upwell"
    assert described["Dimensions"] == [["Stage", "Pool"]]
    assert {"Name": "QueueToStart", "Unit": "Seconds"} in described["Metrics"]


def test_nothing_is_written_twice_or_where_nothing_happened(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = EmfMetrics("dev")
    metrics.flush()
    metrics.add(Metric.PUT_RIGHT, 2)
    metrics.flush()
    metrics.flush()
    assert [line["PutRight"] for line in lines(capsys)] == [[2.0]]


@pytest.mark.parametrize("n", [100, 250])
def test_no_line_has_more_values_than_cloudwatch_takes_and_none_is_lost(
    n: int, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = EmfMetrics("dev")
    for i in range(n):
        metrics.add(Metric.QUEUE_TO_START, i, pool="p")
        metrics.add(Metric.ACTIONS_SUCCEEDED, pool="p")
    metrics.flush()
    found = lines(capsys)
    values = [line.get("QueueToStart", []) for line in found]
    assert max(map(len, values)) <= 100
    assert sorted(chain(*values)) == list(range(n))
    assert [line["ActionsSucceeded"] for line in found if "ActionsSucceeded" in line] == [[float(n)]]


def test_a_batch_of_the_stream_costs_a_few_bytes_an_action(capsys: pytest.CaptureFixture[str]) -> None:
    """1,000 changes are 500 actions. At $0.50 per GB of log, 20 bytes an action are $0.01 per million."""
    metrics = EmfMetrics("prod")
    for i in range(500):
        metrics.add(Metric.QUEUE_TO_START, i * 0.0137, pool="default")
        metrics.add(Metric.ACTIONS_SUCCEEDED, pool="default")
    metrics.add(Metric.VIEW_LAG, 1.2)
    metrics.flush()
    assert len(capsys.readouterr().out) / 500 < 20
