"""Arrays and numbers of numpy: their bytes travel, never a pickle where there is a choice."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.strategies import is_same

from upwell._types.interface import Interface

CASES: list[tuple[Any, Any]] = [
    *[
        (np.ndarray, np.zeros((2, 3), dtype))
        for dtype in ("?", "i1", "u8", "f2", "f8", "c16", "S3", "U2", "M8[ns]", "m8[D]")
    ],
    (np.ndarray, np.array(5.0)),
    (np.ndarray, np.empty((0, 3))),
    (np.ndarray, np.arange(10)[::2]),
    (np.ndarray, np.asfortranarray(np.arange(6).reshape(2, 3))),
    (np.ndarray, np.array([1, 2], dtype=">i4")),
    (np.ndarray, np.array([((1, 2), b"a")], dtype=[("p", "<i2", (2,)), ("s", "S1")])),
    (npt.NDArray[np.float64], np.array([np.nan, 1])),
    (dict[str, list[np.ndarray]], {"a": [np.ones(1)]}),
    (np.float32, np.float32(0.1)),
    (np.float64, np.float64("nan")),
    (np.uint64, np.uint64(2**64 - 1)),
    (np.bool_, np.bool_(True)),
    (np.complex64, np.complex64(1 + 2j)),
    (np.datetime64, np.datetime64("2024-01-01T00:00", "ns")),
    (np.generic, np.int8(1)),
]


def interface_of(annotation: Any, **options: Any) -> Interface:
    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation}
    _kept.append(task)
    return Interface.of(task, **options)


_kept: list[Any] = []
"""Interfaces hold their functions weakly."""


@pytest.mark.parametrize(("annotation", "value"), CASES, ids=lambda part: str(part)[:40])
def test_arrays_and_numbers_arrive_as_they_were_without_a_pickle(annotation: Any, value: Any) -> None:
    for declared in (annotation, Any):
        interface = interface_of(declared, refuses_pickle="strict")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            encoded = interface.encode_inputs({"x": value})
        found = interface.decode_inputs(encoded)["x"]
        assert is_same(found, value), found
        assert interface.input_digest(interface.encode_inputs({"x": found})) == interface.input_digest(encoded)


def test_an_array_keeps_its_layout_and_can_be_written_to() -> None:
    for array in (np.asfortranarray(np.eye(3)), np.eye(3), np.eye(4)[::2]):
        interface = interface_of(np.ndarray)
        found = interface.decode_inputs(interface.encode_inputs({"x": array}))["x"]
        assert found.flags.f_contiguous == array.flags.f_contiguous
        found[0, 0] = 5


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, "a"], dtype=object),
        np.array([1], dtype=[("a", "O")]),
        np.ma.masked_array([1, 2], [True, False]),
    ],
    ids=["objects", "records", "masked"],
)
def test_arrays_that_are_more_than_their_bytes_are_pickled(array: Any) -> None:
    interface = interface_of(np.ndarray)
    with pytest.warns(match="ndarray|MaskedArray"):
        found = interface.decode_inputs(interface.encode_inputs({"x": array}))["x"]
    assert type(found) is type(array)
    assert found.tolist() == array.tolist()


def test_an_array_of_object_addresses_is_not_read() -> None:
    form = '{"dtype":"|O","shape":[1],"order":"C","data":"AAAAAAAAAAA="}'
    data = f'{{"x":{{"$upwell":"form","type":"numpy.ndarray","value":{form}}}}}'
    with pytest.raises(TypeError, match="addresses of objects"):
        interface_of(np.ndarray).decode_inputs(data.encode())


def test_a_number_of_numpy_is_no_int_and_the_error_says_what_to_pass() -> None:
    with pytest.raises(TypeError, match=r"expects int, got int64 np.int64\(3\) .*; pass its \.item\(\)"):
        interface_of(int).encode_inputs({"x": np.int64(3)})
    assert interface_of(float).encode_inputs({"x": np.float64(0.5)}) == b'{"x":0.5}'


def test_an_array_takes_little_more_than_its_bytes() -> None:
    array = np.random.default_rng(1).random(100_000)
    assert len(interface_of(np.ndarray).encode_inputs({"x": array})) < array.nbytes * 1.34


def test_numpy_is_not_imported_for_other_values() -> None:
    script = """
import sys
from typing import Any
from upwell._types.interface import Interface
def task(x: Any, y: list[float], z: object): ...
interface = Interface.of(task)
interface.decode_inputs(interface.encode_inputs({"x": {"a": [1]}, "y": [float("nan")], "z": "a"}))
assert "numpy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
