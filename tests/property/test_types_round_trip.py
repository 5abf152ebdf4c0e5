"""Values come back as what they were: equal, and of the same types all the way down."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import ANYTHING, JSON, TypedValue, is_same, typed_values

from upwell._types.interface import Interface

pytestmark = pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")


unhurried = settings(deadline=None)
"""The first use of a type builds its codec, which takes milliseconds, more on a busy machine."""


def function_of(annotation: Any) -> Callable[..., Any]:
    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation, "return": annotation}
    return task


@unhurried
@given(typed_values())
def test_an_input_comes_back_as_it_was(typed: TypedValue) -> None:
    task = function_of(typed.annotation)
    interface = Interface.of(task)
    encoded = interface.encode_inputs({"x": typed.value})
    assert is_same(interface.decode_inputs(encoded)["x"], typed.value)


@unhurried
@given(typed_values())
def test_an_output_comes_back_as_it_was(typed: TypedValue) -> None:
    task = function_of(typed.annotation)
    interface = Interface.of(task)
    assert is_same(interface.decode_output(interface.encode_output(typed.value)), typed.value)


@unhurried
@given(typed_values())
def test_what_came_back_has_the_same_digest(typed: TypedValue) -> None:
    task = function_of(typed.annotation)
    interface = Interface.of(task)
    first = interface.encode_inputs({"x": typed.value})
    second = interface.encode_inputs(interface.decode_inputs(first))
    assert interface.input_digest(first) == interface.input_digest(second)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Draw a function with parameters of every kind, and the arguments of a call of it."""
    first, second, rest, named, more = (draw(typed_values(depth=1)) for _ in range(5))
    is_given = draw(st.booleans())

    def task(first, /, second=second.value, *rest, named=named.value, **more):  # type: ignore[no-untyped-def]  # annotated below
        return first, second, rest, named, more

    task.__annotations__ = {
        "first": first.annotation,
        "second": second.annotation,
        "rest": rest.annotation,
        "named": named.annotation,
        "more": more.annotation,
    }
    args = (first.value, second.value, *[rest.value] * draw(st.integers(0, 2))) if is_given else (first.value,)
    names = draw(st.lists(st.sampled_from(["first", "rest", "more", "other"]), unique=True))
    kwargs = dict.fromkeys(names, more.value) | ({"named": named.value} if is_given else {})
    return task, args, kwargs


@settings(deadline=None, max_examples=40)
@given(calls())
def test_a_function_gets_the_arguments_of_the_call(call: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
    task, args, kwargs = call
    interface = Interface.of(task)
    inputs = interface.decode_inputs(interface.encode_inputs(interface.bind(args, kwargs)))
    positional, named = interface.arguments(inputs)
    assert is_same(task(*positional, **named), task(*args, **kwargs))


@unhurried
@given(ANYTHING)
def test_a_value_without_a_type_comes_back_as_it_was(value: Any) -> None:
    def task(x): ...  # type: ignore[no-untyped-def]  # the case at hand

    interface = Interface.of(task)
    assert is_same(interface.decode_inputs(interface.encode_inputs({"x": value}))["x"], value)


@unhurried
@given(st.dictionaries(st.text(max_size=3), JSON, min_size=2), st.randoms(use_true_random=False))
def test_the_order_of_a_dict_does_not_change_the_digest(value: dict[str, Any], order: random.Random) -> None:
    def task(x: dict[str, Any]) -> None: ...

    interface = Interface.of(task)
    items = list(value.items())
    order.shuffle(items)
    encoded = [interface.encode_inputs({"x": each}) for each in (value, dict(items))]
    assert interface.input_digest(encoded[0]) == interface.input_digest(encoded[1])
