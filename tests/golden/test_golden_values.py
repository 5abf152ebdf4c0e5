"""The encoded form of values, held by files: what was written once is read for ever.

`v1` has what the first version wrote, and what later ones write of types that it pickled or lacked. A file is
never edited to make a test pass: a changed form gets a new file, and the old one is still read.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.golden.value_cases import CASES, WRITTEN_OTHERWISE
from tests.strategies import is_same

from upwell._types.interface import Interface

V1 = Path(__file__).parent / "values" / "v1"


@pytest.mark.parametrize("name", CASES)
def test_what_was_written_once_is_read(name: str) -> None:
    annotation, expected = CASES[name]

    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation}
    found = Interface.of(task).decode_inputs(golden(name))["x"]
    assert is_same(found, expected), found


@pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")
@pytest.mark.parametrize("name", sorted(CASES.keys() - WRITTEN_OTHERWISE))
def test_the_same_is_written_today(name: str) -> None:
    annotation, value = CASES[name]

    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation}
    assert Interface.of(task).encode_inputs({"x": value}) == golden(name)


def test_every_file_is_tested() -> None:
    assert {path.stem for path in V1.iterdir()} == set(CASES)


def golden(name: str) -> bytes:
    """Return the content of a golden file, without the newline that ends it."""
    return (V1 / f"{name}.json").read_bytes().removesuffix(b"\n")
