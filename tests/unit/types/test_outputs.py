"""Results: checked, written, read, and split into the outputs of a run."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import pytest

from upwell._types.interface import Interface
from upwell.errors import PickledValueWarning, RuntimeDataValidationError
from upwell.io import File


class Split(NamedTuple):
    train: list[int]
    ratio: float = 0.8


def test_a_result_of_a_wrong_type_is_a_validation_error() -> None:
    def task() -> int:
        return 0

    with pytest.raises(RuntimeDataValidationError, match=r"task 'env\.task': output expects int, got str 'a'"):
        Interface.of(task, "env.task").encode_output("a")


def test_a_result_where_none_is_declared_is_a_validation_error() -> None:
    def task() -> None: ...

    interface = Interface.of(task)
    assert interface.decode_output(interface.encode_output(None)) is None
    with pytest.raises(RuntimeDataValidationError, match="output expects"):
        interface.encode_output(3)


def test_a_result_without_an_annotation_may_be_anything() -> None:
    def task(): ...  # type: ignore[no-untyped-def]  # the case at hand

    interface = Interface.of(task)
    assert interface.decode_output(interface.encode_output({"a": [1, None]})) == {"a": [1, None]}
    with pytest.warns(PickledValueWarning, match="its output holds a builtins.tuple"):
        assert interface.decode_output(interface.encode_output((1, 2))) == (1, 2)


def test_a_result_that_cannot_be_pickled_is_a_validation_error() -> None:
    def task() -> Any: ...

    with pytest.raises(
        RuntimeDataValidationError, match=r"output a value of type _thread.lock cannot be pickled"
    ):
        Interface.of(task).encode_output(threading.Lock())


@pytest.mark.parametrize(
    ("annotation", "value", "outputs"),
    [
        (int, 3, {"o0": 3}),
        (None, None, {"o0": None}),
        (tuple[int, str], (1, "a"), {"o0": 1, "o1": "a"}),
        (tuple[int, ...], (1, 2), {"o0": (1, 2)}),
        (File, File(path="/data"), {"o0": File(path="/data")}),
        (Split, Split([1]), {"train": [1], "ratio": 0.8}),
        (list[int], [1, 2], {"o0": [1, 2]}),
    ],
)
def test_tuples_and_named_tuples_are_several_outputs(
    annotation: Any, value: Any, outputs: dict[str, Any]
) -> None:
    def task(): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"return": annotation}
    interface = Interface.of(task)
    found = interface.decode_output(interface.encode_output(value))
    assert dict(zip(interface.output_names, interface.outputs_of(found), strict=True)) == outputs


def test_a_tuple_without_an_annotation_is_one_output() -> None:
    def task(): ...  # type: ignore[no-untyped-def]  # the case at hand

    assert Interface.of(task).outputs_of((1, 2)) == ((1, 2),)
