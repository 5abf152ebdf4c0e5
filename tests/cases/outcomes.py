"""What comes of the programs below `programs/`, by name; a program that is run in several ways has several.

The programs are written as their authors would, and know nothing of this file. Each is imported when it is run.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from outcome_values import EVERY_TYPE, NAMED_TUPLES, TYPED_DICTS
from outcomes_semantics import SEMANTICS
from scenario import ANYTHING, Observed, Scenario

FOLDER = Path(__file__).parent / "programs"
STARTS = {"two_pipelines": "start_pipelines"}
"""Programs of several modules, below a folder `src`, and the module that starts them."""
PROGRAMS = sorted([*STARTS, *(path.stem for path in FOLDER.glob("*.py"))])


def scenario_of(name: str) -> Scenario:
    """Return the scenario of a name in `OUTCOMES`, whose first word is the program's."""
    program = name.partition(" ")[0]
    if program not in STARTS:
        return OUTCOMES[name](importlib.import_module(f"programs.{program}"))
    sys.path.append(str(FOLDER / program / "src"))
    return OUTCOMES[name](importlib.import_module(STARTS[program]))


def _calls(task: str, number: int) -> Callable[[Observed], None]:
    """Return a check that a task was called so many times."""

    def check(observed: Observed) -> None:
        names = [action.spec.task.name.partition(".")[2] for action in observed.actions]
        assert names.count(task) == number, names

    return check


def _plain_class(m: ModuleType) -> Scenario:
    def check(observed: Observed) -> None:
        ((name, box),) = observed.value.items()
        assert (name, type(box), box.name, box.value) == ("example", m.Box, "example", 15)

    return Scenario(m.main, {"box": m.Box("example", 5)}, value=ANYTHING, check=check)


def _functions(m: ModuleType) -> Scenario:
    def check(observed: Observed) -> None:
        names = {action.spec.task.short_name for action in observed.of(m.runner)}
        assert names == {f"add_{n}_{i}" for n in ("one", "two") for i in range(5)}

    return Scenario(m.main, value=[1, 2, 3, 4, 5, 2, 3, 4, 5, 6], check=check)


def _random_failures(m: ModuleType) -> Scenario:
    def check(observed: Observed) -> None:
        ((*failed, last),) = observed.ends(m.lookup)
        assert (set(failed) <= {"failed"}, last) == (True, "succeeded")

    value = {"user": "user-1", "email": "user-1@example.com", "phone": "+1234567890"}
    options = {"disable_run_cache": True}
    return Scenario(m.main, {"user_id": 1}, value=value, check=check, options=options)


def _group(m: ModuleType) -> Scenario:
    def check(observed: Observed) -> None:
        assert {action.spec.group for action in observed.of(m.worker)} == {"workers"}
        assert [action.status for action in observed.of(m.worker)].count("FAILED") == 1
        assert observed.kinds(m.worker) == {observed.kind(reusable=True)}

    return Scenario(m.main, {"n": 100}, value=4950, check=check)


def _employee(m: ModuleType) -> Any:
    address = m.Address("123 Main St", "San Francisco", "USA")
    return m.Employee(m.Person("Bob", 35, "bob@company.com"), "Engineering", address)


def _named_tuples(m: ModuleType) -> Scenario:
    value = (
        _employee(m),
        "Location: 37.7749, -122.4194 at 16.0 m",
        "Hello, Alice! You are 30 years old (unknown@example.com).",
        "accuracy 80.00%, precision 76.00%, recall 72.00%, f1 73.60%",
        "Bob works in Engineering at San Francisco, USA",
    )
    return Scenario(m.main, value=value)


def _named_tuple_root(m: ModuleType) -> Scenario:
    def check(observed: Observed) -> None:
        assert [type(output) for output in observed.value] == [m.Person, str, m.Address]
        assert m.create_employee.interface.output_names == ("person", "department", "address")

    return Scenario(m.create_employee, value=_employee(m), check=check)


NOW = datetime(2026, 1, 2, 3, 4, 5)
"""A moment without a zone, as `datetime.now()` gives it."""
ALL = {"number": 42, "fraction": 3.14, "text": "Hello", "flag": True, "moment": NOW}


def _optional(given: dict[str, Any], *lines: str) -> Callable[[ModuleType], Scenario]:
    return lambda m: Scenario(m.main, given, value="\n".join(["Optional inputs:", *lines]))


def _clone(m: ModuleType) -> Scenario:
    def check(observed: Observed) -> None:
        assert observed.kinds(m.square) == observed.kinds(m.cube) == {observed.kind(reusable=True)}
        assert observed.kinds(m.main) == {observed.kind(reusable=False)}
        assert len(observed.actions) == 61

    value = [x**2 for x in range(30)] + [x**3 for x in range(30)]
    return Scenario(m.main, {"n": 30}, value=value, check=check)


def _overrides(m: ModuleType) -> Scenario:
    def check(observed: Observed) -> None:
        names = {str(action.spec.task.short_name) for action in observed.of(m.process) + observed.of(m.poll)}
        assert names == {f"{kind}_batch-{i}" for kind in ("process", "poll") for i in range(5)}
        assert len({action.spec.action_id for action in observed.actions}) == 11

    value = [f"processed: process_batch-{i}-{i} | done: poll_batch-{i}-{i}" for i in range(5)]
    return Scenario(m.main, value=value, check=check)


def _recursive(m: ModuleType) -> Scenario:
    def check(observed: Observed) -> None:
        assert len(observed.of(m.node)) == 1 + 3 + 9
        assert len(observed.of(m.leaf)) == 9

    inputs = {"widths": [3, 3, 1], "sleep_s": 0.1, "jitter_s": 0.05}
    return Scenario(m.main, inputs, value=21, check=check)


def _file_with_hash(m: ModuleType) -> Scenario:
    def check(observed: Observed) -> None:
        content = b"id,value\n1,100\n2,200\n"
        assert observed.value.hash == m.sha256(content)
        assert Path("/tmp/file_with_hash.csv").read_bytes() == content

    return Scenario(m.main, value=ANYTHING, check=check)


SOURCES = {"root_dir": FOLDER / "two_pipelines" / "src"}

OUTCOMES: dict[str, Callable[[ModuleType], Scenario]] = {
    **SEMANTICS,
    "traced_side_effects": lambda m: Scenario(
        m.main,
        {"n": 5},
        value=30,
        prints=("step 4: 16", "answer: 42", "nothing: None", "echo: hello None", "no: False"),
        check=_calls("main", 1),
    ),
    "functions_as_inputs": _functions,
    "random_failures": _random_failures,
    "every_type": lambda m: Scenario(m.main, value=EVERY_TYPE),
    "plain_class": _plain_class,
    "group_with_failures": _group,
    "dir_tour": lambda m: Scenario(
        m.main,
        prints=(
            "Total files found (non-recursive): 3",
            "Total files found recursively: 3",
            "Read file1.txt: Content of file 1",
            "Downloaded to a chosen path: ['file1.txt', 'file2.txt', 'subdir']",
            "Key: my-key",
            "Total size: 51 bytes",
        ),
    ),
    "enums_and_literals": lambda m: Scenario(
        m.main,
        value=[
            "Color is red",
            "Intensity is high, IntLiteral is 1, MixedLiteral is Color.GREEN",
            "DataPoint is pos=1, color=green, intensity=medium",
            "PyDataPoint is pos=2, color=blue, intensity=low",
        ],
    ),
    "error_recovery": lambda m: Scenario(
        m.main, value=42, prints=("recovered from ValueError: this never works",)
    ),
    "map_mean": lambda m: Scenario(m.main, {"x_list": list(range(10))}, value=14.0, check=_calls("linear", 10)),
    "map_mean too short": lambda m: Scenario(
        m.main,
        {"x_list": [1, 2]},
        error="RuntimeUserError",
        code="ValueError",
        message="x_list doesn't have a large enough sample size, found: 2",
        check=_calls("linear", 0),
    ),
    "map_partial": lambda m: Scenario(
        m.main,
        prints=(
            *(f"daniel shared_config {i}" for i in range(3)),
            "daniel",
            "Parameter 'name' is provided both as positional argument and keyword argument "
            "in partial function map_partial.my_task.",
        ),
    ),
    "map_first_failure": lambda m: Scenario(
        m.main, {"n": 3}, error="RuntimeUserError", code="ValueError", message="Intentional error for testing"
    ),
    "file_tour_sync": lambda m: Scenario(
        m.main,
        prints=(
            "1. Creating new remote file...",
            "Downloaded: Hello from a new remote file",
            "Uploaded: Hello from a temporary file",
            "8. File properties...",
            "File format: ",
            "File hash: None",
            "All operations on files are done.",
        ),
    ),
    "named_tuples": _named_tuples,
    "named_tuples root": _named_tuple_root,
    "optional_inputs all": _optional(
        {**ALL, "duration": timedelta(hours=1)},
        "number: 42 (given)",
        "fraction: 3.14 (given)",
        "text: Hello (given)",
        "flag: True (given)",
        "moment: 2026-01-02 03:04:05+00:00 (given)",
        "duration: 1:00:00 (given)",
    ),
    "optional_inputs some": _optional(
        {"number": None, "fraction": 2.71, "flag": False, "duration": timedelta(minutes=30)},
        "number: None (not given)",
        "fraction: 2.71 (given)",
        "text: None (not given)",
        "flag: False (given)",
        "moment: None (not given)",
        "duration: 0:30:00 (given)",
    ),
    "optional_inputs none": _optional({}, *(f"{name}: None (not given)" for name in [*ALL, "duration"])),
    "simple_defaults": lambda m: Scenario(
        m.main, value="Hello World: 42, 3.14, True\n2024-01-01 12:00:00+00:00, 1:00:00"
    ),
    "simple_defaults others": lambda m: Scenario(
        m.main,
        {"str": "upwell", "int": 100, "float": 2.71},
        value="Hello upwell: 100, 2.71, True\n2024-01-01 12:00:00+00:00, 1:00:00",
    ),
    "nested_optionals": lambda m: Scenario(
        m.main, {"table": {"key": ["value1", "value2"]}}, value={"key": ["value1", "value2"]}
    ),
    "two_pipelines etl": lambda m: Scenario(
        m.etl_pipeline, value=[i * 1.5 / 13.5 for i in range(10)], options=SOURCES
    ),
    "two_pipelines ml": lambda m: Scenario(m.ml_pipeline, value=2.0, options=SOURCES),
    "pandas_frames": lambda m: Scenario(m.main, value=["Sean", "Pryce", "Jan"]),
    "named_tuples_of_data": lambda m: Scenario(m.main, value=NAMED_TUPLES),
    "typed_dicts": lambda m: Scenario(m.main, value=TYPED_DICTS),
    "train_and_evaluate": lambda m: Scenario(m.main, value=1.0),
    "frame_with_hash": lambda m: Scenario(m.main, value=True),
    "user_logging": lambda m: Scenario(
        m.main, {"name": "hello", "count": 3}, value="hello_0, hello_1, hello_2"
    ),
    "clone_without_reuse": _clone,
    "many_overrides": _overrides,
    "recursive_fan_out": _recursive,
    "trace_fan_out": lambda m: Scenario(
        m.main, {"n": 200}, value=[x * x for x in range(200)], check=_calls("main", 1)
    ),
    "recursive_trace": lambda m: Scenario(m.main, {"max_level": 3}, value=4, check=_calls("start", 1)),
    "plain_arithmetic": lambda m: Scenario(m.main, {"values": [float(x) for x in range(10)]}, value=0.045),
    "calls_in_a_loop": lambda m: Scenario(
        m.main, {"name": "World"}, value="Done", check=_calls("say_hello", 10)
    ),
    "uncaught_wrapped_error": lambda m: Scenario(
        m.main,
        {"max_depth": 0},
        error="RuntimeUserError",
        code="ValueError",
        message="max_depth must be positive",
        check=_calls("train", 1),
    ),
    "two_steps": lambda m: Scenario(m.main, {"name": "World"}, value="HELLO, WORLD!"),
    "sub_workflow": lambda m: Scenario(m.main, {"raw_value": 42.0}, value=0.42, check=_calls("clean", 1)),
    "task_settings": lambda m: Scenario(m.main, {"step": 1}, value=0.5),
    "file_with_hash": _file_with_hash,
    "dir_with_key": lambda m: Scenario(
        m.main, value=ANYTHING, check=lambda observed: _is_hash(observed.value.hash)
    ),
    "resource_ranges": lambda m: Scenario(
        m.main, prints=("model trained", "heavy model trained with overridden resources")
    ),
    "retry_with_backoff": lambda m: Scenario(
        m.main, value="ok", check=lambda observed: _once(observed.ends(m.main))
    ),
    "time_bounds": lambda m: Scenario(m.main, value="done"),
    "context_override": lambda m: Scenario(
        m.main,
        value="child-override",
        options={"custom_context": {"trace_id": "root-abc"}},
        prints=(
            "parent sees {'trace_id': 'root-abc'}",
            "child sees {'trace_id': 'child-override'}",
            "parent sees {'trace_id': 'root-abc'} afterwards",
        ),
    ),
    "error_in_trace": lambda m: Scenario(
        m.main,
        {"payload": {"invalid": "data"}},
        value={"status": "error", "message": "Invalid data provided to API"},
    ),
    "trace_steps": lambda m: Scenario(
        m.main,
        {"topic": "machine learning"},
        value={
            "topic": "machine learning",
            "result": {
                "processed": "LLM response for: Generate research plan for: machine learning",
                "status": "completed",
            },
        },
    ),
}


def _is_hash(text: str) -> None:
    assert re.fullmatch("[0-9a-f]{64}", text)


def _once(ends: list[list[str]]) -> None:
    assert ends == [["succeeded"]]
