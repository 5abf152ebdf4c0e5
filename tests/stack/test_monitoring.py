"""Alarms and dashboard look at metrics that are really written: by the runtime, or by AWS."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import upwell
import upwell_runtime
from upwell._core.metrics import NAMESPACE, Metric

pytestmark = pytest.mark.synth

OF_RUNS = ("Started", "Succeeded", "Failed", "Aborted", "TimedOut")
OF_FUNCTIONS = ("Errors", "Throttles", "IteratorAge")
OF_QUEUES = (
    "ApproximateAgeOfOldestMessage",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesVisible",
    "NumberOfMessagesReceived",
)
AWS_METRICS = {
    **{("AWS/States", f"Executions{end}"): {"StateMachineArn"} for end in OF_RUNS},
    **{("AWS/Lambda", name): {"FunctionName"} for name in OF_FUNCTIONS},
    **{("AWS/SQS", name): {"QueueName"} for name in OF_QUEUES},
}
"""What AWS writes for each state machine, function and queue, with its dimensions (user guides of each)."""
OWN_METRICS = {(NAMESPACE, metric.title): set(metric.dimensions("", "")) for metric in Metric}
SEARCH = re.compile(r"SEARCH\('\{(?P<schema>[^}]+)\}.*? MetricName=\"(?P<name>\w+)\"', '[^']+'\)")
Shown = tuple[str, str, frozenset[str]]
"""Namespace, name, names of the dimensions."""


def alarms(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the alarms of a template, by name, without the platform's prefix."""
    found = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    return {text(alarm["AlarmName"]).removeprefix("upwell-prod-"): alarm for alarm in found}


def text(value: Any) -> str:
    """Return a value of a template with `ref` for each reference."""
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(text(part) for part in value["Fn::Join"][1])
    return value if isinstance(value, str) else "ref"


def looked_at(alarm: dict[str, Any]) -> Iterator[Shown]:
    """Yield the metrics of an alarm."""
    stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    for metric in stats or [alarm]:
        dimensions = frozenset(dimension["Name"] for dimension in metric["Dimensions"])
        yield metric["Namespace"], metric["MetricName"], dimensions


def dashboard(template: dict[str, Any]) -> set[Shown]:
    """Return the metrics of the dashboard."""
    (board,) = [r for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Dashboard"]
    widgets = json.loads(text(board["Properties"]["DashboardBody"]))["widgets"]
    shown: set[Shown] = set()
    for line in [line for widget in widgets for line in widget["properties"]["metrics"]]:
        if isinstance(line[0], dict):
            searched = SEARCH.search(line[0]["expression"])
            assert searched is not None, line
            namespace, *dimensions = searched["schema"].split(",")
            shown.add((namespace, searched["name"], frozenset(dimensions)))
        else:
            words = [word for word in line if isinstance(word, str)]
            shown.add((words[0], words[1], frozenset(words[2::2])))
    return shown


def test_what_alarms_and_dashboard_look_at_is_written_with_these_dimensions(synthesis: Any) -> None:
    written = OWN_METRICS | AWS_METRICS
    looked = dashboard(synthesis.stacks["upwell-prod"])
    for template in synthesis.stacks.values():
        for alarm in alarms(template).values():
            looked.update(looked_at(alarm))
    assert [metric for metric in looked if written.get(metric[:2]) != metric[2]] == []


def test_the_dashboard_has_every_metric_of_the_runtime(synthesis: Any) -> None:
    shown = dashboard(synthesis.stacks["upwell-prod"])
    own = {name for namespace, name, _ in shown if namespace == NAMESPACE}
    assert own == {metric.title for metric in Metric}


def test_the_runtime_writes_every_metric_that_is_named() -> None:
    roots = [Path(next(iter(package.__path__))) for package in (upwell, upwell_runtime)]
    files = [path for root in roots for path in root.rglob("*.py") if path.name != "metrics.py"]
    used = {
        node.attr
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Metric"
    }
    assert used == {metric.name for metric in Metric}


def test_prod_has_alarms_on_all_that_calls_for_somebody(synthesis: Any) -> None:
    functions = ("fold", "aggregate", "dead-letters", "run-ended", "scale", "sweep", "run-api")
    platform = {"failed-runs", "fold-lag", "aggregate-lag", "throttles", "put-right", "unreadable-messages"}
    platform |= {"lost-changes"}
    pool = {"default-oldest-message", "default-dead-letters", "default-throttled"}
    assert set(alarms(synthesis.stacks["upwell-prod"])) == {
        *platform,
        *pool,
        *(f"{function}-errors" for function in functions),
    }
    warm = alarms(synthesis.stacks["upwell-prod-pool-warm"])
    assert set(warm) == {"warm-oldest-message", "warm-dead-letters"}, "workers are not invoked"


def test_other_stages_and_pools_that_are_not_told_have_none(synthesis: Any) -> None:
    assert alarms(synthesis.shipped["platform.json"]) == {}
    for name in ("pool-lambda.json", "pool-worker.json"):
        template = synthesis.shipped[name]
        made = [r for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
        assert {alarm["Condition"] for alarm in made} == {"HasAlarms"}
        assert template["Parameters"]["Alarms"]["Default"] == "false"


def test_pools_of_authors_have_alarms_and_the_level_of_logs_where_the_platform_has_them(synthesis: Any) -> None:
    def given(template: dict[str, Any]) -> dict[str, str]:
        parameters: dict[str, str] = json.loads(text(template["Outputs"]["PoolParameters"]["Value"]))
        return parameters

    prod = given(synthesis.stacks["upwell-prod"])
    assert prod.items() >= {"Alarms": "true", "LogLevel": "WARNING"}.items()
    assert prod["AlarmTopicArn"].endswith(":on-call")
    assert given(synthesis.shipped["platform.json"])["Alarms"] == "false"


def test_thresholds_are_those_of_the_context(synthesis: Any) -> None:
    made = alarms(synthesis.stacks["upwell-prod"])
    assert made["failed-runs"]["Threshold"] == 25
    assert made["fold-lag"]["Threshold"] == 300_000, "milliseconds, as AWS tells the lag"
    assert made["default-oldest-message"]["Threshold"] == 3600


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"upwell:alarm-thresholds": {"age": 1}}, "unknown threshold 'age'; known are"),
        ({"upwell:alarm-thresholds": {"put_right": "ten"}}, "put_right='ten' must be a number"),
        ({"upwell:alarm-thresholds": {"put_right": 0}}, "put_right=0 must be above 0"),
        ({"upwell:log-level": "TRACE"}, "upwell:log-level='TRACE' is not one of DEBUG, INFO"),
    ],
)
def test_what_monitoring_cannot_be_is_refused(context: dict[str, Any], words: str, tmp_path: Path) -> None:
    from aws_cdk import App

    from upwell_infra.composition import compose
    from upwell_infra.errors import InfraError

    with pytest.raises(InfraError, match=re.escape(words)):
        compose(App(context=context, outdir=str(tmp_path)), tmp_path)


def test_functions_send_traces_where_that_is_asked_for_and_nowhere_else(synthesis: Any) -> None:
    def modes(template: dict[str, Any]) -> set[str]:
        functions = [
            r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"
        ]
        return {function.get("TracingConfig", {}).get("Mode", "PassThrough") for function in functions}

    def may_send(template: dict[str, Any]) -> list[bool]:
        roles = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Role"]
        of_functions = [role for role in roles if "lambda.amazonaws.com" in json.dumps(role)]
        return ["xray:PutTraceSegments" in json.dumps(role["Policies"]) for role in of_functions]

    for name in ("upwell-prod", "upwell-prod-pool-short"):
        assert modes(synthesis.stacks[name]) == {"Active"}
        assert all(may_send(synthesis.stacks[name]))
    for template in (synthesis.shipped["platform.json"], synthesis.shipped["pool-lambda.json"]):
        assert modes(template) == {"PassThrough"}
        assert not any(may_send(template))
