"""Texts of the command line to values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from upwell._cli.arguments import element_type, is_flag, is_structured, read_value, read_values, value_hint
from upwell._types.interface import Parameter
from upwell.errors import UsageError
from upwell.io import Directory, File


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1


@dataclass
class Point:
    x: int
    tags: list[str]


class Event(BaseModel):
    when: datetime
    size: int = 1


class Row(TypedDict):
    a: int


class Pair(NamedTuple):
    a: int
    b: str = "x"


def parameter(annotation: Any) -> Parameter:
    return Parameter(name="x", annotation=annotation, default=None, kind=None)


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "3", 3),
        (float, "1", 1.0),
        (float, "nan", None),
        (str, "3", "3"),
        (str, "@me", "@me"),
        (str, "[1]", "[1]"),
        (Optional[str], "null", "null"),  # noqa: UP045  # the older spelling must work as well
        (int | None, "4", 4),
        (Annotated[int, Field(ge=0)], "4", 4),
        (bytes, "abc", b"abc"),
        (datetime, "2025-01-02T03:04:05Z", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (date, "2025-01-02", date(2025, 1, 2)),
        (timedelta, "90", timedelta(seconds=90)),
        (timedelta, "1.5h", timedelta(minutes=90)),
        (timedelta, "PT5M", timedelta(minutes=5)),
        (Colour, "red", Colour.RED),
        (Colour, "BLUE", Colour.BLUE),
        (Level, "1", Level.LOW),
        (Level, "LOW", Level.LOW),
        (Literal[1, "one"], "1", 1),
        (Literal[1, "one"], "one", "one"),
        (int | str, "3", 3),
        (int | str, "three", "three"),
        (Any, "[1, 2]", [1, 2]),
        (Any, "plain", "plain"),
        (Path, "a/b", Path("a/b")),
        (UUID, "12345678123456781234567812345678", UUID("12345678123456781234567812345678")),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (dict[int, float], '{"1": 2}', {1: 2.0}),
        (Point, '{"x": 1, "tags": ["a"]}', Point(1, ["a"])),
        (Event, '{"when": "2025-01-02T00:00:00Z"}', Event(when=datetime(2025, 1, 2, tzinfo=UTC))),
        (Event | None, '{"when": "2025-01-02T00:00:00Z"}', Event(when=datetime(2025, 1, 2, tzinfo=UTC))),
        (Row, '{"a": 1}', {"a": 1}),
        (Pair, '[1, "y"]', Pair(1, "y")),
        (tuple[int, str], '[1, "y"]', (1, "y")),
    ],
)
def test_a_text_becomes_a_value_of_the_parameters_type(annotation: Any, text: str, value: Any) -> None:
    read = read_value(annotation, text, option="--x")
    if value is None:
        assert read != read  # nan
    else:
        assert read == value
        assert type(read) is type(value)


@pytest.mark.parametrize(
    ("annotation", "texts", "value"),
    [
        (list[int], ["1", "2"], [1, 2]),
        (list[int], ["[1, 2]"], [1, 2]),
        (list[int], ["[]"], []),
        (list[str], ["a"], ["a"]),
        (list[str], ["[a"], ["[a"]),
        (list[str] | None, ["a", "b"], ["a", "b"]),
        (set[str], ["a", "b", "a"], {"a", "b"}),
        (tuple[int, ...], ["1", "2"], (1, 2)),
        (list, ["1", "x"], [1, "x"]),
        (list[list[int]], ["[1, 2]", "[3]"], [[1, 2], [3]]),
        (list[list[int]], ["[[1], [2]]"], [[1], [2]]),
        (list[list[int]], ["[1, 2]"], [[1, 2]]),
        (list[Point], ['{"x": 1, "tags": []}', '{"x": 2, "tags": []}'], [Point(1, []), Point(2, [])]),
        (list[Colour], ["red", "BLUE"], [Colour.RED, Colour.BLUE]),
    ],
)
def test_a_list_is_repeated_options_or_a_json_array(annotation: Any, texts: list[str], value: Any) -> None:
    assert read_values(parameter(annotation), texts, option="--x") == value


@pytest.mark.parametrize(
    ("annotation", "text", "message"),
    [
        (int, "abc", "--x: expects int, got 'abc' (Input should be a valid integer"),
        (int, "1.5", "--x: expects int, got '1.5'"),
        (Colour, "green", "--x: expects Colour, got 'green' (Input should be 'red' or 'blue')"),
        (Literal[1, 2], "3", "got '3' (Input should be 1 or 2)"),
        (Point, "{", "--x: expects Point as JSON, got '{'; give JSON text or @file.json"),
        (Point, '{"x": 1}', "(at tags: Field required)"),
        (dict[str, int], "a=1", "as JSON"),
        (list[int], "[1, null]", "at 1"),
        (Annotated[int, Field(ge=0)], "-1", "greater than or equal to 0"),
        (datetime, "tomorrow", "--x: expects datetime"),
        (dict, "@nowhere.json", "--x: cannot read 'nowhere.json'"),
        (File, "nowhere.bin", "--x: there is no file 'nowhere.bin'"),
        (Directory, "nowhere", "--x: there is no folder 'nowhere'"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    annotation: Any, text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        read_values(parameter(annotation), [text], option="--x")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_value_cannot_be_given_twice() -> None:
    with pytest.raises(UsageError, match="--x is given 2 times; it takes one INT"):
        read_values(parameter(int), ["1", "2"], option="--x")


def test_a_structure_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "point.json").write_text(json.dumps({"x": 1, "tags": ["a"]}))
    assert read_value(Point, f"@{tmp_path}/point.json", option="--x") == Point(1, ["a"])
    (tmp_path / "list.json").write_text("[1, 2, 3]")
    assert read_values(parameter(list[int]), [f"@{tmp_path}/list.json"], option="--x") == [1, 2, 3]


def test_files_and_folders_are_paths_or_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.bin").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    assert read_value(File, "data.bin", option="--x").path == str(tmp_path / "data.bin")
    assert read_value(File[str], "s3://bucket/key", option="--x") == File(path="s3://bucket/key")
    assert read_value(Directory, "folder", option="--x").path == str(tmp_path / "folder")
    files = read_values(parameter(list[File]), ["data.bin", "s3://b/k"], option="--x")
    assert [file.name for file in files] == ["data.bin", "k"]


def test_hints_say_how_a_value_is_written() -> None:
    assert value_hint(int) == "INT"
    assert value_hint(Colour) == "[red|blue]"
    assert value_hint(Literal[1, "a"]) == "[1|a]"
    assert value_hint(list[int]) == "INT..."
    assert value_hint(Point) == "JSON|@FILE"
    assert value_hint(File | None) == "PATH|URI"
    assert value_hint(timedelta) == "90s|5m|2h"


def test_kinds_of_parameters() -> None:
    assert is_flag(bool | None)
    assert not is_flag(int)
    assert element_type(list[int] | None) is int
    assert element_type(tuple[int, str]) is None
    assert element_type(str) is None
    assert is_structured(Row)
    assert not is_structured(Colour)
