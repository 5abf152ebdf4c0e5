"""The hash of inputs: the same for equal inputs, in every process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from upwell._types.interface import Interface
from upwell.io import Directory, File


def _itself(value: Any) -> Any:
    return value


def _in_a_list(value: Any) -> Any:
    return [value]


def digest_of(annotation: Any, value: Any, **options: Any) -> str:
    def task(x, y=0): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation, "y": int}
    interface = Interface.of(task)
    return interface.input_digest(interface.encode_inputs(interface.bind((value,), options)))


def test_different_values_have_different_digests() -> None:
    digests = [digest_of(Any, value) for value in (1, 1.0, "1", True, None, [1], {"1": 1})]
    assert len(set(digests)) == len(digests)


def test_the_order_of_dict_keys_does_not_matter() -> None:
    for annotation in (dict[str, int], dict, Any, dict[str, Any]):
        assert digest_of(annotation, {"a": 1, "b": 2}) == digest_of(annotation, {"b": 2, "a": 1})
    assert digest_of(dict[tuple[int, int], int], {(1, 2): 1, (0, 0): 2}) == digest_of(
        dict[tuple[int, int], int], {(0, 0): 2, (1, 2): 1}
    )


def test_ignored_parameters_do_not_count() -> None:
    def task(x: int, verbose: bool) -> None: ...

    interface = Interface.of(task)
    loud, quiet = (interface.encode_inputs({"x": 1, "verbose": verbose}) for verbose in (True, False))
    assert interface.input_digest(loud) != interface.input_digest(quiet)
    assert interface.input_digest(loud, ["verbose"]) == interface.input_digest(quiet, ["verbose"])


@pytest.mark.parametrize("cls", [File, Directory])
def test_a_reference_counts_by_its_hash_or_else_by_its_path(cls: Any) -> None:
    for annotation, wrap in [(cls, _itself), (list[cls], _in_a_list)]:
        here, there = cls(path="s3://b/here"), cls(path="s3://b/there")
        assert digest_of(annotation, wrap(here)) != digest_of(annotation, wrap(there))
        here.hash = there.hash = "same"
        assert digest_of(annotation, wrap(here)) == digest_of(annotation, wrap(there))


@pytest.mark.filterwarnings("ignore::upwell.errors.PickledValueWarning")
def test_references_in_models_and_in_pickled_values_count_alike() -> None:
    class Inputs(BaseModel):
        file: File

    here, there = File(path="s3://b/here", hash="same"), File(path="s3://b/there", hash="same")
    assert digest_of(Inputs, Inputs(file=here)) == digest_of(Inputs, Inputs(file=there))
    assert digest_of(Any, (here,)) == digest_of(Any, (there,))


def test_the_interface_digest_changes_with_names_types_and_fields() -> None:
    def make(fields: dict[str, Any], returns: Any, name: str = "x") -> str:
        model = type(
            "Model", (BaseModel,), {"__annotations__": fields, "__module__": "m", "__qualname__": "Model"}
        )
        namespace: dict[str, Any] = {}
        exec(f"def task({name}): ...", namespace)
        namespace["task"].__annotations__ = {name: model, "return": returns}
        return Interface.of(namespace["task"]).interface_digest

    same = make({"a": int}, str)
    assert same == make({"a": int}, str)
    assert len({same, make({"a": float}, str), make({"a": int}, int), make({"a": int}, str, "y")}) == 4


SCRIPT = """
import enum, warnings
from typing import Any
from upwell._types.interface import Interface

warnings.simplefilter("ignore")

class Unit(enum.Enum):
    METRE = "m"

class Plain:
    def __init__(self, name):
        self.name = name
        self.tags = {"red", "green", "blue", name}
        self.unit = Unit.METRE

def task(x: Any, y: set[str], z: Plain): ...

interface = Interface.of(task)
offset = 3
name = "".join(["o", "ne"])
values = {"x": [("one", name), lambda v: v + offset], "y": {"a", "b", "c"}, "z": Plain(name)}
print(interface.input_digest(interface.encode_inputs(values)), interface.interface_digest)
"""


FLOW = """
import warnings
from typing import Any, Optional
from upwell._types.interface import Interface

warnings.simplefilter("ignore")

class Plain: ...

def helper(): ...

def task(x: Any, y: "list[Plain]", z: Optional[Plain] = None): ...

def show():
    interface = Interface.of(task)
    encoded = interface.encode_inputs({"x": [helper, Plain, (1,)], "y": [Plain()], "z": None})
    print(interface.input_digest(encoded), interface.interface_digest)

if __name__ == "__main__":
    show()
"""


def test_digests_are_the_same_whether_a_script_runs_or_is_imported(tmp_path: Path) -> None:
    """A run that a script started is gone on with by the command line, which imports the script."""
    (tmp_path / "flow_script.py").write_text(FLOW)
    env = {"PYTHONPATH": ":".join([str(tmp_path), *sys.path])}
    shown = {
        subprocess.run([sys.executable, *command], env=env, check=True, capture_output=True, text=True).stdout
        for command in ([str(tmp_path / "flow_script.py")], ["-c", "import flow_script; flow_script.show()"])
    }
    assert len(shown) == 1, shown


def test_digests_are_the_same_in_every_process(tmp_path: Path) -> None:
    """Although sets are ordered by a random seed, and pickles of script classes hold random ids."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    path = ":".join(sys.path)
    outputs = {
        subprocess.run(
            [sys.executable, str(script)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": path},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
