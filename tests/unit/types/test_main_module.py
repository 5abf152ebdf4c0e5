"""Objects of classes of the script that runs: other processes know these classes by the name of its file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from typing import Any
from upwell._types.interface import Interface

class Box:
    class Lid:
        pass

    def __init__(self, value: int):
        self.value, self.lid = value, Box.Lid()

def take(box: Box, other: Any = None): ...

def give() -> Box: ...

if __name__ == "__main__":
    class Inside:
        value = 7

    sys.stdout.buffer.write(Interface.of(take).encode_inputs({"box": Box(5), "other": Inside()}))
    back = Interface.of(give).decode_output(open("back.json", "rb").read()) if len(sys.argv) > 1 else None
    assert back is None or type(back) is Box and back.value == 6, back
"""
OTHER = """
import sys
from upwell._types.interface import Interface
from boxes import Box, give, take

inputs = Interface.of(take).decode_inputs(sys.stdin.buffer.read())
box = inputs["box"]
assert type(box) is Box and type(box.lid) is Box.Lid and box.value == 5, inputs
assert inputs["other"].value == 7
box.value += 1
sys.stdout.buffer.write(Interface.of(give).encode_output(box))
"""


def python(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Run Python in a folder, with warnings of pickled values left out."""
    command = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(command, cwd=folder, input=given, check=True, capture_output=True).stdout


def test_objects_of_the_scripts_own_classes_go_to_other_processes_and_come_back(tmp_path: Path) -> None:
    (tmp_path / "boxes.py").write_text(SCRIPT)
    (tmp_path / "other.py").write_text(OTHER)
    inputs = python(tmp_path, "boxes.py")
    (tmp_path / "back.json").write_bytes(python(tmp_path, "other.py", given=inputs))
    python(tmp_path, "boxes.py", "read")


DIGESTS = """
from dataclasses import dataclass
from upwell._types.interface import Interface

@dataclass
class Point:
    x: int

def task(point: Point, more: list[Point], kind: type) -> dict[str, Point]: ...

def digests() -> tuple[str, str]:
    interface = Interface.of(task)
    encoded = interface.encode_inputs({"point": Point(1), "more": [], "kind": Point})
    return interface.interface_digest, interface.input_digest(encoded)

if __name__ == "__main__":
    print(*digests())
"""


def test_hashes_do_not_depend_on_whether_a_module_is_the_script(tmp_path: Path) -> None:
    (tmp_path / "points.py").write_text(DIGESTS)
    as_script = python(tmp_path, "points.py")
    assert as_script == python(tmp_path, "-c", "import points; print(*points.digests())")
    assert len(as_script.split()) == 2
