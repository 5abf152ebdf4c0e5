"""Arguments of a call become parameters, or a message that says what to do."""

from __future__ import annotations

import json
from typing import Any, TypedDict, Unpack

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


def everything(x: int, /, y: int = 2, *rest: int, z: str = "z", **more: float) -> list[Any]:
    return [x, y, rest, z, more]


def untyped(*args, **kwargs):  # type: ignore[no-untyped-def]  # the case at hand
    return args, kwargs


class Extra(TypedDict, total=False):
    a: int


def unpacked(*args: *tuple[int, str], **kwargs: Unpack[Extra]) -> Any:
    return args, kwargs


@pytest.mark.parametrize(
    ("func", "args", "kwargs"),
    [
        (everything, (1,), {}),
        (everything, (1, 3, 4, 5), {"z": "q", "w": 1.5}),
        (everything, (1,), {"y": 5, "x": 1.0, "rest": 2.0}),
        (untyped, (), {}),
        (untyped, (1, "a"), {"args": [1], "self": None}),
        (unpacked, (1, "a"), {"a": 1}),
    ],
)
def test_variadic_and_positional_only_parameters_arrive_as_they_were_passed(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    interface = Interface.of(func)
    inputs = interface.decode_inputs(interface.encode_inputs(interface.bind(args, kwargs)))
    positional, named = interface.arguments(inputs)
    assert func(*positional, **named) == func(*args, **kwargs)


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "text"),
    [
        ((), {"x": 1.0}, ValueError, "needs a value for 'x'; pass it by position"),
        ((1,), {"y": 1, "z": 3}, TypeError, "'z' expects str, got int 3"),
        ((1, 2, 3, "4"), {}, TypeError, r"'rest' expects tuple\[int, ...\], got tuple \(3, '4'\)"),
        ((1,), {"w": "a"}, TypeError, r"'more' expects dict\[str, float\]"),
        ((1, 2), {"y": 2}, ValueError, "got parameter 'y' both by position and by name"),
    ],
)
def test_what_does_not_fit_variadic_parameters_is_named(
    args: tuple[Any, ...], kwargs: dict[str, Any], error: type[Exception], text: str
) -> None:
    interface = Interface.of(everything)
    with pytest.raises(error, match=text):
        interface.encode_inputs(interface.bind(args, kwargs))


def test_what_goes_by_position_cannot_be_named() -> None:
    def task(x: int, /, *rest: int) -> None: ...

    for kwargs, text in [({"x": 1}, "takes 'x' by position only"), ({"rest": 1}, r"takes \*rest by position")]:
        with pytest.raises(ValueError, match=text):
            Interface.of(task).bind((1,), kwargs)


def test_inputs_of_earlier_code_are_completed_with_defaults_and_lose_what_is_gone(interface: Interface) -> None:
    assert interface.decode_inputs(b'{"x":1,"gone":2}') == {"x": 1, "y": 0.5, "label": "none"}
    with pytest.raises(TypeError, match="parameter 'x' cannot be read back: Field required"):
        interface.decode_inputs(b'{"y":1}')


def test_inputs_are_replaced_without_decoding_the_others() -> None:
    def task(x: Any, y: int = 2, *rest: int) -> None: ...

    interface = Interface.of(task, "env.task")
    unreadable = b'{"x":{"$upwell":"pickle","data":"gARjbm93aGVyZQpUaGluZwou"},"y":1,"gone":3}'
    replaced = interface.replace_inputs(unreadable, {"y": 5})
    assert json.loads(replaced) == {"x": json.loads(unreadable)["x"], "y": 5, "rest": []}
    with pytest.raises(ValueError, match=r"env\.task' has no parameter 'z'"):
        interface.replace_inputs(unreadable, {"z": 1})
    with pytest.raises(TypeError, match="parameter 'y' expects int"):
        interface.replace_inputs(unreadable, {"y": "a"})
    with pytest.raises(ValueError, match="needs a value for 'x'"):
        interface.replace_inputs(b"{}", {})


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
