"""The command line shows values without unpickling them: here, a pickle that leaves a mark when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.conftest import Cli

pytestmark = pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")

BOMBS = """
from pathlib import Path

import numpy as np
import upwell

env = upwell.TaskEnvironment("bombs")


class Bomb:
    def __reduce__(self):
        return explode, ()


def explode():
    with Path("exploded").open("a") as marks:
        marks.write("x")
    return Bomb()


@env.task
async def make(bomb=Bomb(), n: int = 1):
    return [bomb], n


@env.task
async def measure(scale: np.float32 = np.float32(1.5), *parts: int, **names: str) -> tuple[np.ndarray, dict]:
    return scale * np.ones((2, 3)), {"best": float("nan"), "parts": parts[0], "names": names["a"]}
"""


def test_values_are_shown_and_replaced_without_being_unpickled(cli: Cli, folder: Path) -> None:
    (folder / "bombs.py").write_text(BOMBS)

    def loads() -> int:
        marks = folder / "exploded"
        return len(marks.read_text()) if marks.exists() else 0

    shown = cli("run", "bombs.py", "--name", "b1", "--json", "make").json
    assert shown["outputs"]["o0"]["pickle"] is True
    assert loads() == 1  # by the executor
    found = cli("get", "io", "b1", "--json").json
    assert found["inputs"]["bomb"]["pickle"] is True
    assert found["inputs"]["n"] == 1
    for command in (("get", "io", "b1"), ("get", "run", "b1"), ("get", "actions", "b1"), ("profile", "b1")):
        assert cli(*command).code == 0
    assert loads() == 1
    assert cli("rerun", "b1", "--n", "2", "--name", "b2").code == 0
    assert loads() == 2  # by the executor again
    again = cli("get", "io", "b2", "--json").json
    assert again["inputs"] == found["inputs"] | {"n": 2}


def test_arrays_and_numbers_are_described_and_variadic_parameters_are_options(cli: Cli, folder: Path) -> None:
    (folder / "bombs.py").write_text(BOMBS)
    call = ("measure", "--parts", "3", "--parts", "4", "--names", '{"a": "b"}')
    outputs = cli("run", "bombs.py", "--name", "m1", "--json", *call).json["outputs"]
    assert outputs == {
        "o0": {"type": "numpy.ndarray", "dtype": "<f8", "shape": [2, 3], "size_bytes": 48},
        "o1": {"best": "nan", "parts": 3, "names": "b"},
    }
    inputs = cli("get", "io", "m1", "--json").json["inputs"]
    assert inputs["scale"] == {"type": "numpy.generic", "dtype": "<f4", "value": 1.5}
    assert (inputs["parts"], inputs["names"]) == ([3, 4], {"a": "b"})
