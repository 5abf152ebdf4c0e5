"""Arguments of a call become parameters, or a message that says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from upwell._types.interface import Interface


def score(x: int, y: float = 0.5, *, label: str = "none") -> float:
    return x * y


@pytest.fixture
def interface() -> Interface:
    return Interface.of(score, "env.score")


def test_defaults_are_filled_in_signature_order(interface: Interface) -> None:
    assert list(interface.bind((), {"y": 2.0, "x": 1}).items()) == [("x", 1), ("y", 2.0), ("label", "none")]


def test_keyword_only_parameters_are_bound_by_name(interface: Interface) -> None:
    assert interface.bind((1,), {"label": "a"})["label"] == "a"


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((), {"y": 1.0}, "needs a value for 'x'; pass x=..."),
        ((1, 2.0, "a"), {}, r"got 3 positional arguments but takes 2 \(x, y, label\)"),
        ((1,), {"lable": "a"}, "has no parameter 'lable'; did you mean 'label'"),
        ((1,), {"zzz": 1}, "has no parameter 'zzz'; its parameters are: x, y, label"),
        ((1,), {"x": 2}, "got parameter 'x' both by position and by name"),
    ],
)
def test_a_call_that_does_not_fit_names_task_and_parameter(
    interface: Interface, args: tuple[object, ...], kwargs: dict[str, object], text: str
) -> None:
    with pytest.raises(ValueError, match=f"task 'env.score' {text}"):
        interface.bind(args, kwargs)


def test_variable_parameters_are_refused_at_once() -> None:
    def positional(*values: int) -> None: ...
    def named(**values: int) -> None: ...
    def slashed(x: int, /) -> None: ...

    cases: list[tuple[Any, str]] = [
        (positional, r"\*values"),
        (named, r"\*\*values"),
        (slashed, "positional-only x"),
    ]
    for task, text in cases:
        with pytest.raises(TypeError, match=f"a task cannot have the parameter {text}"):
            Interface.of(task)


def test_parameters_may_have_the_names_of_builtins_and_of_dict_methods() -> None:
    def task(str: str = "a", int: int = 1, keys: list[float] = [], items: bool = True) -> None: ...  # noqa: A002, B006

    interface = Interface.of(task)
    bound = interface.bind((), {})
    assert interface.decode_inputs(interface.encode_inputs(bound)) == {
        "str": "a",
        "int": 1,
        "keys": [],
        "items": True,
    }


def test_an_interface_is_made_once_per_function_and_task_name() -> None:
    assert Interface.of(score, "a.score") is Interface.of(score, "a.score")
    assert Interface.of(score, "a.score") is not Interface.of(score, "b.score")


def test_parameters_are_described(interface: Interface) -> None:
    x, y, label = interface.parameters.values()
    assert (x.annotation, x.is_required) == (int, True)
    assert (y.annotation, y.default, y.is_required) == (float, 0.5, False)
    assert label.kind.name == "KEYWORD_ONLY"
