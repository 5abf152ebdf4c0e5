"""Inputs that are given as JSON, by somebody who does not have the task's code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from upwell._client.documents import inputs_document
from upwell._types.given import dump_given
from upwell._types.interface import Interface
from upwell.io import File


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    at: datetime | None = None


class Shop(BaseModel):
    name: str
    points: list[Point] = []


def task(
    n: int,
    when: datetime = datetime(2024, 1, 1, tzinfo=UTC),
    every: timedelta = timedelta(0),
    color: Color = Color.RED,
    shop: Shop | None = None,
    ids: set[int] | None = None,
    by_color: dict[Color, float] | None = None,
    raw: bytes = b"",
    file: File | None = None,
    anything: Any = None,
) -> None: ...


interface = Interface.of(task)


def decoded(**given: Any) -> dict[str, Any]:
    return interface.decode_inputs(dump_given(given))


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("n", 3, 3),
        ("when", "2024-05-06T07:08:09Z", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("every", 90, timedelta(seconds=90)),
        ("color", "red", Color.RED),
        ("shop", {"name": "a", "points": [{"x": 1}]}, Shop(name="a", points=[Point(1)])),
        ("ids", [1, 1, 2], {1, 2}),
        ("by_color", {"red": 1}, {Color.RED: 1.0}),
        ("raw", "abc", b"abc"),
        ("anything", {"$upwell": "pickle", "data": "gASVAAAA"}, {"$upwell": "pickle", "data": "gASVAAAA"}),
    ],
)
def test_each_is_converted_to_the_type_of_its_parameter(name: str, given: Any, value: Any) -> None:
    found = decoded(**{"n": 1, name: given})
    assert found[name] == value
    assert list(found) == list(interface.parameters), "defaults fill in the rest"


def test_a_file_is_named_by_its_path() -> None:
    assert decoded(n=1, file={"path": "s3://b/k"})["file"].path == "s3://b/k"


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"n": "many"}, TypeError, "parameter 'n' expects int, got str 'many'"),
        ({}, ValueError, "'n'"),
        ({"n": 1, "m": 2}, ValueError, "has no parameter 'm'"),
        ({"n": 1, "color": "blue"}, TypeError, "parameter 'color'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(given: dict[str, Any], kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        decoded(**given)


def test_some_are_replaced_for_another_run() -> None:
    first = dump_given({"n": 1, "every": 90, "color": "red"})
    again = interface.replace_inputs(first, {"n": 2, "when": datetime(2025, 1, 1, tzinfo=UTC)})
    found = interface.decode_inputs(again)
    assert (found["n"], found["every"], found["when"].year) == (2, timedelta(seconds=90), 2025)
    shown = inputs_document(again)
    assert (shown["n"], shown["every"], shown["when"]) == (2, 90, "2025-01-01T00:00:00Z")


def test_a_dict_that_looks_like_them_is_a_dict() -> None:
    def of_dict(x: dict[str, Any]) -> None: ...

    plain = Interface.of(of_dict)
    value = {"x": {"$given": {"x": 1}}}
    assert plain.decode_inputs(plain.encode_inputs(value)) == value
    assert plain.decode_inputs(dump_given(value)) == value
