"""What comes of the programs that show one rule of the programming model each."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from scenario import Observed, Scenario


def _aborted(observed: Observed) -> None:
    slow = [action for action in observed.actions if action.spec.task.name == "cancelled_child.slow"]
    assert [action.status for action in slow] == ["ABORTED"] * 4


def _grouped(observed: Observed) -> None:
    groups = {action.spec.group for action in observed.actions if action.spec.parent_id}
    assert groups == {"lazy_map.power_map", "lazy_map.power_numbers"}


VALUES: dict[str, Any] = {
    "converted_inputs": ["Job nightly 1-10 True", "[1, 2, 3] [1, 2, 3, 4]", "1.5 float"],
    "refused_inputs": ["TypeError", "ValueError", "ValueError", "ValueError", "ValueError"],
    "wrong_output": ["DataValidationError True", "DataValidationError True"],
    "error_codes": [
        "RuntimeUserError QuotaError user no quota None",
        "OOMError OOMError user killed None",
        "MaxRuntimeExceededError MaxRuntimeExceededError user too slow None",
        "RuntimeUserError BadRow user row 7 None",
        "RuntimeSystemError Lost system machine is gone None",
        "RuntimeUserError KeyError user 'id' None",
        "RuntimeUserError NonRecoverableError user never again None",
    ],
    "last_attempt": [
        "RuntimeError: attempt 3",
        "NonRecoverableError: attempt 1",
        "3",
        "RuntimeError: attempt 2",
    ],
    "errors_as_values": ["2.0", "RuntimeUserError ValueError", "3.0", "sum: -1 is negative"],
    "lazy_map": [[1, 8, 81], [1, 1, 0], []],
    "map_in_async": ["0", "2", "4", "three", "8", "2", "raised three", "0.5", "1.0"],
    "cancelled_child": ["cancelled", "limited", "ValueError", "quick"],
    "nested_groups": ["none", "inner", "outer", "a", "b", "c", "none"],
    "contexts_at_once": [
        "a a",
        "b b",
        "c c",
        "{'tenant': 'inner', 'region': 'eu'}",
        "{'tenant': 'outer', 'region': 'eu'}",
        "{}",
    ],
    "sync_and_async": ["True", "4", "SyncTaskCallInAsyncContextError", "14", "42"],
    "replayed_children": [True, True],
    "traced_generators": [
        "2",
        "[0, 1, 2]",
        "['a', 'b', 'c']",
        "TraceDoesNotAllowNestedTasksError",
        "2",
    ],
    "cache_keys": [True, True, True, False, False, False, False, True],
    "cached_failures": ["ValueError", "True", "False", "True"],
    "time_limits": ["quick", "MaxRuntimeExceededError", "DeadlineExceededError", "quick"],
    "several_outputs": ([0, 1, 2, 3], 1, "one", None),
    "warm_process": [True, True],
    "environment_settings": [
        "environment kept",
        "override kept",
        "clone kept",
        "3 patient",
        "1 hasty ran",
        "1 environment_settings.settings environment_settings.settings",
    ],
    "html_report": True,
    "resumed_from_checkpoint": [9, 10],
    "identity_of_actions": [True, True, True, True],
    "durable_clock": [True, True, True],
    "scheduled": "2024-01-01 00:00:00+00:00 1",
}
CHECKS = {"cancelled_child": _aborted, "lazy_map": _grouped}


def _scenario(name: str) -> Callable[[ModuleType], Scenario]:
    return lambda m: Scenario(m.main, value=VALUES[name], check=CHECKS.get(name))


SEMANTICS = {name: _scenario(name) for name in VALUES}
