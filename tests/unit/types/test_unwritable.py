"""What cannot be read back is refused when it is passed, not when it has arrived."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from upwell._types.interface import Interface

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


@dataclass
class Linked:
    value: int
    next: Linked | None = None


def task_of(annotation: Any) -> Any:
    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation}
    return task


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (int, 10**5000, "'x' cannot be written: it holds an int of more than 4300 digits"),
        (Any, {"a": [10**5000]}, "'x' cannot be written: it holds an int of more than 4300 digits"),
        (str, "\ud800", "'x' cannot be written: text in it has a lone surrogate"),
        (dict[str, int], {"\ud800": 1}, "'x' cannot be written: text in it has a lone surrogate"),
        (Path, Path("\udcff"), "'x' cannot be written: text in it has a lone surrogate"),
        (dt.time, dt.time(1, 2, tzinfo=BERLIN), "has no offset from UTC"),
    ],
    ids=["int", "int inside", "text", "key", "path", "time"],
)
def test_what_cannot_travel_is_refused_when_it_is_passed(annotation: Any, value: Any, text: str) -> None:
    interface = Interface.of(task_of(annotation), "env.task")
    with pytest.raises(TypeError, match=f"task 'env.task': parameter {text}" if "'x'" in text else text):
        interface.encode_inputs({"x": value})


@pytest.mark.parametrize("depth", [150, 250, 1000])
def test_a_chain_that_is_too_deep_is_refused_when_it_is_passed(depth: int) -> None:
    value = Linked(0)
    for number in range(depth):
        value = Linked(number, value)
    task = task_of(Linked)
    interface = Interface.of(task)
    if depth < 190:
        assert interface.decode_inputs(interface.encode_inputs({"x": value}))["x"] == value
        return
    with pytest.raises(
        TypeError, match=r"'x' (cannot be written: it .*nested too deeply|expects .*Recursion error)"
    ):
        interface.encode_inputs({"x": value})


def test_text_of_many_digits_is_no_long_number() -> None:
    text = "7" * 100_000
    task = task_of(list[str])
    interface = Interface.of(task)
    assert interface.decode_inputs(interface.encode_inputs({"x": [text, "\ufffd"]}))["x"] == [text, "\ufffd"]
