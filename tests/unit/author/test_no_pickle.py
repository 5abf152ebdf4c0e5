"""Environments with `pickle=False`: refused where the type tells, else at the call, and never unpickled."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

import upwell
from upwell.errors import RuntimeUserError
from upwell.testing.flows import LocalFlows

pytestmark = pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")


class Plain:
    pass


class Registered:
    pass


upwell.io.register(Registered, encode=lambda _: None, decode=lambda _: Registered())


@dataclass
class Point:
    x: int
    anything: Any = None


@dataclass
class Wrapped:
    items: dict[str, list[Plain]]


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    plain: Plain | None = None


strict = upwell.TaskEnvironment("strict", pickle=False)
lax = upwell.TaskEnvironment("lax")


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (Plain, "Plain"),
        (Plain | None, "Plain"),
        (Wrapped, "Plain"),
        (list[Model], "Plain"),
        (Callable[[int], int], "function"),
        (type[Point], "class"),
        (SecretStr, "secret"),
    ],
    ids=str,
)
@pytest.mark.parametrize("place", ["x", "return"])
def test_a_type_that_would_be_pickled_is_refused_where_the_task_is_declared(
    annotation: Any, kind: str, place: str
) -> None:
    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {place: annotation}
    where = "parameter 'x'" if place == "x" else "its output"
    with pytest.raises(
        TypeError, match=rf"task 'strict.task': {where} would be pickled: a \S*{kind} has no schema"
    ):
        strict.task(task)
    assert "strict.task" not in strict.tasks
    assert lax.task(task).name == "lax.task"


def test_types_that_need_no_pickle_are_declared_as_ever() -> None:
    @strict.task
    def fine(x: Point, y: Registered, z: Any, *more: object, **rest: list) -> dict: ...  # type: ignore[type-arg,empty-body]  # bare, as people write them

    @strict.task
    def later(x: NotDefinedYet) -> None: ...  # type: ignore[name-defined]  # noqa: F821  # the case at hand


@strict.task
async def echo(x: Any) -> Any:
    return x


@strict.task
async def give(kind: str) -> Any:
    return Plain() if kind == "plain" else {"a": [1, float("nan"), Registered()]}


@lax.task
async def lax_plain() -> Any:
    return Plain()


@upwell.trace
async def traced() -> Any:
    return Plain()


@strict.task
async def calls(what: str) -> str:
    if what == "child":
        await lax_plain()
    elif what == "trace":
        await traced()
    else:
        await echo(Point(1) if what == "point" else (1, 2))
    return "done"


@strict.task
def calls_sync(what: str) -> str:
    return asyncio.run(calls.func(what))


def test_values_that_need_no_pickle_pass(tmp_path: Path) -> None:
    assert LocalFlows(tmp_path).run(echo, {"a": [1, "b", None]}).unwrap() == {"a": [1, "b", None]}
    found = LocalFlows(tmp_path).run(give, "registered").unwrap()
    assert isinstance(found["a"][2], Registered)


def test_a_value_that_would_be_pickled_is_refused_at_the_call(tmp_path: Path) -> None:
    text = (
        r"task 'strict.echo': parameter 'x' holds a builtins.tuple, which has no schema, and environment "
        "'strict' has pickle=False; declare its type, .* or register it with upwell.io.register"
    )
    with pytest.raises(TypeError, match=text):
        LocalFlows(tmp_path).run(echo, (1, 2))
    error = LocalFlows(tmp_path).run(give, "plain").error
    assert isinstance(error, RuntimeUserError)
    assert "task 'strict.give': output holds a" in str(error)


@pytest.mark.parametrize("task", [calls, calls_sync], ids=["async", "sync"])
@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("tuple", "task 'strict.echo': parameter 'x' holds a builtins.tuple"),
        (
            "child",
            "task 'lax.lax_plain': output cannot be read back: it was pickled, and environment 'strict' has",
        ),
        ("trace", "task 'traced': output holds a .*Plain.* and environment 'strict' has pickle=False"),
    ],
)
def test_nothing_is_pickled_or_unpickled_by_what_runs_there(
    tmp_path: Path, task: Any, what: str, text: str
) -> None:
    error = LocalFlows(tmp_path).run(task, what).error
    assert error is not None
    assert re.search(text, str(error)), error


def test_clones_keep_it_unless_told_otherwise() -> None:
    assert strict.clone_with("strict-clone").pickle is False
    assert strict.clone_with("lax-clone", pickle=True).pickle is True
