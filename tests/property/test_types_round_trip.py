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
