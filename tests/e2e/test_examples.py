"""Every example succeeds through the command line, on `local` and on the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).parents[2] / "examples"


class CommandLine(Protocol):
    """The fixtures of conftest.py."""

    def json(self, *arguments: str) -> Any: ...
    def actions(self, run: str) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Example:
    """How an example is run small, and what it gives.

    Attributes:
        arguments: Options of its main task.
        output: What the task returns, as JSON.
        reusable: Environments whose tasks run in warm workers.
        passed_bytes: The most that all inputs and results may come to together.
    """

    arguments: tuple[str, ...]
    output: Any
    reusable: frozenset[str] = frozenset()
    passed_bytes: int | None = None


LONG = {"batching", "data_pipeline_before", "fanout_control", "iceberg_aggregation"}
"""Those whose run on the sandbox takes long."""
MAINS = {
    "batching": Example(("--items", "2000", "--batch-size", "500"), 2000),
    "caching": Example(("--x", "3"), True),
    "data_pipeline": Example(
        ("--items", "2000", "--batch-size", "100"), 2000, frozenset({"optimized-pipeline"})
    ),
    "data_pipeline_before": Example(("--items", "20"), 20),
    "fanout_control": Example(("--items", "1000"), 1000),
    "iceberg_aggregation": Example(
        ("--rows", "24000", "--partitions", "4"),
        {"Bergen": 36_000, "Oslo": 36_000, "Tromsø": 36_000},
        frozenset({"iceberg"}),
        passed_bytes=40_000,  # a hundred paths to the tasks, and a few numbers back
    ),
    "large_files": Example(("--lines", "100"), {"processed": {"lines": 100, "last": "99"}}),
    "parallel_map": Example(("--n", "10"), 10),
    "reusable_containers": Example(
        ("--n", "5"), [{"processed": 100 + i} for i in range(5)], frozenset({"high-throughput"})
    ),
    "traces": Example(("--n", "2"), [{"transformed": {"value": i}} for i in range(2)]),
}


def run(cli: CommandLine, name: str) -> dict[str, Any]:
    document: dict[str, Any] = cli.json(
        "run", str(EXAMPLES / f"{name}.py"), "main", *MAINS[name].arguments, "--follow"
    )
    return document


def test_no_example_is_left_out() -> None:
    with_main = {path.stem for path in EXAMPLES.glob("*.py") if "async def main(" in path.read_text()}
    assert with_main == MAINS.keys()


@pytest.mark.parametrize("name", MAINS)
def test_an_example_succeeds_on_local(name: str, local_cli: CommandLine) -> None:
    document = run(local_cli, name)
    assert document["status"] == "succeeded"
    assert document["outputs"] == {"o0": MAINS[name].output}
    check_passed(name, local_cli.actions(document["run"]))


def check_passed(name: str, actions: list[dict[str, Any]]) -> None:
    limit = MAINS[name].passed_bytes
    if limit is not None:
        assert 0 < sum(action["input_bytes"] + action["output_bytes"] for action in actions) < limit


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in MAINS]
)
def test_an_example_succeeds_on_the_sandbox(
    name: str, sandbox_cli: CommandLine, sandbox_execution_status: Callable[[str], str]
) -> None:
    document = run(sandbox_cli, name)
    assert document["status"] == "succeeded"
    assert document["outputs"] == {"o0": MAINS[name].output}
    assert sandbox_execution_status(document["run"]) == "SUCCEEDED"
    actions = sandbox_cli.actions(document["run"])
    check_passed(name, actions)
    for action in actions:
        environment = action["task"].partition(".")[0]
        expected = "worker" if environment in MAINS[name].reusable else "lambda"
        assert {attempt["executor_kind"] for attempt in action["attempts"]} <= {expected}, action
        for attempt in action["attempts"]:
            assert attempt["executor_id"]
            assert attempt["duration_s"] > 0
        assert action["attempts"] or action["cached_from"]
