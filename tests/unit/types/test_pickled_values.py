"""Values without a schema: JSON where it is exact, otherwise pickled with one warning."""

from __future__ import annotations

import json
import math
import threading
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from upwell._types.interface import Interface
from upwell.errors import PickledValueWarning


class Plain:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and self.value == other.value

    __hash__ = None  # type: ignore[assignment]  # compared by value


def untyped(x): ...  # type: ignore[no-untyped-def]  # the case at hand


@pytest.mark.parametrize("value", [None, 3, "ä", [1, 2.5, {"a": [True]}], {"a": {"b": []}}])
def test_json_values_of_untyped_parameters_travel_as_json(value: Any) -> None:
    assert json.loads(Interface.of(untyped).encode_inputs({"x": value})) == {"x": value}


@pytest.mark.parametrize(
    "value",
    [
        (1, 2),
        {1: "a"},
        {"a": (1,)},
        b"raw",
        {"$upwell": "pickle", "data": "gARLAS4="},
        {"a": {"$upwell": "pickle", "data": "gARLAS4="}},
        "\ud800",
        [Plain(1)],
    ],
)
def test_all_other_values_of_untyped_parameters_are_pickled(value: Any) -> None:
    interface = Interface.of(lambda x: x)
    with pytest.warns(PickledValueWarning, match="parameter 'x' holds a"):
        encoded = interface.encode_inputs({"x": value})
    assert interface.decode_inputs(encoded) == {"x": value}


def test_the_part_is_named_for_which_a_value_is_pickled() -> None:
    interface = Interface.of(untyped, "env.parts")
    with pytest.warns(PickledValueWarning, match=r"parameter 'x' holds a builtins\.set, which"):
        interface.encode_inputs({"x": [1, {"a": [2.5, {3}]}]})


def test_a_value_that_holds_itself_is_pickled() -> None:
    interface = Interface.of(lambda x: x)
    value: list[Any] = [1]
    value.append(value)
    with pytest.warns(PickledValueWarning):
        found = interface.decode_inputs(interface.encode_inputs({"x": value}))["x"]
    assert found[1] is found


def test_nan_in_an_untyped_value_is_no_reason_to_warn() -> None:
    interface = Interface.of(untyped)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoded = interface.encode_inputs({"x": {"loss": float("nan"), "best": float("inf")}})
    found = interface.decode_inputs(encoded)["x"]
    assert math.isnan(found["loss"])
    assert math.isinf(found["best"])


def test_a_parameter_is_warned_of_once() -> None:
    def task(good: int, bad: list[Plain], worse: Plain | None = None) -> None: ...

    interface = Interface.of(task, "env.task")
    values = {"good": 1, "bad": [Plain(1), Plain(2)], "worse": Plain(3)}
    with pytest.warns(PickledValueWarning) as caught:
        assert interface.encode_inputs(values) == interface.encode_inputs(values)
    texts = [str(warning.message) for warning in caught]
    assert [text.split(" holds")[0] for text in texts] == [
        "task 'env.task': parameter 'bad'",
        "task 'env.task': parameter 'worse'",
    ]


def test_none_for_an_optional_class_is_not_pickled() -> None:
    def task(x: Plain | None) -> None: ...

    assert Interface.of(task).encode_inputs({"x": None}) == b'{"x":null}'


async def test_functions_are_passed() -> None:
    def task(step: Callable[[int], Awaitable[int]]) -> None: ...

    offset = 2

    async def add(x: int) -> int:
        return x + offset

    interface = Interface.of(task)
    with pytest.warns(PickledValueWarning, match="'step'"):
        encoded = interface.encode_inputs({"step": add})
    assert await interface.decode_inputs(encoded)["step"](3) == 5


def test_objects_of_local_classes_come_back() -> None:
    class Local:
        def __init__(self, value: int) -> None:
            self.value = value

    interface = Interface.of(lambda x: x)
    with pytest.warns(PickledValueWarning):
        encoded = interface.encode_inputs({"x": Local(3)})
    assert interface.decode_inputs(encoded)["x"].value == 3


def test_a_value_that_cannot_be_pickled_names_task_parameter_and_type() -> None:
    def task(first: int, lock: Any) -> None: ...

    with pytest.raises(
        TypeError, match=r"task 'env.task': parameter 'lock' a value of type _thread.lock cannot be"
    ):
        Interface.of(task, "env.task").encode_inputs({"first": 1, "lock": threading.Lock()})


def test_a_pickle_that_cannot_be_read_here_is_a_type_error() -> None:
    data = b'{"x":{"$upwell":"pickle","data":"gARjbm93aGVyZQpUaGluZwou"}}'
    with pytest.raises(TypeError, match=r"parameter 'x' cannot be read back: .*No module named 'nowhere'"):
        Interface.of(untyped, "env.task").decode_inputs(data)
